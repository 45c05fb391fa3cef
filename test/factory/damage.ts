import { readFileSync, writeFileSync } from 'node:fs';
import { concat } from '../../src/kit/bytes.ts';
import { type NamedBytes, withMember } from './bundles.ts';
import { withChecksum } from './tar.ts';

/** The bytes with one bit of one of them turned over; from the end when `at` is below zero. */
export function flipped(bytes: Uint8Array, at: number, bit = 0): Uint8Array {
  const copy = new Uint8Array(bytes);
  const place = at < 0 ? copy.byteLength + at : at;
  copy[place] = (copy[place] ?? 0) ^ (1 << bit);
  return copy;
}

/** Turns over a bit of a file. */
export function flipIn(path: string, at: number): void {
  writeFileSync(path, flipped(readFileSync(path), at));
}

/** The members, with a bit of the one of this name turned over. */
export function withFlipped(members: readonly NamedBytes[], name: string, at: number): readonly NamedBytes[] {
  return withMember(members, name, ({ bytes }) => [{ name, bytes: flipped(bytes, at) }]);
}

/** The tar with the checksum of the header at `at` made right. */
export function withChecksumAt(tar: Uint8Array, at: number): Uint8Array {
  return concat([tar.subarray(0, at), withChecksum(tar.subarray(at, at + 512)), tar.subarray(at + 512)]);
}
