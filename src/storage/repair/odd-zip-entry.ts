import type { Entry } from 'yauzl';
import type { Repairs } from '../../archive/repair/repairs.ts';
import { DOS, expectPlain, nameOf } from '../../archive/zip/zip-directory.ts';
import { parseExtraFields } from '../../formats/zip/extra-field.ts';
import { type CentralHeader, DEFLATED, STORED, ZIP_FLAGS } from '../../formats/zip/records.ts';
import { decodeUtf8, printable } from '../../kit/encoding.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import type { Limits } from '../../kit/limits.ts';

/** The names of an entry that yauzl finds: in UTF-8 where it is said to be, or where Info-ZIP has it beside; else as the code page of DOS has it. */
export type DecodeName = (flags: number, raw: Buffer, extra: Entry['extraFields'], strict: boolean) => string;

/**
 * The name of an entry; one that is UTF-8 without being said to be is read so, and back slashes, as Windows has them, are slashes.
 *
 * @throws {BundleError} `ARCHIVE_NAME` for what is said to be UTF-8 and is not
 */
export function oddNameOf(entry: Entry, decode: DecodeName, repairs: Repairs): string {
  const { fileNameRaw: raw, generalPurposeBitFlag: flags, extraFields } = entry;
  const utf8 = decodeUtf8(raw);
  const said = (flags & ZIP_FLAGS.utf8) !== 0;
  if (utf8 === undefined && said) throw new BundleError('ARCHIVE_NAME', 'the name of a member is not UTF-8');
  const plain = decode(flags, raw, [], true);
  const found = decode(flags, raw, extraFields, true);
  const text = found === plain ? (utf8 ?? plain) : found;
  const slashed = text.replaceAll('\\', '/');
  const name = slashed.replace(/^(\.\/)+(?=.)/, '');
  const member = printable(name);
  if (found !== plain)
    repairs.add({ member, what: 'a name in UTF-8 beside that of the directory, which is heeded' });
  else if (utf8 === undefined) repairs.add({ member, what: 'a name in the code page of DOS' });
  if (slashed !== text) repairs.add({ member, what: 'a name with back slashes, read as slashes' });
  if (name !== slashed) repairs.add({ member, what: 'a name that begins with "./", read without it' });
  return name;
}

/** Whether an entry is a folder: nothing but its name. @throws {BundleError} `ARCHIVE_TYPE` for one with content */
export function isFolder({ uncompressedSize, externalFileAttributes }: Entry, name: string): boolean {
  const type = (externalFileAttributes >>> 16) & TYPE.mask;
  const isDosFolder = (externalFileAttributes & DOS.folder) !== 0;
  if (!name.endsWith('/') && type !== TYPE.folder && !isDosFolder) return false;
  if (uncompressedSize === 0) return true;
  throw new BundleError('ARCHIVE_TYPE', 'the archive holds a folder with content');
}

const TYPE = { mask: 0o170000, folder: 0o040000, regular: 0o100000 } as const;

/** What no repair reads: encryption, patches, other compression, links, devices and volume labels. @throws {BundleError} `ZIP_FEATURE`, `ARCHIVE_TYPE` [repair.5] */
export function expectReadable(entry: Entry): void {
  const { generalPurposeBitFlag: flags, compressionMethod: method, externalFileAttributes } = entry;
  if (flags & (ZIP_FLAGS.encrypted | ZIP_FLAGS.strong | ZIP_FLAGS.masked))
    throw new BundleError('ZIP_FEATURE', 'the member is encrypted');
  if (flags & ZIP_FLAGS.patched)
    throw new BundleError('ZIP_FEATURE', 'the member is a patch to another file');
  if (method !== STORED && method !== DEFLATED)
    throw new BundleError('ZIP_FEATURE', `the member is compressed by method ${method}`);
  const type = (externalFileAttributes >>> 16) & TYPE.mask;
  if (externalFileAttributes & DOS.volume || (type !== 0 && type !== TYPE.regular))
    throw new BundleError(
      'ARCHIVE_TYPE',
      'the member is no regular file: a link, a device or a volume label',
    );
}

/** Takes note of what the strict reader refuses of an entry by itself. */
export function notePlain(
  entry: Entry,
  {
    limits,
    repairs,
    where,
  }: {
    readonly limits: Limits;
    readonly repairs: Repairs;
    readonly where: { readonly member: string; readonly offset: number };
  },
): void {
  const header = headerOf(entry);
  repairs.strictly(() => expectPlain(header), where);
  repairs.strictly(() => nameOf(entry.fileNameRaw, header, limits), where);
  repairs.strictly(() => parseExtraFields(entry.extraFieldRaw), where);
}

function headerOf(entry: Entry): CentralHeader {
  return {
    versionNeeded: entry.versionNeededToExtract & 0xff,
    systemNeeded: entry.versionNeededToExtract >>> 8,
    flags: entry.generalPurposeBitFlag,
    method: entry.compressionMethod,
    crc: entry.crc32,
    compressedSize: entry.compressedSize,
    size: entry.uncompressedSize,
    nameBytes: entry.fileNameLength,
    extraBytes: entry.extraFieldLength,
    madeOn: entry.versionMadeBy >>> 8,
    commentBytes: entry.fileCommentLength,
    disk: 0,
    externalAttributes: entry.externalFileAttributes,
    offset: entry.relativeOffsetOfLocalHeader,
  };
}
