import { lstatSync, readlinkSync, realpathSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { decodeUtf8 } from '../kit/encoding.ts';
import { BundleError } from '../kit/errors/errors.ts';
import { isAbsent } from './absence.ts';
import { isSameId, statsOf } from './same-file.ts';
import { isUtf8Name } from './utf8-names.ts';

/**
 * A path from the root on.
 *
 * @throws {BundleError} for a relative one: `FILE_UNREADABLE` in a working folder that is gone [cli.22], `USAGE` in one whose name
 * leads elsewhere, since it is not UTF-8 [out.4]
 */
export function absolute(path: string): string {
  return isAbsolute(path) ? resolve(path) : resolve(workingFolder(path), path);
}

/** Whether `folder` is the working folder, by whatever name but that of a link. */
export function isWorkingFolder(folder: string): boolean {
  return isSameId(statsOf('.'), statsOf(folder)) && !lstatSync(folder).isSymbolicLink();
}

/** The working folder by its name, which surely leads there. [out.4] */
function workingFolder(path: string): string {
  let folder: string;
  try {
    folder = process.cwd();
  } catch (cause) {
    throw gone(path, cause);
  }
  const [here, there] = [statsOf('.'), statsOf(folder)];
  if (isSameId(here, there)) return folder;
  if (!isUtf8Name(folder)) throw notUtf8(workingBytes() ?? Buffer.from(folder), path);
  // Node says where it was when it was asked first, and another may be there by now.
  if (here && (there || isAbsent(folder))) throw gone(path, undefined);
  return folder; // why nobody may look there is told by whoever writes there
}

/** The name of the working folder as it is, where the system tells that. */
function workingBytes(): Buffer | undefined {
  try {
    return linkBytes('/proc/self/cwd');
  } catch {
    return undefined;
  }
}

/**
 * Where a path leads, with no link in it.
 *
 * @throws {BundleError} `USAGE` when there is no saying it in UTF-8: as Node gives it, it would be that of another file [out.4]
 * @throws what the system does
 */
export function realPath(path: string): string {
  return textOf(realBytes(path), path);
}

/** The same as the bytes that it is, whatever they are. @throws what the system does */
export function realBytes(path: string): Buffer {
  return realpathSync.native(path, { encoding: 'buffer' });
}

/** What a link says. @throws {BundleError} `USAGE` as for `realPath`; what the system does */
export function linkText(path: string): string {
  return textOf(linkBytes(path), path);
}

/** The same as the bytes that it is. @throws what the system does */
export function linkBytes(path: string): Buffer {
  return readlinkSync(path, { encoding: 'buffer' });
}

function textOf(bytes: Buffer, path: string): string {
  const text = decodeUtf8(bytes);
  if (text === undefined) throw notUtf8(bytes, path);
  return text;
}

function notUtf8(way: Buffer, path: string): BundleError {
  return new BundleError('USAGE', `the way leads through "${shown(way)}", whose name is not UTF-8`, {
    where: { file: path },
    why: 'such a name cannot be told from others here, and what is meant for that folder could get into another',
    fix: 'rename that folder, or choose one whose name is UTF-8; ls -b shows its name byte by byte',
  });
}

/** The name in a path that is at fault, what is not ASCII in it byte by byte. */
function shown(way: Buffer): string {
  const names = way.toString('latin1').split('/');
  const odd = names.find((name) => !isUtf8Name(Buffer.from(name, 'latin1').toString())) ?? '';
  return odd.replace(/[^ -~]/g, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

function gone(path: string, cause: unknown): BundleError {
  return new BundleError('FILE_UNREADABLE', 'the folder that you are in is gone', {
    where: { file: path },
    why: 'a relative name is looked up in it, and it has been removed or moved away',
    fix: 'change to a folder that is there (cd), or give names that begin with /',
    cause,
  });
}
