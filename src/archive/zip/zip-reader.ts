import { engine } from '#engine';
import { ByteCursor } from '../../kit/byte-cursor.ts';
import type { ByteStream } from '../../kit/bytes.ts';
import { counted } from '../../kit/encoding.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import type { Limits } from '../../kit/limits.ts';
import type { RandomAccess } from '../../kit/random-access.ts';
import { InflationGuard } from '../deflate/inflation-guard.ts';
import { SLICE_BYTES, throughInflater } from '../deflate/through-inflater.ts';
import type { ArchiveEntry } from '../entry.ts';
import { readZipDirectory } from './zip-directory.ts';
import type { ZipMember } from './zip-member.ts';

/**
 * Reads a zip archive in the strict profile, and closes `file` in the end.
 *
 * The gate has passed when the first member comes. What is read of a member is held against its checksum and its sizes;
 * what is left unread is not. The members come in the order of the directory, which is that of the file.
 *
 * @throws {BundleError} `ZIP_*`, `ARCHIVE_*`, each with an offset into the zip, and the member where it is known
 * @see spec/archive.md, clauses zip.1 to zip.13
 */
export async function* readZip(file: RandomAccess, limits: Limits): AsyncGenerator<ArchiveEntry, void> {
  try {
    yield* readZipMembers(file, await readZipDirectory(file, limits), limits);
  } finally {
    await file[Symbol.asyncDispose](); // [arc.4]
  }
}

/** The members of a zip whose place and sizes are known, in that order; their content is held against checksum, sizes and ratio. [zip.10] [zip.13] */
export function* readZipMembers(
  file: RandomAccess,
  members: Iterable<ZipMember>,
  limits: Limits,
): Generator<ArchiveEntry, void> {
  const inflation = { guard: new InflationGuard(limits), compressed: 0, ratio: limits.inflateRatio };
  for (const member of members) {
    const { name, size, offset, dataOffset } = member;
    const body = checked(file, member, inflation);
    yield { name, size, offset, dataOffset, body, takeAll: () => undefined };
  }
}

/** What has been inflated of the whole archive, and from how many bytes. */
interface Inflation {
  readonly guard: InflationGuard;
  readonly ratio: number;
  compressed: number;
}

/** [zip.10] The content of a member: exactly as long as the headers say, and with their checksum. */
async function* checked(
  file: RandomAccess,
  member: ZipMember,
  inflation: Inflation,
): AsyncGenerator<Uint8Array, void> {
  const { dataOffset, compressedSize, size } = member;
  const data = file.range(dataOffset, dataOffset + compressedSize);
  let crc = 0;
  let left = size;
  for await (const chunk of member.deflated ? inflate(data, member, inflation) : data) {
    left -= chunk.byteLength;
    if (left < 0) throw malformed(member, `the member inflates to more than its ${counted(size, 'byte')}`);
    crc = engine.crc32(chunk, crc);
    yield chunk;
  }
  if (left > 0 && !member.deflated) throw cut(member, dataOffset + size - left);
  if (left > 0)
    throw malformed(member, `the member inflates to ${counted(size - left, 'byte')}, not to its ${size}`);
  if (crc !== member.crc) throw malformed(member, 'the checksum of the member is wrong');
}

/** [zip.10] Deflate has an end of its own, which must be the end of the member's data. */
async function* inflate(
  data: ByteStream,
  member: ZipMember,
  inflation: Inflation,
): AsyncGenerator<Uint8Array, void> {
  const { dataOffset, compressedSize, name } = member;
  const cursor = new ByteCursor(data);
  const inflater = engine.openInflater();
  const inflated = throughInflater(inflater, cursor);
  const { guard, compressed: before, ratio } = inflation;
  try {
    for await (const chunk of inflated) {
      guard.add(chunk);
      inflation.compressed = before + inflater.bytesWritten;
      if (!guard.allows(inflation.compressed)) {
        throw new BundleError('ARCHIVE_LIMIT', `the archive inflates to more than ${ratio} times its size`, {
          where: { member: name, offset: dataOffset + inflater.bytesWritten }, // [zip.13]
        });
      }
      yield chunk;
    }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'Z_BUF_ERROR' && cursor.offset < compressedSize)
      throw cut(member, dataOffset + cursor.offset);
    if (code === 'Z_BUF_ERROR')
      throw malformed(member, 'the deflate data of the member has no end', dataOffset + compressedSize);
    if (code !== 'Z_DATA_ERROR') throw error;
    // zlib does not tell the byte, so damage is placed at the start of the slice it is in.
    const slice = Math.floor(Math.max(0, cursor.offset - 1) / SLICE_BYTES) * SLICE_BYTES;
    throw malformed(member, 'the deflate data of the member is damaged', dataOffset + slice);
  } finally {
    await cursor.close();
  }
  const unused = compressedSize - inflater.bytesWritten;
  if (unused > 0) {
    const at = dataOffset + inflater.bytesWritten;
    throw malformed(
      member,
      `behind the deflate data of the member there is more that belongs to no file (bytes: ${unused})`,
      at,
    );
  }
}

/** The file has become shorter than it was when its headers were read. */
function cut({ name }: ZipMember, offset: number): BundleError {
  return new BundleError('ARCHIVE_TRUNCATED', `the archive ends in the middle of "${name}"`, {
    where: { member: name, offset },
  });
}

function malformed(member: ZipMember, message: string, offset = member.dataOffset): BundleError {
  return new BundleError('ZIP_MALFORMED', message, {
    where: { member: member.name, offset },
    why: 'the bytes were changed or damaged after the zip was made, or made so that readers see different contents',
    fix: 'fetch the bundle again and compare sizes; if it repeats, report it to the publisher',
    own: 'take the zip again from where it was made; if it is damaged there, make it anew',
  });
}
