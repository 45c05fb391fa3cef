import { memberNameFault } from '../formats/member-name.ts';
import { formatTarHeader, TAR_BLOCK } from '../formats/tar/header.ts';
import type { ByteStream } from '../kit/bytes.ts';
import { printable } from '../kit/encoding.ts';
import { BundleError } from '../kit/errors.ts';
import { DEFAULT_LIMITS, type Limits } from '../kit/limits.ts';
import { MemberNames } from './member-names.ts';

/** One file to be written: `body` must give exactly `size` bytes. */
export interface TarFile {
  readonly name: string;
  readonly size: number;
  readonly body: ByteStream;
}

/** Archives end on a multiple of this, as tar has written them since tapes had records. */
const RECORD = 20 * TAR_BLOCK;

/**
 * Writes a tar archive that every reader reads alike: ustar, base-256 sizes from 8 GiB on, never pax.
 *
 * The same files and `mtime` (seconds since 1970) give the same bytes everywhere.
 *
 * [tar.10] What the reader would refuse is not written, whoever chose the names.
 *
 * @throws {BundleError} `FILE_CHANGED` when a body is shorter or longer than its size; `ARCHIVE_NAME`,
 *   `ARCHIVE_DUPLICATE`, `ARCHIVE_LIMIT`
 */
export async function* writeTar(
  files: AsyncIterable<TarFile> | Iterable<TarFile>,
  options: { readonly mtime: number; readonly limits?: Limits },
): AsyncGenerator<Uint8Array, void> {
  const { mtime, limits = DEFAULT_LIMITS } = options;
  const names = new MemberNames(limits);
  let written = 0;
  for await (const file of files) {
    const fault = memberNameFault(file.name, limits);
    if (fault) throw new BundleError('ARCHIVE_NAME', `the member "${printable(file.name)}": ${fault}`);
    names.add(file.name, written);
    yield formatTarHeader({ name: file.name, size: file.size, mtime });
    let left = file.size;
    for await (const chunk of file.body) {
      left -= chunk.byteLength;
      if (left < 0) break;
      yield chunk;
    }
    if (left !== 0) {
      throw new BundleError('FILE_CHANGED', `the size of "${file.name}" changed while it was packed`, {
        where: { member: file.name },
      });
    }
    const padding = (TAR_BLOCK - (file.size % TAR_BLOCK)) % TAR_BLOCK;
    if (padding > 0) yield new Uint8Array(padding);
    written += TAR_BLOCK + file.size + padding;
  }
  const end = written + 2 * TAR_BLOCK;
  yield new Uint8Array(2 * TAR_BLOCK + ((RECORD - (end % RECORD)) % RECORD));
}
