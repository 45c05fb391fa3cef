import type { PackFormat } from '../../archive/open-archive.ts';
import { expectUse } from '../../crypto/signer.ts';
import type { FirmwareName } from '../../formats/ovf/descriptor-writer.ts';
import type { ControllerName } from '../../formats/ovf/machine/drives.ts';
import { GUEST_SYSTEMS, type GuestSystemName } from '../../formats/ovf/machine/guest-systems.ts';
import { checkAborted } from '../../kit/bytes.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import { DEFAULT_LIMITS } from '../../kit/limits.ts';
import { count, expectNoUse, flag, list, needed, oneOf, path, shape, text } from '../../kit/shape.ts';
import { type ByteSink, discardedAtEnd } from '../../kit/streams/byte-sink.ts';
import { type ApartOutput, apartFrom } from '../../storage/apart.ts';
import { openOutput } from '../../storage/output/open-output.ts';
import { needsPatching, writeArchive } from '../../storage/output/write-archive.ts';
import { WORKING } from '../../verdict/judging-rules.ts';
import { allowanceNames } from '../../verdict/report/allowance-names.ts';
import { type CertificateReport, makeReport, type Report } from '../../verdict/report/report.ts';
import { sweptWarnings } from '../../verdict/report/run-notes.ts';
import { tellingIn } from '../../verdict/report/telling.ts';
import { certificateReport } from '../../verdict/signers/signature-report.ts';
import { warningsWhenPacked } from '../../verdict/targets/judge-target.ts';
import {
  expectReplaceable,
  imageSigner,
  output,
  outputName,
  packFormat,
  signingDigest,
  signingIdentity,
  timestampSource,
} from '../option-rules.ts';
import type { PackOptions } from './options.ts';
import { planPack } from './pack-plan.ts';
import { openPacking, type Packing, waysToPack } from './packing.ts';
import type { ApplianceOptions, PackPlan } from './plan.ts';

/**
 * Packs files into a bundle: descriptor, manifest, signature if there is a signer, then the files.
 *
 * `inputs` is one `.ovf` (its files are found beside it, and held against a manifest there) or its folder, bare disk images (a descriptor is made for them), or with
 * `plain` any files. Nothing stands under the final name before the bundle is complete.
 *
 * @throws {BundleError} `USAGE`, `FILE_*`, `FILE_CHANGED`, `FORMAT_UNSUPPORTED`, `ARCHIVE_NAME`, `DESTINATION_EXISTS`, `STORAGE_*`, `DIGEST_MISMATCH`, `MANIFEST_*`
 * @see spec/bundle.md, clauses pack.1 to pack.6, pack.14 to pack.17
 */
export async function pack(inputs: readonly string[], options: PackOptions): Promise<PackReport> {
  const given = packOptions(options, '');
  if (!given.identity) {
    expectNoUse(given.timestamp, 'timestamp', 'without identity: there is no signature');
    expectNoUse(given.cms, 'cms', 'without identity: there is no signature');
  }
  expectReplaceable(given);
  const paths = list(path)(inputs, 'inputs');
  await using _ = discardedAtEnd(given.output);
  return await tellingIn('pack', () => packGiven(paths, given));
}

const GUESTS = Object.fromEntries(Object.keys(GUEST_SYSTEMS).map((name) => [name, true]));

const packOptions = shape<PackOptions>({
  ...WORKING,
  output: needed(output),
  format: needed(packFormat),
  name: needed(path),
  plain: flag,
  appliance: shape<ApplianceOptions>({
    product: text,
    vendor: text,
    version: text,
    cpus: count,
    memoryMiB: count,
    networks: list(text),
    firmware: oneOf<FirmwareName>({ bios: true, efi: true }),
    os: oneOf(GUESTS as Record<GuestSystemName, true>),
    controller: oneOf<ControllerName>({ scsi: true, pvscsi: true, sata: true, ide: true }),
  }),
  identity: signingIdentity,
  digest: signingDigest,
  cms: flag,
  timestamp: timestampSource,
  members: count,
  chunkSize: count,
  order: oneOf<'leading' | 'trailing'>({ leading: true, trailing: true }),
  blockDigests: flag,
  followLinks: flag,
  ignoreManifest: flag,
  imageSigner,
  overwrite: flag,
  mtime: count,
});

async function packGiven(inputs: readonly string[], options: PackOptions): Promise<PackReport> {
  if (options.identity)
    expectUse(options.identity.signer, { digest: options.digest ?? 'sha256', use: 'bundle' });
  const plan = await planPack(inputs, {
    base: options.name,
    plain: options.plain ?? false,
    appliance: options.appliance ?? {},
    ...(options.chunkSize !== undefined && { chunkSize: options.chunkSize }),
    ...(options.members !== undefined && { members: options.members }),
    ...(options.signal !== undefined && { signal: options.signal }),
    followLinks: options.followLinks ?? false,
    ignoreManifest: options.ignoreManifest ?? false,
    signDisks: options.imageSigner !== undefined,
    ...(options.blockDigests && { blockDigests: options.digest ?? 'sha256' }),
  });
  const target = apartFrom(options.output, [
    ...plan.files.map(({ path }) => path),
    ...(plan.beside ?? []),
    ...(options.identity?.files ?? []),
    ...(options.imageSigner?.files ?? []),
    ...(options.timestamp?.files ?? []),
  ]);
  const swept: string[] = [];
  for (const way of waysToPack(options)) {
    const packing = openPacking(plan, options, way);
    const written = await write(packing, options, target);
    swept.push(...written.swept);
    if (written.bytes !== undefined) return reportOn(plan, packing, options, { bytes: written.bytes, swept });
  }
  throw new BundleError('INTERNAL', 'what was packed did not fit'); // nothing has to in the last way
}

/** Writes the bundle; without `bytes`, no signature had the length that was expected, and there is nothing. */
async function write(
  packing: Packing,
  options: PackOptions,
  target: ApartOutput | ByteSink,
): Promise<{ readonly bytes: number | undefined; readonly swept: readonly string[] }> {
  const { format, overwrite = false, mtime = 0, signal } = options;
  await using output = await openOutput(target, {
    overwrite,
    patched: needsPatching(format),
    signal,
  });
  const limits = { ...DEFAULT_LIMITS, members: options.members ?? DEFAULT_LIMITS.members };
  const bytes = await writeArchive(format, packing.members(), output, { mtime, limits });
  if (!(await packing.complete(output))) return { bytes: undefined, swept: output.swept };
  checkAborted(signal); // [cli.15]
  await output.finish();
  return { bytes, swept: output.swept };
}

function reportOn(
  plan: PackPlan,
  packing: Packing,
  options: PackOptions,
  { bytes, swept }: { readonly bytes: number; readonly swept: readonly string[] },
): PackReport {
  return makeReport({
    operation: 'pack',
    errors: [],
    files: packing.reports(),
    allowances: allowanceNames({
      followLinks: options.followLinks ?? false,
      ignoreManifest: options.ignoreManifest ?? false,
    }),
    warnings: [
      ...plan.warnings,
      ...warningsFor(plan, packing, options),
      ...(options.identity?.warnings ?? []),
      ...(options.imageSigner?.warnings ?? []),
      ...sweptWarnings(swept),
    ],
    result: {
      ...outputName(options.output),
      format: options.format,
      bytes,
      ...signedBy(options),
    },
  });
}

/** [pack.18] Who has the images signed for Glance has said what they are for. */
function warningsFor(
  { descriptor }: PackPlan,
  packing: Packing,
  { members = DEFAULT_LIMITS.members, imageSigner }: PackOptions,
): readonly string[] {
  if (!descriptor || imageSigner) return [];
  return warningsWhenPacked(descriptor.bytes, packing.images(), { ...DEFAULT_LIMITS, members });
}

function signedBy({ identity, timestamp }: PackOptions): PackSigning {
  if (!identity) return { signed: false, timestamped: false };
  return { signed: true, timestamped: timestamp !== undefined, signer: certificateReport(identity.leaf) };
}

/** Whether a bundle was signed, and then by whom, and whether an authority says when. */
export type PackSigning =
  | { readonly signed: false; readonly timestamped: false }
  | { readonly signed: true; readonly timestamped: boolean; readonly signer: CertificateReport };

/** What was packed, and who signed it. */
export type PackResult = PackSigning & {
  /** the name of what was written, or `-`; left out when it went into a sink */
  readonly output?: string;
  readonly format: PackFormat;
  readonly bytes: number;
};

/** The report of `pack`. */
export type PackReport = Report<'pack', PackResult>;
