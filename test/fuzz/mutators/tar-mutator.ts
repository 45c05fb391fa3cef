import { concat } from '../../../src/kit/bytes.ts';
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
  withChecksum,
} from '../../factory/tar.ts';
import { type Random, shuffled } from '../random.ts';
import { mutateBytes } from './byte-mutator.ts';

const BLOCK = 512;

/** Fields of a header: where, how long, and what readers read differently there. */
const FIELDS: readonly (readonly [at: number, length: number, values: readonly (string | Uint8Array)[]])[] = [
  [
    0,
    100,
    [
      '',
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
      '\xff',
      'x'.repeat(100),
    ],
  ],
  [100, 8, ['0000644\0', '0004644\0', '', '        ', '0x00644\0', '644    \0']],
  [108, 8, ['', '0000000\0', '-000001\0', '\x80\0\0\0\0\0\0\x01', 'abcdefg\0']],
  [
    124,
    12,
    [
      octalSize(0),
      octalSize(1),
      octalSize(511),
      octalSize(512),
      octalSize(513),
      octalSize(2 ** 33 - 1),
      base256(5n),
      base256(2n ** 53n),
      base256(1n, 0xff),
      base256(1n, 0x81),
      '5zz',
      '',
      '          5\0',
      '00000000005 ',
      '5          \0',
      '-0000000005\0',
      '000000000008',
    ],
  ],
  [136, 12, ['', '77777777777\0', '-0000000001\0', '\x80\0\0\0\0\0\0\0\0\0\0\x01']],
  [148, 8, ['', '        ', '0000000\0', '777777\0 ']],
  [156, 1, [...'01234567ABDGKLMNSVXgxz', '\0', ' ', '\xff']],
  [157, 100, ['', 'target', '../x']],
  [257, 8, [...Object.values(MAGIC), 'ustar\x0001', 'USTAR\x0000', '']],
  [265, 32, ['', 'root', '\x1b[31m']],
  [345, 155, ['', 'folder', '..', '/x', 'x'.repeat(155)]],
  [500, 12, ['', 'tar\0', '00000000000\0']],
];

const KEYS = [
  'path',
  'size',
  'mtime',
  'linkpath',
  'comment',
  'GNU.sparse.name',
  'SCHILY.xattr.user.a',
  'SCHILY.realsize',
  'hdrcharset',
  '',
];
const VALUES = [
  '',
  '5',
  '1e3',
  '0x200',
  '05',
  ' 5',
  '5.5',
  '9007199254740993',
  'a',
  '../a',
  'a\nb',
  '\xff',
  'é',
  'a\0b',
  '13 path=EVIL\n',
  '8589934592',
];

/** A tar with changes to its headers, members, pax records, padding or end; checksums are mended, most of the time. */
export function mutateTar(random: Random, tar: Uint8Array): Uint8Array {
  if (random.chance(1, 12)) return mutateBytes(random, tar);
  let parts = split(tar);
  for (let rounds = 1 + random.below(3); rounds > 0; rounds--) parts = change(random, parts);
  const whole = concat([new Uint8Array(), ...parts]);
  return random.chance(1, 20) ? mutateBytes(random, whole) : whole;
}

/** Headers, and what lies between them. */
function split(tar: Uint8Array): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < tar.byteLength; ) {
    parts.push(tar.subarray(at, at + BLOCK));
    const digits = /^[0-7]{1,8}/.exec(Buffer.from(tar.subarray(at + 127, at + 135)).toString('latin1'))?.[0];
    const size = Math.ceil(Number.parseInt(digits ?? '0', 8) / BLOCK) * BLOCK;
    at += BLOCK;
    if (size > 0 && at < tar.byteLength) parts.push(tar.subarray(at, at + size));
    at += size;
  }
  return parts;
}

function change(random: Random, parts: readonly Uint8Array[]): Uint8Array[] {
  const at = random.below(parts.length);
  const part = parts[at] ?? new Uint8Array(BLOCK);
  const put = (...pieces: readonly Uint8Array[]): Uint8Array[] => [
    ...parts.slice(0, at),
    ...pieces,
    ...parts.slice(at + 1),
  ];
  switch (random.below(12)) {
    case 0:
    case 1:
    case 2:
    case 3:
      return put(changedHeader(random, part));
    case 4:
      return put(mutateBytes(random, part));
    case 5:
      return put();
    case 6:
      return put(part, part);
    case 7:
      return [...shuffled(random, parts)];
    case 8:
      return put(
        pax(records(random), random.chance(1, 4) ? { type: random.pick(['g', 'L', 'x', 'X', 'K']) } : {}),
        part,
      );
    case 9:
      return put(
        file(random.pick(['a', 'b', 'A', 'a/b', 'é', 'e\u0301']), 'x'.repeat(random.below(600))),
        part,
      );
    case 10:
      return put(
        random.pick([new Uint8Array(BLOCK), new Uint8Array(2 * BLOCK), header(), padded('x', 1)]),
        part,
      );
    default:
      return [
        ...parts,
        random.pick([new Uint8Array(BLOCK), latin1('junk'), new Uint8Array(100), file('late', 'x')]),
      ];
  }
}

function changedHeader(random: Random, block: Uint8Array): Uint8Array {
  if (block.byteLength !== BLOCK) return mutateBytes(random, block);
  const copy = block.slice();
  const [at, length, values] = random.pick(FIELDS);
  const value = random.pick(values);
  const bytes = typeof value === 'string' ? latin1(value) : value;
  copy.fill(0, at, at + length);
  copy.set(bytes.subarray(0, length), at);
  return at === 148 || random.chance(1, 8) ? copy : withChecksum(copy);
}

function records(random: Random): Uint8Array {
  const list = Array.from({ length: random.below(4) }, () =>
    record(random.pick(KEYS), latin1(random.pick(VALUES))),
  );
  const body = concat([new Uint8Array(), ...list]);
  return random.chance(1, 4) ? mutateBytes(random, body) : body;
}
