import {
  CENTRAL_HEADER,
  END_RECORD,
  isRecord,
  parseEndRecord,
  parseZip64EndRecord,
  parseZip64Locator,
  viewOf,
  ZIP64_END_RECORD,
  ZIP64_LOCATOR,
} from '../../formats/zip/records.ts';
import { counted } from '../../kit/encoding.ts';
import { BundleError, isBundleError } from '../../kit/errors/errors.ts';
import type { RandomAccess } from '../../kit/random-access.ts';
import type { Repairs } from './repairs.ts';

/** The part of a file that is a zip, and where in that part its directory begins. */
export interface ZipPart {
  readonly start: number;
  readonly end: number;
  readonly directory: number;
}

/** A comment is at most this long; as many bytes are looked through behind the zip as are before its end record. */
const COMMENT_LIMIT = 0xffff;
const BEHIND = 1024 * 1024;

/** End records without a directory that are looked at: each costs reads of the file, and four bytes pretend to be one. */
const MOST_END_RECORDS = 1024;

/**
 * Finds the zip in a file that may have something before it, a program that unpacks it, or behind it; undefined where there is none.
 *
 * The end record that counts is the last one before which a directory lies. Where there are several, readers see several zips, and the
 * manifest and its signature say whether this one is meant.
 *
 * @throws {BundleError} `ARCHIVE_LIMIT`
 */
export async function findZipPart(file: RandomAccess, repairs: Repairs): Promise<ZipPart | undefined> {
  const from = Math.max(0, file.size - END_RECORD.bytes - COMMENT_LIMIT - BEHIND);
  const tail = await file.readAt(from, file.size - from);
  const view = viewOf(tail);
  let misses = 0;
  for (let i = tail.byteLength - END_RECORD.bytes; i >= 0; i--) {
    if (view.getUint32(i, true) !== END_RECORD.signature) continue;
    const part = await partOf(file, from + i, tail.subarray(i));
    if (!part) {
      if (++misses > MOST_END_RECORDS) throw tooMany(from + i); // [repair.9]
      continue;
    }
    const behind = file.size - part.end;
    if (part.start > 0)
      repairs.add({
        what: `before the zip are bytes that belong to no member, left out (bytes: ${part.start})`,
      });
    if (behind > 0)
      repairs.add({
        what: `behind the zip is something, left out: ${counted(behind, 'byte')}`,
        offset: part.end,
      });
    return part;
  }
  return undefined;
}

function tooMany(offset: number): BundleError {
  return new BundleError(
    'ARCHIVE_LIMIT',
    `the zip ends in more than ${MOST_END_RECORDS} end records that no directory belongs to`,
    { where: { offset }, fix: 'have it packed anew: no program that writes zips leaves such an end' },
  );
}

/** The zip that an end record is of: it begins where its own offsets say, counted from where its directory is. */
async function partOf(file: RandomAccess, at: number, record: Uint8Array): Promise<ZipPart | undefined> {
  const end = parseEndRecord(record);
  const place = (await zip64PlaceOf(file, at)) ?? {
    directoryEnd: at,
    directoryBytes: end.directoryBytes,
    directoryOffset: end.directoryOffset,
  };
  const { directoryEnd, directoryBytes, directoryOffset } = place;
  const starts = [directoryEnd - directoryBytes - directoryOffset, 0];
  for (const start of starts) {
    if (start < 0) continue;
    const head = await file.readAt(start + directoryOffset, CENTRAL_HEADER.bytes);
    if (!isRecord(head, CENTRAL_HEADER)) continue;
    return {
      start,
      end: Math.min(file.size, at + END_RECORD.bytes + end.commentBytes),
      directory: directoryOffset,
    };
  }
  return undefined;
}

interface Place {
  readonly directoryEnd: number;
  readonly directoryBytes: number;
  readonly directoryOffset: number;
}

/** The same by the zip64 records, where a locator stands right before the end record and the record right before that. */
async function zip64PlaceOf(file: RandomAccess, at: number): Promise<Place | undefined> {
  const before = ZIP64_END_RECORD.bytes + ZIP64_LOCATOR.bytes;
  if (at < before) return undefined;
  const bytes = await file.readAt(at - before, before);
  const locator = bytes.subarray(ZIP64_END_RECORD.bytes);
  if (!isRecord(locator, ZIP64_LOCATOR) || !isRecord(bytes, ZIP64_END_RECORD)) return undefined;
  try {
    parseZip64Locator(locator);
    const { directoryBytes, directoryOffset } = parseZip64EndRecord(bytes);
    return { directoryEnd: at - before, directoryBytes, directoryOffset };
  } catch (error) {
    if (!isBundleError(error)) throw error;
    return undefined; // numbers beyond any file
  }
}
