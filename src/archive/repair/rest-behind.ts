import type { ByteCursor } from '../../kit/byte-cursor.ts';
import { PACKED_ANEW, REBUILT } from '../../kit/errors/archive-errors.ts';
import { BundleError } from '../../kit/errors/errors.ts';

/** Bytes that may stand behind the end of a tar or a gzip: what pads tapes and disks is shorter, and a pipe need not end. */
const MOST_BEHIND = 64 * 1024 * 1024;

/**
 * What stands behind the end of an archive, chunk by chunk, up to the end of the source.
 *
 * @param counted in what the cursor counts
 * @throws {BundleError} `ARCHIVE_LIMIT` for more than 64 MiB [repair.9]
 */
export async function* restBehind(
  cursor: ByteCursor,
  counted: 'offset' | 'compressedOffset',
): AsyncGenerator<Uint8Array, void> {
  const start = cursor.offset;
  for await (const bytes of cursor.rest()) {
    if (cursor.offset - start > MOST_BEHIND)
      throw new BundleError('ARCHIVE_LIMIT', 'more than 64 MiB follow the end of the archive', {
        where: { [counted]: start },
        fix: REBUILT,
        own: PACKED_ANEW,
      });
    yield bytes;
  }
}
