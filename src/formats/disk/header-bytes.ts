import { decodeLatin1, decodeUtf8 } from '../../kit/encoding.ts';
import { diskFault } from './disk-probe.ts';

/** Reads numbers and texts at byte offsets of a header; whatever lies outside of it is `FORMAT_UNSUPPORTED`. */
export interface HeaderBytes {
  readonly length: number;
  u8(at: number): number;
  u16(at: number): number;
  u32(at: number): number;
  /** A 64-bit number as it is. */
  u64(at: number): bigint;
  /** A 64-bit number that counts something; above 2^53 − 1 it is `FORMAT_UNSUPPORTED`. */
  count(at: number, what: string): number;
  bytes(at: number, length: number): Uint8Array;
  /** One character for each byte: for magic numbers and ASCII descriptors. */
  latin1(at: number, length: number): string;
  /** A name: UTF-8, or one character for each byte where it is not. */
  name(at: number, length: number): string;
}

/** Whether the ASCII characters of `magic` stand there. Of every file it is asked several times, so it makes no text. */
export function holdsAt(bytes: Uint8Array, at: number, magic: string): boolean {
  for (let i = 0; i < magic.length; i++) if (bytes[at + i] !== magic.charCodeAt(i)) return false;
  return true;
}

/** A reader of header bytes. @param what the format, for messages: `the qcow2 header` */
export function readHeader(bytes: Uint8Array, what: string, order: 'big' | 'little'): HeaderBytes {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = order === 'little';
  const inside = (at: number, length: number): number => {
    // [disk.2] An offset from the image is never believed; not a number fails the comparison too.
    if (!(at >= 0 && length >= 0 && at + length <= bytes.byteLength)) {
      throw diskFault(`${what} is cut short, or points outside of what it may use`);
    }
    return at;
  };
  const slice = (at: number, length: number): Uint8Array => {
    return bytes.subarray(inside(at, length), at + length);
  };
  return {
    length: bytes.byteLength,
    u8: (at) => view.getUint8(inside(at, 1)),
    u16: (at) => view.getUint16(inside(at, 2), little),
    u32: (at) => view.getUint32(inside(at, 4), little),
    u64: (at) => view.getBigUint64(inside(at, 8), little),
    count: (at, name) => toCount(view.getBigUint64(inside(at, 8), little), `${name} of ${what}`),
    bytes: slice,
    latin1: (at, length) => decodeLatin1(slice(at, length)),
    name: (at, length) => decodeUtf8(slice(at, length)) ?? decodeLatin1(slice(at, length)),
  };
}

/** A number that can be counted with. @throws {BundleError} `FORMAT_UNSUPPORTED` above 2^53 − 1 */
export function toCount(value: bigint | number, what: string): number {
  // [disk.3] Beyond this a number would be rounded without a word.
  if (value > Number.MAX_SAFE_INTEGER) throw diskFault(`${what} is larger than 2^53 − 1`);
  return Number(value);
}
