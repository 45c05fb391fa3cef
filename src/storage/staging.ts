import {
  closeSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  realpathSync,
  rmdirSync,
  type Stats,
  statSync,
} from 'node:fs';
import { open, rename, rm, unlink } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { BundleError } from '../kit/errors.ts';
import { FileWriter } from './file-writer.ts';
import { writeError } from './io-errors.ts';

/**
 * A private folder beside the destination where members wait for the verdict.
 *
 * `publish` makes the whole of it the destination by one rename; disposing without that removes it. So the
 * destination is absent, or complete and right, at every moment.
 */
export interface Staging extends AsyncDisposable {
  /** creates the file of a member; folders in its name are made */
  create(member: string): Promise<FileWriter>;
  /** takes a member out again before publishing, and the folders that it leaves empty */
  remove(member: string): Promise<void>;
  publish(): Promise<void>;
}

/**
 * Opens a staging folder for `destination`, which must not exist or must be an empty folder.
 *
 * The folder lies on the destination's own file system (rename is atomic only there), mode 0700, files 0600.
 *
 * @throws {BundleError} `DESTINATION_EXISTS`, `STORAGE_FAILED`
 */
export function openStaging(destination: string): Staging {
  const target = resolve(destination);
  expectVacant(target, destination);
  let parent: string;
  let folder: string;
  try {
    parent = realpathSync(dirname(target));
    closeSync(openSync(parent, 'r')); // it is synced in the end, and must not turn out unreadable only then
    folder = mkdtempSync(join(parent, `${basename(target)}.partial-`));
  } catch (error) {
    throw writeError(error, dirname(target));
  }
  let published = false;
  const folders = new Set([folder]);

  return {
    create: async (member) => {
      const path = join(folder, member);
      const name = join(destination, member);
      for (let up = dirname(path); up.length > folder.length; up = dirname(up)) folders.add(up);
      try {
        mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      } catch (error) {
        throw writeError(error, name);
      }
      return FileWriter.create(path, 0o600, name);
    },
    remove: async (member) => {
      const path = join(folder, member);
      try {
        await unlink(path);
        for (let up = dirname(path); up.length > folder.length && isEmpty(up); up = dirname(up)) {
          rmdirSync(up);
          folders.delete(up);
        }
      } catch (error) {
        throw writeError(error, join(destination, member));
      }
    },
    publish: async () => {
      try {
        for (const path of folders) await syncFolder(path);
        expectVacant(target, destination);
        await rename(folder, join(parent, basename(target)));
        published = true;
        await syncFolder(parent);
      } catch (error) {
        throw writeError(error, destination);
      }
    },
    [Symbol.asyncDispose]: async () => {
      if (!published) await rm(folder, { recursive: true, force: true });
    },
  };
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
