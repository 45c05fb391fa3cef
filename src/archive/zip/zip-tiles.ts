import { parseExtraFields, withZip64 } from '../../formats/zip/extra-field.ts';
import {
  DATA_DESCRIPTOR,
  DEFLATED,
  IN_ZIP64,
  isRecord,
  LOCAL_HEADER,
  parseDataDescriptor,
  parseLocalHeader,
  ZIP_FLAGS,
  type ZipHeader,
} from '../../formats/zip/records.ts';
import { expectVersion } from '../../formats/zip/version.ts';
import { equalBytes } from '../../kit/bytes.ts';
import { counted } from '../../kit/encoding.ts';
import { PACKED_ANEW, REBUILT } from '../../kit/errors/archive-errors.ts';
import { BundleError, isBundleError } from '../../kit/errors/errors.ts';
import type { RandomAccess } from '../../kit/random-access.ts';
import type { DirectoryEntry, ZipMember } from './zip-member.ts';

/**
 * The tile check: header, data and data descriptor of each member, in the order of the directory, cover the file from
 * its first byte up to the directory, without gap or overlap, and each header says what the directory says.
 *
 * @throws {BundleError} `ZIP_MALFORMED`, `ZIP_FEATURE`, `ARCHIVE_SIZE_CONFLICT`
 * @see spec/archive.md, clauses zip.1, zip.5 and zip.11
 */
export async function expectTiles(
  file: RandomAccess,
  entries: readonly DirectoryEntry[],
  directory: number,
): Promise<readonly ZipMember[]> {
  const members: ZipMember[] = [];
  let at = 0;
  for (const [i, entry] of entries.entries()) {
    const { name, size, compressedSize, header } = entry;
    try {
      if (entry.offset !== at) throw displaced(entry, at);
      const { dataOffset, zip64 } = await readLocal(file, entry, directory);
      const end = dataOffset + compressedSize;
      if (end > directory) throw malformed('the data of the member reaches into the directory', dataOffset);
      const deflated = header.method === DEFLATED;
      members.push({ name, size, compressedSize, crc: header.crc, deflated, offset: at, dataOffset });
      at = end;
      if (header.flags & ZIP_FLAGS.descriptor) {
        const next = entries[i + 1]?.offset ?? directory;
        at += await readDescriptor(file, { ...entry, zip64 }, end, next);
      }
    } catch (error) {
      if (!isBundleError(error)) throw error;
      throw error.at({ member: name, offset: at });
    }
  }
  if (at !== directory) {
    throw malformed(strayBytes(directory - at, 'directory'), at);
  }
  return members;
}

/** A hidden member, a prefix, or two members in the same bytes. */
function displaced({ offset }: DirectoryEntry, expected: number): BundleError {
  if (offset < expected) return malformed(`the member begins at byte ${offset}, inside of another`, offset);
  return malformed(strayBytes(offset - expected, 'member'), expected);
}

/** What is said of bytes that belong to no member, by what stands behind them. */
export function strayBytes(count: number, behind: 'member' | 'directory'): string {
  const place = behind === 'member' ? 'before the member' : 'between the last member and the directory';
  return `${place} is something that belongs to no member: ${counted(count, 'byte')}`;
}

async function readLocal(
  file: RandomAccess,
  entry: DirectoryEntry,
  directory: number,
): Promise<{ readonly dataOffset: number; readonly zip64: boolean }> {
  const { offset, header: central } = entry;
  const fixed = await file.readAt(offset, LOCAL_HEADER.bytes);
  if (!isRecord(fixed, LOCAL_HEADER))
    throw malformed('the directory says that the member begins here, and there is no header of one', offset);
  const local = parseLocalHeader(fixed);
  const dataOffset = offset + LOCAL_HEADER.bytes + local.nameBytes + local.extraBytes;
  if (dataOffset > directory) throw malformed('the header of the member reaches into the directory', offset);
  const rest = await file.readAt(offset + LOCAL_HEADER.bytes, local.nameBytes + local.extraBytes);
  if (!equalBytes(rest.subarray(0, local.nameBytes), entry.nameBytes)) throw differs('the names', offset);
  if (local.flags !== central.flags) throw differs('the flags', offset);
  if (local.method !== central.method) throw differs('the compression methods', offset);
  expectVersion(local);
  const zip64 = parseExtraFields(rest.subarray(local.nameBytes));
  const [size = 0, compressedSize = 0] = withZip64(zip64, [local.size, local.compressedSize]);
  expectSame({ ...entry, crc: central.crc }, { crc: local.crc, size, compressedSize }, central.flags);
  return { dataOffset, zip64: zip64 !== undefined };
}

/** [zip.5] With a data descriptor the header may leave the three values out; it may not give others. @throws {BundleError} `ZIP_MALFORMED`, `ARCHIVE_SIZE_CONFLICT` */
export function expectSame(
  entry: Pick<ZipMember, 'crc' | 'size' | 'compressedSize' | 'offset'>,
  local: Pick<ZipHeader, 'crc' | 'size' | 'compressedSize'>,
  flags: number,
): void {
  const later = (flags & ZIP_FLAGS.descriptor) !== 0;
  const same = (here: number, there: number): boolean => here === there || (later && here === 0);
  if (!same(local.crc, entry.crc)) {
    const message = 'the checksums of the member differ between the directory and the header before its data';
    const where = { offset: entry.offset };
    throw new BundleError('ZIP_MALFORMED', message, { where, fix: REBUILT, own: PACKED_ANEW }); // [repair.5]
  }
  if (same(local.size, entry.size) && same(local.compressedSize, entry.compressedSize)) return;
  throw new BundleError(
    'ARCHIVE_SIZE_CONFLICT',
    `the header says ${counted(local.size, 'byte')} (${local.compressedSize} packed), the directory ${entry.size} (${entry.compressedSize} packed)`,
    { where: { offset: entry.offset } },
  );
}

/** [zip.11] The data descriptor fills what is left before the next header, and repeats the directory; its length. */
async function readDescriptor(
  file: RandomAccess,
  entry: DirectoryEntry & { readonly zip64: boolean },
  at: number,
  next: number,
): Promise<number> {
  const length = next - at;
  if (length < DATA_DESCRIPTOR.bytes) throw malformed('the data descriptor of the member is missing', at);
  if (length !== DATA_DESCRIPTOR.bytes && length !== DATA_DESCRIPTOR.zip64Bytes) {
    throw malformed(
      `behind the data of the member follow ${counted(length, 'byte')}, where a data descriptor has 16 or 24`,
      at,
    );
  }
  // Who reads a zip as a stream knows no other sign of how long it is; Go goes by the size alone.
  const long = entry.zip64 || Math.max(entry.size, entry.compressedSize) >= IN_ZIP64.value;
  if (long !== (length === DATA_DESCRIPTOR.zip64Bytes))
    throw malformed(`the data descriptor of the member has not the length that its header announces`, at);
  const bytes = await file.readAt(at, length);
  if (!isRecord(bytes, DATA_DESCRIPTOR))
    throw malformed('the data descriptor of the member has no signature', at);
  const { crc, size, compressedSize } = parseDataDescriptor(bytes);
  if (crc === entry.header.crc && size === entry.size && compressedSize === entry.compressedSize)
    return length;
  throw malformed('the data descriptor of the member says something else than the directory', at);
}

function differs(what: string, offset: number): BundleError {
  return malformed(
    `${what} of the member differ between the directory and the header before its data`,
    offset,
  );
}

function malformed(message: string, offset: number): BundleError {
  return new BundleError('ZIP_MALFORMED', message, { where: { offset } });
}
