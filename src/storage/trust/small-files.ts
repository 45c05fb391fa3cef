import { closeSync, fstatSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { checkAborted, collect, concat } from '../../kit/bytes.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import type { NamedBytes } from '../../kit/given-bytes.ts';
import { CERTIFICATE_NAMES, VOLUME_NAMES } from '../../kit/read-names.ts';
import type { SourceOptions } from '../../kit/source.ts';
import { readError } from '../io-errors.ts';
import { READ } from '../sources/open-descriptor.ts';
import { pipeSource } from '../sources/pipe-source.ts';
import { expectUtf8Names } from '../utf8-names.ts';

/** Keys, certificates and settings are small; a larger file is the wrong one. */
const SMALL_FILE_BYTES = 1024 * 1024;
const PART_BYTES = 64 * 1024;

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

/** The same with its name: a certificate, a key. */
export async function readNamed(path: string, waiting: SourceOptions): Promise<NamedBytes> {
  return { name: path, bytes: await readSmallFile(path, waiting) };
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

/** The certificate files of `path`: itself, or when it is a folder the files in it that are named like certificates, by name. */
export function certificateFilesIn(path: string): readonly string[] {
  return filesAt(path, CERTIFICATE_NAMES);
}

/** The same of a path that stands for certificates and nothing else. @throws {BundleError} `FILE_NOT_FOUND` for a folder without any */
export function someCertificateFilesIn(path: string): readonly string[] {
  const files = certificateFilesIn(path);
  if (files.length > 0) return files;
  throw new BundleError('FILE_NOT_FOUND', 'the folder holds no .pem, .crt, .cer, .der, .p7b or .p7c file', {
    where: { file: path },
  });
}

/** The volumes of `path`: itself, or when it is a folder the files in it that are named like volumes, by name. */
export function volumeFilesIn(path: string): readonly string[] {
  return filesAt(path, VOLUME_NAMES);
}

function filesAt(path: string, takes: RegExp): readonly string[] {
  expectNoStream(path);
  try {
    if (!statSync(path).isDirectory()) return [path];
    const names = readdirSync(path).filter((name) => takes.test(name));
    return [...expectUtf8Names(names, path)].sort().map((name) => join(path, name));
  } catch (error) {
    throw readError(error, path);
  }
}
