import { memberNameFault } from '../../formats/member-name.ts';
import { parseExtraFields, withZip64 } from '../../formats/zip/extra-field.ts';
import {
  CENTRAL_HEADER,
  type CentralHeader,
  DEFLATED,
  isRecord,
  parseCentralHeader,
  STORED,
  ZIP_FLAGS,
  type ZipHeader,
} from '../../formats/zip/records.ts';
import { expectVersion } from '../../formats/zip/version.ts';
import { ByteCursor } from '../../kit/byte-cursor.ts';
import { copyBytes } from '../../kit/bytes.ts';
import { counted, decodeUtf8, hasText, printable } from '../../kit/encoding.ts';
import { PACKED_ANEW, REBUILT, REPAIRED } from '../../kit/errors/archive-errors.ts';
import { BundleError, isBundleError } from '../../kit/errors/errors.ts';
import type { Limits } from '../../kit/limits.ts';
import type { RandomAccess } from '../../kit/random-access.ts';
import { repairableName } from '../entry-names.ts';
import { MemberNames } from '../member-names.ts';
import { findZipDirectory } from './zip-end.ts';
import type { DirectoryEntry, ZipMember } from './zip-member.ts';
import { expectTiles } from './zip-tiles.ts';

/** [zip.6] DOS, OS/2, MVS, as unzip numbers them. */
const OEM_SYSTEMS: ReadonlySet<number> = new Set([0, 6, 11]);
/** Characters of a name that a message shows. */
const SHOWN = 100;
const KNOWN_FLAGS = ZIP_FLAGS.descriptor | ZIP_FLAGS.utf8 | 0b110; // those two say how hard deflate has tried
const MODE = { type: 0o170000, regular: 0o100000, special: 0o7000 } as const;
/** Bits of the attributes of DOS that say what an entry is. */
export const DOS = { volume: 0x08, folder: 0x10 } as const;

/**
 * The gate: reads the directory and every header of a zip, and lets it pass only when all zip readers must see the same
 * members. The data of the members is not looked at.
 *
 * @throws {BundleError} `ZIP_*`, `ARCHIVE_*`, each with the offset of the header and the member where it is known
 * @see spec/archive.md, clauses zip.2 to zip.12, name.1 to name.6
 */
export async function readZipDirectory(file: RandomAccess, limits: Limits): Promise<readonly ZipMember[]> {
  const place = await findZipDirectory(file, limits);
  const cursor = new ByteCursor(file.range(place.offset, place.end));
  const names = new MemberNames(limits);
  const entries: DirectoryEntry[] = [];
  let total = 0;
  try {
    for (let i = 0; i < place.count; i++) {
      const entry = await readEntry(cursor, place.offset, limits);
      names.add(entry.name, entry.at);
      total += entry.size;
      if (entry.size > limits.memberBytes || total > limits.totalBytes) {
        throw new BundleError(
          'ARCHIVE_LIMIT',
          `"${printable(entry.name)}" takes the archive over the limit of bytes`,
          { where: { member: entry.name, offset: entry.at } }, // [zip.12]
        );
      }
      entries.push(entry);
    }
  } finally {
    await cursor.close();
  }
  if (place.offset + cursor.offset !== place.end) {
    throw new BundleError(
      'ZIP_MALFORMED',
      `the directory is longer than the end record counts members (${place.count}), by ${counted(place.end - place.offset - cursor.offset, 'byte')}`,
      { where: { offset: place.offset + cursor.offset } },
    );
  }
  return expectTiles(file, entries, place.offset);
}

async function readEntry(cursor: ByteCursor, start: number, limits: Limits): Promise<DirectoryEntry> {
  const at = start + cursor.offset;
  let member: string | undefined;
  try {
    const fixed = copyBytes(await cursor.take(CENTRAL_HEADER.bytes));
    if (!isRecord(fixed, CENTRAL_HEADER))
      throw broken('there is no header of a member at this place of the directory');
    const header = parseCentralHeader(fixed);
    const nameBytes = copyBytes(await cursor.take(header.nameBytes));
    member = shown(nameBytes);
    const extra = copyBytes(await cursor.take(header.extraBytes));
    if (nameBytes.byteLength < header.nameBytes || extra.byteLength < header.extraBytes)
      throw broken('the directory ends in the middle of a header');
    expectPlain(header);
    const name = nameOf(nameBytes, header, limits);
    const [size = 0, compressedSize = 0, offset = 0] = withZip64(parseExtraFields(extra), [
      header.size,
      header.compressedSize,
      header.offset,
    ]);
    expectSizes(header, size, compressedSize);
    return { name, nameBytes, header, size, compressedSize, offset, at };
  } catch (error) {
    if (!isBundleError(error)) throw error;
    throw error.at({ ...(hasText(member) && { member }), offset: at });
  }
}

/** A name for messages, whatever it is made of. */
function shown(bytes: Uint8Array): string {
  const text = decodeUtf8(bytes) ?? String.fromCharCode(...bytes.subarray(0, SHOWN));
  return printable(text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text);
}

/** [zip.4] to [zip.7] Nothing that one reader honours and another does not. @throws {BundleError} `ZIP_FEATURE`, `ARCHIVE_TYPE` */
export function expectPlain(header: CentralHeader): void {
  const { flags, method } = header;
  if (flags & (ZIP_FLAGS.encrypted | ZIP_FLAGS.strong | ZIP_FLAGS.masked))
    throw unread('the member is encrypted');
  if (flags & ZIP_FLAGS.patched) throw unread('the member is a patch to another file');
  if (flags & ~KNOWN_FLAGS) throw feature(`the member has flags that are not known: 0x${flags.toString(16)}`);
  if (method !== STORED && method !== DEFLATED)
    throw unread(`the member is compressed by method ${method}${METHODS.get(method) ?? ''}`);
  if (method === STORED && flags & ZIP_FLAGS.descriptor)
    throw feature('the member is stored, and its size stands only behind it (a data descriptor)');
  expectVersion(header);
  if (header.disk !== 0) throw feature(`the member lies on part ${header.disk + 1} of several`);
  if (header.commentBytes !== 0) throw feature(`the member has a comment (bytes: ${header.commentBytes})`);
  expectRegular(header);
}

/** Other methods, by name. */
const METHODS: ReadonlyMap<number, string> = new Map([
  [9, ' (Deflate64)'],
  [12, ' (bzip2)'],
  [14, ' (LZMA)'],
  [93, ' (Zstandard)'],
  [95, ' (xz)'],
  [98, ' (PPMd)'],
]);

/** [zip.7] Whatever system the attributes are said to be of: readers differ in which they believe. */
function expectRegular({ externalAttributes: attributes, size }: CentralHeader): void {
  const mode = attributes >>> 16;
  const type = mode & MODE.type;
  if (attributes & DOS.folder || type === 0o040000) throw folder(size);
  if (attributes & DOS.volume) throw noFile('a volume label');
  if (type === 0o120000) throw noFile('a symbolic link');
  if (type !== 0 && type !== MODE.regular) throw noFile('no regular file');
  if (mode & MODE.special) {
    throw new BundleError('ARCHIVE_TYPE', 'the member has the setuid, setgid or sticky bit', {
      why: 'a program that runs as somebody else must not come out of an archive',
    });
  }
}

/** [zip.6] One name, the same to every reader. @throws {BundleError} `ARCHIVE_NAME`, `ARCHIVE_TYPE` */
export function nameOf(bytes: Uint8Array, header: CentralHeader, limits: Limits): string {
  const { flags, madeOn, size } = header;
  const name = decodeUtf8(bytes);
  const ascii = bytes.every((byte) => byte < 0x80);
  if (!ascii && !(flags & ZIP_FLAGS.utf8)) {
    throw new BundleError('ARCHIVE_NAME', 'the name of a member is not ASCII, and is not said to be UTF-8', {
      fix: REPAIRED,
      own: PACKED_ANEW,
    });
  }
  if (!ascii && OEM_SYSTEMS.has(madeOn)) {
    throw new BundleError(
      'ARCHIVE_NAME',
      'the name of a member is not ASCII, in a zip said to be made on DOS',
      {
        why: 'unzip takes such a name for the code page of DOS and unpacks another name, whatever else the zip says',
        fix: {
          text: 'ask the publisher for names in ASCII, or for a zip made on Unix or by bulla',
          advice: 'pack',
        },
        own: { text: 'give it a name in ASCII, or make the zip on Unix', advice: 'pack-zip' },
      },
    );
  }
  if (name === undefined) throw new BundleError('ARCHIVE_NAME', 'the name of a member is not UTF-8');
  if (name.endsWith('/')) throw folder(size);
  const fault = memberNameFault(name, limits);
  if (fault)
    throw new BundleError(
      'ARCHIVE_NAME',
      `the member "${printable(name)}": ${fault}`,
      repairableName(name, { limits, size, read: name.replaceAll('\\', '/') }),
    );
  return name;
}

/** [zip.10] What the method alone says about the sizes. */
function expectSizes({ method }: ZipHeader, size: number, compressedSize: number): void {
  if (method === STORED && size !== compressedSize) {
    throw new BundleError(
      'ARCHIVE_SIZE_CONFLICT',
      `the member is stored, and has ${counted(size, 'byte')} unpacked and ${compressedSize} packed`,
    );
  }
  if (method === DEFLATED && compressedSize === 0)
    throw malformed('the member is deflated, and has no packed bytes');
}

/** [repair.3] A repair passes over it, if it has no content. [repair.5] */
function folder(size: number): BundleError {
  if (size !== 0) return noFile('a folder with content');
  return new BundleError('ARCHIVE_TYPE', 'the member is a folder, not a regular file', {
    why: 'a bundle holds regular files only, and nothing vouches for the entry of a folder',
    fix: REPAIRED,
    own: PACKED_ANEW,
  });
}

function noFile(what: string): BundleError {
  return new BundleError('ARCHIVE_TYPE', `the member is ${what}, not a regular file`);
}

function feature(message: string): BundleError {
  return new BundleError('ZIP_FEATURE', message);
}

/** What no repair reads either. [repair.5] */
function unread(message: string): BundleError {
  return new BundleError('ZIP_FEATURE', message, {
    fix: REBUILT,
    own: { text: 'make a zip of plain files', advice: 'pack-zip' },
  });
}

/** A directory that no reader gets through. [repair.5] */
function broken(message: string): BundleError {
  return new BundleError('ZIP_MALFORMED', message, { fix: REBUILT, own: PACKED_ANEW });
}

function malformed(message: string): BundleError {
  return new BundleError('ZIP_MALFORMED', message);
}
