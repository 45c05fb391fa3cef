import { decodeUtf8 } from '../../kit/encoding.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import { UNHEALED } from './healable.ts';

/** The most that a GNU long name may have; names end far before it. */
export const LONG_NAME_BYTES = 4096;

/** The same as a repair reads it, up to a NUL; undefined for what is no text. [repair.5] */
export function oddLongName(body: Uint8Array): string | undefined {
  const end = body.indexOf(0);
  return decodeUtf8(end < 0 ? body : body.subarray(0, end)) || undefined;
}

/** The name in the body of a GNU long name entry: text, ended by one NUL. [relax.6] @throws {BundleError} `ARCHIVE_HEADER` */
export function longName(body: Uint8Array): string {
  const name = decodeUtf8(body.subarray(0, -1));
  if (name === undefined || name.includes('\0') || body.at(-1) !== 0)
    throw new BundleError(
      'ARCHIVE_HEADER',
      'a GNU long name is no text with a NUL at its end',
      oddLongName(body) === undefined ? UNHEALED : {},
    );
  return name;
}
