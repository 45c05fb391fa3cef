import { concat } from '../../kit/bytes.ts';
import {
  CENTRAL_HEADER,
  DEFLATED,
  END_RECORD,
  IN_ZIP64,
  LOCAL_HEADER,
  STORED,
  ZIP_FLAGS,
  ZIP64_END_RECORD,
  ZIP64_LOCATOR,
} from './records.ts';

/** What the headers of a member say; `mtime` in seconds since 1970. */
export interface WrittenMember {
  readonly nameBytes: Uint8Array;
  readonly deflated: boolean;
  readonly crc: number;
  readonly size: number;
  readonly compressedSize: number;
  readonly offset: number;
  readonly mtime: number;
  /** whether the header before the data has room for sizes of 8 bytes */
  readonly long: boolean;
}

/** Versions of the format: 1.0 for stored, 2.0 for deflated members, 4.5 for zip64. */
const VERSION = { stored: 10, deflated: 20, zip64: 45 } as const;
/** Made on Unix, by a writer of 4.5; so the attributes are a mode. */
const MADE_BY = 0x0300 + VERSION.zip64;
const MODE = (0o100644 << 16) >>> 0;
const ZIP64_ID = 1;

/** The header before the data. [zip.15] */
export function formatLocalHeader(member: WrittenMember): Uint8Array {
  const { nameBytes, size, compressedSize, long } = member;
  const sizes = long ? [IN_ZIP64.value, IN_ZIP64.value] : [compressedSize, size];
  const extra = long ? zip64Field([size, compressedSize]) : new Uint8Array(0);
  const fields = [[4, LOCAL_HEADER.signature] as const, ...common(member, sizes, extra)];
  return concat([numbers(fields), nameBytes, extra]);
}

/** The header in the directory. [zip.15] */
export function formatCentralHeader(member: WrittenMember): Uint8Array {
  const { nameBytes, size, compressedSize, offset } = member;
  const left = [size, compressedSize, offset].filter(isLong);
  const extra = left.length > 0 ? zip64Field(left) : new Uint8Array(0);
  const fields = [
    [4, CENTRAL_HEADER.signature],
    [2, MADE_BY],
    ...common(member, [short(compressedSize), short(size)], extra),
    [2, 0], // comment
    [2, 0], // disk
    [2, 0], // internal attributes
    [4, MODE],
    [4, short(offset)],
  ] as const;
  return concat([numbers(fields), nameBytes, extra]);
}

/** The end record, behind those of zip64 when something is too large for it. [zip.15] */
export function formatEnd(
  count: number,
  directory: { readonly offset: number; readonly bytes: number },
): Uint8Array {
  const { offset, bytes } = directory;
  const shortCount = Math.min(count, IN_ZIP64.count);
  const end = numbers([
    [4, END_RECORD.signature],
    [2, 0],
    [2, 0],
    [2, shortCount],
    [2, shortCount],
    [4, short(bytes)],
    [4, short(offset)],
    [2, 0],
  ]);
  if (shortCount === count && count !== IN_ZIP64.count && !isLong(bytes) && !isLong(offset)) return end;
  const zip64 = numbers([
    [4, ZIP64_END_RECORD.signature],
    [8, ZIP64_END_RECORD.bytes - 12],
    [2, MADE_BY],
    [2, VERSION.zip64],
    [4, 0],
    [4, 0],
    [8, count],
    [8, count],
    [8, bytes],
    [8, offset],
    [4, ZIP64_LOCATOR.signature],
    [4, 0],
    [8, offset + bytes],
    [4, 1],
  ]);
  return concat([zip64, end]);
}

/** What both headers have in common. */
function common(
  member: WrittenMember,
  [compressedSize = 0, size = 0]: readonly number[],
  extra: Uint8Array,
): readonly (readonly [bytes: number, value: number])[] {
  const { nameBytes, deflated, crc, mtime } = member;
  const plain = deflated ? VERSION.deflated : VERSION.stored;
  const { date, time } = dosTime(mtime);
  return [
    [2, extra.byteLength > 0 ? VERSION.zip64 : plain],
    [2, nameBytes.every((byte) => byte < 0x80) ? 0 : ZIP_FLAGS.utf8],
    [2, deflated ? DEFLATED : STORED],
    [2, time],
    [2, date],
    [4, crc],
    [4, compressedSize],
    [4, size],
    [2, nameBytes.byteLength],
    [2, extra.byteLength],
  ];
}

/** The clock of DOS: local time without a zone, taken as UTC here, two seconds a step, from 1980 to 2107. */
function dosTime(mtime: number): { readonly date: number; readonly time: number } {
  const earliest = Date.UTC(1980, 0, 1);
  const latest = Date.UTC(2107, 11, 31, 23, 59, 58);
  const at = new Date(Math.min(latest, Math.max(earliest, mtime * 1000)));
  return {
    date: ((at.getUTCFullYear() - 1980) << 9) | ((at.getUTCMonth() + 1) << 5) | at.getUTCDate(),
    time: (at.getUTCHours() << 11) | (at.getUTCMinutes() << 5) | (at.getUTCSeconds() >> 1),
  };
}

function isLong(value: number): boolean {
  return value >= IN_ZIP64.value;
}

function short(value: number): number {
  return isLong(value) ? IN_ZIP64.value : value;
}

function zip64Field(values: readonly number[]): Uint8Array {
  return numbers([[2, ZIP64_ID], [2, values.length * 8], ...values.map((value) => [8, value] as const)]);
}

/** Numbers of so many bytes each, little-endian. */
function numbers(fields: readonly (readonly [bytes: number, value: number])[]): Uint8Array {
  const bytes = new Uint8Array(fields.reduce((sum, [count]) => sum + count, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [count, value] of fields) {
    if (count === 8) view.setBigUint64(at, BigInt(value), true);
    else if (count === 4) view.setUint32(at, value, true);
    else view.setUint16(at, value, true);
    at += count;
  }
  return bytes;
}
