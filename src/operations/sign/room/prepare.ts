import { basename } from 'node:path';
import type { Certificate } from '../../../crypto/certificate.ts';
import { digestBytes } from '../../../crypto/digest.ts';
import { partBeside } from '../../../formats/bundle-part.ts';
import type { Descriptor } from '../../../formats/ovf/descriptor.ts';
import { formatDigest, formatRequest } from '../../../formats/signing-room.ts';
import { type Deadline, openDeadline } from '../../../kit/deadline.ts';
import { fileOrBytes, type NamedBytes } from '../../../kit/given-bytes.ts';
import { DEFAULT_LIMITS } from '../../../kit/limits.ts';
import { flag, needed, path, shape } from '../../../kit/shape.ts';
import { isPackage, sourceOptions } from '../../../kit/source.ts';
import { type ByteSink, discardedAtEnd } from '../../../kit/streams/byte-sink.ts';
import { apartFrom } from '../../../storage/apart.ts';
import { openOutput } from '../../../storage/output/open-output.ts';
import { openBundle } from '../../../storage/sources/open-bundle.ts';
import { judgeCertificateForSigning } from '../../../trust/judge-signer.ts';
import type { ContentsJudgement } from '../../../verdict/bundle/judge-contents.ts';
import { makeReport, type Report } from '../../../verdict/report/report.ts';
import { tellingIn } from '../../../verdict/report/telling.ts';
import type { NamedMember } from '../../../verdict/walk/member.ts';
import { expectReplaceable, output, outputName, signingDigest } from '../../option-rules.ts';
import { namedBundle } from '../../readings.ts';
import { copyBundle } from '../copy-bundle.ts';
import { EDITING, type EditOptions } from '../copy-options.ts';
import { readPackage } from '../in-place/read-package.ts';
import type { SigningDigest } from '../signing.ts';
import { givenSigner } from './given-signer.ts';

/** What is asked of whoever has the key. */
export interface PrepareOptions extends EditOptions {
  /** the request to write: a file, `-`, or a sink */
  readonly output: string | ByteSink;
  readonly digest?: SigningDigest;
  /** whether a CMS signature is added; when left out, it is when there are intermediates */
  readonly cms?: boolean;
  /** the certificate of whoever is to sign: with another it is not answered */
  readonly certificate?: string | NamedBytes;
}

/** A request to sign that was written. */
export interface PreparedResult {
  /** the name of what was written, or `-`; left out when it went into a sink */
  readonly request?: string;
  /** the algorithm, a colon, and the digest of the manifest in hex */
  readonly digest: string;
  /** of the request */
  readonly bytes: number;
}

/** The report of `sign` that wrote a request alone. */
export type PreparedReport = Report<'sign', PreparedResult>;

/**
 * Writes what must be signed of a bundle into a file, to be answered where the key is. All of the bundle is read and judged first, and what an
 * importer would refuse is not asked for: the report has the reasons then, and nothing is written.
 *
 * @throws {BundleError} when the bundle cannot be read, or the request not written
 * @see spec/signatures.md, clauses room.1 and room.6
 */
export async function prepareSigning(input: string, options: PrepareOptions): Promise<PreparedReport> {
  path(input, 'input');
  const given = prepareOptions(options, '');
  expectReplaceable(given);
  await using _ = discardedAtEnd(given.output);
  using deadline = openDeadline(given);
  return await tellingIn('sign', () => prepareGiven(input, { ...given, ...deadline }));
}

const prepareOptions = shape<PrepareOptions>({
  ...EDITING,
  output: needed(output),
  digest: signingDigest,
  cms: flag,
  certificate: fileOrBytes,
});

type Given = PrepareOptions & Pick<Deadline, 'expectInTime'>;

async function prepareGiven(input: string, options: Given): Promise<PreparedReport> {
  const { output: to, digest = 'sha256', cms, certificate, signal, overwrite = false } = options;
  const target = apartFrom(to, [
    ...namedBundle(input),
    ...(typeof certificate === 'string' ? [certificate] : []),
  ]);
  const signer =
    certificate === undefined ? undefined : await givenSigner(certificate, sourceOptions(options));
  if (signer) expectSigner(signer, certificate);
  const { judged, manifest, source, warnings, certificate: old } = await judge(input, { ...options, digest });
  const report = {
    operation: 'sign',
    input: source,
    checks: judged.checks,
    files: judged.files,
    errors: judged.errors,
    warnings: [...judged.warnings, ...warnings, ...(old ? [REPLACES] : [])],
  } as const;
  if (judged.errors.length > 0 || !manifest) return makeReport(report);
  const asked = { algorithm: digest, value: digestBytes(digest, manifest.bytes) };
  const bytes = formatRequest({
    bundle: basename(source.name),
    manifest: manifest.name,
    digest: asked,
    ...(cms !== undefined && { cms }),
    ...(signer !== undefined && { signer: signer.fingerprint }),
    about: aboutOf(judged),
    content: manifest.bytes,
  });
  await using request = await openOutput(target, { overwrite, signal });
  await request.write(bytes);
  options.expectInTime(); // [cli.15]
  await request.finish();
  const { output: named } = outputName(to);
  return makeReport({
    ...report,
    result: {
      ...(named !== undefined && { request: named }),
      digest: formatDigest(asked),
      bytes: bytes.byteLength,
    },
  });
}

/** What the judgement says of a bundle that is to be signed, and its manifest, which is made where a package of files has none. */
interface JudgedBundle {
  readonly source: { readonly name: string; readonly size?: number };
  readonly judged: ContentsJudgement;
  readonly warnings: Awaited<ReturnType<typeof readPackage>>['warnings'];
  readonly manifest?: NamedMember | undefined;
  /** the certificate file that is there */
  readonly certificate?: NamedMember | undefined;
}

async function judge(
  input: string,
  options: Given & { readonly digest: SigningDigest },
): Promise<JudgedBundle> {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  await using source = await openBundle(input, sourceOptions(options));
  if (isPackage(source)) {
    const { digest: algorithm, onProgress } = options;
    const read = await readPackage(source, {
      limits,
      algorithm,
      ...(onProgress !== undefined && { onProgress }),
    });
    source.checkUnchanged();
    return { source: { name: source.name }, ...read };
  }
  const {
    input: read,
    judged,
    old,
    warnings,
  } = await copyBundle(
    input,
    {
      reads: [],
      // its place, as the roles of the members are told by their names
      manifest: async ({ name }) => [{ name: partBeside(name, 'cert'), bytes: new Uint8Array(0) }],
      certificate: async () => [],
    },
    { ...options, output: NOWHERE, format: 'none' },
  );
  return { source: read, judged, warnings, manifest: old.manifest, certificate: old.certificate };
}

const REPLACES = 'the bundle is signed already: the signature that is asked for takes the place of that one';

const NOWHERE: ByteSink = { write: async () => {}, finish: async () => {}, discard: async () => {} };

/** What a person wants to know of it, and no signature of the manifest says. */
function aboutOf({ descriptor, files }: ContentsJudgement): readonly string[] {
  const sizes = files.flatMap(({ name, role, size }) =>
    role === 'manifest' || size === undefined ? [] : [`${name}: ${size} bytes`],
  );
  return [...(descriptor ? productOf(descriptor) : []), ...sizes];
}

function productOf({ name, products: [product] }: Descriptor): readonly string[] {
  const { name: called = name, version, fullVersion = version, vendor } = product ?? {};
  const rows = { product: called, version: fullVersion, vendor };
  return Object.entries(rows).flatMap(([what, text]) => (text ? [`${what}: ${text}`] : []));
}

/** [sig.6] Nobody is asked for a signature that importers would refuse. */
function expectSigner(signer: Certificate, given: string | NamedBytes | undefined): void {
  const [fault] = judgeCertificateForSigning(signer, new Date());
  if (fault) throw fault.at({ file: typeof given === 'object' ? given.name : `${given}` });
}
