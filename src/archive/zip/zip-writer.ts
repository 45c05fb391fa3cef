import { engine } from '#engine';
import { memberNameFault } from '../../formats/member-name.ts';
import {
  formatCentralHeader,
  formatEnd,
  formatLocalHeader,
  type WrittenMember,
} from '../../formats/zip/format-records.ts';
import { IN_ZIP64 } from '../../formats/zip/records.ts';
import { peek } from '../../kit/byte-cursor.ts';
import type { ByteStream } from '../../kit/bytes.ts';
import { encodeUtf8, printable } from '../../kit/encoding.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import { CHUNK_BYTES, DEFAULT_LIMITS, type Limits } from '../../kit/limits.ts';
import { paysToDeflate } from '../deflate/compressibility.ts';
import { Deflation, deflateBlocks } from '../deflate/deflate-blocks.ts';
import { MemberNames } from '../member-names.ts';
import type { TarFile } from '../tar/tar-writer.ts';

/** A file to be written; whether it is deflated is found out by its first bytes when it is not said. */
export interface ZipFile extends TarFile {
  readonly deflate?: boolean;
}

/** Where a zip goes: in order, but that the header of a member is written again when its checksum is known. */
export interface ZipSink {
  /** takes the next bytes; they must stay as they are until the next call has returned */
  write(chunk: Uint8Array): Promise<void>;
  /** writes again what stands at `offset` */
  patch(offset: number, bytes: Uint8Array): Promise<void>;
}

/**
 * Writes a zip that every reader reads alike: no data descriptors, no extra fields but zip64 from 4 GiB on, each
 * member described by the same values twice.
 *
 * The same files and `mtime` (seconds since 1970) give the same bytes. Returns how many.
 *
 * @throws {BundleError} `FILE_CHANGED` when a body is shorter or longer than its size; `ARCHIVE_NAME`,
 *   `ARCHIVE_DUPLICATE`, `ARCHIVE_LIMIT`
 * @see spec/archive.md, clauses zip.15 and zip.16
 */
export async function writeZip(
  files: AsyncIterable<ZipFile> | Iterable<ZipFile>,
  sink: ZipSink,
  options: { readonly mtime: number; readonly limits?: Limits },
): Promise<number> {
  const { mtime, limits = DEFAULT_LIMITS } = options;
  const names = new MemberNames(limits);
  const deflation = new Deflation(limits);
  const directory: Uint8Array[] = [];
  let at = 0;
  for await (const file of files) {
    const fault = memberNameFault(file.name, limits);
    if (fault) throw new BundleError('ARCHIVE_NAME', `the member "${printable(file.name)}": ${fault}`);
    names.add(file.name, at);
    const { member, bytes } = await writeMember(file, sink, { offset: at, mtime, deflation });
    directory.push(formatCentralHeader(member));
    at += bytes;
  }
  const offset = at;
  for (const header of directory) {
    await sink.write(header);
    at += header.byteLength;
  }
  const end = formatEnd(directory.length, { offset, bytes: at - offset });
  await sink.write(end);
  return at + end.byteLength;
}

/** Header and data of a member; the header once more when all of it is known. */
async function writeMember(
  file: ZipFile,
  sink: ZipSink,
  options: { readonly offset: number; readonly mtime: number; readonly deflation: Deflation },
): Promise<{ readonly member: WrittenMember; readonly bytes: number }> {
  const { offset, mtime, deflation } = options;
  const { deflate, body } = await decide(file);
  const nameBytes = encodeUtf8(file.name);
  const unknown = { nameBytes, deflated: deflate, crc: 0, size: 0, compressedSize: 0, offset, mtime };
  const long = file.size + expansion(file.size) >= IN_ZIP64.value;
  const header = formatLocalHeader({ ...unknown, long });
  await sink.write(header);
  const sum = { crc: 0, size: 0 };
  const counted = checked(body, file, sum);
  let compressedSize = 0;
  for await (const chunk of deflate ? deflateBlocks(counted, deflation) : counted) {
    compressedSize += chunk.byteLength;
    await sink.write(chunk);
  }
  const member = { ...unknown, ...sum, compressedSize, long };
  await sink.patch(offset, formatLocalHeader(member));
  return { member, bytes: header.byteLength + compressedSize };
}

/** [zip.16] Whether a member is deflated: as is said, else by its first bytes. */
async function decide(file: ZipFile): Promise<{ readonly deflate: boolean; readonly body: ByteStream }> {
  if (file.size === 0) return { deflate: false, body: file.body };
  if (file.deflate !== undefined) return { deflate: file.deflate, body: file.body };
  const { head, stream } = await peek(file.body, Math.min(file.size, CHUNK_BYTES));
  return { deflate: paysToDeflate(file.size, [head]), body: stream };
}

/** The body with its checksum and size taken, which is exactly `file.size` bytes or an error. */
async function* checked(
  body: ByteStream,
  file: ZipFile,
  sum: { crc: number; size: number },
): AsyncGenerator<Uint8Array, void> {
  for await (const chunk of body) {
    sum.size += chunk.byteLength;
    if (sum.size > file.size) break;
    sum.crc = engine.crc32(chunk, sum.crc);
    yield chunk;
  }
  if (sum.size === file.size) return;
  throw new BundleError('FILE_CHANGED', `the size of "${file.name}" changed while it was packed`, {
    where: { member: file.name },
  });
}

/** What deflate may add to a content that cannot be compressed: some bytes to each stored block, and to each of ours. */
function expansion(size: number): number {
  return Math.ceil(size / 8192) * 8 + 64;
}
