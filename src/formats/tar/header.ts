import { concat, isZero, isZeroFrom } from '../../kit/bytes.ts';
import { encodeUtf8, printable } from '../../kit/encoding.ts';
import { REPAIRED } from '../../kit/errors/archive-errors.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import { repairOf } from '../../kit/relaxation.ts';
import { checksum, wrongSum } from './checksum.ts';
import { type Allows, allowsNothing, type EntryKind, kindOf } from './entry-kind.ts';

// POSIX ustar, one block of 512 bytes:
//   0 name 100 · 100 mode 8 · 108 uid 8 · 116 gid 8 · 124 size 12 · 136 mtime 12 · 148 checksum 8 · 156 typeflag 1
//   157 linkname 100 · 257 magic and version 8 · 265 uname 32 · 297 gname 32 · 329 devmajor 8 · 337 devminor 8 · 345 prefix 155

/** Bytes of a tar block: headers are one, bodies are filled up to whole ones. */
export const TAR_BLOCK = 512;

/** The largest size that eleven octal digits hold, plus one: 8 GiB. */
export const OCTAL_LIMIT = 8 * 1024 ** 3;

/**
 * One header as read. `name` is the path in the header itself, raw, with its prefix; a pax header may speak besides it.
 * `bare` is what stands in the field of the name alone.
 */
export interface TarHeader {
  readonly kind: EntryKind | 'pax';
  readonly name: Uint8Array;
  readonly bare: Uint8Array;
  readonly size: number;
}

const SLASH = Uint8Array.of(0x2f);
const NOTHING = new Uint8Array(0);

/** True when all 512 bytes are zero: the end-of-archive mark is made of such blocks. */
export function isZeroBlock(block: Uint8Array): boolean {
  return isZero(block);
}

/** True when the checksum of a block is right, whatever else it holds: then it was meant as a tar header. */
export function hasTarChecksum(block: Uint8Array): boolean {
  const stored = octal(block, 148, 8);
  return stored !== undefined && stored === checksum(block);
}

/** The name as it stands in a header block that may yet be refused; for messages only. */
export function headerName(block: Uint8Array): string {
  const bytes = block.subarray(0, 100);
  const end = bytes.indexOf(0);
  return printable(new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end)));
}

/**
 * Parses one header block of the strict profile: what every tar reader reads alike.
 *
 * It decides about the header alone; names, order and the pax header's say in it are for `archive/tar/tar-reader.ts`.
 *
 * @throws {BundleError} `ARCHIVE_HEADER`, `ARCHIVE_TYPE` or `ARCHIVE_LIMIT`, without a place
 * @see spec/archive.md, clauses tar.1 to tar.9
 */
export function parseTarHeader(block: Uint8Array, allows: Allows = allowsNothing): TarHeader {
  const stored = octal(block, 148, 8);
  // [tar.2] Readers that skip ahead to the next good header resurrect what the first reader never saw.
  if (stored !== checksum(block)) throw wrongSum(block, stored);
  // [tar.3] node-tar reads on behind the field, finds it wrong, and passes over the member.
  if (isOctalDigit(block[155])) throw header('the header checksum fills its field to the last byte');
  const dialect = dialectOf(block); // [tar.1]
  const size = sizeOf(block); // [tar.3]
  checkNumbers(block);
  for (const [label, at, length] of OBEYED) {
    if (endsInBlank(block, at, length) && !allows('blank-ended-numbers')) throw blankEnded(label); // [tar.11]
  }

  const type = String.fromCharCode(block[156] ?? 0);
  if (type === 'x') {
    // [pax.1] Readers differ in whether such a header may speak pax.
    if (dialect !== 'posix') throw header('a pax header is made as a GNU header');
    expectPlain(block);
    return { kind: 'pax', ...namesIn(block, dialect), size };
  }
  const kind = kindOf(type, allows);
  if (kind === 'pax-global' && dialect !== 'posix')
    throw header('a pax global header is made as a GNU header');
  if (kind === 'long-name' && dialect !== 'gnu') throw header('a GNU long name is not made as a GNU header');
  // [relax.3] Four readings of it; one that is honest has none.
  if (kind === 'folder' && size !== 0)
    throw new BundleError('ARCHIVE_TYPE', 'the archive holds a folder with content');
  expectPlain(block);
  return { kind, ...namesIn(block, dialect), size };
}

/** [tar.5] A link target, or a setuid bit, is never an accident worth following; a pax header is a file to some readers. */
function expectPlain(block: Uint8Array): void {
  if (!isZeroFrom(block, 157, 257)) throw header('a file or folder has a link target');
  if (((octal(block, 100, 8) ?? 0) & 0o7000) !== 0)
    throw header('the mode has the setuid, setgid or sticky bit');
}

function namesIn(block: Uint8Array, dialect: 'posix' | 'gnu'): Pick<TarHeader, 'name' | 'bare'> {
  const bare = field(block, 0, 100, 'name');
  const prefix = dialect === 'posix' ? field(block, 345, 155, 'prefix') : NOTHING;
  return { name: prefix.length === 0 ? bare : concat([prefix, SLASH, bare]), bare };
}

const POSIX_MAGIC = encodeUtf8('ustar\x0000');
/** GNU tar writes the first, VMware ovftool the second. */
const GNU_MAGICS = [encodeUtf8('ustar  \0'), encodeUtf8('ustar\0 \0')];

function holds(block: Uint8Array, at: number, bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.byteLength; i++) if (block[at + i] !== bytes[i]) return false;
  return true;
}

function dialectOf(block: Uint8Array): 'posix' | 'gnu' {
  if (holds(block, 257, POSIX_MAGIC)) {
    // star puts times behind a shorter prefix and marks that here; who knows the mark reads another name.
    if (!isZeroFrom(block, 500, TAR_BLOCK)) throw header('the header goes on after its last field');
    return 'posix';
  }
  // Both kinds of GNU header leave the area of the prefix to other uses.
  if (!GNU_MAGICS.some((magic) => holds(block, 257, magic))) {
    throw new BundleError('ARCHIVE_HEADER', 'the header is not ustar', {
      fix: REPAIRED,
      own: 'write the archive again with: tar --format=ustar',
    });
  }
  if (!isZeroFrom(block, 345, TAR_BLOCK)) throw header('a GNU header uses its extension area');
  return 'gnu';
}

function sizeOf(block: Uint8Array): number {
  const lead = block[124] ?? 0;
  if (lead < 0x80) {
    const size = octal(block, 124, 12);
    if (size === undefined) throw header('the size is not an octal number');
    return size;
  }
  // Base-256 (GNU): anything but 0x80 in front is negative or beyond any file, and some readers hang on it.
  if (lead !== 0x80) throw header('the size is negative or malformed');
  const size = base256(block.subarray(124, 136));
  // No writer needs it below 8 GiB, and cpio takes it for a size of zero: it would see the content as members.
  if (size < OCTAL_LIMIT) throw header('the size is in base-256, although it fits in octal digits');
  if (size > Number.MAX_SAFE_INTEGER)
    throw new BundleError('ARCHIVE_LIMIT', 'the size of a member is beyond 2^53 bytes');
  return size;
}

function checkNumbers(block: Uint8Array): void {
  if (octal(block, 100, 8) === undefined) throw header('the mode is not an octal number');
  for (const [label, at, length, limit] of NUMBERS) {
    if (length === 8 && isZeroFrom(block, at, at + length)) continue;
    // Beyond these GNU tar ends with an error, and node-tar too.
    if (block[at] === 0x80 && base256(block.subarray(at, at + length)) < limit) continue;
    if (octal(block, at, length) === undefined) throw header(`the ${label} is not an octal number`);
  }
  for (const at of [329, 337]) {
    // Python refuses what is no number, although nobody asks for the device of a regular file.
    if (octal(block, at, 8, 0) === undefined) throw header('a device number is not an octal number');
  }
  for (const [label, at] of OWNERS) {
    if (field(block, at, 32, label).some((byte) => byte < 0x20 || byte === 0x7f))
      throw header(`the ${label} holds a control character`); // [tar.12]
  }
}

const OWNERS = [
  ['name of the owner', 265],
  ['name of the group', 297],
] as const;

const NUMBERS = [
  ['user id', 108, 8, 2 ** 32],
  ['group id', 116, 8, 2 ** 32],
  ['modification time', 136, 12, Number.MAX_SAFE_INTEGER],
] as const;

/** Numbers by which readers find and store a member. */
const OBEYED = [
  ['size', 124, 12],
  ['mode', 100, 8],
  ['checksum', 148, 8],
] as const;

/** True when a blank comes straight after the digits. */
function endsInBlank(block: Uint8Array, start: number, length: number): boolean {
  const end = start + length;
  let at = start;
  while (at < end && block[at] === 0x20) at++;
  while (at < end && isOctalDigit(block[at])) at++;
  return at < end && block[at] === 0x20;
}

function blankEnded(label: string): BundleError {
  return new BundleError('ARCHIVE_HEADER', `the ${label} in a header ends in a blank`, {
    why: 'the tar of macOS and others write it so, and cpio takes such a number for eight times what the rest read, and comes to other files',
    fix: repairOf('blank-ended-numbers'),
  });
}

/** A number in base-256, its first byte left out: 0x80 in what is positive. */
export function base256(bytes: Uint8Array): number {
  return bytes.subarray(1).reduce((value, byte) => value * 256 + byte, 0);
}

/** `least` octal digits or more after blanks, then blanks or NULs to the end of the field; undefined for anything else. */
export function octal(block: Uint8Array, start: number, length: number, least = 1): number | undefined {
  const end = start + length;
  let at = start;
  while (at < end && block[at] === 0x20) at++;
  const first = at;
  let value = 0;
  for (; at < end; at++) {
    const digit = (block[at] ?? 0) - 0x30;
    if (digit < 0 || digit > 7) break;
    value = value * 8 + digit;
  }
  if (at - first < least) return undefined;
  while (at < end && (block[at] === 0x20 || block[at] === 0)) at++;
  return at === end ? value : undefined;
}

function isOctalDigit(byte = 0): boolean {
  return byte >= 0x30 && byte <= 0x37;
}

function field(block: Uint8Array, at: number, length: number, label: string): Uint8Array {
  const limit = at + length;
  let end = at;
  while (end < limit && block[end] !== 0) end++;
  if (!isZeroFrom(block, end, limit)) throw header(`the ${label} goes on after a NUL`);
  return block.subarray(at, end);
}

function header(message: string): BundleError {
  return new BundleError('ARCHIVE_HEADER', message);
}

/**
 * The header block of a regular file: ustar, mode 0644, owner 0, `mtime` in seconds since 1970.
 *
 * [tar.10] From 8 GiB on the size is base-256 as GNU tar writes it, since VMware reads that and not pax.
 *
 * @throws {BundleError} `ARCHIVE_NAME` for a name that ustar cannot hold, `USAGE` for such a time
 */
export function formatTarHeader(
  file: { name: string; size: number; mtime: number },
  block: Uint8Array = new Uint8Array(TAR_BLOCK),
): Uint8Array {
  if (!Number.isInteger(file.mtime) || file.mtime < 0 || file.mtime >= OCTAL_LIMIT) {
    throw new BundleError('USAGE', `${file.mtime} is no time that a tar archive can hold`, {
      fix: 'give whole seconds since 1970',
    });
  }
  block.fill(0);
  const ascii = (at: number, text: string): void => {
    for (let i = 0; i < text.length; i++) block[at + i] = text.charCodeAt(i);
  };
  const large = file.size >= OCTAL_LIMIT;
  const { name, prefix } = splitName(file.name, large);

  block.set(name, 0);
  ascii(100, '0000644\x000000000\x000000000\0');
  if (large) {
    block[124] = 0x80;
    for (let i = 135, rest = file.size; i > 124 && rest > 0; i--, rest = Math.floor(rest / 256))
      block[i] = rest % 256;
  } else {
    ascii(124, `${file.size.toString(8).padStart(11, '0')}\0`);
  }
  ascii(136, `${file.mtime.toString(8).padStart(11, '0')}\0`);
  ascii(156, '0');
  ascii(257, large ? 'ustar  \0' : 'ustar\x0000');
  block.set(prefix, 345);
  ascii(148, `${checksum(block).toString(8).padStart(6, '0')}\0 `);
  return block;
}

function splitName(path: string, large: boolean): { name: Uint8Array; prefix: Uint8Array } {
  const whole = encodeUtf8(path);
  if (whole.byteLength <= 100) return { name: whole, prefix: NOTHING };
  for (let at = path.indexOf('/'); at >= 0 && !large; at = path.indexOf('/', at + 1)) {
    const prefix = encodeUtf8(path.slice(0, at));
    const name = encodeUtf8(path.slice(at + 1));
    if (prefix.byteLength <= 155 && name.byteLength <= 100) return { name, prefix };
  }
  throw new BundleError('ARCHIVE_NAME', `the name "${path}" is too long for a tar archive`, {
    why: 'ustar holds names of 100 bytes, and longer ones only below a folder; extensions of it are not read alike',
    fix: 'give the file a shorter name',
  });
}
