import { openHash } from '../../crypto/digest.ts';
import { parseVolumeHeader, VOLUME_HEADER_BYTES, type VolumeHeader } from '../../formats/volume/header.ts';
import { checkAborted } from '../../kit/bytes.ts';
import { counted, formatHex, printable } from '../../kit/encoding.ts';
import { BundleError, toBundleError } from '../../kit/errors/errors.ts';
import type { OnProgress } from '../../kit/progress.ts';
import { VOLUME_NAMES } from '../../kit/read-names.ts';
import { flag, list, path, shape } from '../../kit/shape.ts';
import { type ByteSink, discardedAtEnd } from '../../kit/streams/byte-sink.ts';
import { apartFrom } from '../../storage/apart.ts';
import { openOutput } from '../../storage/output/open-output.ts';
import type { Output } from '../../storage/output/output.ts';
import type { FileStamp } from '../../storage/sources/file-stamp.ts';
import { type InputFile, openInputFile } from '../../storage/sources/input-file.ts';
import { volumeFilesIn } from '../../storage/trust/small-files.ts';
import { WORKING } from '../../verdict/judging-rules.ts';
import { makeReport, type Report } from '../../verdict/report/report.ts';
import { sweptWarnings } from '../../verdict/report/run-notes.ts';
import { expectReplaceable, output, outputName } from '../option-rules.ts';

/** How volumes are joined. */
export interface JoinOptions {
  /** the file to write, `-` for standard output, or a sink, as for `pack`; without it the volumes are only checked, and need not be all */
  readonly output?: string | ByteSink;
  readonly overwrite?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
}

interface Volume {
  readonly path: string;
  readonly header: VolumeHeader;
  /** the file as it was when its header was read */
  readonly stamp: FileStamp;
}

/**
 * Joins the volumes of a bundle, given in any order, or as folders that they lie in.
 *
 * Each is compared with its own digest as it is read, so that a medium that is damaged is named when its volume ends, and
 * not when all have been copied. Whether the bundle is to be trusted is for `verify`: anybody can make volumes.
 *
 * @throws {BundleError} `USAGE`, `FILE_*`, `VOLUME_SYNTAX`, `DIGEST_MISMATCH`, `DESTINATION_EXISTS`, `STORAGE_*`
 * @see spec/volumes.md, clauses vol.5 to vol.8
 */
export async function join(paths: readonly string[], options: JoinOptions = {}): Promise<JoinReport> {
  const given = joinOptions(options, '');
  expectReplaceable(given);
  const from = list(path)(paths, 'paths');
  await using _ = discardedAtEnd(given.output);
  return await joinGiven(from, given);
}

const joinOptions = shape<JoinOptions>({ ...WORKING, output, overwrite: flag });

async function joinGiven(paths: readonly string[], options: JoinOptions): Promise<JoinReport> {
  const reads = paths.map((path) => ({ path, takes: VOLUME_NAMES }));
  const { output: to } = options;
  const target = to === undefined ? undefined : apartFrom(to, reads);
  const files = paths.flatMap(volumeFilesIn);
  const volumes: Volume[] = [];
  for (const path of files) volumes.push(await openVolume(path));
  volumes.sort((a, b) => a.header.volume - b.header.volume);
  expectOneSet(volumes);
  if (to === undefined || target === undefined) return checked(volumes, options);

  expectAll(volumes);
  await using output = await openOutput(target, {
    overwrite: options.overwrite ?? false,
    signal: options.signal,
  });
  const sha256 = await copyAll(volumes, output, options);
  const { name = '', size = 0, sha256: expected } = volumes[0]?.header ?? {};
  if (sha256 !== expected) {
    throw new BundleError(
      'DIGEST_MISMATCH',
      `the volumes are good one by one, and together are not "${name}"`,
      {
        ...(typeof to === 'string' && { where: { file: to } }),
        fix: 'split the bundle again where it came from',
      },
    );
  }
  checkAborted(options.signal); // [cli.15]
  await output.finish();
  return report(volumes, { ...outputName(to), bytes: size, sha256 }, sweptWarnings(output.swept));
}

async function checked(volumes: readonly Volume[], options: JoinOptions): Promise<JoinReport> {
  await copyAll(volumes, undefined, options);
  const { volumes: count = 0, name } = volumes[0]?.header ?? {};
  const missing = missingOf(volumes);
  const warnings = missing.length > 0 ? [`not checked: ${numbers(missing)} of ${count} of "${name}"`] : [];
  return report(volumes, { checked: true, missing }, warnings);
}

/** The bundle as it was written, or which volumes were checked without writing anything. */
export type JoinOutcome =
  | {
      /** its name, or `-`; left out when it went into a sink */
      readonly output?: string;
      readonly bytes: number;
      readonly sha256: string;
    }
  | { readonly checked: true; readonly missing: readonly number[] };

/** What `join` has written or checked, and of which volumes. */
export type JoinResult = JoinOutcome & {
  readonly name: string;
  readonly volumes: readonly { readonly file: string; readonly volume: number; readonly sha256: string }[];
};

/** The report of `join`. */
export type JoinReport = Report<'join', JoinResult>;

function report(volumes: readonly Volume[], result: JoinOutcome, warnings: readonly string[]): JoinReport {
  return makeReport({
    operation: 'join',
    errors: [],
    warnings,
    result: {
      ...result,
      name: volumes[0]?.header.name ?? '',
      volumes: volumes.map(({ path, header }) => ({
        file: path,
        volume: header.volume,
        sha256: header.digest,
      })),
    },
  });
}

async function openVolume(path: string): Promise<Volume> {
  await using file = await openInputFile(path);
  try {
    const header = parseVolumeHeader(await file.readAt(0, VOLUME_HEADER_BYTES));
    expectLength(file, path, header);
    return { path, header, stamp: file.stamp };
  } catch (error) {
    throw toBundleError(error).at({ file: path });
  }
}

/** [vol.5] A copy that was cut short is told before anything is read. */
function expectLength({ size }: InputFile, path: string, { length, volume }: VolumeHeader): void {
  const expected = VOLUME_HEADER_BYTES + length;
  if (size === expected) return;
  throw new BundleError(
    'DIGEST_MISMATCH',
    `volume ${volume} has ${counted(size, 'byte')} instead of ${expected}`,
    {
      where: { file: path },
      ...DAMAGED,
    },
  );
}

const DAMAGED = {
  why: 'the medium or the copy is damaged: what comes out would not be the bundle that was split',
  fix: 'copy this one volume again; the others need not be',
};

/** [vol.6] All are of one file, and none is there twice. */
function expectOneSet(volumes: readonly Volume[]): void {
  const [first] = volumes;
  if (!first)
    throw new BundleError('USAGE', 'there are no volumes here', {
      fix: 'name the volumes, or their folders',
    });
  let before: Volume | undefined;
  for (const volume of volumes) {
    const { header, path } = volume;
    const other = (['name', 'size', 'sha256', 'volumes'] as const).find(
      (key) => header[key] !== first.header[key],
    );
    const what = `volume ${header.volume} of "${printable(header.name)}"`;
    if (other) {
      const message = `this is ${what}, and "${first.path}" is of another file`;
      throw new BundleError('USAGE', message, {
        where: { file: path },
        fix: 'give the volumes of one bundle',
      });
    }
    if (before?.header.volume === header.volume) {
      const message = `this is ${what}, and so is "${before.path}"`;
      throw new BundleError('USAGE', message, { where: { file: path }, fix: 'give each volume once' });
    }
    if (before && before.header.volume + 1 === header.volume && end(before.header) !== header.offset)
      throw new BundleError('VOLUME_SYNTAX', 'the volumes do not follow one another', {
        where: { file: path },
      });
    before = volume;
  }
}

function end({ offset, length }: VolumeHeader): number {
  return offset + length;
}

/** [vol.6] Before anything is copied. */
function expectAll(volumes: readonly Volume[]): void {
  const missing = missingOf(volumes);
  if (missing.length === 0) return;
  const { name = '', volumes: count = 0 } = volumes[0]?.header ?? {};
  throw new BundleError(
    'FILE_NOT_FOUND',
    `${numbers(missing)} of ${count} of "${printable(name)}" is not here`,
    {
      why: 'the bundle cannot be put together without it',
      fix: 'give all volumes, or the folders that they lie in; copy them to one place when there is one drive only',
    },
  );
}

function missingOf(volumes: readonly Volume[]): readonly number[] {
  const here = new Set(volumes.map(({ header }) => header.volume));
  const count = volumes[0]?.header.volumes ?? 0;
  return Array.from({ length: count }, (_, i) => i + 1).filter((volume) => !here.has(volume));
}

function numbers(volumes: readonly number[]): string {
  return `volume ${volumes.slice(0, 8).join(', ')}${volumes.length > 8 ? ', …' : ''}`;
}

/** Reads every volume, each against its digest, and says the digest of all. [vol.7] */
async function copyAll(
  volumes: readonly Volume[],
  output: Output | undefined,
  { signal, onProgress }: JoinOptions,
): Promise<string> {
  const all = openHash('sha256');
  const total = volumes.reduce((sum, { header }) => sum + header.length, 0);
  let bytes = 0;
  for (const { path, header, stamp } of volumes) {
    await using file = await openInputFile(path);
    const one = openHash('sha256');
    const range = { start: VOLUME_HEADER_BYTES, length: Number.MAX_SAFE_INTEGER };
    for await (const chunk of file.part(range, signal)) {
      await output?.write(chunk);
      one.update(chunk);
      all.update(chunk);
      bytes += chunk.byteLength;
      onProgress?.({ phase: 'read', bytes, total, member: path });
    }
    file.expectUnchanged(stamp, 'joined'); // [stamp.1] before it is called damaged
    if (formatHex(one.digest()) === header.digest) continue;
    throw new BundleError('DIGEST_MISMATCH', `volume ${header.volume} of ${header.volumes} is damaged`, {
      where: { file: path },
      ...DAMAGED,
    });
  }
  return formatHex(all.digest());
}
