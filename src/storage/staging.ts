import {
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  realpathSync,
  type Stats,
  statSync,
} from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { BundleError } from '../kit/errors.ts';
import type { FileWriter } from './file-writer.ts';
import { writeError } from './io-errors.ts';
import { type LeftFolder, openLeftFolder } from './left-folder.ts';
import { claimPartial, sweepPartials } from './partial.ts';
import { openWaitingFolder, type WaitingFolder } from './waiting-folder.ts';
import { isThere, takenAway } from './written-file.ts';

/**
 * A private folder beside the destination where members wait for the verdict.
 *
 * `publish` makes the whole of it the destination by one rename; disposing without that removes it. So the
 * destination is absent, or complete and right, at every moment.
 */
export interface Staging extends AsyncDisposable {
  /** names of what runs that are gone had left beside the destination; it has been removed */
  readonly swept: readonly string[];
  /** creates the file of a member; folders in its name are made */
  create(member: string): Promise<FileWriter>;
  /** creates the file of a small member with its whole content; there may be something to wait for before the next */
  store: WaitingFolder['store'];
  /** what an interrupted run had left for this destination, when it is to be gone on with */
  readonly left?: LeftFolder;
  adopt: WaitingFolder['adopt'];
  leave: WaitingFolder['leave'];
  /** takes a member out again before publishing, and the folders that it leaves empty */
  remove(member: string): Promise<void>;
  /** the bytes of a member again; `close` when they have been read */
  read: WaitingFolder['read'];
  /** gives a member another name, which no member has; says which */
  rename(member: string): Promise<string>;
  publish(): Promise<void>;
}

/**
 * Opens a staging folder for `destination`, which must not exist or must be an empty folder.
 *
 * The folder lies on the destination's own file system (rename is atomic only there), mode 0700, files 0600.
 *
 * @throws {BundleError} `DESTINATION_EXISTS`, `STORAGE_FAILED`
 */
export function openStaging(destination: string, options: { readonly resume?: boolean } = {}): Staging {
  const target = resolve(destination);
  expectVacant(target, destination);
  const { parent, swept, folder, left } = prepare(dirname(target), basename(target), {
    shown: destination,
    resume: options.resume ?? false,
  });
  const final = join(parent, basename(target));

  return {
    swept,
    ...(left && { left }),
    create: folder.create,
    store: folder.store,
    adopt: folder.adopt,
    leave: () => {
      left?.moveRest(folder.path);
      return folder.leave();
    },
    remove: folder.remove,
    read: folder.read,
    rename: folder.rename,
    publish: async () => {
      let replaced = false;
      try {
        await folder.settled();
        for (const path of folder.folders) await syncFolder(path);
        expectVacant(target, destination);
        folder.checkUnchanged();
        replaced = lstatSync(final, { throwIfNoEntry: false }) !== undefined;
        await rename(folder.path, final);
      } catch (error) {
        throw isThere(folder.path, folder.made)
          ? writeError(error, destination)
          : takenAway(destination, error);
      }
      try {
        await syncFolder(parent);
      } catch (error) {
        // [import.3] It may be gone after a loss of power, so it is not reported as done, and not left as if it were.
        await rename(final, folder.path);
        if (replaced) mkdirSync(final); // the empty folder that was there
        throw writeError(error, destination);
      }
      folder.giveAway();
    },
    [Symbol.asyncDispose]: async () => {
      left?.[Symbol.dispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** Members that wait to be written again, and are never published. */
export interface Scratch extends Pick<WaitingFolder, 'create' | 'store' | 'read'>, AsyncDisposable {
  readonly swept: readonly string[];
}

/** Opens a scratch folder beside the file `output`, or for `-` where the system keeps such. @throws {BundleError} `STORAGE_FAILED` */
export function openScratch(output: string): Scratch {
  const beside = output === '-' ? tmpdir() : dirname(resolve(output));
  const base = output === '-' ? 'bulla' : basename(output);
  const { swept, folder } = prepare(beside, `.${base}`, { shown: output, resume: false });
  const { create, store, read } = folder;
  return { swept, create, store, read, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

function prepare(
  beside: string,
  base: string,
  { shown, resume }: { readonly shown: string; readonly resume: boolean },
): {
  readonly parent: string;
  readonly swept: readonly string[];
  readonly folder: WaitingFolder;
  readonly left: LeftFolder | undefined;
} {
  try {
    const parent = realpathSync(beside);
    expectOwn(parent, beside);
    const claimed = resume ? claimPartial(parent, base) : undefined;
    const swept = sweepPartials(parent); // first: what is left there may be what fills the disk
    closeSync(openSync(parent, 'r')); // it is synced in the end, and must not turn out unreadable only then
    const folder = openWaitingFolder(parent, base, shown);
    return { parent, swept, folder, left: claimed === undefined ? undefined : openLeftFolder(claimed) };
  } catch (error) {
    throw writeError(error, beside);
  }
}

/** [import.9] In a folder where everybody may rename everything, the members could be exchanged after the verdict. */
function expectOwn(parent: string, name: string): void {
  const { mode } = statSync(parent);
  if ((mode & 0o002) === 0 || (mode & 0o1000) !== 0) return;
  throw new BundleError('STORAGE_FAILED', 'everybody may rename and delete what is in this folder', {
    where: { file: name },
    why: 'another user could put other files in place of those that were verified',
    fix: `choose another destination, or protect the folder: chmod o-w ${name} (chmod +t, where others must write there)`,
  });
}

function isEmpty(folder: string): boolean {
  return readdirSync(folder).length === 0;
}

/** [import.2] Anything but an empty folder is in the way, and would only show at the rename, after all the work. */
function expectVacant(target: string, destination: string): void {
  try {
    const stats = lstatSync(target, { throwIfNoEntry: false });
    if (!stats) return;
    if (`${process.cwd()}/`.startsWith(`${target}/`)) {
      throw new BundleError('DESTINATION_EXISTS', 'the destination is the folder you are in', {
        where: { file: destination },
        why: 'the import makes a new folder in its place, and you would be left in one that is gone',
        fix: 'give the name of a new folder, such as --to web',
      });
    }
    const problem = occupant(target, stats);
    if (problem === undefined) return;
    throw new BundleError('DESTINATION_EXISTS', problem, {
      where: { file: destination },
    });
  } catch (error) {
    throw writeError(error, destination);
  }
}

function occupant(target: string, stats: Stats): string | undefined {
  if (stats.isSymbolicLink()) return 'the destination is a symbolic link; a folder is needed';
  if (!stats.isDirectory()) return 'the destination is a file; a folder is needed';
  if (!isEmpty(target)) return 'the destination folder is not empty';
  const mounted = stats.dev !== statSync(dirname(target)).dev;
  return mounted
    ? 'the destination is a file system of its own, which no folder can replace; a folder inside it is needed'
    : undefined;
}

/** Puts a folder's entries on the disk; without it a rename may be lost when the power fails. */
export async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
