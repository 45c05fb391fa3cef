import { decodeUtf8, encodeUtf8, printable } from '../../kit/encoding.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import { SPARSE } from './sparse.ts';

/** What a pax extended header says that counts here; everything else it may say is checked and left out. */
export interface PaxRecords {
  readonly path?: string;
  readonly size?: number;
  /** bytes of records that are left out and hold what anybody likes: comments, attributes [pax.8] */
  readonly beside?: number;
}

const LINE_END = 0x0a;
const IGNORED = new Set(['mtime', 'atime', 'ctime', 'uid', 'gid', 'uname', 'gname', 'comment']);
const TIMES = new Set(['mtime', 'atime', 'ctime', 'LIBARCHIVE.creationtime']);
const NUMBERS = new Set(['SCHILY.dev', 'SCHILY.ino', 'SCHILY.nlink']);
const NAMES = new Set(['uname', 'gname']);
/** [pax.8] Twice what a header holds; names of owners are longer only in directories of companies. */
const NAME_BYTES = 64;
/** [pax.7] Attributes that grant nothing: those of users, but for what overlay file systems obey, and what macOS notes of a download. */
const PLAIN_ATTRIBUTE =
  /^(SCHILY|LIBARCHIVE)\.xattr\.(user\.(?!overlay\.)[^%]+|com\.apple\.(quarantine|provenance|lastuseddate#PS|metadata:[^%]+))$/;
/** What some readers set on the file by such a record: capabilities, labels, access lists, flags. */
const SETS = /^(SCHILY\.(xattr\.|acl\.|fflags$)|LIBARCHIVE\.xattr\.|RHT\.security\.)/;
/** [pax.6] What GNU tar ends with an error for when it is no number of this kind. */
const TIME = /^-?[0-9]{1,12}(\.[0-9]{1,18})?$/;
const NUMBER = /^-?[0-9]{1,20}$/;
const OWNER = /^(0|[1-9][0-9]{0,9})$/;
const OWNER_LIMIT = 2 ** 32 - 1;
const BINARY_VALUE = /^(SCHILY|LIBARCHIVE)\.xattr\./;

/**
 * Parses the body of a pax header: records `LENGTH key=value LF`, length counted in bytes, over the whole record.
 *
 * A record that any two readers take differently is refused, and so is a key that is not known to be harmless.
 *
 * @throws {BundleError} `ARCHIVE_PAX`, without a place
 * @see spec/archive.md, clauses pax.1 to pax.8
 */
export function parsePax(body: Uint8Array): PaxRecords {
  const seen = new Set<string>();
  let path: string | undefined;
  let size: number | undefined;
  let beside = 0;

  for (let at = 0; at < body.byteLength; ) {
    const { key, value, length } = parsePaxRecord(body, at);
    at += length;
    if (seen.has(key)) throw pax(`the key "${printable(key)}" stands twice`); // [pax.3]
    seen.add(key);

    // [pax.4] An unknown key may be one that another reader obeys.
    if (key !== 'path' && key !== 'size' && !isLeftOut(key)) {
      if (SETS.test(key) && !PLAIN_ATTRIBUTE.test(key)) throw attribute(key); // [pax.7]
      if (key.startsWith('GNU.sparse.')) throw sparse(key);
      if (!SETS.test(key)) throw pax(`the key "${printable(key.slice(0, 40))}" is not known`);
    }
    // [pax.2] Some readers split the header at line ends and would find another record in the value.
    if (value.includes(LINE_END)) throw pax(`the value of "${printable(key)}" holds a line end`);
    if (key === 'comment' || SETS.test(key)) beside += length; // [pax.8]
    if (BINARY_VALUE.test(key)) continue;
    const text = decodeUtf8(value);
    if (text === undefined) throw pax(`the value of "${printable(key)}" is not UTF-8`);
    if (text.includes('\0')) throw pax(`the value of "${printable(key)}" holds a NUL`);
    checkNumber(key, text);
    if (key === 'path') path = text;
    else if (key === 'size') size = parseSize(text);
  }
  if (path === '') throw pax('the path is empty');
  return {
    ...(path !== undefined && { path }),
    ...(size !== undefined && { size }),
    ...(beside !== 0 && { beside }),
  };
}

function isLeftOut(key: string): boolean {
  return IGNORED.has(key) || NUMBERS.has(key) || TIMES.has(key);
}

/**
 * Checks the body of a pax global header: a comment, and nothing that would speak about members.
 *
 * @throws {BundleError} `ARCHIVE_PAX`, without a place [relax.5]
 */
export function checkPaxGlobal(body: Uint8Array): PaxRecords {
  const { key, length } = parsePaxRecord(body, 0);
  const records = parsePax(body);
  if (key !== 'comment' || length !== body.byteLength) {
    throw pax('a global header says more than a comment, and readers differ in what it applies to');
  }
  return records;
}

/**
 * One record of a pax header, the one that begins at `at`; its length in bytes is that of the whole record.
 *
 * @throws {BundleError} `ARCHIVE_PAX`, without a place [pax.2]
 */
export function parsePaxRecord(
  body: Uint8Array,
  at: number,
): { readonly key: string; readonly value: Uint8Array; readonly length: number } {
  const lead = String.fromCharCode(...body.subarray(at, at + 9));
  const digits = /^([1-9][0-9]{0,6}) /.exec(lead)?.[1];
  if (digits === undefined) throw pax('a record does not begin with its length');
  const length = Number(digits);
  const record = body.subarray(at, at + length);
  if (record.byteLength !== length || record[length - 1] !== LINE_END)
    throw pax('the length of a record is wrong'); // [pax.2]
  const content = record.subarray(digits.length + 1, length - 1);
  const equals = content.indexOf(0x3d);
  const key = equals > 0 ? decodeUtf8(content.subarray(0, equals)) : undefined;
  if (key === undefined) throw pax('a record has no key');
  if (key.includes('\0')) throw pax(`the key "${printable(key)}" holds a NUL`);
  return { key, value: content.subarray(equals + 1), length };
}

/** [pax.6] [pax.8] Times, owners and other numbers are left out, and still must be what they are called. */
function checkNumber(key: string, text: string): void {
  if (NAMES.has(key) && (/\p{Cc}/u.test(text) || encodeUtf8(text).byteLength > NAME_BYTES))
    throw pax(`the ${key} is not the name of a user or group`);
  if (NUMBERS.has(key) && !NUMBER.test(text)) throw pax(`the ${key} is not a number`);
  const isTime = TIMES.has(key);
  const isOwner = key === 'uid' || key === 'gid';
  if (isTime && !TIME.test(text)) throw pax(`the ${key} is not a number of seconds`);
  if (isOwner && !(OWNER.test(text) && Number(text) <= OWNER_LIMIT))
    throw pax(`the ${key} is not a number of a user`);
}

function parseSize(text: string): number {
  // [pax.5] "1e3" and "0x200" are read as four different numbers by six readers.
  const size = /^(0|[1-9][0-9]{0,15})$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(size)) throw pax('the size is not a decimal number');
  return size;
}

function attribute(key: string): BundleError {
  return new BundleError(
    'ARCHIVE_PAX',
    `pax header: the key "${printable(key.slice(0, 60))}" sets more of a file than its content`,
    {
      why: 'nobody has signed it, and some readers set what it says: capabilities, labels, access lists, flags',
      fix: 'if it comes from where you expect it, unpack it and write the same files again without attributes: tar --format=ustar',
    },
  );
}

/** [pax.4] Whoever does not know the key takes the map of the holes for the content. */
function sparse(key: string): BundleError {
  const message = `a sparse member, as bsdtar (the tar of macOS, FreeBSD and Windows) writes a file that has holes: the pax key "${printable(key.slice(0, 40))}"`;
  return new BundleError('ARCHIVE_PAX', message, SPARSE);
}

function pax(message: string): BundleError {
  return new BundleError('ARCHIVE_PAX', `pax header: ${message}`);
}
