import { resolve } from 'node:path';
import { BundleError } from '../kit/errors.ts';

/** A path from the root on. @throws {BundleError} `FILE_UNREADABLE` for a relative one in a working folder that is gone [cli.22] */
export function absolute(path: string): string {
  try {
    return resolve(path);
  } catch (cause) {
    throw gone(path, cause);
  }
}

/** The working folder; undefined when it is gone, as then nothing lies in it. */
export function workingFolder(): string | undefined {
  try {
    return process.cwd();
  } catch {
    return undefined;
  }
}

function gone(path: string, cause: unknown): BundleError {
  return new BundleError('FILE_UNREADABLE', 'the folder that you are in is gone', {
    where: { file: path },
    why: 'a relative name is looked up in it, and it has been removed or moved away',
    fix: 'change to a folder that is there (cd), or give names that begin with /',
    cause,
  });
}
