import { lstatSync, readdirSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Told } from '../../kit/errors/advice.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import { isWorkingFolder } from '../absolute.ts';
import { writeError } from '../io-errors.ts';

const NEW_FOLDER = { text: 'give the name of a new folder', advice: 'new-folder' } as const;

/**
 * The destination of an import must not exist, or be an empty folder: anything else would only show at the rename, after all the
 * work. [import.2]
 *
 * @throws {BundleError} `DESTINATION_EXISTS`, `STORAGE_FAILED`; they place it in `destination`, as the caller calls it
 */
export function expectVacant(target: string, destination: string): void {
  try {
    const stats = lstatSync(target, { throwIfNoEntry: false });
    if (!stats) return;
    if (isWorkingFolder(target)) {
      throw new BundleError('DESTINATION_EXISTS', 'the destination is the folder you are in', {
        where: { file: destination },
        why: 'the import makes a new folder in its place, and you would be left in one that is gone',
        fix: NEW_FOLDER,
      });
    }
    const [problem, fix] = occupant(target, stats) ?? [];
    if (problem === undefined) return;
    throw new BundleError('DESTINATION_EXISTS', problem, {
      where: { file: destination },
      ...(fix !== undefined && { fix }),
    });
  } catch (error) {
    throw writeError(error, destination);
  }
}

/** What is in the way, and what to do about it. */
function occupant(target: string, stats: Stats): readonly [problem: string, fix?: Told] | undefined {
  if (stats.isSymbolicLink())
    return [
      'the destination is a symbolic link; a folder is needed',
      'give the name of a new folder, in the place that the link leads to if you like',
    ];
  if (!stats.isDirectory()) return ['the destination is a file; a folder is needed'];
  if (dirname(target) === target) return ['the destination is the root of the file system', NEW_FOLDER];
  if (stats.dev !== statSync(dirname(target)).dev)
    return [
      'the destination is a file system of its own, which no folder can replace',
      'give the name of a new folder inside it',
    ];
  return readdirSync(target).length === 0
    ? undefined
    : ['the destination folder is not empty', 'choose another destination, or move away what is in it'];
}
