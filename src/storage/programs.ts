import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import type { BundleError } from '../kit/errors/errors.ts';
import { readError } from './io-errors.ts';

/** Where programs are found along a `PATH`, the first of each name; none is started. */
export function programsIn(
  path: string,
  names: readonly string[],
): readonly { readonly name: string; readonly file?: string }[] {
  const folders = path.split(delimiter).filter(isAbsolute);
  return names.map((name) => {
    const file = folders.map((folder) => join(folder, name)).find(isProgram);
    return { name, ...(file !== undefined && { file }) };
  });
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** Why a file cannot be read, as far as that is known without reading it; undefined where nothing is known against it. */
export function fileFault(file: string): BundleError | undefined {
  try {
    accessSync(file, constants.R_OK);
    if (!statSync(file).isDirectory()) return undefined;
    throw Object.assign(new Error('a folder'), { code: 'EISDIR' });
  } catch (error) {
    return readError(error, file);
  }
}

/** Whether a path is a file that can be read more than once: no pipe, device or terminal. */
export function isRegularFile(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isFile() ?? false;
}

/** Bits of a mode that are for others than the owner: to read or write, to write. */
const OTHERS = { open: 0o077, write: 0o022 } as const;

/** Whether anybody besides its owner may open a file in any way, or write it. */
export function isOpenToOthers(file: string, way: keyof typeof OTHERS): boolean {
  try {
    return (statSync(file).mode & OTHERS[way]) !== 0;
  } catch {
    return false;
  }
}
