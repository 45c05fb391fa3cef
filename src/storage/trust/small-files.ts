import { closeSync, constants, fstatSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { checkAborted, collect, concat } from '../../kit/bytes.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import { CERTIFICATE_NAMES, VOLUME_NAMES } from '../../kit/read-names.ts';
import type { SourceOptions } from '../../kit/source.ts';
import { readError } from '../io-errors.ts';
import { pipeSource } from '../sources/pipe-source.ts';
import { expectUtf8Names } from '../utf8-names.ts';

/** Keys, certificates and settings are small; a larger file is the wrong one. */
const SMALL_FILE_BYTES = 1024 * 1024;
const PART_BYTES = 64 * 1024;

/** Opening a named pipe must not wait for whoever writes to it. */
const READ = constants.O_RDONLY | constants.O_NONBLOCK;

/**
 * The bytes of a small file: a key, a certificate, a descriptor. For a pipe, a socket or a terminal is waited as for a bundle. [cli.21]
 *
 * @throws {BundleError} `FILE_NOT_FOUND`, `FILE_UNREADABLE`, `INPUT_STALLED`, the reason of the signal
 */
export async function readSmallFile(
  path: string,
  waiting: SourceOptions,
  limit: number = SMALL_FILE_BYTES,
): Promise<Uint8Array> {
  checkAborted(waiting.signal);
  expectNoStream(path);
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, READ);
    if (fstatSync(descriptor).isFile()) return readUpTo(descriptor, path, limit);
    await using source = pipeSource(descriptor, path, waiting);
    descriptor = undefined; // closed with the source
    return await collect(source.stream(), limit, () => tooLarge(path, limit));
  } catch (error) {
    throw readError(error, path);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** [cli.24] Of what is told apart from outputs, `-` is standard input: a file of that name would be taken for another. */
function expectNoStream(path: string): void {
  if (path !== '-') return;
  throw new BundleError('USAGE', '"-" is not read here: standard input is for a bundle', {
    where: { file: './-' },
    fix: 'name the file; what comes from a pipe is /dev/stdin, and a file of the name "-" is ./-',
  });
}

/** Counts what comes: a file may grow, and those of the system say that they are empty. */
function readUpTo(descriptor: number, path: string, limit: number): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let length = 0; ; ) {
    const part = new Uint8Array(PART_BYTES);
    const count = readSync(descriptor, part, 0, PART_BYTES, null);
    if (count === 0) return concat(parts);
    length += count;
    if (length > limit) throw tooLarge(path, limit);
    parts.push(part.subarray(0, count));
  }
}

function tooLarge(path: string, limit: number): BundleError {
  return new BundleError(
    'FILE_UNREADABLE',
    `the file has more than ${limit} bytes, too many to make sense here`,
    {
      where: { file: path },
      fix: 'name the small file that is meant (a certificate, a key, a list, a descriptor); a bundle stands by itself, behind no option',
    },
  );
}

function filesIn(folder: string, takes: RegExp): readonly string[] {
  const names = readdirSync(folder).filter((name) => takes.test(name));
  return [...expectUtf8Names(names, folder)].sort().map((name) => join(folder, name));
}

/** The certificate files of `path`: itself, or when it is a folder the `.pem`, `.crt` and `.cer` files in it, by name. */
export function certificateFilesIn(path: string): readonly string[] {
  expectNoStream(path);
  try {
    if (!statSync(path).isDirectory()) return [path];
    return filesIn(path, CERTIFICATE_NAMES);
  } catch (error) {
    throw readError(error, path);
  }
}

/** The volumes of `path`: itself, or when it is a folder the files in it that are named like volumes, by name. */
export function volumeFilesIn(path: string): readonly string[] {
  expectNoStream(path);
  try {
    if (!statSync(path).isDirectory()) return [path];
    return filesIn(path, VOLUME_NAMES);
  } catch (error) {
    throw readError(error, path);
  }
}
