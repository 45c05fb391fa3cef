import { concat } from '../../../src/kit/bytes.ts';
import type { Random } from '../random.ts';

const TELLING = [0x00, 0x01, 0x20, 0x2f, 0x30, 0x7f, 0x80, 0x81, 0x84, 0xff];

/** The bytes with a few changes that know nothing of their form: flips, pieces taken out, put in, doubled, moved, the end cut off. */
export function mutateBytes(random: Random, bytes: Uint8Array): Uint8Array {
  let current = bytes;
  for (let rounds = 1 + random.below(4); rounds > 0; rounds--) current = once(random, current);
  return current;
}

function once(random: Random, bytes: Uint8Array): Uint8Array {
  const at = random.below(bytes.byteLength + 1);
  const length = random.below(random.chance(1, 4) ? 1024 : 8);
  const before = bytes.subarray(0, at);
  const piece = bytes.subarray(at, at + length);
  switch (random.below(8)) {
    case 0:
      return changed(bytes, at, (byte) => byte ^ (1 << random.below(8)));
    case 1:
      return changed(bytes, at, () => random.pick(TELLING));
    case 2:
      return changed(bytes, at, (byte) => byte + (random.chance(1, 2) ? 1 : 255));
    case 3:
      return concat([before, bytes.subarray(at + length)]);
    case 4:
      return concat([before, random.bytes(length), bytes.subarray(at)]);
    case 5:
      return concat([before, piece, bytes.subarray(at)]);
    case 6: {
      const to = random.below(bytes.byteLength + 1);
      const without = concat([before, bytes.subarray(at + length)]);
      return concat([without.subarray(0, to), piece, without.subarray(to)]);
    }
    default:
      return bytes.slice(0, at);
  }
}

function changed(bytes: Uint8Array, at: number, change: (byte: number) => number): Uint8Array {
  const copy = bytes.slice();
  if (at < copy.byteLength) copy[at] = change(copy[at] ?? 0);
  return copy;
}
