import { type BigIntStats, fstatSync, lstatSync } from 'node:fs';
import { counted } from '../../kit/encoding.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import { isAbsent } from '../absence.ts';
import { readError } from '../io-errors.ts';
import { isSameId } from '../same-file.ts';

/** What tells that a file is as it was. When it was read last is no part of it. [stamp.1] */
export interface FileStamp {
  readonly size: number;
  /** which file it is, whatever it is called */
  readonly dev: bigint;
  readonly ino: bigint;
  /** when it was written to last, which anybody who may write can set, in nanoseconds since 1970 */
  readonly mtimeNs: bigint;
  /** when it, its names, owner, mode or times were changed last, which nobody can set, likewise */
  readonly ctimeNs: bigint;
  /** how many names it has */
  readonly nlink: bigint;
}

/** What is to be known of a file at the next look, of all that the system tells. */
export function asStamp({ size, dev, ino, mtimeNs, ctimeNs, nlink }: BigIntStats): FileStamp {
  return { size: Number(size), dev, ino, mtimeNs, ctimeNs, nlink };
}

/** The stamp of an open file. @throws {BundleError} `FILE_UNREADABLE` */
function stampOfOpen(descriptor: number, path: string): FileStamp {
  try {
    return asStamp(fstatSync(descriptor, { bigint: true }));
  } catch (error) {
    throw readError(error, path);
  }
}

/**
 * Looks at an open file again: it must be the very file, and nothing of it changed. [stamp.1] [stamp.2]
 *
 * @param doing what was done with it meanwhile, such as "read"
 * @throws {BundleError} `FILE_CHANGED`, which says what is another now; `FILE_UNREADABLE`
 */
export function expectSame(
  { descriptor, path }: { readonly descriptor: number; readonly path: string },
  since: FileStamp,
  doing: string,
): void {
  expectNoChange(changeOf(since, stampOfOpen(descriptor, path)), path, doing);
}

/**
 * Looks at a file by its name again: the very file that was opened must be there, and nothing of it changed. [pkg.6]
 *
 * @throws {BundleError} `FILE_CHANGED`, which says what is another now; `FILE_UNREADABLE`
 */
export function expectStillThere(path: string, since: FileStamp, doing: string): void {
  let now: FileStamp | undefined;
  try {
    now = asStamp(lstatSync(path, { bigint: true }));
  } catch (error) {
    if (!isAbsent(path)) throw readError(error, path);
  }
  expectNoChange(now ? changeOf(since, now) : { what: 'it was removed' }, path, doing);
}

function expectNoChange(change: Change | undefined, path: string, doing: string): void {
  if (!change) return;
  const { what, ...advice } = change;
  throw new BundleError('FILE_CHANGED', `the file changed while it was ${doing}: ${what}`, {
    where: { file: path },
    ...advice,
  });
}

interface Change {
  readonly what: string;
  readonly why?: string;
  readonly fix?: string;
}

/** What a change time that is another may stand for, when nothing else is. */
const UNSEEN = {
  why: 'whoever writes to a file can put its modification time back, so this is no proof that its content is as it was',
  fix: 'see what else works on the file (a backup that links it, a scanner that marks it, a script that moves it), let it end, then run again',
};

function changeOf(since: FileStamp, now: FileStamp): Change | undefined {
  if (!isSameId(now, since)) return { what: 'it is another file' };
  if (now.size !== since.size) return { what: `it has ${counted(now.size, 'byte')}, and had ${since.size}` };
  if (now.mtimeNs !== since.mtimeNs) return { what: 'its modification time is another' };
  if (now.ctimeNs === since.ctimeNs && now.nlink === since.nlink) return undefined;
  if (now.nlink === 0n) return { what: 'it was removed, or another was put in its place', ...UNSEEN };
  if (now.nlink !== since.nlink) return { what: 'it was given a name, or one was taken from it', ...UNSEEN };
  return {
    what: 'its change time is another, though not its size and modification time',
    ...UNSEEN,
  };
}
