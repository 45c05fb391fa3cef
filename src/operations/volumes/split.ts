import { join } from 'node:path';
import { openHash } from '../../crypto/digest.ts';
import {
  formatVolumeHeader,
  MOST_VOLUMES,
  VOLUME_HEADER_BYTES,
  type VolumeHeader,
} from '../../formats/volume/header.ts';
import { checkAborted } from '../../kit/bytes.ts';
import { formatHex } from '../../kit/encoding.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import type { OnProgress } from '../../kit/progress.ts';
import { count, flag, list, needed, path as pathRule, shape } from '../../kit/shape.ts';
import { type ApartOutput, apartFrom } from '../../storage/apart.ts';
import { expectFreeOutput } from '../../storage/output/final-name.ts';
import { OutputSet } from '../../storage/output/output-set.ts';
import { WORKING } from '../../verdict/judging-rules.ts';
import { makeReport, type Report } from '../../verdict/report/report.ts';
import { sweptWarnings } from '../../verdict/report/run-notes.ts';
import { openSplitInput, type SplitInput } from './split-input.ts';

/** How a file is cut. */
export interface SplitOptions {
  /** the most bytes of a volume, its header included */
  readonly volumeSize: number;
  /** one folder for all volumes, or one for each */
  readonly folders: readonly string[];
  readonly overwrite?: boolean;
  /** of the members of the archive that a package of files is made, seconds since 1970 */
  readonly mtime?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
}

/**
 * Cuts a bundle (or any file) into volumes for several media; each carries the digest of its part and of the whole. Of a package of
 * files it is the archive that `normalize` would make of it, with what signs it as it is.
 *
 * What is cut is read twice, once for the digests; volumes that were written are taken away again when one fails.
 *
 * @throws {BundleError} `USAGE`, `FILE_*`, `PACKAGE_*`, `ARCHIVE_*`, `DESTINATION_EXISTS`, `STORAGE_*`
 * @see spec/volumes.md, clauses vol.1 to vol.4 and vol.11
 */
export async function split(path: string, options: SplitOptions): Promise<SplitReport> {
  pathRule(path, 'path');
  return splitGiven(path, splitOptions(options, ''));
}

const splitOptions = shape<SplitOptions>({
  ...WORKING,
  volumeSize: needed(count),
  folders: needed(list(pathRule)),
  overwrite: flag,
  mtime: count,
});

async function splitGiven(path: string, options: SplitOptions): Promise<SplitReport> {
  if (path === '-') {
    throw new BundleError('USAGE', 'split reads a file, not standard input', {
      why: 'it is read twice: each volume begins with the digests of what follows',
      fix: 'write it to a file, and split that',
    });
  }
  const { overwrite = false, mtime = 0, signal } = options;
  await using input = await openSplitInput(path, { mtime, ...(signal !== undefined && { signal }) });
  const fileOf = (name: string, volume: number): string =>
    join(options.folders[volume - 1] ?? options.folders[0] ?? '.', volumeName({ name, volume }));
  const volumes = await planVolumes(input, { ...options, path, fileOf });
  input.expectUnchanged();
  await using outputs = new OutputSet(input.name, { overwrite, signal });
  for (const { header, target } of volumes) {
    await outputs.begin(target);
    await writeVolume(input, outputs, { ...options, header, path });
  }
  await outputs.publish();
  return makeReport({
    operation: 'split',
    errors: [],
    input: { name: path, ...(input.isFile && { size: input.size }) },
    warnings: sweptWarnings(outputs.swept),
    result: {
      sha256: volumes[0]?.header.sha256 ?? '',
      volumes: volumes.map(({ header: { length, digest }, target }) => ({
        file: target,
        bytes: VOLUME_HEADER_BYTES + length,
        sha256: digest,
      })),
    },
  });
}

/** What `split` has written. */
export interface SplitResult {
  /** of the bundle */
  readonly sha256: string;
  /** each with its length, and the SHA-256 of what follows its header */
  readonly volumes: readonly { readonly file: string; readonly bytes: number; readonly sha256: string }[];
}

/** The report of `split`. */
export type SplitReport = Report<'split', SplitResult>;

function volumeName({ name, volume }: Pick<VolumeHeader, 'name' | 'volume'>): string {
  return `${name}.${String(volume).padStart(3, '0')}`;
}

/** A volume that is to be written, and its file. */
interface PlannedVolume {
  readonly header: VolumeHeader;
  readonly target: ApartOutput;
}

/** All volumes, after a first reading. */
async function planVolumes(
  input: SplitInput,
  options: SplitOptions & {
    readonly path: string;
    readonly fileOf: (name: string, volume: number) => string;
  },
): Promise<readonly PlannedVolume[]> {
  const { path, volumeSize, folders, signal, onProgress } = options;
  const room = volumeSize - VOLUME_HEADER_BYTES;
  if (room < 1) {
    throw new BundleError('USAGE', `a volume of ${volumeSize} bytes has no room behind its header`, {
      fix: `give more than ${VOLUME_HEADER_BYTES} bytes, such as 4GB`,
    });
  }
  const { name, size, readings } = input;
  const where = { file: path };
  if (size === 0)
    throw new BundleError('USAGE', 'there is nothing to split', { where, fix: 'name the bundle' });
  const volumes = Math.ceil(size / room);
  if (volumes > MOST_VOLUMES) {
    const message = `it would be ${volumes} volumes, and there are at most ${MOST_VOLUMES}`;
    throw new BundleError('USAGE', message, {
      where,
      fix: { text: 'give a larger size for the volumes', advice: 'larger-volumes' },
    });
  }
  if (folders.length > 1 && folders.length < volumes) {
    throw new BundleError('USAGE', `it needs ${volumes} media, and ${folders.length} are given`, {
      where,
      fix: {
        text: 'give one folder, or one for each volume; or a larger size for the volumes',
        advice: 'folder-for-each',
      },
    });
  }
  const targets = Array.from({ length: volumes }, (_, i) => apartFrom(options.fileOf(name, i + 1), readings)); // before all of it is read
  for (const target of targets) expectFreeOutput(target, options.overwrite ?? false); // [vol.4]
  const all = openHash('sha256');
  const parts: (Pick<VolumeHeader, 'offset' | 'length' | 'digest'> & Pick<PlannedVolume, 'target'>)[] = [];
  for (const [i, target] of targets.entries()) {
    const offset = i * room;
    const length = Math.min(room, size - offset);
    const one = openHash('sha256');
    let bytes = 0;
    for await (const chunk of input.part({ start: offset, length }, signal)) {
      one.update(chunk);
      all.update(chunk);
      bytes += chunk.byteLength;
      onProgress?.({ phase: 'hash', bytes: offset + bytes, total: 2 * size });
    }
    if (bytes !== length) throw changed(path);
    parts.push({ target, offset, length, digest: formatHex(one.digest()) });
  }
  const sha256 = formatHex(all.digest());
  return parts.map(({ target, ...part }, i) => ({
    header: { name, size, sha256, volume: i + 1, volumes, ...part },
    target,
  }));
}

async function writeVolume(
  input: SplitInput,
  outputs: OutputSet,
  options: SplitOptions & { readonly header: VolumeHeader; readonly path: string },
): Promise<void> {
  const { header, path, signal, onProgress } = options;
  const { offset: start, length, digest, size } = header;
  await outputs.write(formatVolumeHeader(header));
  const hash = openHash('sha256');
  let bytes = start;
  for await (const chunk of input.part({ start, length }, signal)) {
    await outputs.write(chunk);
    hash.update(chunk);
    bytes += chunk.byteLength;
    onProgress?.({ phase: 'write', bytes: size + bytes, total: 2 * size });
  }
  input.expectUnchanged(); // [stamp.1] it may have grown, too
  if (formatHex(hash.digest()) !== digest) throw changed(path); // [vol.4] what it says of itself must be true
  checkAborted(signal); // [cli.15]
  await outputs.end();
}

function changed(path: string): BundleError {
  return new BundleError('FILE_CHANGED', 'the file changed while it was split', { where: { file: path } });
}
