import { lstatSync } from 'node:fs';
import { BundleError } from '../kit/errors.ts';

/** By what a file or folder that was made is known again. */
export interface WrittenFile {
  readonly dev: number;
  readonly ino: number;
  readonly size: number;
}

/** Whether this is still what was made here: the same file or folder, and a file as long as it was written. [import.9] */
export function isThere(path: string, made: WrittenFile | undefined): boolean {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (!stats || !made || stats.ino !== made.ino || stats.dev !== made.dev) return false;
  return stats.isDirectory() || stats.size === made.size;
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
