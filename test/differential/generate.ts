import { gzipSync } from 'node:zlib';
import { concat } from '../../src/kit/bytes.ts';
import { encodeUtf8 } from '../../src/kit/encoding.ts';
import {
  base256,
  file,
  header,
  latin1,
  MAGIC,
  octalSize,
  padded,
  pax,
  record,
  tar,
  withChecksum,
} from '../factory/tar.ts';
import { extra, packed, type ZipItem, zip } from '../factory/zip.ts';

/** A source of choices: the same for the same seed. */
interface Dice {
  /** a whole number from 0 up to `limit`, which is not among them */
  below(limit: number): number;
  pick<T>(choices: readonly T[]): T;
  /** true once in `times` */
  once(times: number): boolean;
}

/** An archive of some kind, made by chance, sound or nearly so. */
export interface Generated {
  readonly format: 'tar' | 'tgz' | 'zip';
  readonly bytes: Uint8Array;
}

/** The archive of a number: mostly what strange but honest writers make, half of them with something wrong. */
export function generate(seed: number): Generated {
  const dice = diceOf(seed);
  if (dice.once(2)) return { format: 'zip', bytes: mutated(zipOf(dice), dice, false) };
  const bytes = mutated(tarOf(dice), dice, true);
  return dice.once(4) ? { format: 'tgz', bytes: gzipped(bytes, dice) } : { format: 'tar', bytes };
}

function diceOf(seed: number): Dice {
  let state = (seed * 0x9e3779b9) >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
  const below = (limit: number): number => next() % limit;
  return {
    below,
    pick: (choices) => choices[below(choices.length)] as never,
    once: (times) => below(times) === 0,
  };
}

const NAMES = [
  'a.ovf', 'disk.img', 'A B.txt', "it's", '$(x)', '-rf', '#1', '%41', 'a=b', 'x;y', '[z]', 'é', 'Ünïcode.bin', '日本語.txt',
  'd/e.txt', 'd/f/g', 'deep/er/and/deeper/still', `${'n'.repeat(90)}.bin`, `${'p'.repeat(60)}/${'q'.repeat(70)}`, 'f'.repeat(100),
  'PK', 'ustar', 'con_.txt', 'UPPER.IMG', 'no-extension', 'a.tar.gz', '...a', 'x@y', '{1,2}', 'ǆ', 'ª', '😀.img',
] as const; // biome-ignore format: a table of names reads better in lines

function namesOf(dice: Dice): readonly string[] {
  const names = new Set<string>();
  for (let i = 1 + dice.below(5); i > 0; i--) names.add(dice.pick(NAMES));
  return [...names];
}

function contentOf(dice: Dice): Uint8Array {
  const size = dice.pick([0, 1, 3, 511, 512, 513, 1024, 1000 + dice.below(4000)]);
  switch (dice.below(4)) {
    case 0:
      return new Uint8Array(size);
    case 1:
      return encodeUtf8('text that comes again '.repeat(300)).subarray(0, size);
    case 2:
      return concat([file('EVIL', 'x'), zip([{ name: 'EVIL', content: 'x' }])]).subarray(0, size);
    default:
      return Uint8Array.from({ length: size }, () => dice.below(256));
  }
}

function tarOf(dice: Dice): Uint8Array {
  const parts = namesOf(dice).map((name) => tarMember(name, contentOf(dice), dice));
  const zeros = new Uint8Array(512 * dice.pick([0, 0, 1, 17, 18]));
  return concat([tar(...parts), zeros]);
}

function tarMember(name: string, content: Uint8Array, dice: Dice): Uint8Array {
  const bytes = encodeUtf8(name);
  const size = content.byteLength;
  const records: Uint8Array[] = [];
  if (bytes.byteLength > 100 || dice.once(5)) records.push(record('path', name));
  if (dice.once(6)) records.push(record('size', String(size)));
  if (dice.once(4)) records.push(record('mtime', '1700000000.123456789'));
  if (dice.once(8))
    records.push(
      record('atime', dice.pick(['1', '-5', '1.5', '0', '99999999999', dice.pick(['abc', '', '1e5'])])),
    );
  if (dice.once(8))
    records.push(
      record(
        'uid',
        dice.pick(['0', '1000', '65534', '4294967295', dice.pick(['4294967296', '07', 'x', ''])]),
      ),
    );
  if (dice.once(8)) records.push(record('comment', 'nothing to see'));
  if (dice.once(8))
    records.push(record('SCHILY.xattr.user.x', dice.pick(['y', '', latin1('\0\xff'), 'a=b'])));
  if (dice.once(8)) records.push(record('uname', 'somebody'));
  const magic = records.length > 0 ? MAGIC.posix : dice.pick([MAGIC.posix, MAGIC.gnu, MAGIC.ovftool]);
  const split = magic === MAGIC.posix && dice.once(3) ? name.lastIndexOf('/') : -1;
  const head = header({
    name: encodeUtf8(name.slice(split + 1)).subarray(0, 100),
    prefix: split > 0 ? encodeUtf8(name.slice(0, split)).subarray(0, 155) : '',
    magic,
    type: dice.pick(['0', '0', '\0']),
    mode: dice.pick(['0000644\0', '000644\0 ', '0100755\0', '    644\0', '0000000\0']),
    uid: dice.pick([
      '0000000\0',
      '0001750\0',
      '\0\0\0\0\0\0\0\0',
      Uint8Array.of(0x80, 0, 0, 0, 0, 0, 0, 5),
      '   1750 ',
    ]),
    mtime: dice.pick(['00000000000\0', '14700000000\0', '14700000000 ', base256(1_700_000_000n)]),
    size: dice.pick([
      octalSize(size),
      `${octalSize(size).slice(1)} `,
      `0${octalSize(size)}`.slice(0, 12),
      `${size.toString(8).padStart(10)}\0 `,
    ]),
  });
  return concat([...(records.length > 0 ? [pax(records)] : []), head, padded(content)]);
}

function gzipped(bytes: Uint8Array, dice: Dice): Uint8Array {
  const plain = new Uint8Array(gzipSync(bytes, { level: dice.pick([0, 1, 6, 9]) }));
  if (dice.once(3)) {
    const named = concat([plain.subarray(0, 3), Uint8Array.of(8), plain.subarray(4, 10), latin1('x.tar\0')]);
    return concat([named, plain.subarray(10)]);
  }
  return dice.once(8) ? concat([plain, dice.pick([new Uint8Array(512), plain, latin1('x')])]) : plain;
}

function zipOf(dice: Dice): Uint8Array {
  return zip(namesOf(dice).map((name) => zipItem(name, contentOf(dice), dice)));
}

function zipItem(name: string, content: Uint8Array, dice: Dice): ZipItem {
  const ascii = /^[\x20-\x7e]*$/.test(name);
  const deflate = dice.once(2);
  const later = deflate && dice.once(3);
  const flags =
    (ascii && dice.once(2) ? 0 : 0x800) | (later ? 8 : 0) | (deflate ? dice.pick([0, 2, 4, 6]) : 0);
  const times = extra(0x5455, concat([Uint8Array.of(1), packed([[4, 1_700_000_000]])]));
  const owners = extra(0x7875, Uint8Array.of(1, 4, 0, 0, 0, 0, 4, 0, 0, 0, 0));
  const both = dice.pick([new Uint8Array(0), new Uint8Array(0), times, concat([times, owners])]);
  const made = dice.pick([0x031e, 0x0314, 20, 0x0a3f, 0x0b14, 0x131e, 0x0700]);
  const item: ZipItem = {
    name,
    content,
    deflate,
    both: { flags, extra: both, needed: dice.pick([10, 20, 45]) },
    central: { made, attributes: dice.pick([0, 0x20, 0x81a40000, 0x81ed0000, 0x81a48020, 0x01800000]) },
  };
  const sizes = itemSizes(item);
  if (later) {
    const long = dice.once(4);
    const wide = long ? 8 : 4;
    const zeros = dice.once(2) ? { crc: 0, packed: 0, size: 0 } : {};
    const room = long
      ? { packed: 0xffffffff, size: 0xffffffff, extra: concat([both, extra(1, new Uint8Array(16))]) }
      : {};
    const after = packed([
      [4, 0x08074b50],
      [4, sizes.crc],
      [wide, sizes.packed],
      [wide, sizes.size],
    ]);
    return { ...item, local: { ...zeros, ...room }, after };
  }
  if (!dice.once(5)) return item;
  const zip64 = extra(
    1,
    packed([
      [8, sizes.size],
      [8, sizes.packed],
    ]),
  );
  const local = { packed: 0xffffffff, size: 0xffffffff, extra: concat([both, zip64]), needed: 45 };
  return { ...item, local, ...(dice.once(2) ? { central: { ...item.central, ...local } } : {}) };
}

/** What the headers of an item say when they are left alone. */
function itemSizes(item: ZipItem): { readonly crc: number; readonly packed: number; readonly size: number } {
  const { name: _, ...rest } = item;
  const bytes = zip([{ ...rest, name: 'x', local: {} }]);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return { crc: view.getUint32(14, true), packed: view.getUint32(18, true), size: view.getUint32(22, true) };
}

/** Half of them as they are; the others with one to three bytes changed where it counts, cut, or with something added. */
function mutated(bytes: Uint8Array, dice: Dice, checksums: boolean): Uint8Array {
  if (dice.once(2)) return bytes;
  const copy = new Uint8Array(bytes);
  switch (dice.below(8)) {
    case 0:
      return copy.subarray(0, dice.below(copy.byteLength));
    case 1:
      return concat([copy, dice.pick([latin1('x'), new Uint8Array(512), copy])]);
    default: {
      for (let i = 1 + dice.below(3); i > 0; i--) {
        const at = checksums
          ? 512 * dice.below(copy.byteLength / 512) + dice.below(512)
          : placeInZip(copy, dice);
        copy[at] = dice.once(2) ? dice.below(256) : (copy[at] ?? 0) ^ (1 << dice.below(8));
        // Without it the checksum of the header would be all that is ever tried.
        if (checksums && dice.below(4) > 0) repairHeader(copy, at - (at % 512));
      }
      return copy;
    }
  }
}

function repairHeader(bytes: Uint8Array, at: number): void {
  const block = bytes.subarray(at, at + 512);
  if (block.byteLength === 512 && String.fromCharCode(...block.subarray(257, 262)) === 'ustar')
    bytes.set(withChecksum(block), at);
}

/** A byte of a header rather than of a content: behind one of the signatures, or near the end. */
function placeInZip(bytes: Uint8Array, dice: Dice): number {
  const signatures: number[] = [];
  for (let i = 0; i + 4 < bytes.byteLength; i++) {
    if (bytes[i] === 0x50 && bytes[i + 1] === 0x4b && (bytes[i + 2] ?? 99) < 9) signatures.push(i);
  }
  const start = signatures.length > 0 ? dice.pick(signatures) : 0;
  return Math.min(bytes.byteLength - 1, start + dice.below(60));
}
