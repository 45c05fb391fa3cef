import {
  END_RECORD,
  IN_ZIP64,
  isRecord,
  parseEndRecord,
  parseZip64EndRecord,
  parseZip64Locator,
  viewOf,
  ZIP64_END_RECORD,
  ZIP64_LOCATOR,
  type ZipEnd,
} from '../../formats/zip/records.ts';
import { counted } from '../../kit/encoding.ts';
import { MORE_MEMBERS, PACKED_ANEW, REBUILT, REPAIRED } from '../../kit/errors/archive-errors.ts';
import { BundleError, isBundleError } from '../../kit/errors/errors.ts';
import type { Limits } from '../../kit/limits.ts';
import type { RandomAccess } from '../../kit/random-access.ts';

/** A comment is at most this long, so the end record of a zip with one is not farther from the end. */
const COMMENT_LIMIT = 0xffff;

/** Where the directory of a zip lies, and how many members it names. `end` is where it ends, and the end records begin. */
export interface ZipDirectoryPlace {
  readonly offset: number;
  readonly end: number;
  readonly count: number;
}

/**
 * Finds the directory: the end record is the last 22 bytes, with the two records of zip64 right before it where it needs
 * them, and the directory ends where they begin.
 *
 * @throws {BundleError} `ZIP_MALFORMED`, `ARCHIVE_TRUNCATED`, `ARCHIVE_TRAILING`, `ARCHIVE_EMPTY`, `ARCHIVE_LIMIT`
 * @see spec/archive.md, clauses zip.2, zip.3 and zip.12
 */
export async function findZipDirectory(file: RandomAccess, limits: Limits): Promise<ZipDirectoryPlace> {
  const at = Math.max(0, file.size - END_RECORD.bytes);
  const bytes = await file.readAt(at, END_RECORD.bytes);
  if (!isRecord(bytes, END_RECORD)) throw await endFault(file);
  const end = parseEndRecord(bytes);
  if (end.commentBytes !== 0) {
    throw malformed(
      `the end record announces a comment of ${counted(end.commentBytes, 'byte')}, and the file ends`,
      at,
    );
  }
  const { record, offset } = await withZip64(file, end, at);
  if (record.disk !== 0 || record.directoryDisk !== 0 || record.countOnDisk !== record.count) {
    const message = 'the end record says that this is one part of several';
    throw new BundleError('ZIP_FEATURE', message, { where: { offset }, fix: REBUILT, own: PACKED_ANEW }); // [zip.3] [repair.5]
  }
  if (record.directoryOffset + record.directoryBytes !== offset) {
    throw malformed(
      `the directory ends at byte ${record.directoryOffset + record.directoryBytes}, but the end record that says so stands at byte ${offset}`,
      offset,
    );
  }
  if (record.count === 0) {
    if (record.directoryBytes === 0 && offset === 0)
      throw new BundleError('ARCHIVE_EMPTY', 'the archive has no members', { where: { offset } });
    throw malformed(
      `the end record counts no member, and stands at byte ${offset}, not at the beginning`,
      offset,
    );
  }
  if (record.count > limits.members) {
    // [zip.12] Before a byte of the directory is read.
    throw new BundleError(
      'ARCHIVE_LIMIT',
      `the archive has ${record.count} members, more than ${limits.members}`,
      {
        where: { offset },
        fix: MORE_MEMBERS,
      },
    );
  }
  return { offset: record.directoryOffset, end: offset, count: record.count };
}

/** The record that counts, and where the end records begin. */
async function withZip64(
  file: RandomAccess,
  end: ZipEnd,
  at: number,
): Promise<{ readonly record: ZipEnd; readonly offset: number }> {
  const needed =
    end.count === IN_ZIP64.count ||
    end.directoryBytes === IN_ZIP64.value ||
    end.directoryOffset === IN_ZIP64.value;
  // [zip.3] Where it is not needed its bytes lie between the directory and the end record, and are refused as such.
  if (!needed) return { record: end, offset: at };
  const locatorAt = at - ZIP64_LOCATOR.bytes;
  const recordAt = locatorAt - ZIP64_END_RECORD.bytes;
  const bytes = recordAt < 0 ? new Uint8Array(0) : await file.readAt(recordAt, at - recordAt);
  const locator = bytes.subarray(ZIP64_END_RECORD.bytes);
  if (!isRecord(locator, ZIP64_LOCATOR))
    throw new BundleError(
      'ZIP_MALFORMED',
      'the end record needs zip64, and there is no zip64 locator right before it',
      { where: { offset: at }, fix: REBUILT, own: PACKED_ANEW },
    );
  try {
    const place = parseZip64Locator(locator);
    if (place.offset !== recordAt || !isRecord(bytes, ZIP64_END_RECORD)) {
      throw malformed('the zip64 end record is not right before its locator', locatorAt);
    }
    // Not even zero: bsdtar finds no directory then, and ends well.
    if (place.disk !== 0 || place.disks !== 1) {
      throw new BundleError('ZIP_FEATURE', 'the zip64 locator says that this is one part of several');
    }
    const record = parseZip64EndRecord(bytes);
    if (record.recordBytes !== ZIP64_END_RECORD.bytes - 12) {
      throw malformed(
        `the zip64 end record says that it is ${counted(record.recordBytes, 'byte')} long, not 44`,
        recordAt,
      );
    }
    expectAgreement(end, record, at);
    return { record, offset: recordAt };
  } catch (error) {
    throw isBundleError(error) ? error.at({ offset: recordAt }) : error;
  }
}

/** [zip.3] What the end record says itself must be what the zip64 record says: a reader without zip64 would go by it. */
function expectAgreement(end: ZipEnd, record: ZipEnd, at: number): void {
  const same = (own: number, long: number, elsewhere: number): boolean => own === elsewhere || own === long;
  if (
    same(end.count, record.count, IN_ZIP64.count) &&
    same(end.countOnDisk, record.countOnDisk, IN_ZIP64.count) &&
    same(end.directoryBytes, record.directoryBytes, IN_ZIP64.value) &&
    same(end.directoryOffset, record.directoryOffset, IN_ZIP64.value) &&
    same(end.disk, record.disk, IN_ZIP64.count) &&
    same(end.directoryDisk, record.directoryDisk, IN_ZIP64.count)
  )
    return;
  throw malformed('the end record and the zip64 end record differ', at);
}

/** Looks for the end record only to say what is wrong; nothing is read by what it finds. */
async function endFault(file: RandomAccess): Promise<BundleError> {
  const start = Math.max(0, file.size - END_RECORD.bytes - COMMENT_LIMIT);
  const tail = await file.readAt(start, file.size - start);
  const view = viewOf(tail);
  for (let at = tail.byteLength - END_RECORD.bytes; at >= 0; at--) {
    if (view.getUint32(at, true) !== END_RECORD.signature) continue;
    const after = tail.byteLength - at - END_RECORD.bytes;
    const comment = parseEndRecord(tail.subarray(at)).commentBytes === after;
    return new BundleError(
      'ARCHIVE_TRAILING',
      comment
        ? `the zip has a comment behind its end record (bytes: ${after})`
        : `something follows the end record of the zip (bytes: ${after})`,
      {
        where: { offset: start + at + END_RECORD.bytes },
        why: 'zip readers look for the end record from behind, and bytes after it can hold another one',
        ...(comment && {
          fix: REPAIRED,
          own: 'take the comment out: zip -z FILE < /dev/null',
        }),
      },
    );
  }
  return new BundleError('ARCHIVE_TRUNCATED', 'the zip has no end record', {
    where: { offset: file.size },
    why: 'the directory of a zip is at its end, so a file without it has been cut, or is no zip',
  });
}

function malformed(message: string, offset: number): BundleError {
  return new BundleError('ZIP_MALFORMED', message, { where: { offset } });
}
