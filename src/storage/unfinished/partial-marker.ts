import {
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  lstatSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { isMissing } from '../absence.ts';
import { READ, whileOpen } from '../sources/open-descriptor.ts';
import { type ProcessMark, placeId } from './process-place.ts';

const KINDS = ['import', 'output', 'volumes', 'package', 'scratch'] as const;
type Kind = (typeof KINDS)[number];

/** What a folder of unfinished work is for: which kind of work, and under which name its result is to stand beside it. */
export interface Purpose {
  readonly kind: Kind;
  readonly base: string;
}

/** Whether work of this kind exchanges several files, and is undone when it was ended in the middle. [vol.9] */
export function isExchange({ kind }: Pick<Purpose, 'kind'>): boolean {
  return kind === 'volumes' || kind === 'package';
}

/** What a folder of unfinished work says of itself. */
export interface Marker extends Purpose, ProcessMark {
  /** whether it was given up, to be gone on with */
  readonly left: boolean;
}

/** The folder that a marker lies in, and the one around that. */
export interface Places {
  readonly folder: BigIntStats;
  readonly parent: BigIntStats;
}

const FORMAT = 'bulla.partial/1';
/** The name of the marker. One that takes its place has this name with an ending until it does. */
export const MARKER = 'bulla.partial';
const MARKER_BYTES = 4096;

/**
 * Writes a marker under a new name. It names the very folder that it lies in, the one around that, and its own file, so that a
 * copy of it proves nothing. [import.8]
 */
export function writeMarker(at: string, name: string, marker: Marker, { folder, parent }: Places): void {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  put(openSync(join(at, name), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600), marker, { folder, parent });
}

/** Writes over a marker, for which a full disk has room where it has none for another file: no state of it is longer. [resume.1] */
export function rewriteMarker(at: string, name: string, marker: Marker, places: Places): void {
  put(openSync(join(at, name), constants.O_WRONLY | constants.O_NOFOLLOW), marker, places);
}

function put(descriptor: number, marker: Marker, { folder, parent }: Places): void {
  const { kind, base, place, pid, began, left } = marker;
  try {
    const { ino, uid } = fstatSync(descriptor, { bigint: true });
    if (uid !== folder.uid) throw new Error('another folder was put in its place');
    const inodes = [parent.ino, folder.ino, ino].map(String);
    const device = String(folder.dev);
    const what = { format: FORMAT, kind, for: base, place, pid, began, left, device, inodes };
    writeSync(descriptor, `${JSON.stringify(what)}${left ? ' ' : ''}\n`); // as long, whether left or not
    if (kind === 'import') fsyncSync(descriptor); // after a loss of power it is gone on with
  } finally {
    closeSync(descriptor);
  }
}

/** The marker of a folder, with the file that it is; undefined when nothing there proves that bulla made the folder. [import.8] */
export function readMarker(
  at: string,
  places: Places,
): { readonly marker: Marker; readonly name: string; readonly ino: bigint } | undefined {
  const names = readdirSync(at).filter((name) => name === MARKER || name.startsWith(`${MARKER}.`));
  for (const name of names.sort()) {
    try {
      const found = readOne(join(at, name), places);
      if (found) return { ...found, name };
    } catch {
      // another run may be at work on it
    }
  }
  return undefined;
}

function readOne(
  path: string,
  { folder, parent }: Places,
): { readonly marker: Marker; readonly ino: bigint } | undefined {
  return whileOpen(path, READ | constants.O_NOFOLLOW, (descriptor) => {
    const stats = fstatSync(descriptor, { bigint: true });
    if (!stats.isFile() || stats.nlink !== 1n || stats.size > MARKER_BYTES || !isOursAlone(stats))
      return undefined;
    const bytes = Buffer.alloc(MARKER_BYTES);
    const length = readSync(descriptor, bytes, 0, MARKER_BYTES, 0);
    const fields = fieldsOf(JSON.parse(bytes.toString('utf8', 0, length)));
    const marker = parseMarker(fields);
    // The numbers of devices are given anew when the machine starts.
    if (marker?.place === placeId() && fields['device'] !== String(folder.dev)) return undefined;
    const inodes = [parent.ino, folder.ino, stats.ino].map(String);
    return marker && JSON.stringify(fields['inodes']) === JSON.stringify(inodes)
      ? { marker, ino: stats.ino }
      : undefined;
  });
}

function fieldsOf(json: unknown): Readonly<Record<string, unknown>> {
  return typeof json === 'object' && json !== null ? (json as Readonly<Record<string, unknown>>) : {};
}

function parseMarker(fields: Readonly<Record<string, unknown>>): Marker | undefined {
  const { format, for: base, place, pid, began, left } = fields;
  const kind = KINDS.find((one) => one === fields['kind']);
  if (format !== FORMAT || kind === undefined) return undefined;
  if (typeof base !== 'string' || typeof place !== 'string' || typeof began !== 'string') return undefined;
  if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid < 1 || typeof left !== 'boolean')
    return undefined;
  return { kind, base, place, pid, began, left };
}

/** Whether a file or folder belongs to this user, and nobody else may write to it. */
export function isOursAlone({ uid, mode }: Pick<BigIntStats, 'uid' | 'mode'>): boolean {
  const own = process.geteuid?.();
  return (own === undefined || uid === BigInt(own)) && (mode & 0o022n) === 0n;
}

/** Gives a marker its name again, unless another has that, or it is gone. */
export function giveBack(path: string, name: string): void {
  try {
    const isTaken = lstatSync(name, { throwIfNoEntry: false }) !== undefined;
    if (isTaken) rmSync(path, { force: true });
    else if (lstatSync(path, { throwIfNoEntry: false })) renameSync(path, name);
  } catch (error) {
    if (!isMissing(error)) throw error; // another run has removed it meanwhile
  }
}

/** Takes away a folder of unfinished work that has come to nothing. */
export function removeMade(path: string): void {
  try {
    rmSync(join(path, MARKER), { force: true });
    rmdirSync(path);
  } catch {
    // why it came to nothing says more
  }
}

/** Of an open folder in `parent`. */
export function placesOf(descriptor: number, parent: string): Places {
  return { folder: fstatSync(descriptor, { bigint: true }), parent: statSync(parent, { bigint: true }) };
}
