import { type BigIntStats, lstatSync, statfsSync } from 'node:fs';
import { BundleError } from '../../kit/errors/errors.ts';
import { isSameId } from '../same-file.ts';

/** By what a file or folder that was made is known again. */
export interface WrittenFile {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly size: number;
  /** who may do what with it, and how many names it has */
  readonly uid: bigint;
  readonly gid: bigint;
  readonly mode: bigint;
  readonly nlink: bigint;
  /** when its content, and when anything of it was changed last, in nanoseconds */
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
}

/** What is to be known of it again, of all that the system tells. */
export function asWritten(stats: BigIntStats): WrittenFile {
  const { dev, ino, size, uid, gid, mode, nlink, mtimeNs, ctimeNs } = stats;
  return { dev, ino, size: Number(size), uid, gid, mode, nlink, mtimeNs, ctimeNs };
}

/** Whether the same file or folder is there, whatever has become of its content. */
export function isSame(path: string, made: Pick<WrittenFile, 'dev' | 'ino'> | undefined): boolean {
  return isSameId(lstatSync(path, { throwIfNoEntry: false, bigint: true }), made);
}

/**
 * Whether a file is there as it was written: the same, as long, with the owner, the mode and the number of names that it had,
 * and unchanged since, where `timed` says that its times can be believed. [import.9]
 */
export function isAsWritten(
  path: string,
  made: WrittenFile | undefined,
  options: { readonly timed: boolean; readonly links?: bigint },
): boolean {
  return isTheWritten(lstatSync(path, { throwIfNoEntry: false, bigint: true }), made, options);
}

/** The same of what was found by another way, such as an open file. */
export function isTheWritten(
  now: BigIntStats | undefined,
  made: WrittenFile | undefined,
  { timed, links }: { readonly timed: boolean; readonly links?: bigint },
): boolean {
  if (!now?.isFile() || !made) return false;
  const { size, uid, gid, mode } = asWritten(now);
  const same = isSameId(now, made) && size === made.size;
  const private_ = uid === made.uid && gid === made.gid && mode === made.mode;
  const alone = now.nlink === (links ?? made.nlink);
  return same && private_ && alone && (!timed || isUnchanged(now, made));
}

/**
 * Whether a file is there as another run of the same user would have made it: his, and of the same mode. Such a run may keep what it replaces by
 * a second name for a moment, so that names tell nothing.
 */
export function isLikeWritten(path: string, made: WrittenFile): boolean {
  const now = lstatSync(path, { throwIfNoEntry: false, bigint: true });
  return now?.isFile() === true && now.uid === made.uid && now.mode === made.mode;
}

function isUnchanged(now: Pick<WrittenFile, 'mtimeNs' | 'ctimeNs'>, made: WrittenFile): boolean {
  return now.mtimeNs === made.mtimeNs && now.ctimeNs === made.ctimeNs;
}

/** File systems on which nothing but a change changes the times of a file; servers and FAT settle them when it is closed, or later. */
const TIMED: ReadonlySet<number> = new Set([
  0xef53, // ext2 to ext4
  0x58465342, // XFS
  0x9123683e, // btrfs
  0x01021994, // tmpfs
  0x794c7630, // overlayfs
  0xf2f52010, // F2FS
  0x2fc12fc1, // ZFS
]);

/** Whether the times of files in `folder` tell that nobody has written to them. */
export function tellsChanges(folder: string): boolean {
  try {
    return TIMED.has(statfsSync(folder).type >>> 0);
  } catch {
    return false;
  }
}

/** By a program that tidies up, a person, or an attacker. `STORAGE_FAILED` */
export function takenAway(name: string, cause?: unknown): BundleError {
  return new BundleError('STORAGE_FAILED', 'what had been written was taken away or changed meanwhile', {
    where: { file: name },
    why: 'it cannot be had whole, so none of it is kept',
    fix: 'see what else works on that folder (a program that tidies up, another user), then run again',
    cause,
  });
}
