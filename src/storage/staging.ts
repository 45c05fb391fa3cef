import { mkdirSync, mkdtempSync, readdirSync, realpathSync } from 'node:fs';
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
  /** takes a member out again before publishing */
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
    folder = mkdtempSync(join(parent, `${basename(target)}.partial-`));
  } catch (error) {
    throw writeError(error, dirname(target));
  }
  let published = false;
  const folders = new Set([folder]);

  return {
    create: async (member) => {
      const path = join(folder, member);
      for (let up = dirname(path); up.length > folder.length; up = dirname(up)) folders.add(up);
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      return FileWriter.create(path, 0o600);
    },
    remove: async (member) => {
      await unlink(join(folder, member));
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

function expectVacant(target: string, destination: string): void {
  try {
    if (readdirSync(target).length === 0) return;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT') return;
    if (code !== 'ENOTDIR') throw writeError(error, destination);
    throw new BundleError('DESTINATION_EXISTS', 'the destination is a file; a folder is needed', {
      where: { file: destination },
    });
  }
  throw new BundleError('DESTINATION_EXISTS', 'the destination folder is not empty', {
    where: { file: destination },
  });
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
