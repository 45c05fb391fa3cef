import { closeSync, lstatSync, mkdirSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { AskedAccess, FileAccess } from '../../formats/file-access.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import { absolute, realPath } from '../absolute.ts';
import { tryAccess } from '../access/give-access.ts';
import { writeError } from '../io-errors.ts';
import { anchorOf, openFolder, syncFolder } from '../open-folder.ts';
import { type LeftFolder, moveInto, openLeftFolder } from '../unfinished/left-folder.ts';
import { MarkedFolder } from '../unfinished/marked-folder.ts';
import type { Purpose } from '../unfinished/partial-marker.ts';
import { sweepLeft, takeLeft } from '../unfinished/sweep.ts';
import { isUtf8Name } from '../utf8-names.ts';
import { expectOwnWay } from '../way-to.ts';
import type { FileWriter } from './file-writer.ts';
import { expectVacant } from './vacant.ts';
import { CONTENT, openWaitingFolder, type WaitingFolder } from './waiting-folder.ts';
import { takenAway } from './written-file.ts';

/** What an interrupted run had left, put aside in the folder of unfinished work. */
const LEFT = 'left';

/** A member that counts. */
export interface PublishedMember {
  readonly name: string;
  /** what stands in place of the bytes that were stored under this name; left out where those count */
  readonly bytes?: Uint8Array;
}

/**
 * A private folder beside the destination where members wait for the verdict.
 *
 * `publish` makes it the destination by one rename, disposing removes it: that is absent, or complete and right, at every moment.
 */
export interface Staging extends AsyncDisposable {
  /** names of what runs for this destination had left beside it that are gone; it has been removed */
  readonly swept: readonly string[];
  /** creates the file of a member; folders in its name are made */
  create(member: string): Promise<FileWriter>;
  /** creates the file of a small member with its whole content; there may be something to wait for before the next */
  store: WaitingFolder['store'];
  /** what an interrupted run had left for this destination, when it is to be gone on with */
  readonly left?: LeftFolder;
  adopt: WaitingFolder['adopt'];
  /**
   * leaves what has come to a later run, where `isWorth` says of the names of its files that it can go on with them; false when it
   * does not, or that cannot be done [resume.1]
   */
  leave(isWorth: (names: readonly string[]) => boolean): boolean;
  /** takes a member out again, and the folders that it leaves empty */
  remove(member: string): Promise<void>;
  /** the bytes of a member again; `close` when they have been read */
  read: WaitingFolder['read'];
  rename: WaitingFolder['rename'];
  /**
   * makes it the destination with these members, and with all when none are named. Others are taken out first; should it fail,
   * they are there for a later run that goes on [resume.1]. Says what may be done with it by whom
   */
  publish(members?: readonly PublishedMember[]): Promise<FileAccess | undefined>;
}

/**
 * Opens a staging folder for `destination`, which must not exist or must be an empty folder.
 *
 * The folder lies on the destination's own file system (rename is atomic only there), mode 0700, files 0600.
 *
 * @throws {BundleError} `DESTINATION_EXISTS`, `STORAGE_FAILED`
 */
export function openStaging(
  destination: string,
  { resume = false, access }: { readonly resume?: boolean; readonly access?: AskedAccess } = {},
): Staging {
  const target = absolute(destination);
  expectVacant(target, destination);
  lookAround(dirname(target));
  const purpose = { kind: 'import', base: basename(target) } as const;
  const { parent, swept, marked, folder } = prepare(dirname(target), {
    purpose,
    shown: destination,
    resume,
    access,
  });
  const aside = join(marked.anchor, LEFT);
  const left = isFolder(aside) ? openLeftFolder(aside) : undefined;

  return {
    swept,
    ...(left !== undefined && { left }),
    create: folder.create,
    store: folder.store,
    adopt: folder.adopt,
    leave: (isWorth) => {
      if (!folder.isThere()) return false;
      try {
        if (isFolder(aside)) moveInto(aside, folder.way);
        rmSync(aside, { recursive: true, force: true });
        if (!isWorth(filesBelow(folder.way)) || !marked.leave()) return false;
      } catch {
        return false; // what ended the import says more: a full disk, for one
      }
      folder.giveAway();
      return true;
    },
    remove: folder.remove,
    read: folder.read,
    rename: folder.rename,
    publish: async (members) => {
      const takeOut = (name: string): Promise<void> =>
        resume ? folder.setAside(name, aside) : folder.remove(name);
      if (members) await select(folder, members, takeOut);
      await publish({ folder, parent, target, destination, access });
      folder.giveAway();
      marked.tryRemove(); // it is there; and what would be left is small
      return folder.access;
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

/** The names of the files in a folder that are not empty, seen from it. */
function filesBelow(folder: string, prefix = ''): readonly string[] {
  return readdirSync(join(folder, prefix), { withFileTypes: true }).flatMap((entry) => {
    const name = `${prefix}${entry.name}`;
    if (!isUtf8Name(name)) return []; // [out.3] no import of ours has made it
    if (entry.isDirectory()) return filesBelow(folder, `${name}/`);
    return entry.isFile() && lstatSync(join(folder, name)).size > 0 ? [name] : [];
  });
}

/** Takes out what does not count, and puts what counts in other bytes in its place. */
async function select(
  folder: WaitingFolder,
  members: readonly PublishedMember[],
  takeOut: (name: string) => Promise<void>,
): Promise<void> {
  const counting = new Map(members.map(({ name, bytes }) => [name, bytes]));
  const stored = folder.members;
  const unknown = members.find(({ name }) => !stored.has(name));
  if (unknown) throw new BundleError('INTERNAL', `"${unknown.name}" is to be published and was not stored`);
  for (const name of stored) {
    const bytes = counting.get(name);
    if (!counting.has(name) || bytes) await takeOut(name);
    if (bytes) await folder.store(name, bytes);
  }
}

async function publish({
  folder,
  parent,
  target,
  destination,
  access,
}: {
  readonly folder: WaitingFolder;
  readonly parent: string;
  readonly target: string;
  readonly destination: string;
  readonly access: AskedAccess | undefined;
}): Promise<void> {
  let descriptor: number | undefined;
  try {
    if (!folder.isThere()) throw takenAway(destination);
    descriptor = openFolder(parent);
    const final = join(anchorOf(descriptor, parent), basename(target));
    let replaced = false;
    try {
      await folder.settled();
      if (access) await folder.give(access); // in a folder yet that nobody else can enter
      for (const path of folder.folders) await syncFolder(path);
      expectVacant(target, destination);
      folder.checkUnchanged(folder.way);
      replaced = lstatSync(final, { throwIfNoEntry: false }) !== undefined;
      await rename(folder.way, final);
    } catch (error) {
      throw folder.isThere() ? error : takenAway(destination, error);
    }
    try {
      await syncFolder(dirname(final));
      // [import.9] By the name that the user gave: what is found there, whoever may rename, is what was judged.
      folder.checkUnchanged(target);
    } catch (error) {
      // [import.3] It may be gone after a loss of power, or is not what it should be: not reported as done, and not left as if it were.
      await takeBack(folder, final, replaced);
      throw error;
    }
  } catch (error) {
    if (access) folder.takeBack();
    throw writeError(error, destination);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** Takes back what was published. What another has put in its place afterwards is not ours to take. */
async function takeBack(folder: WaitingFolder, final: string, replaced: boolean): Promise<void> {
  const byName = !folder.way.startsWith('/proc/'); // then it may be that something else was renamed
  if (!byName && !folder.isAt(final)) return;
  await rename(final, folder.way);
  if (replaced) mkdirSync(final); // the empty folder that was there
}

/** Members that wait to be written again, and are never published. */
export interface Scratch extends Pick<WaitingFolder, 'create' | 'store' | 'read'>, AsyncDisposable {
  readonly swept: readonly string[];
}

/**
 * Opens a scratch folder beside the file `output`, or for `-` where the system keeps such; others may write there, since what is
 * read again is known by its inode and nobody else may open it. [norm.4]
 *
 * @throws {BundleError} `STORAGE_FAILED`
 */
export function openScratch(output: string): Scratch {
  const beside = output === '-' ? tmpdir() : dirname(absolute(output));
  const purpose = { kind: 'scratch', base: output === '-' ? '.bulla' : `.${basename(output)}` } as const;
  const { swept, folder } = prepare(beside, { purpose, shown: output, resume: false });
  const { create, store, read } = folder;
  return { swept, create, store, read, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

function prepare(
  beside: string,
  {
    purpose,
    shown,
    resume,
    access,
  }: {
    readonly purpose: Purpose;
    readonly shown: string;
    readonly resume: boolean;
    readonly access?: AskedAccess | undefined;
  },
): {
  readonly parent: string;
  readonly swept: readonly string[];
  readonly marked: MarkedFolder;
  readonly folder: WaitingFolder;
} {
  let taken: MarkedFolder | undefined;
  let made: MarkedFolder | undefined;
  try {
    const parent = realPath(beside);
    taken = resume ? takeLeft(parent, purpose) : undefined;
    const swept = sweepLeft(parent, purpose); // first: what is left there may be what fills the disk
    closeSync(openSync(parent, 'r')); // it is synced in the end, and must not turn out unreadable only then
    if (!taken) made = MarkedFolder.make(parent, purpose);
    const marked = (taken ?? made) as MarkedFolder;
    if (access) tryAccess(marked.anchor, access);
    if (taken) putAside(taken.anchor);
    return { parent, swept, marked, folder: openWaitingFolder(marked, shown) };
  } catch (error) {
    made?.tryRemove();
    taken?.leave();
    taken?.[Symbol.dispose]();
    throw writeError(error, beside);
  }
}

/** What a run has left, that of one before it included, makes way for what comes. */
function putAside(at: string): void {
  const [content, aside] = [join(at, CONTENT), join(at, LEFT)];
  if (isFolder(content) && isFolder(aside)) moveInto(aside, content);
  if (isFolder(content) || !isFolder(aside)) rmSync(aside, { recursive: true, force: true });
  if (isFolder(content)) renameSync(content, aside);
  else rmSync(content, { force: true });
}

function isFolder(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** Nobody else may rename on the way to a folder. [import.10] */
function lookAround(folder: string): void {
  try {
    expectOwnWay(folder);
  } catch (error) {
    throw writeError(error, folder);
  }
}
