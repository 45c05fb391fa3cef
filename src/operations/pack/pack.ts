import { checkAborted } from '../../kit/bytes.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import { DEFAULT_LIMITS } from '../../kit/limits.ts';
import type { OnProgress } from '../../kit/progress.ts';
import { count, expectNoUse, flag, list, needed, oneOf, path, shape, text } from '../../kit/shape.ts';
import { type ApartOutput, apartFrom } from '../../storage/apart.ts';
import { openOutput } from '../../storage/output/open-output.ts';
import { needsPatching, writeArchive } from '../../storage/output/write-archive.ts';
import { makeReport, type Report, sweptWarnings } from '../../verdict/report/report.ts';
import { certificateReport } from '../../verdict/signers/signature-report.ts';
import type { ImageSigner } from '../glance/sign-image.ts';
import {
  imageSigner,
  packFormat,
  signingDigest,
  signingIdentity,
  timestampSource,
  WORKING,
} from '../option-rules.ts';
import type { SigningDigest, SigningIdentity } from '../sign/signing-identity.ts';
import type { TimestampSource } from '../sign/timestamp-source.ts';
import { type ApplianceOptions, type PackPlan, planPack } from './pack-plan.ts';
import { isOnePass, Packing } from './packing.ts';

/** The containers that are written. */
export type PackFormat = 'tar' | 'tgz' | 'zip';

/** How a bundle is packed. */
export interface PackOptions {
  /** the file to write, or `-` for standard output */
  readonly output: string;
  readonly format: PackFormat;
  /** base name of descriptor, manifest and certificate file; a given descriptor keeps its own */
  readonly name: string;
  /** pack the files as they are, without a descriptor */
  readonly plain?: boolean;
  readonly appliance?: ApplianceOptions;
  /** who signs; without it the bundle is unsigned */
  readonly identity?: SigningIdentity;
  readonly digest?: SigningDigest;
  /** whether a CMS signature is added; when left out, it is when there are intermediates */
  readonly cms?: boolean;
  /** who timestamps the signature; nobody when left out */
  readonly timestamp?: TimestampSource;
  /** the most members; importers read 256, unless they are told to read more */
  readonly members?: number;
  /** disk images larger than this are stored as chunks of so many bytes */
  readonly chunkSize?: number;
  /** pack what links lead to that lie in the folder of the descriptor, wherever that is: whoever may write there chooses it [links.1] */
  readonly followLinks?: boolean;
  /** manifest and signature before the files, or after them (then every file is read once, in any container) */
  readonly order?: 'leading' | 'trailing';
  /** whether each disk image gets the digests of its blocks beside it, as `NAME.blocks` [blocks.9] */
  readonly blockDigests?: boolean;
  /** who signs each disk image for Glance; the properties go beside it, as `NAME.glance.json` [glance.34] */
  readonly imageSigner?: ImageSigner;
  readonly overwrite?: boolean;
  /** modification time of the members, seconds since 1970; the same input and time give the same bytes */
  readonly mtime?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
}

/**
 * Packs files into a bundle: descriptor, manifest, signature if there is a signer, then the files.
 *
 * `inputs` is one `.ovf` (its files are found beside it), bare disk images (a descriptor is made for them), or with
 * `plain` any files. Nothing stands under the final name before the bundle is complete.
 *
 * @throws {BundleError} `USAGE`, `FILE_*`, `FILE_CHANGED`, `FORMAT_UNSUPPORTED`, `ARCHIVE_NAME`, `DESTINATION_EXISTS`, `STORAGE_*`
 * @see spec/bundle.md, clauses pack.1 to pack.6
 */
export async function pack(inputs: readonly string[], options: PackOptions): Promise<Report> {
  const given = packOptions(options, '');
  if (!given.identity) {
    expectNoUse(given.timestamp, 'timestamp', 'without identity: there is no signature');
    expectNoUse(given.cms, 'cms', 'without identity: there is no signature');
  }
  return packGiven(list(path)(inputs, 'inputs'), given);
}

const packOptions = shape<PackOptions>({
  ...WORKING,
  output: needed(path),
  format: needed(packFormat),
  name: needed(path),
  plain: flag,
  appliance: shape<ApplianceOptions>({
    product: text,
    vendor: text,
    version: text,
    cpus: count,
    memoryMiB: count,
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
  imageSigner,
  overwrite: flag,
  mtime: count,
});

async function packGiven(inputs: readonly string[], options: PackOptions): Promise<Report> {
  const plan = await planPack(inputs, {
    base: options.name,
    plain: options.plain ?? false,
    appliance: options.appliance ?? {},
    ...(options.chunkSize === undefined ? {} : { chunkSize: options.chunkSize }),
    ...(options.members === undefined ? {} : { members: options.members }),
    ...(options.signal && { signal: options.signal }),
    followLinks: options.followLinks ?? false,
    signDisks: options.imageSigner !== undefined,
    ...(options.blockDigests && { blockDigests: options.digest ?? 'sha256' }),
  });
  const target = apartFrom(options.output, [
    ...inputs,
    ...plan.files.map(({ path }) => path),
    ...(options.identity?.files ?? []),
    ...(options.imageSigner?.files ?? []),
    ...(options.timestamp?.files ?? []),
  ]);
  const swept: string[] = [];
  for (const onePass of isOnePass(options) ? [true, false] : [false]) {
    const packing = new Packing(plan, options, onePass);
    const written = await write(packing, options, target);
    swept.push(...written.swept);
    if (written.bytes !== undefined) return reportOn(plan, packing, options, { bytes: written.bytes, swept });
  }
  throw new BundleError('INTERNAL', 'what was packed in two readings did not fit'); // nothing has to fit there
}

/** Writes the bundle; without `bytes`, no signature had the length that was expected, and there is nothing. */
async function write(
  packing: Packing,
  options: PackOptions,
  target: ApartOutput,
): Promise<{ readonly bytes: number | undefined; readonly swept: readonly string[] }> {
  const { format, overwrite = false, mtime = 0, signal } = options;
  await using output = await openOutput(target, {
    overwrite,
    patched: needsPatching(format),
    signal,
  });
  const limits = { ...DEFAULT_LIMITS, members: options.members ?? DEFAULT_LIMITS.members };
  const bytes = await writeArchive(format, packing.files(), output, { mtime, limits });
  if (!(await packing.complete(output))) return { bytes: undefined, swept: output.swept };
  checkAborted(signal); // [cli.15]
  await output.commit();
  return { bytes, swept: output.swept };
}

function reportOn(
  plan: PackPlan,
  packing: Packing,
  options: PackOptions,
  { bytes, swept }: { readonly bytes: number; readonly swept: readonly string[] },
): Report {
  return makeReport({
    operation: 'pack',
    errors: [],
    files: packing.reports(),
    allowances: options.followLinks ? ['followLinks'] : [],
    warnings: [
      ...plan.warnings,
      ...(options.identity?.warnings ?? []),
      ...(options.imageSigner?.warnings ?? []),
      ...sweptWarnings(swept),
    ],
    result: {
      output: options.output,
      format: options.format,
      bytes,
      signed: options.identity !== undefined,
      timestamped: options.identity !== undefined && options.timestamp !== undefined,
      ...(options.identity ? { signer: certificateReport(options.identity.leaf) } : {}),
    },
  });
}
