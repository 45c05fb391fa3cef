import { hasTarChecksum, isZeroBlock, TAR_BLOCK } from '../formats/tar/header.ts';
import { peek } from '../kit/byte-cursor.ts';
import type { ByteStream } from '../kit/bytes.ts';
import { BundleError } from '../kit/errors.ts';
import type { Limits } from '../kit/limits.ts';
import type { ArchiveEntries } from './entry.ts';
import { gunzip } from './gunzip.ts';
import { readTar } from './tar-reader.ts';

/** The containers that are read. */
export type ArchiveFormat = 'tar' | 'tgz';

/** [arc.1] What the first bytes of other formats are, to name them in the refusal. */
const OTHERS: readonly (readonly [name: string, magic: readonly number[]])[] = [
  ['a zip archive', [0x50, 0x4b]],
  ['an xz file', [0xfd, 0x37, 0x7a, 0x58, 0x5a]],
  ['a Zstandard file', [0x28, 0xb5, 0x2f, 0xfd]],
  ['a bzip2 file', [0x42, 0x5a, 0x68]],
  ['a 7z archive', [0x37, 0x7a, 0xbc, 0xaf]],
  ['a bare qcow2 disk image', [0x51, 0x46, 0x49, 0xfb]],
  ['a bare VMDK disk image', [0x4b, 0x44, 0x4d, 0x56]],
  ['an XML file', [0x3c, 0x3f, 0x78, 0x6d, 0x6c]],
];

/**
 * Finds out by its first bytes what `source` is, and reads it as that; one layer of compression, never two.
 *
 * @throws {BundleError} `FORMAT_UNSUPPORTED`, `ARCHIVE_EMPTY`; while iterating `ARCHIVE_*` and `GZIP_MALFORMED`
 * @see spec/archive.md, clauses arc.1 to arc.4
 */
export async function openArchive(
  source: ByteStream,
  limits: Limits,
): Promise<{ readonly format: ArchiveFormat; readonly entries: ArchiveEntries }> {
  const { head, stream } = await peek(source, TAR_BLOCK);
  if (isGzip(head)) {
    const inner = await peek(gunzip(stream, limits), TAR_BLOCK);
    // [gz.5] One layer: who unpacks as many as there are sees another archive than who unpacks one.
    if (!looksLikeTar(inner.head)) throw await refuse(inner, 'the compressed file is ');
    return { format: 'tgz', entries: readTar(inner.stream, limits) };
  }
  if (!looksLikeTar(head)) throw await refuse({ head, stream }, 'the input is ');
  return { format: 'tar', entries: readTar(stream, limits) };
}

/** True when these first bytes begin a gzip file. */
export function isGzip(head: Uint8Array): boolean {
  return head[0] === 0x1f && head[1] === 0x8b;
}

function looksLikeTar(head: Uint8Array): boolean {
  if (head.byteLength < TAR_BLOCK) return isZeroBlock(head) && head.byteLength > 0;
  const magic = String.fromCharCode(...head.subarray(257, 262));
  return magic === 'ustar' || isZeroBlock(head) || hasTarChecksum(head);
}

async function refuse(
  input: { readonly head: Uint8Array; readonly stream: AsyncIterator<Uint8Array> },
  prefix: string,
): Promise<BundleError> {
  await input.stream.return?.();
  const { head } = input;
  if (head.byteLength === 0) {
    return new BundleError('ARCHIVE_EMPTY', `${prefix}empty`, { where: { offset: 0 } });
  }
  const gzip = isGzip(head) ? 'gzip again' : undefined;
  const known = OTHERS.find(([, magic]) => magic.every((byte, i) => head[i] === byte))?.[0];
  return new BundleError('FORMAT_UNSUPPORTED', `${prefix}${gzip ?? known ?? 'of no kind that bulla knows'}`, {
    where: { offset: 0 },
  });
}
