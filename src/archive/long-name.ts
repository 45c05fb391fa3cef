import type { TarHeader } from '../formats/tar/header.ts';
import type { PaxRecords } from '../formats/tar/pax.ts';
import { equalBytes } from '../kit/bytes.ts';
import { decodeUtf8, encodeUtf8 } from '../kit/encoding.ts';
import { BundleError } from '../kit/errors.ts';

/** The most that a GNU long name may have; names end far before it. */
export const LONG_NAME_BYTES = 4096;

/** GNU tar fills the name of the header with what fits of the long one. */
const HEADER_NAME_BYTES = 100;

/** The name in the body of a GNU long name entry: text, ended by one NUL. [relax.6] @throws {BundleError} `ARCHIVE_HEADER` */
export function longName(body: Uint8Array): string {
  const name = decodeUtf8(body.subarray(0, -1));
  if (name === undefined || name.includes('\0') || body.at(-1) !== 0)
    throw new BundleError('ARCHIVE_HEADER', 'a GNU long name is no text with a NUL at its end');
  return name;
}

/**
 * The name of a member or folder: from its pax header, the GNU long name before it, or its own header.
 *
 * @throws {BundleError} `ARCHIVE_HEADER` when there are two that say different things
 */
export function nameIn(
  header: TarHeader,
  { pax, long }: { readonly pax: PaxRecords | undefined; readonly long: string | undefined },
): string | undefined {
  if (long === undefined) return pax?.path ?? decodeUtf8(header.name);
  if (pax) throw new BundleError('ARCHIVE_HEADER', 'a member has a GNU long name and a pax header');
  // [relax.6] A reader that does not know long names must see at least the beginning of the same one.
  const start = encodeUtf8(long).subarray(0, HEADER_NAME_BYTES);
  if (![start, start.subarray(0, -1)].some((bytes) => equalBytes(bytes, header.name)))
    throw new BundleError(
      'ARCHIVE_HEADER',
      'a GNU long name does not begin with the name in the header behind it',
    );
  return long;
}
