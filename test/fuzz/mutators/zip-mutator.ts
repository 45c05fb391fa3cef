import { crc32, deflateRawSync } from 'node:zlib';
import { concat } from '../../../src/kit/bytes.ts';
import { extra, packed, type ZipItem, zip, zip64Records } from '../../factory/zip.ts';
import { type Random, shuffled } from '../random.ts';
import { mutateBytes } from './byte-mutator.ts';

/** What begins the records of a zip. */
const RECORDS = [0x0201, 0x0403, 0x0605, 0x0606, 0x0706, 0x0807];

const NUMBERS = [0, 1, 8, 9, 20, 22, 45, 46, 63, 0x7fff, 0x8000, 0xfffe, 0xffff];
const LONG_NUMBERS = [0, 1, 0x04034b50, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff];

const NAMES = [
  'a',
  'A',
  './a',
  '../a',
  '/a',
  'a/',
  'a//b',
  'a\\b',
  'C:a',
  'con',
  'a\0b',
  'é',
  'e\u0301',
  '',
  'x'.repeat(300),
];

/** A zip with changes to its headers, directory or end; or a new one, made of members that lie in one way or another. */
export function mutateZip(random: Random, bytes: Uint8Array): Uint8Array {
  switch (random.below(6)) {
    case 0:
      return mutateBytes(random, bytes);
    case 1:
    case 2:
      return changedFields(random, bytes);
    case 3:
      return mutateBytes(random, built(random));
    case 4:
      return changedFields(random, built(random));
    default:
      return built(random);
  }
}

/** Numbers in the records are changed, and nothing is moved. */
function changedFields(random: Random, bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  const records: number[] = [];
  for (let at = 0; at + 22 <= copy.byteLength; at++) {
    if (view.getUint16(at, true) === 0x4b50 && RECORDS.includes(view.getUint16(at + 2, true)))
      records.push(at);
  }
  if (records.length === 0) return mutateBytes(random, bytes);
  for (let rounds = 1 + random.below(3); rounds > 0; rounds--) {
    const at = random.pick(records) + random.below(random.chance(1, 4) ? 60 : 30);
    if (at + 4 > copy.byteLength) continue;
    const kind = random.below(4);
    if (kind < 2) view.setUint16(at, random.pick(NUMBERS), true);
    else if (kind === 2)
      view.setUint32(at, random.pick([...LONG_NUMBERS, copy.byteLength, ...records]), true);
    else view.setUint16(at, view.getUint16(at, true) + (random.chance(1, 2) ? 1 : -1), true);
  }
  return copy;
}

/** A zip of some members with right checksums and sizes, but for what is changed on purpose. */
function built(random: Random): Uint8Array {
  const items = Array.from({ length: random.below(5) }, (_, i) => item(random, i));
  const listed = random.chance(1, 10) ? [...shuffled(random, items)] : items;
  const again = random.chance(1, 10) ? listed.slice(0, 1) : [];
  const all = [...listed, ...again];
  return zip(all, end(random, all));
}

function item(random: Random, index: number): ZipItem {
  const content = random.bytes(random.below(random.chance(1, 4) ? 3000 : 40)).fill(7, 0, random.below(1000));
  const name = random.chance(1, 5) ? random.pick(NAMES) : `member ${index}`;
  const deflate = random.chance(1, 2);
  const fields = { name, content, deflate };
  switch (random.below(12)) {
    case 0:
      return { ...fields, ...late(random, content, deflate) };
    case 1:
      return { ...fields, central: { name: random.pick(NAMES) } };
    case 2:
      return { ...fields, both: { extra: extras(random) } };
    case 3:
      return { ...fields, [random.pick(['local', 'central'])]: { extra: extras(random) } };
    case 4:
      return { ...fields, both: { flags: 1 << random.below(16) } };
    case 5:
      return {
        ...fields,
        central: { attributes: random.pick([0, 0x10, 0xa1ff0000, 0x41ed0000, 0x81a40000, 0xffffffff]) },
      };
    case 6:
      return { ...fields, [random.pick(['after', 'before'])]: random.bytes(random.below(30)) };
    case 7:
      return { ...fields, hidden: true };
    case 8: {
      const data = new Uint8Array(deflateRawSync(content, { level: random.below(10) }));
      return { ...fields, deflate: true, data: random.chance(1, 2) ? data : mutateBytes(random, data) };
    }
    default:
      return fields;
  }
}

/** Sizes and checksum behind the data, in one of their four forms, or wrong. */
function late(random: Random, content: Uint8Array, deflate: boolean): Partial<ZipItem> {
  const size = deflate ? deflateRawSync(content).byteLength : content.byteLength;
  const width = random.pick([4, 8]);
  const crc = random.chance(1, 8) ? 1 : crc32(content);
  return {
    both: { flags: 0x808 },
    local: random.chance(1, 8) ? {} : { crc: 0, packed: 0, size: 0 },
    after: packed([
      ...(random.chance(1, 4) ? [] : [[4, 0x08074b50] as const]),
      [4, crc],
      [width, size],
      [width, content.byteLength],
    ]),
  };
}

function extras(random: Random): Uint8Array {
  const ids = [0x0001, 0x5455, 0x7075, 0x7875, 0x9901, 0x6375, 0xcafe];
  const one = (): Uint8Array => extra(random.pick(ids), random.bytes(random.pick([0, 1, 4, 8, 9, 16, 28])));
  const fields = concat([new Uint8Array(0), ...Array.from({ length: random.below(4) }, one)]);
  return random.chance(1, 4) ? mutateBytes(random, fields) : fields;
}

/** The end record, now and then with something wrong, or with the records of zip64 before it. */
function end(random: Random, items: readonly ZipItem[]): Parameters<typeof zip>[1] {
  switch (random.below(10)) {
    case 0:
      return { after: random.bytes(random.below(30)) };
    case 1:
      return { count: random.pick(NUMBERS) };
    case 2:
      return { offset: random.pick(LONG_NUMBERS) };
    case 3:
      return { before: zip64Records(random.below(500), { count: items.length, bytes: 60, offset: 40 }) };
    case 4:
      return { commentLength: random.below(30), after: random.bytes(random.below(30)) };
    default:
      return {};
  }
}
