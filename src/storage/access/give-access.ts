import {
  type BigIntStats,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import {
  type AskedAccess,
  FILE_MODE,
  type FileAccess,
  type FileOwner,
  folderModeFor,
  formatMode,
} from '../../formats/file-access.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import { reasonOf } from '../io-errors.ts';
import { openFolder } from '../open-folder.ts';
import { READ, whileOpen } from '../sources/open-descriptor.ts';
import { groupName, userName } from './accounts.ts';

/** What an open file or folder is given: its mode, and whose it is to be, where that is not left as it is. */
export interface GivenAccess {
  readonly mode: number;
  readonly owner: FileOwner;
}

/** Where it is to be tried out, in a private folder. */
const TRIAL = 'access';

/**
 * Refuses what this user cannot give, before anything is read: only root gives files to another user, and others only to a group that
 * they are in. [import.13]
 *
 * @throws {BundleError} `STORAGE_FAILED`
 */
export function expectMayGive({ mode, owner = {} }: AskedAccess): void {
  const me = process.geteuid?.();
  const { uid, gid } = owner;
  if (me === undefined) {
    if (mode === undefined && uid === undefined && gid === undefined) return;
    throw refused('this system has no owners and modes of files', 'leave out mode and owner');
  }
  if (me === 0) return;
  if (uid !== undefined && uid !== me)
    throw refused(
      `only root may give files to the user ${userName(uid)}`,
      'run this as root, or as that user',
    );
  const mine = new Set([process.getegid?.(), ...(process.getgroups?.() ?? [])]);
  if (gid !== undefined && !mine.has(gid)) {
    throw refused(
      `you are not in the group ${groupName(gid)}, so you may not give files to it`,
      'run this as root, or have yourself taken into the group (and log in again)',
    );
  }
}

/**
 * Tries out on a folder with a file, made in `folder` for that and removed again, whether this access can be given and what is in it be
 * reached then: a file system may know of no owners, a server or a container not let root do it. [import.13]
 *
 * @throws {BundleError} `STORAGE_FAILED`
 */
export function tryAccess(folder: string, asked: AskedAccess): void {
  const at = join(folder, TRIAL);
  rmSync(at, { recursive: true, force: true }); // an earlier run may have been killed here
  mkdirSync(at, 0o700);
  const descriptor = openFolder(at);
  const { uid, gid } = fstatSync(descriptor);
  try {
    const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
    const file = openSync(join(at, 'file'), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, FILE_MODE);
    try {
      giveAccess(file, fileAccess(asked));
    } finally {
      closeSync(file);
    }
    giveAccess(descriptor, folderAccess(asked));
    lstatSync(join(at, 'file'));
  } finally {
    tryGive(descriptor, { mode: 0o700, owner: { uid, gid } });
    closeSync(descriptor);
    rmSync(at, { recursive: true, force: true });
  }
}

/** What the access will be, as far as it is known before there is anything; undefined where the system has no owners. */
export function plannedAccess({ mode = FILE_MODE, owner = {} }: AskedAccess): FileAccess | undefined {
  if (process.geteuid === undefined) return undefined;
  return { mode: formatMode(mode), folderMode: formatMode(folderModeFor(mode)), ...owner };
}

/** What a file is given. */
export function fileAccess({ mode = FILE_MODE, owner = {} }: AskedAccess): GivenAccess {
  return { mode, owner };
}

/** What a folder is given. */
export function folderAccess({ mode = FILE_MODE, owner = {} }: AskedAccess): GivenAccess {
  return { mode: folderModeFor(mode), owner };
}

/** Gives an open file or folder this access, and looks whether it has it. @throws {BundleError} `STORAGE_FAILED` */
export function giveAccess(descriptor: number, { mode, owner }: GivenAccess): BigIntStats {
  try {
    const { uid, gid } = owner;
    if (uid !== undefined || gid !== undefined) fchownSync(descriptor, uid ?? -1, gid ?? -1);
    fchmodSync(descriptor, mode); // last, since another owner takes bits away
  } catch (error) {
    throw notGiven({ mode, owner }, error);
  }
  const now = fstatSync(descriptor, { bigint: true });
  const isAs = (asked: number | undefined, is: bigint): boolean =>
    asked === undefined || BigInt(asked) === is;
  const isGiven = isAs(mode, now.mode & 0o7777n) && isAs(owner.uid, now.uid) && isAs(owner.gid, now.gid);
  if (!isGiven) throw notGiven({ mode, owner }, new Error('the file system keeps others'));
  return now;
}

/** Gives a folder this access where it lies, which must be `made`, and puts it on the disk. @returns what it is then */
export function giveFolderAccess(path: string, made: BigIntStats, access: GivenAccess): BigIntStats {
  const descriptor = openFolder(path);
  try {
    const { dev, ino } = fstatSync(descriptor, { bigint: true });
    if (dev !== made.dev || ino !== made.ino) throw new Error('another folder was put in its place');
    const given = giveAccess(descriptor, access);
    fsyncSync(descriptor);
    return given;
  } finally {
    closeSync(descriptor);
  }
}

/** Makes a file or folder this user's alone again, as far as that can be done. */
export function takeAccessBack(path: string, mode: number, { uid, gid }: BigIntStats): void {
  try {
    whileOpen(path, READ | constants.O_NOFOLLOW, (descriptor) =>
      tryGive(descriptor, { mode, owner: { uid: Number(uid), gid: Number(gid) } }),
    );
  } catch {
    // it is gone
  }
}

function tryGive(descriptor: number, access: GivenAccess): void {
  try {
    giveAccess(descriptor, access);
  } catch {
    // why it is taken back says more
  }
}

function notGiven({ mode, owner: { uid, gid } }: GivenAccess, cause: unknown): BundleError {
  const who = [
    ...(uid === undefined ? [] : [`the user ${userName(uid)}`]),
    ...(gid === undefined ? [] : [`the group ${groupName(gid)}`]),
  ];
  const what = [`the mode ${formatMode(mode)}`, ...who].join(', ');
  return refused(
    `files cannot be given ${what}: ${reasonOf(cause).text}`,
    'choose a folder on a file system that keeps modes and owners, or run this as a user who may give them',
    cause,
  );
}

function refused(message: string, fix: string, cause?: unknown): BundleError {
  return new BundleError('STORAGE_FAILED', message, {
    why: 'what is imported is to belong to whom you say, or not be there',
    fix,
    cause,
  });
}
