import { digestBytes } from '../../../crypto/digest.ts';
import { parseManifest } from '../../../formats/ovf/manifest.ts';
import {
  formatDigest,
  formatResponse,
  parseRequest,
  type RequestDocument,
} from '../../../formats/signing-room.ts';
import { equalBytes } from '../../../kit/bytes.ts';
import { openDeadline } from '../../../kit/deadline.ts';
import { BundleError } from '../../../kit/errors/errors.ts';
import type { NamedBytes } from '../../../kit/given-bytes.ts';
import { DEFAULT_LIMITS } from '../../../kit/limits.ts';
import { list, needed, path, shape, text } from '../../../kit/shape.ts';
import { type ByteSink, discardedAtEnd } from '../../../kit/streams/byte-sink.ts';
import { apartFrom } from '../../../storage/apart.ts';
import { openOutput } from '../../../storage/output/open-output.ts';
import { type CertificateReport, makeReport, type Report } from '../../../verdict/report/report.ts';
import { tellingIn } from '../../../verdict/report/telling.ts';
import { certificateReport } from '../../../verdict/signers/signature-report.ts';
import { expectReplaceable, output, outputName, signingIdentity } from '../../option-rules.ts';
import type { Waiting } from '../../waiting.ts';
import { EDITING, type EditOptions } from '../copy-options.ts';
import { signingWith } from '../make-signature.ts';
import type { SigningIdentity } from '../signing.ts';
import { REQUESTS, readDocument } from './documents.ts';

/** A request as it came: what is to be signed, and what is only said of it. */
export interface SigningRequest {
  /** the file that it is in, or what its bytes are called */
  readonly name: string;
  /** what the bundle is called; not signed */
  readonly bundle: string;
  readonly manifest: string;
  /** of the manifest: the algorithm, a colon, and hex digits */
  readonly digest: string;
  /** what the manifest lists, and so what is signed */
  readonly files: readonly { readonly name: string; readonly algorithm: string; readonly digest: string }[];
  /** SHA-256 of the certificate of whoever is to sign, hex; anybody when left out */
  readonly signer?: string;
  /** what it says of the bundle; not signed */
  readonly about: readonly string[];
}

/**
 * Reads a request. What it says of the manifest is held against the manifest in it, which is parsed as an importer does that.
 *
 * @throws {BundleError} `USAGE` for what is no request as it was written, `MANIFEST_*`, `FILE_*`
 * @see spec/signatures.md, clause room.2
 */
export async function readSigningRequest(
  from: string | NamedBytes,
  waiting: Waiting = {},
): Promise<SigningRequest> {
  return await tellingIn('sign', () => readDocument(from, waiting, requestIn));
}

function requestIn(bytes: Uint8Array, name: string): SigningRequest {
  const document = parseRequest(bytes);
  const { bundle, manifest, digest, about, content, signer } = document;
  if (!equalBytes(digestBytes(digest.algorithm, content), digest.value)) {
    throw new BundleError('USAGE', 'the digest in the request is not that of the manifest in it', {
      why: 'one of them was changed on the way, and which one cannot be told',
      fix: 'have the request written and brought again',
    });
  }
  const { entries } = parseManifest(content, DEFAULT_LIMITS);
  if (entries.length === 0) throw new BundleError('USAGE', 'the manifest in the request lists nothing');
  const request: SigningRequest = {
    name,
    bundle,
    manifest,
    digest: formatDigest(digest),
    files: entries.map((entry) => ({ name: entry.name, algorithm: entry.algorithm, digest: entry.digest })),
    ...(signer !== undefined && { signer }),
    about,
  };
  REQUESTS.set(request, document);
  return request;
}

/** How a request is answered. */
export interface AnswerOptions extends Pick<EditOptions, 'overwrite' | 'deadlineMs' | 'signal'> {
  /** the response to write: a file, `-`, or a sink */
  readonly output: string | ByteSink;
  readonly identity: SigningIdentity;
}

/** A response that was written. */
export interface AnsweredResult {
  /** the name of what was written, or `-`; left out when it went into a sink */
  readonly response?: string;
  /** of the response */
  readonly bytes: number;
  readonly signer: CertificateReport;
}

/** The report of `sign` that answered a request. */
export type AnsweredReport = Report<'sign', AnsweredResult>;

/**
 * Signs what a request asks for, and writes the response. Whether a person has looked at it is for the caller to see to.
 *
 * @throws {BundleError} `KEY_MISMATCH` where another signer is asked for, `USAGE`, and when it cannot be signed or written
 * @see spec/signatures.md, clauses room.3 and room.4
 */
export async function answerSigningRequest(
  request: SigningRequest,
  options: AnswerOptions,
): Promise<AnsweredReport> {
  signingRequest(request, 'request');
  const given = answerOptions(options, '');
  expectReplaceable(given);
  await using _ = discardedAtEnd(given.output);
  using deadline = openDeadline(given);
  return await tellingIn('sign', () => answerGiven(request, { ...given, ...deadline }));
}

const signingRequest = shape<SigningRequest>({
  name: needed(path),
  bundle: needed(path),
  manifest: needed(path),
  digest: needed(path),
  files: needed(list(shape({ name: needed(path), algorithm: needed(path), digest: needed(path) }))),
  signer: path,
  about: needed(list(text)),
});

const answerOptions = shape<AnswerOptions>({
  overwrite: EDITING.overwrite,
  deadlineMs: EDITING.deadlineMs,
  signal: EDITING.signal,
  output: needed(output),
  identity: needed(signingIdentity),
});

async function answerGiven(
  request: SigningRequest,
  options: AnswerOptions & { readonly expectInTime: () => void },
): Promise<AnsweredReport> {
  const { output: to, identity, overwrite = false, signal } = options;
  const document = REQUESTS.get(request);
  if (!document) throw new BundleError('USAGE', 'this request was not read by readSigningRequest');
  const { about: _, content, ...asked } = document;
  const target = apartFrom(to, [request.name, ...identity.files]);
  expectSigner(document, identity, request.name);
  const { manifest, digest, cms } = asked;
  const signing = signingWith(identity, { digest: digest.algorithm, ...(cms !== undefined && { cms }) });
  await using response = await openOutput(target, { overwrite, signal });
  const { certificate } = await signing.sign({ name: manifest, bytes: content }, signal);
  const bytes = formatResponse({ ...asked, certificateFile: certificate });
  await response.write(bytes);
  options.expectInTime(); // [cli.15]
  await response.finish();
  const { output: named } = outputName(to);
  return makeReport({
    operation: 'sign',
    input: { name: request.name },
    errors: [],
    warnings: identity.warnings,
    result: {
      ...(named !== undefined && { response: named }),
      bytes: bytes.byteLength,
      signer: certificateReport(identity.leaf),
    },
  });
}

function expectSigner({ signer }: RequestDocument, { leaf }: SigningIdentity, file: string): void {
  if (signer === undefined || signer === leaf.fingerprint) return;
  throw new BundleError('KEY_MISMATCH', 'the request asks for the signature of another certificate', {
    where: { file },
    why: `it is to be signed by the certificate sha256:${signer}, and this one is sha256:${leaf.fingerprint}`,
    fix: 'sign with the certificate that is asked for and its key, or have the request written for this one',
  });
}
