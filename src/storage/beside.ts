import { readdirSync, statSync } from 'node:fs';
import { readError } from './io-errors.ts';

/** Whether a path leads to a folder, through a link, too; what is wrong with anything else is told when it is opened. */
export function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/** All names in a folder, sorted, as Node gives them. @throws {BundleError} `FILE_NOT_FOUND`, `FILE_UNREADABLE` */
export function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).sort();
  } catch (error) {
    throw readError(error, folder);
  }
}
