import { basename } from 'node:path';
import { digestBytes } from '../../../crypto/digest.ts';
import { partBeside } from '../../../formats/bundle-part.ts';
import type { Descriptor } from '../../../formats/ovf/descriptor.ts';
import { formatRequest } from '../../../formats/signing-room.ts';
import { type Deadline, openDeadline } from '../../../kit/deadline.ts';
import { DEFAULT_LIMITS } from '../../../kit/limits.ts';
import { flag, needed, path, shape } from '../../../kit/shape.ts';
import { isPackage, sourceOptions } from '../../../kit/source.ts';
import type { ByteSink } from '../../../kit/streams/byte-sink.ts';
import { apartFrom } from '../../../storage/apart.ts';
import { openOutput } from '../../../storage/output/open-output.ts';
import { openBundle } from '../../../storage/sources/open-bundle.ts';
import { readNamed } from '../../../storage/trust/small-files.ts';
import { certificatesIn } from '../../../trust/given-certificates.ts';
import type { ContentsJudgement } from '../../../verdict/bundle/judge-contents.ts';
import { makeReport, type Report } from '../../../verdict/report/report.ts';
import { tellingIn } from '../../../verdict/report/telling.ts';
import type { NamedMember } from '../../../verdict/walk/member.ts';
import { signingDigest } from '../../option-rules.ts';
import { namedBundle } from '../../readings.ts';
import { copyBundle } from '../copy-bundle.ts';
import { EDITING, type EditOptions } from '../copy-options.ts';
import { readPackage } from '../in-place/read-package.ts';
import type { SigningDigest } from '../signing.ts';

/** What is asked of whoever has the key. */
export interface PrepareOptions extends EditOptions {
  /** the request to write */
  readonly output: string;
  readonly digest?: SigningDigest;
  /** whether a CMS signature is added; when left out, it is when there are intermediates */
  readonly cms?: boolean;
  /** the file with the certificate of whoever is to sign: with another key it is not answered */
  readonly certificate?: string;
}

/** A request to sign, in a file. */
export interface PreparedResult {
  readonly request: string;
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
  using deadline = openDeadline(given);
  return await tellingIn('sign', () => prepareGiven(input, { ...given, ...deadline }));
}

const prepareOptions = shape<PrepareOptions>({
  ...EDITING,
  output: needed(path),
  digest: signingDigest,
  cms: flag,
  certificate: path,
});

type Given = PrepareOptions & Pick<Deadline, 'expectInTime'>;

async function prepareGiven(input: string, options: Given): Promise<PreparedReport> {
  const { output: name, digest = 'sha256', cms, certificate, signal, overwrite = false } = options;
  const target = apartFrom(name, [
    ...namedBundle(input),
    ...(certificate === undefined ? [] : [certificate]),
  ]);
  const waiting = sourceOptions(options);
  const [signer] = certificate === undefined ? [] : certificatesIn(await readNamed(certificate, waiting));
  const { judged, manifest, source, warnings } = await judge(input, { ...options, digest });
  const report = {
    operation: 'sign',
    input: source,
    checks: judged.checks,
    files: judged.files,
    errors: judged.errors,
    warnings: [...judged.warnings, ...warnings],
  } as const;
  if (judged.errors.length > 0 || !manifest) return makeReport(report);
  const value = digestBytes(digest, manifest.bytes);
  const bytes = formatRequest({
    bundle: basename(source.name),
    manifest: manifest.name,
    digest: { algorithm: digest, value },
    ...(cms !== undefined && { cms }),
    ...(signer !== undefined && { signer: signer.spkiSha256 }),
    about: aboutOf(judged),
    content: manifest.bytes,
  });
  await using output = await openOutput(target, { overwrite, signal });
  await output.write(bytes);
  options.expectInTime(); // [cli.15]
  await output.finish();
  const text = `${digest}:${Buffer.from(value).toString('hex')}`;
  return makeReport({ ...report, result: { request: name, digest: text, bytes: bytes.byteLength } });
}

/** What the judgement says of a bundle that is to be signed, and its manifest, which is made where a package of files has none. */
interface JudgedBundle {
  readonly source: { readonly name: string; readonly size?: number };
  readonly judged: ContentsJudgement;
  readonly warnings: Awaited<ReturnType<typeof readPackage>>['warnings'];
  readonly manifest?: NamedMember | undefined;
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
    { ...options, output: NOWHERE, format: 'tar' },
  );
  return { source: read, judged, warnings, manifest: old.manifest };
}

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
