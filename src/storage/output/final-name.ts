import { statSync } from 'node:fs';
import { link, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { BundleError, isBundleError } from '../../kit/errors/errors.ts';
import { absolute, realPath } from '../absolute.ts';
import type { ApartOutput } from '../apart.ts';
import { expectOwnWay } from '../way-to.ts';
import { isLikeWritten, type WrittenFile } from './written-file.ts';

/** A file that is to get its name. */
export interface Naming {
  /** where it waits */
  readonly temporary: string;
  readonly target: string;
  /** the target as the user named it */
  readonly path: string;
  readonly overwrite: boolean;
}

/** Looks at an output before there is anything to write. @throws {BundleError} as `openOutput` does */
export function expectFreeOutput(path: ApartOutput, overwrite: boolean): void {
  if (path !== '-') expectFree(absolute(path), path, overwrite);
}

/** A folder or a device is never replaced, a file only when that was asked for. */
export function expectFree(target: string, path: string, overwrite: boolean): void {
  expectOrdinary(target, path);
  const stats = statSync(target, { throwIfNoEntry: false });
  if (!stats || (overwrite && stats.isFile())) return;
  if (!stats.isFile()) {
    throw new BundleError(
      'DESTINATION_EXISTS',
      `this is ${stats.isDirectory() ? 'a folder' : 'no regular file'}`,
      {
        where: { file: path },
        fix: 'give the name of a file, or - for standard output',
      },
    );
  }
  throw new BundleError('DESTINATION_EXISTS', 'the file exists already', {
    where: { file: path },
    fix: { text: 'choose another name, or ask for it to be replaced', advice: 'replace-output' },
  });
}

/** [out.1] `/dev/stdout` and its like are links, which would be replaced by a file. */
function expectOrdinary(target: string, path: string): void {
  let folder: string;
  try {
    folder = realPath(dirname(target));
  } catch (error) {
    if (isBundleError(error)) throw error; // [out.4]
    return; // what is wrong with it is told when the file is made
  }
  if (!/^\/(dev(\/fd)?$|proc(\/|$)|sys(\/|$))/.test(folder)) return;
  throw new BundleError('USAGE', 'the system itself keeps this name', {
    where: { file: path },
    why: 'a file under it would take the place of a device or of a standard stream, for every program',
    fix: 'give the name of a file, or - for standard output',
  });
}

/** Whether what is there is of another run of the same user: where others may rename, an older file of his could be put there. [pack.4] */
export function isAnotherRuns(target: string, written: WrittenFile): boolean {
  try {
    expectOwnWay(dirname(target));
    return isLikeWritten(target, written);
  } catch {
    return false;
  }
}

/** Gives the file its name, and says how many it has then. */
export async function giveName(
  { temporary, target, path, overwrite }: Naming,
  final: string,
): Promise<bigint> {
  if (!overwrite) {
    try {
      await link(temporary, final); // fails, where rename would replace what came there meanwhile
      // The bundle is there whatever becomes of its other name, which is swept by the next run.
      return await unlink(temporary).then(
        () => 1n,
        () => 2n,
      );
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'ENOSYS') throw error;
      expectFree(target, path, false); // a file system without links
    }
  }
  await rename(temporary, final);
  return 1n;
}
