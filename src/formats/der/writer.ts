import { concat } from '../../kit/bytes.ts';
import { TAG } from './cursor.ts';

/** One element: the tag, the length in its shortest form, the contents one behind the other. */
export function derElement(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const length = contents.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const header = length < 0x80 ? [length] : longLength(length);
  return concat([Uint8Array.of(tag, ...header), ...contents]);
}

function longLength(length: number): number[] {
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return [0x80 + bytes.length, ...bytes];
}

/** A SEQUENCE of elements. */
export function derSequence(...elements: readonly Uint8Array[]): Uint8Array {
  return derElement(TAG.sequence, ...elements);
}

/** A SET OF elements, in the order that DER gives them (X.690 11.6). */
export function derSetOf(...elements: readonly Uint8Array[]): Uint8Array {
  return derElement(TAG.set, ...elements.toSorted(compareBytes));
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.byteLength, b.byteLength);
  for (let i = 0; i < length; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.byteLength - b.byteLength;
}

/** An INTEGER that is not negative, from big-endian bytes. */
export function derUnsigned(bytes: Uint8Array): Uint8Array {
  const start = bytes.findIndex((byte) => byte !== 0);
  const digits = start < 0 ? Uint8Array.of(0) : bytes.subarray(start);
  const pad = (digits[0] ?? 0) >= 0x80 ? Uint8Array.of(0) : new Uint8Array();
  return derElement(TAG.integer, pad, digits);
}

/** An OBJECT IDENTIFIER from its dotted form. */
export function derOid(oid: string): Uint8Array {
  const [first = 0n, second = 0n, ...rest] = oid.split('.').map(BigInt);
  return derElement(TAG.oid, Uint8Array.from([first * 40n + second, ...rest].flatMap(base128)));
}

function base128(arc: bigint): number[] {
  const digits = [Number(arc & 0x7fn)];
  for (let rest = arc >> 7n; rest > 0n; rest >>= 7n) digits.unshift(Number(rest & 0x7fn) | 0x80);
  return digits;
}

/** An OCTET STRING. */
export function derOctets(bytes: Uint8Array): Uint8Array {
  return derElement(TAG.octetString, bytes);
}

/** NULL. */
export function derNull(): Uint8Array {
  return derElement(TAG.null);
}
