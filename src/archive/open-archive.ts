import { FOREIGN_HEAD_BYTES, foreignContent, foreignFix } from '../formats/foreign/content-kinds.ts';
import type { Foreign } from '../formats/foreign/foreign.ts';
import { hasTarChecksum, isZeroBlock, parseTarHeader, TAR_BLOCK } from '../formats/tar/header.ts';
import { SPARSE } from '../formats/tar/sparse.ts';
import { sparseMember } from '../formats/tar/sparse-member.ts';
import { peek } from '../kit/byte-cursor.ts';
import type { ByteStream } from '../kit/bytes.ts';
import { printable } from '../kit/encoding.ts';
import { BundleError, isBundleError } from '../kit/errors/errors.ts';
import type { Limits } from '../kit/limits.ts';
import { isSeekable } from '../kit/random-access.ts';
import { gunzip } from './deflate/gunzip.ts';
import type { ArchiveEntries, ArchiveEntry } from './entry.ts';
import type { Relaxed } from './relaxed.ts';
import { readTar } from './tar/tar-reader.ts';
import { readZip } from './zip/zip-reader.ts';

/** The containers that are written. */
export type PackFormat = 'tar' | 'tgz' | 'zip';

/** The containers that are read. */
export type ArchiveFormat = 'tar' | 'tgz' | 'zip';

/** What an archive is read as, and its members. */
export interface OpenedArchive {
  readonly format: ArchiveFormat;
  readonly entries: ArchiveEntries;
  /** bytes of the private copy that was made of it */
  readonly copied?: number;
}

/** A way to open archives: the strict one, or that of a repair. */
export type OpenArchive = (source: ByteStream, limits: Limits, relaxed?: Relaxed) => Promise<OpenedArchive>;

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
): Promise<OpenedArchive> {
  const peeked = await peek(source, TAR_BLOCK);
  const { head, stream } = peeked;
  // [arc.1] What is a tar as well is read as one, and refused for its first name.
  if (isZip(head) && !looksLikeTar(head)) {
    if (!isSeekable(stream)) throw await unseekable(stream);
    const file = await stream.randomAccess(stream);
    return { format: 'zip', entries: readZip(file, limits), ...(file.copied && { copied: file.size }) };
  }
  if (isGzip(head)) {
    const inner = await peek(gunzip(stream, limits), TAR_BLOCK);
    // [gz.5] One layer: who unpacks as many as there are sees another archive than who unpacks one.
    if (!looksLikeTar(inner.head)) throw await refusalOf(inner, 'gzip');
    return { format: 'tgz', entries: await tarEntries(inner, limits, relaxed) };
  }
  if (!looksLikeTar(head)) throw await refusalOf(peeked, 'file');
  if (!isZeroBlock(head)) return { format: 'tar', entries: await tarEntries(peeked, limits, relaxed) };
  // [arc.6] No tar begins so that is not refused; images do.
  const image = await recognised(peeked);
  if (image.kind) throw await refusalOf(image, 'file');
  return { format: 'tar', entries: readTar(image.stream, limits, relaxed) };
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

type Peeked = Awaited<ReturnType<typeof peek>>;

/** The members of a tar. Where its very first header is refused, and a sparse member is to be seen behind it, that is said. [pax.9] */
async function tarEntries(
  { head, stream }: Peeked,
  limits: Limits,
  relaxed?: Relaxed,
): Promise<ArchiveEntries> {
  if (isSound(head)) return readTar(stream, limits, relaxed);
  const deep = await peek(stream, FOREIGN_HEAD_BYTES); // as many as there are, whatever pieces they come in
  const entries = readTar(deep.stream, limits, relaxed);
  const sparse = sparseMember(deep.head);
  return sparse === undefined ? entries : namingSparse(entries, sparse);
}

function isSound(head: Uint8Array): boolean {
  try {
    parseTarHeader(head);
    return true;
  } catch {
    return false;
  }
}

async function* namingSparse(entries: ArchiveEntries, name: string): AsyncGenerator<ArchiveEntry, void> {
  try {
    yield* entries;
  } catch (error) {
    if (!isBundleError(error) || error.code !== 'ARCHIVE_HEADER') throw error;
    const message = `${error.message}; and "${printable(name)}" is a sparse member, as bsdtar (the tar of macOS) writes a file that has holes`;
    throw new BundleError(error.code, message, { where: error.where, ...SPARSE });
  }
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

/** Says what an input is that is no archive, or what in a gzip is no tar, as far as it is known; the input is closed. [arc.6] */
export async function refusalOf(input: Peeked, from: 'file' | 'gzip'): Promise<BundleError> {
  const prefix = from === 'gzip' ? 'the compressed file is ' : 'the input is ';
  const { head, stream, kind } = await recognised(input);
  await stream.return?.();
  const where = { offset: 0 };
  if (head.byteLength === 0) return new BundleError('ARCHIVE_EMPTY', `${prefix}empty`, { where });
  const fix = kind ? foreignFix(kind, from) : [];
  return new BundleError('FORMAT_UNSUPPORTED', `${prefix}${kind?.name ?? 'of no kind that bulla knows'}`, {
    where,
    ...(fix.length > 0 && { fix }),
  });
}

/** What the input is, by as many first bytes as it takes. [arc.6] */
async function recognised(input: Peeked): Promise<Peeked & { readonly kind?: Foreign }> {
  const kind = foreignContent(input.head);
  if (kind) return { ...input, kind };
  const deep = input.head.byteLength < TAR_BLOCK ? input : await peek(input.stream, FOREIGN_HEAD_BYTES);
  const deeper = foreignContent(deep.head);
  return { ...deep, ...(deeper !== undefined && { kind: deeper }) };
}
