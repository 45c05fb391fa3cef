import { decodeUtf8 } from '../../kit/encoding.ts';
import { BundleError } from '../../kit/errors/errors.ts';

/** The most that a GNU long name may have; names end far before it. */
export const LONG_NAME_BYTES = 4096;

/** The name in the body of a GNU long name entry: text, ended by one NUL. [relax.6] @throws {BundleError} `ARCHIVE_HEADER` */
export function longName(body: Uint8Array): string {
  const name = decodeUtf8(body.subarray(0, -1));
  if (name === undefined || name.includes('\0') || body.at(-1) !== 0)
    throw new BundleError('ARCHIVE_HEADER', 'a GNU long name is no text with a NUL at its end');
  return name;
}
