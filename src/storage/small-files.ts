import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { BundleError } from '../kit/errors.ts';
import { readError } from './io-errors.ts';

/** Keys, certificates and settings are small; a larger file is the wrong one. */
const SMALL_FILE_BYTES = 1024 * 1024;

/** The bytes of a small file: a key, a certificate, a descriptor. @throws {BundleError} `FILE_NOT_FOUND`, `FILE_UNREADABLE` */
export function readSmallFile(path: string, limit: number = SMALL_FILE_BYTES): Uint8Array {
  try {
    const { size } = statSync(path);
    if (size > limit) {
      throw new BundleError(
        'FILE_UNREADABLE',
        `the file has ${size} bytes; at most ${limit} make sense here`,
        {
          where: { file: path },
        },
      );
    }
    return readFileSync(path);
  } catch (error) {
    throw readError(error, path);
  }
}

/** The certificates files of `path`: itself, or when it is a folder the `.pem`, `.crt` and `.cer` files in it, by name. */
export function certificateFilesIn(path: string): readonly string[] {
  try {
    if (!statSync(path).isDirectory()) return [path];
    const names = readdirSync(path).filter((name) => /\.(pem|crt|cer)$/i.test(name));
    return names.sort().map((name) => join(path, name));
  } catch (error) {
    throw readError(error, path);
  }
}
