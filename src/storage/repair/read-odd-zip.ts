import type { Readable } from 'node:stream';
import type { Entry, LocalFileHeader, RandomAccessReader, ZipFile } from 'yauzl';
import type { ArchiveEntries, ArchiveEntry } from '../../archive/entry.ts';
import { MemberNames } from '../../archive/member-names.ts';
import type { OddOptions } from '../../archive/repair/odd-tar-reader.ts';
import { findZipPart, type ZipPart } from '../../archive/repair/odd-zip-end.ts';
import type { Repairs } from '../../archive/repair/repairs.ts';
import { isLeftBySystem } from '../../archive/repair/system-files.ts';
import { readZipDirectory } from '../../archive/zip/zip-directory.ts';
import type { ZipMember } from '../../archive/zip/zip-member.ts';
import { readZipMembers } from '../../archive/zip/zip-reader.ts';
import { expectSame } from '../../archive/zip/zip-tiles.ts';
import { memberNameFault } from '../../formats/member-name.ts';
import { withZip64 } from '../../formats/zip/extra-field.ts';
import { DEFLATED, IN_ZIP64, ZIP_FLAGS } from '../../formats/zip/records.ts';
import { equalBytes } from '../../kit/bytes.ts';
import { printable } from '../../kit/encoding.ts';
import { BundleError, isBundleError } from '../../kit/errors/errors.ts';
import type { RandomAccess } from '../../kit/random-access.ts';
import { expectReadable, isFolder, notePlain, oddNameOf } from './odd-zip-entry.ts';
import { type Extent, noteStray } from './stray-bytes.ts';

/** Entries of a directory for each member that an archive may have: folders, and what macOS writes, are entries as well. */
const MOST_ENTRIES = 8;

/**
 * Reads a zip that the strict reader may refuse for its form: its directory and headers by yauzl, the content of its members as strictly as
 * that of any. Undefined where the file is no zip, or its end is missing.
 *
 * What the strict reader accepts is read by it. Else the directory counts, as it does to most readers, and whatever is odd is noted; what
 * is no matter of form stays refused: encryption, other compression, links, names that lead elsewhere or collide, members that share bytes,
 * the limits. `file` is closed with the reading.
 *
 * @throws {BundleError} `ZIP_*`, `ARCHIVE_*`
 * @see spec/archive.md, clauses repair.1 to repair.9
 */
export async function readOddZip(
  file: RandomAccess,
  options: OddOptions,
): Promise<ArchiveEntries | undefined> {
  const { limits, repairs } = options;
  const { members: plain, refusal } = await strictly(file, options);
  if (plain) {
    const left = plain.filter(({ name, offset }) => !isLeftOut(name, offset, repairs));
    return closing(file, readZipMembers(file, left, limits));
  }
  const part = await findZipPart(file, repairs);
  if (!part) return undefined;
  const members = await readMembers(file, part, { ...options, refusal });
  repairs.addRefusal(refusal);
  return closing(file, readZipMembers(file, members, limits));
}

async function strictly(
  file: RandomAccess,
  { limits }: OddOptions,
): Promise<
  | { readonly members: readonly ZipMember[]; readonly refusal?: never }
  | { readonly members?: never; readonly refusal: BundleError }
> {
  try {
    return { members: await readZipDirectory(file, limits) };
  } catch (error) {
    if (isBundleError(error)) return { refusal: error };
    throw error;
  }
}

/** [repair.7] */
function isLeftOut(member: string, offset: number, repairs: Repairs): boolean {
  if (!isLeftBySystem(member)) return false;
  repairs.add({ member, what: 'a file that macOS writes beside others, left out', offset });
  return true;
}

async function* closing(
  file: RandomAccess,
  entries: Iterable<ArchiveEntry>,
): AsyncGenerator<ArchiveEntry, void> {
  try {
    yield* entries;
  } finally {
    await file[Symbol.asyncDispose]();
  }
}

/** The members that the directory has, by their places in the file; offsets of what is odd count from its first byte. */
async function readMembers(
  file: RandomAccess,
  part: ZipPart,
  options: OddOptions & { readonly refusal: BundleError },
): Promise<readonly ZipMember[]> {
  const { limits, repairs, refusal } = options;
  const names = new MemberNames(limits);
  const members: ZipMember[] = [];
  const extents: Extent[] = [];
  let total = 0;
  const yauzl = await import('yauzl'); // heavy for whoever repairs nothing
  const zip = await orRefusal(openZip(yauzl, file, part), refusal);
  if (zip.entryCount > MOST_ENTRIES * limits.members)
    throw new BundleError('ARCHIVE_LIMIT', `the directory of the zip counts ${zip.entryCount} entries`);
  if (zip.entryCount === 0) throw new BundleError('ARCHIVE_EMPTY', 'the zip has no members');
  for await (const entry of entriesOf(zip, refusal)) {
    const name = oddNameOf(entry, yauzl.getFileNameLowLevel, repairs);
    const where = { member: name, offset: part.start + entry.relativeOffsetOfLocalHeader };
    const { member, ...extent } = await memberOf(zip, entry, { name, where, part, options, yauzl });
    extents.push({ ...extent, name, offset: where.offset });
    if (!member) continue;
    names.add(name, where.offset);
    total += member.size;
    if (member.size > limits.memberBytes || total > limits.totalBytes)
      throw new BundleError(
        'ARCHIVE_LIMIT',
        `"${printable(name)}" takes the archive over the limit of bytes`,
        { where },
      );
    members.push(member);
  }
  if (members.length === 0) throw new BundleError('ARCHIVE_EMPTY', 'the zip has no members');
  members.sort((a, b) => a.offset - b.offset);
  expectApart(members, part);
  noteStray(extents, part, repairs);
  return members;
}

/** What yauzl is asked for; what it cannot read either stays refused as the strict reader has it, and no other error is taken for that. */
async function orRefusal<T>(asked: Promise<T>, refusal: BundleError): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    throw isBundleError(error) ? error : refusal;
  }
}

async function* entriesOf(zip: ZipFile, refusal: BundleError): AsyncGenerator<Entry, void> {
  const entries = zip.eachEntry();
  for (;;) {
    const next = await orRefusal(entries.next(), refusal);
    if (next.done) return;
    yield next.value;
  }
}

/** A member as its entry has it, and what it takes of the file; no member for what is passed over. */
async function memberOf(
  zip: ZipFile,
  entry: Entry,
  {
    name,
    where,
    part,
    options,
    yauzl,
  }: {
    readonly name: string;
    readonly where: { readonly member: string; readonly offset: number };
    readonly part: ZipPart;
    readonly options: OddOptions & { readonly refusal: BundleError };
    readonly yauzl: typeof import('yauzl');
  },
): Promise<{ readonly member?: ZipMember } & Pick<Extent, 'end' | 'described'>> {
  const { repairs, limits, refusal } = options;
  const described = (entry.generalPurposeBitFlag & ZIP_FLAGS.descriptor) !== 0;
  const extentFrom = (dataOffset: number): Pick<Extent, 'end' | 'described'> => ({
    end: dataOffset + entry.compressedSize,
    described,
  });
  try {
    const folder = isFolder(entry, name);
    if (folder) repairs.add({ ...where, what: 'a folder, passed over' });
    if (folder || isLeftOut(name, where.offset, repairs)) {
      const { fileDataStart } = await orRefusal(readLocal(zip, entry, yauzl), refusal);
      return extentFrom(part.start + fileDataStart);
    }
    expectReadable(entry);
    const fault = memberNameFault(name, limits);
    if (fault) throw new BundleError('ARCHIVE_NAME', `the member "${printable(name)}": ${fault}`);
    notePlain(entry, { limits, repairs, where });
    const local = await orRefusal(readLocal(zip, entry, yauzl), refusal);
    if (!equalBytes(local.fileName, entry.fileNameRaw))
      repairs.add({ ...where, what: 'the header before it has another name than the directory' });
    if (local.compressionMethod !== entry.compressionMethod)
      repairs.add({ ...where, what: 'the header before it has another method than the directory' });
    const member = {
      name,
      size: entry.uncompressedSize,
      compressedSize: entry.compressedSize,
      crc: entry.crc32,
      deflated: entry.compressionMethod === DEFLATED,
      offset: where.offset,
      dataOffset: part.start + local.fileDataStart,
    };
    const flags = local.generalPurposeBitFlag | entry.generalPurposeBitFlag;
    expectSame(member, local.values, flags); // [repair.8]
    return { member, ...extentFrom(member.dataOffset) };
  } catch (error) {
    throw isBundleError(error) ? error.at(where) : error;
  }
}

/** [repair.8] A member that lies in another is how a small zip becomes a large disk, and no writer makes it. */
function expectApart(members: readonly ZipMember[], part: ZipPart): void {
  let end = part.start;
  for (const { name, offset, dataOffset, compressedSize } of members) {
    if (offset < end || dataOffset + compressedSize > part.start + part.directory)
      throw new BundleError(
        'ZIP_MALFORMED',
        'the member shares bytes with another or with the directory, or lies behind that',
        { where: { member: name, offset } },
      );
    end = dataOffset + compressedSize;
  }
}

async function openZip(
  yauzl: typeof import('yauzl'),
  file: RandomAccess,
  { start, end }: ZipPart,
): Promise<ZipFile> {
  class Reader extends yauzl.RandomAccessReader {
    override read(
      buffer: Buffer,
      offset: number,
      length: number,
      position: number,
      done: (error: Error | null, bytesRead?: number) => void,
    ): void {
      const most = Math.max(0, Math.min(length, end - start - position));
      file.readAt(start + position, most).then(
        (bytes) => {
          buffer.set(bytes, offset);
          if (bytes.byteLength === length) done(null, length);
          else done(new Error('unexpected EOF'));
        },
        (error: Error) => done(error),
      );
    }

    override _readStreamForRange(): Readable {
      throw new Error('the content of members is not read here');
    }
  }
  const reader: RandomAccessReader = new Reader();
  const zip = await yauzl.fromRandomAccessReaderPromise(reader, end - start, {
    autoClose: false,
    decodeStrings: false,
  });
  zip.on('error', () => {}); // each is thrown by whoever asked for the entry
  return zip;
}

type Local = LocalFileHeader & { readonly values: Pick<ZipMember, 'crc' | 'size' | 'compressedSize'> };

/** The header before the data, with checksum and sizes as it has them, or its zip64 field, whatever else stands there. */
async function readLocal(
  zip: ZipFile,
  entry: Entry,
  { parseExtraFields }: typeof import('yauzl'),
): Promise<Local> {
  const local = await zip.readLocalFileHeaderPromise(entry);
  const fields = [local.uncompressedSize, local.compressedSize];
  const left = 8 * fields.filter((value) => value === IN_ZIP64.value).length;
  const zip64 = left > 0 ? parseExtraFields(local.extraField).find(({ id }) => id === 1) : undefined;
  const [size = 0, compressedSize = 0] = withZip64(zip64?.data.subarray(0, left), fields);
  return { ...local, values: { crc: local.crc32, size, compressedSize } };
}
