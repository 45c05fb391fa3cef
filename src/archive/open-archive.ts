import { hasTarChecksum, isZeroBlock, TAR_BLOCK } from '../formats/tar/header.ts';
import { peek } from '../kit/byte-cursor.ts';
import type { ByteStream } from '../kit/bytes.ts';
import type { Told } from '../kit/errors/advice.ts';
import { BundleError } from '../kit/errors/errors.ts';
import type { Limits } from '../kit/limits.ts';
import { isSeekable } from '../kit/random-access.ts';
import { gunzip } from './deflate/gunzip.ts';
import type { ArchiveEntries } from './entry.ts';
import type { Relaxed } from './relaxed.ts';
import { readTar } from './tar/tar-reader.ts';
import { readZip } from './zip/zip-reader.ts';

/** The containers that are written. */
export type PackFormat = 'tar' | 'tgz' | 'zip';

/** The containers that are read. */
export type ArchiveFormat = 'tar' | 'tgz' | 'zip';

/** [arc.1] What the first bytes of other formats are, to name them in the refusal. */
const OTHERS: readonly (readonly [name: string, magic: readonly number[], fix?: Told])[] = [
  [
    'a Proxmox VMA backup',
    [0x56, 0x4d, 0x41, 0],
    {
      text: 'unpack it on the Proxmox host (vma extract FILE FOLDER), and pack the disks',
      advice: 'pack-disks',
    },
  ],
  ['a zip archive', [0x50, 0x4b, 0x03, 0x04]],
  ['an xz file', [0xfd, 0x37, 0x7a, 0x58, 0x5a]],
  ['a Zstandard file', [0x28, 0xb5, 0x2f, 0xfd]],
  ['a bzip2 file', [0x42, 0x5a, 0x68]],
  ['a 7z archive', [0x37, 0x7a, 0xbc, 0xaf]],
  ['a bare qcow2 disk image', [0x51, 0x46, 0x49, 0xfb]],
  ['a bare VMDK disk image', [0x4b, 0x44, 0x4d, 0x56]],
  [
    'one volume of a split bundle',
    [0x62, 0x75, 0x6c, 0x6c, 0x61, 0x2d, 0x76],
    { text: 'put the volumes together first', advice: 'join' },
  ],
  ['an XML file', [0x3c, 0x3f, 0x78, 0x6d, 0x6c]],
];

/**
 * Finds out by its first bytes what `source` is, and reads it as that; one layer of compression, never two.
 *
 * A zip is read through random access: in place where the source has it, else from the private copy that the source
 * makes, and `copied` is its size then.
 *
 * @throws {BundleError} `FORMAT_UNSUPPORTED`, `ARCHIVE_EMPTY`; while iterating `ARCHIVE_*` and `GZIP_MALFORMED`
 * @see spec/archive.md, clauses arc.1 to arc.4
 */
export async function openArchive(
  source: ByteStream,
  limits: Limits,
  relaxed?: Relaxed,
): Promise<{ readonly format: ArchiveFormat; readonly entries: ArchiveEntries; readonly copied?: number }> {
  const { head, stream } = await peek(source, TAR_BLOCK);
  // [arc.1] What is a tar as well is read as one, and refused for its first name.
  if (isZip(head) && !looksLikeTar(head)) {
    if (!isSeekable(stream)) throw await unseekable(stream);
    const file = await stream.randomAccess(stream);
    return { format: 'zip', entries: readZip(file, limits), ...(file.copied && { copied: file.size }) };
  }
  if (isGzip(head)) {
    const inner = await peek(gunzip(stream, limits), TAR_BLOCK);
    // [gz.5] One layer: who unpacks as many as there are sees another archive than who unpacks one.
    if (!looksLikeTar(inner.head)) throw await refuse(inner, 'the compressed file is ');
    return { format: 'tgz', entries: readTar(inner.stream, limits, relaxed) };
  }
  if (!looksLikeTar(head)) throw await refuse({ head, stream }, 'the input is ');
  return { format: 'tar', entries: readTar(stream, limits, relaxed) };
}

/** True when these first bytes begin a gzip file. */
export function isGzip(head: Uint8Array): boolean {
  return head[0] === 0x1f && head[1] === 0x8b;
}

/** [arc.1] The signatures of zip: of a member, which comes first in a sound one, and of what broken and split ones begin with. */
function isZip(head: Uint8Array): boolean {
  const [p, k, kind = 0, version = 0] = head;
  return p === 0x50 && k === 0x4b && ((kind < 0x10 && version < 0x10) || (kind === 0x30 && version === 0x30));
}

function looksLikeTar(head: Uint8Array): boolean {
  if (head.byteLength < TAR_BLOCK) return isZeroBlock(head) && head.byteLength > 0;
  const magic = String.fromCharCode(...head.subarray(257, 262));
  return magic === 'ustar' || isZeroBlock(head) || hasTarChecksum(head);
}

/** Whoever hands in a stream that can be read once only has not asked for a copy of it. */
async function unseekable(stream: AsyncIterator<Uint8Array>): Promise<BundleError> {
  await stream.return?.();
  return new BundleError('FORMAT_UNSUPPORTED', 'the input is a zip archive, and cannot be read twice', {
    where: { offset: 0 },
    why: 'the directory of a zip is at its end, and must be read before the members',
    fix: 'give a file, or a stream with random access',
  });
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
  const [known, , fix] = OTHERS.find(([, magic]) => magic.every((byte, i) => head[i] === byte)) ?? [];
  return new BundleError('FORMAT_UNSUPPORTED', `${prefix}${gzip ?? known ?? 'of no kind that bulla knows'}`, {
    where: { offset: 0 },
    ...(fix !== undefined && { fix }),
  });
}
