import { digestBytes } from '../../../crypto/digest.ts';
import { expectUse } from '../../../crypto/signer.ts';
import { parseManifest } from '../../../formats/ovf/manifest.ts';
import { formatResponse, parseRequest, type RequestDocument } from '../../../formats/signing-room.ts';
import { equalBytes } from '../../../kit/bytes.ts';
import { formatHex } from '../../../kit/encoding.ts';
import { BundleError, toBundleError } from '../../../kit/errors/errors.ts';
import { DEFAULT_LIMITS } from '../../../kit/limits.ts';
import { needed, path, shape } from '../../../kit/shape.ts';
import { apartFrom } from '../../../storage/apart.ts';
import { openOutput } from '../../../storage/output/open-output.ts';
import { readSmallFile } from '../../../storage/trust/small-files.ts';
import type { CertificateReport, Report } from '../../../verdict/report/report.ts';
import { makeReport } from '../../../verdict/report/report.ts';
import { tellingIn } from '../../../verdict/report/telling.ts';
import { certificateReport } from '../../../verdict/signers/signature-report.ts';
import { signingIdentity } from '../../option-rules.ts';
import { type Waiting, waitingOptions, whileWaiting } from '../../waiting.ts';
import { EDITING, type EditOptions } from '../copy-options.ts';
import { makeSignature } from '../make-signature.ts';
import type { SigningDigest, SigningIdentity } from '../signing.ts';

/** A request as it came, all that can be told from what is to be signed, and what it says beside that. */
export interface SigningRequest {
  /** the file that it is in */
  readonly file: string;
  /** what the bundle is called; not signed */
  readonly bundle: string;
  readonly manifest: string;
  readonly algorithm: SigningDigest;
  /** of the manifest, hex */
  readonly digest: string;
  /** what the manifest lists, and so what is signed */
  readonly files: readonly { readonly name: string; readonly algorithm: string; readonly digest: string }[];
  /** what it says of the bundle; not signed */
  readonly about: readonly string[];
}

/** The bytes that a request asks to have signed; whoever makes one of his own has them not. */
const DOCUMENTS = new WeakMap<SigningRequest, RequestDocument>();

/**
 * Reads a request. What it says of the manifest is held against the manifest in it, which is parsed as an importer does that.
 *
 * @throws {BundleError} `USAGE` for what is no request as it was written, `MANIFEST_*`, `FILE_*`
 * @see spec/signatures.md, clause room.2
 */
export async function readSigningRequest(file: string, waiting: Waiting = {}): Promise<SigningRequest> {
  path(file, 'file');
  const read = (): Promise<Uint8Array> =>
    whileWaiting(waitingOptions(waiting, 'waiting'), (source) => readSmallFile(file, source, DOCUMENT_BYTES));
  return await tellingIn('sign', async () => {
    const bytes = await read();
    try {
      return requestIn(bytes, file);
    } catch (error) {
      throw toBundleError(error).at({ file });
    }
  });
}

/** A manifest of the most that is read, and as much again for how JSON writes it. */
export const DOCUMENT_BYTES = 2 * DEFAULT_LIMITS.manifestBytes;

function requestIn(bytes: Uint8Array, file: string): SigningRequest {
  const document = parseRequest(bytes);
  const { bundle, manifest, digest, about, content } = document;
  if (!equalBytes(digestBytes(digest.algorithm, content), digest.value)) {
    throw new BundleError('USAGE', 'the digest in the request is not that of the manifest in it', {
      why: 'one of them was changed on the way, and which one cannot be told',
      fix: 'have the request written and brought again',
    });
  }
  const { entries } = parseManifest(content, DEFAULT_LIMITS);
  const request: SigningRequest = {
    file,
    bundle,
    manifest,
    algorithm: digest.algorithm,
    digest: formatHex(digest.value),
    files: entries.map(({ name, algorithm, digest: hex }) => ({ name, algorithm, digest: hex })),
    about,
  };
  DOCUMENTS.set(request, document);
  return request;
}

/** How a request is answered. */
export interface AnswerOptions extends Pick<EditOptions, 'overwrite' | 'deadlineMs' | 'signal'> {
  /** the response to write */
  readonly output: string;
  readonly identity: SigningIdentity;
}

/** A response, in a file. */
export interface AnsweredResult {
  readonly response: string;
  /** of the response */
  readonly bytes: number;
  readonly signer: CertificateReport;
}

/** The report of `sign` that answered a request. */
export type AnsweredReport = Report<'sign', AnsweredResult>;

/**
 * Signs what a request asks for, and writes the response. Whether a person has looked at it is for the caller to see to.
 *
 * @throws {BundleError} `KEY_MISMATCH` where another key is asked for, `USAGE`, and when it cannot be signed or written
 * @see spec/signatures.md, clauses room.3 and room.4
 */
export async function answerSigningRequest(
  request: SigningRequest,
  options: AnswerOptions,
): Promise<AnsweredReport> {
  const { output: name, identity, overwrite = false, signal } = answerOptions(options, '');
  return await tellingIn('sign', async () => {
    const document = DOCUMENTS.get(request);
    if (!document) throw new BundleError('USAGE', 'this request was not read by readSigningRequest');
    const target = apartFrom(name, [request.file, ...identity.files]);
    expectAskedFor(document, identity, request.file);
    const { manifest, digest, cms, content, bundle } = document;
    expectUse(identity.signer, { digest: digest.algorithm, use: 'bundle' });
    await using output = await openOutput(target, { overwrite, signal });
    const made = await makeSignature({ name: manifest, bytes: content }, identity, {
      digest: digest.algorithm,
      ...(cms !== undefined && { cms }),
      signal,
    });
    const asked = { bundle, manifest, digest, ...(cms !== undefined && { cms }) };
    const bytes = formatResponse({ ...asked, certificateFile: made.certificate });
    await output.write(bytes);
    await output.finish();
    return makeReport({
      operation: 'sign',
      input: { name: request.file },
      errors: [],
      warnings: identity.warnings,
      result: { response: name, bytes: bytes.byteLength, signer: certificateReport(identity.leaf) },
    });
  });
}

const answerOptions = shape<AnswerOptions>({
  overwrite: EDITING.overwrite,
  deadlineMs: EDITING.deadlineMs,
  signal: EDITING.signal,
  output: needed(path),
  identity: needed(signingIdentity),
});

function expectAskedFor({ signer }: RequestDocument, { leaf }: SigningIdentity, file: string): void {
  if (signer === undefined || signer === leaf.spkiSha256) return;
  throw new BundleError('KEY_MISMATCH', 'the request asks for the signature of another key', {
    where: { file },
    why: `it is to be signed with the key sha256:${signer}, and this one is sha256:${leaf.spkiSha256}`,
    fix: 'sign with the key that is asked for, or have the request written for this one',
  });
}
