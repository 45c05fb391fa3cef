import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { type ByteStream, concat } from '../../../src/kit/bytes.ts';
import { BundleError } from '../../../src/kit/errors/errors.ts';
import { readOddly } from '../../factory/repairing.ts';
import { chunked } from '../../factory/streams.ts';
import {
  base256,
  END,
  file,
  header,
  latin1,
  MAGIC,
  octalSize,
  padded,
  pax,
  record,
  tar,
} from '../../factory/tar.ts';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** A file of 4000 bytes with two pieces of 1000 in it, its last hole at the end. */
const WHOLE = (() => {
  const bytes = new Uint8Array(4000);
  bytes.fill(1, 500, 1500);
  bytes.fill(2, 2500, 3500);
  return bytes;
})();
const STORED = concat([WHOLE.subarray(500, 1500), WHOLE.subarray(2500, 3500)]);
const PAIRS = [500, 1000, 2500, 1000] as const;

/** A header of the old GNU format: at most four pieces in it, the size of the file, whether a block with more follows. */
function oldSparse(
  pieces: readonly number[],
  { size = 4000, stored = STORED.byteLength, more = false } = {},
): Uint8Array {
  const area = pieces.map((number) => octalSize(number)).join('');
  return header({
    name: 'disk.img',
    type: 'S',
    magic: MAGIC.gnu,
    size: stored,
    prefix: `${'\0'.repeat(41)}${area.padEnd(96, '\0')}${more ? '\x01' : '\0'}${octalSize(size)}`,
  });
}

const VERSION_1 = [
  record('GNU.sparse.major', '1'),
  record('GNU.sparse.minor', '0'),
  record('GNU.sparse.name', 'disk.img'),
  record('GNU.sparse.realsize', '4000'),
];

function version1(map: string, records = VERSION_1): Uint8Array {
  const body = concat([padded(map), STORED]);
  return tar(pax(records), file('GNUSparseFile.0/disk.img', body));
}

const SPARSE: readonly (readonly [string, Uint8Array])[] = [
  ['old GNU', tar(oldSparse(PAIRS), padded(STORED))],
  [
    'old GNU, with a block more',
    tar(
      oldSparse([500, 10, 510, 10, 520, 10, 530, 10], { more: true }),
      padded([540, 960, 2500, 1000].map((number) => octalSize(number)).join('')),
      padded(STORED),
    ),
  ],
  [
    'pax 0.0',
    tar(
      pax([
        record('GNU.sparse.size', '4000'),
        record('GNU.sparse.numblocks', '2'),
        ...PAIRS.map((number, i) => record(i % 2 ? 'GNU.sparse.numbytes' : 'GNU.sparse.offset', `${number}`)),
      ]),
      file('disk.img', STORED),
    ),
  ],
  [
    'pax 0.1',
    tar(
      pax([
        record('GNU.sparse.size', '4000'),
        record('GNU.sparse.numblocks', '2'),
        record('GNU.sparse.name', 'disk.img'),
        record('GNU.sparse.map', PAIRS.join(',')),
      ]),
      file('GNUSparseFile.0/disk.img', STORED),
    ),
  ],
  ['pax 1.0', version1(`2\n${PAIRS.join('\n')}\n`)],
];

describe('sparse members', () => {
  test('[repair.9] signals are heard in a hole, of which nothing is read', async () => {
    const size = 2 ** 40;
    const hole = tar(
      pax([record('GNU.sparse.size', `${size}`), record('GNU.sparse.map', `${size},0`)]),
      file('a', ''),
    );
    const ended = new BundleError('INTERRUPTED', 'the work was stopped');
    const turns = { taken: 0 };
    const takeTurn = async (): Promise<void> => {
      if (++turns.taken === 3) throw ended;
    };
    const { error } = await readOddly(hole, { spoolBytes: size }, takeTurn);
    expect([turns.taken, error?.code]).toEqual([3, 'INTERRUPTED']);
  });

  test.each(SPARSE)(
    '[repair.6] %s: the file that it was, whatever the pieces it comes in',
    async (_, bytes) => {
      for (const size of [1, 513, 100_000]) {
        const { members, error, repairs } = await readOddly(chunked(bytes, size));
        expect([error, members[0]?.name, members[0]?.size]).toEqual([undefined, 'disk.img', 4000]);
        expect(members.map((member) => member.sha256)).toEqual([sha256(WHOLE)]);
        expect(repairs.map(({ what }) => what).join()).toContain('a sparse member');
      }
    },
  );

  test.each<[string, Uint8Array, string]>([
    ['pieces that overlap', tar(oldSparse([500, 1000, 1499, 1000]), padded(STORED)), 'ARCHIVE_PAX'],
    ['a piece behind the end', tar(oldSparse([500, 1000, 3001, 1000]), padded(STORED)), 'ARCHIVE_PAX'],
    ['less than is stored', tar(oldSparse([500, 1000]), padded(STORED)), 'ARCHIVE_SIZE_CONFLICT'],
    [
      'another number of pieces than it says',
      tar(
        pax([
          record('GNU.sparse.size', '4000'),
          record('GNU.sparse.numblocks', '2'),
          record('GNU.sparse.map', `0,${STORED.length}`),
        ]),
        file('disk.img', STORED),
      ),
      'ARCHIVE_PAX',
    ],
    ['a map without an end', version1('9\n1\n'), 'ARCHIVE_PAX'],
    ['a map of letters', version1('2\nfive\n'), 'ARCHIVE_PAX'],
    ['a map of too many', version1('99999999\n1\n'), 'ARCHIVE_LIMIT'],
    [
      'no pair',
      tar(pax([record('GNU.sparse.size', '9'), record('GNU.sparse.map', '1,2,3')]), file('a')),
      'ARCHIVE_PAX',
    ],
    [
      'a format of tomorrow',
      tar(pax([...VERSION_1.slice(1), record('GNU.sparse.major', '2')]), file('a')),
      'ARCHIVE_PAX',
    ],
  ])('[repair.6] %s is refused', async (_, bytes, code) => {
    expect((await readOddly(bytes)).error?.code).toBe(code);
  });

  test('[repair.6] [repair.9] holes beyond the limit are refused before one is read', async () => {
    const bomb = tar(oldSparse([0, 1000, 1000, 1000], { size: 2 ** 32 }), padded(STORED));
    expect((await readOddly(bomb, { spoolBytes: 2 ** 31 })).error?.code).toBe('ARCHIVE_LIMIT');
    expect((await readOddly(bomb, { memberBytes: 2 ** 31 })).error?.code).toBe('ARCHIVE_LIMIT');
  });
});

const LONG = `${'folder/'.repeat(17)}file`;

function longName(name: string): Uint8Array {
  return concat([
    header({ name: '././@LongLink', type: 'L', magic: MAGIC.gnu, size: name.length + 1 }),
    padded(`${name}\0`),
  ]);
}

describe('odd tars', () => {
  test.each<[string, Uint8Array, string]>([
    ['v7', tar(header({ name: 'a', size: 2, magic: MAGIC.v7 }), padded('aa')), 'not ustar'],
    ['without an end', file('a', 'aa'), 'end mark'],
    ['with half an end', concat([file('a', 'aa'), END.subarray(512)]), 'end mark is not whole'],
    ['cut in its last filling', tar(file('a', 'aa')).subarray(0, 514), 'without filling it up'],
    ['with bytes behind its end', tar(file('a', 'aa'), END, latin1('junk')), 'behind the end mark'],
    ['with other filling', tar(header({ name: 'a', size: 2 }), padded('aa', 7)), 'not zero'],
    ['a small size in base-256', tar(header({ name: 'a', size: base256(2n) }), padded('aa')), 'base-256'],
    ['numbers that end in a blank', tar(header({ name: 'a', size: '00000000002 ' }), padded('aa')), 'blank'],
    ['setuid', tar(file('a', 'aa', { mode: '0004755\0' })), 'setuid'],
    ['an unknown pax key', tar(pax([record('ACME.x', '1')]), file('a', 'aa')), 'not known'],
    ['a size in pax alone', tar(pax([record('size', '2')]), header({ name: 'a' }), padded('aa')), 'size'],
    ['./', tar(file('./a', 'aa')), '"./"'],
    ['a folder', tar(header({ name: './', type: '5' }), file('a', 'aa')), 'folder'],
    ['a folder of v7', tar(header({ name: 'b/', magic: MAGIC.v7, type: '\0' }), file('a', 'aa')), 'ustar'],
    [
      'a label',
      tar(header({ name: 'Backup', type: 'V', magic: MAGIC.gnu }), file('a', 'aa')),
      'volume label',
    ],
    ['files of macOS', tar(file('._a', 'x'), file('a', 'aa'), file('.DS_Store', 'x')), 'macOS'],
  ])('[repair.3] %s: is read, and told', async (_, bytes, told) => {
    const { members, error, repairs } = await readOddly(bytes);
    expect([error, members.map(({ name, size }) => [name, size])]).toEqual([undefined, [['a', 2]]]);
    expect(repairs.map(({ what }) => what).join('\n')).toContain(told);
  });

  test('[repair.3] a GNU long name is read', async () => {
    const { members, repairs } = await readOddly(
      tar(longName(LONG), file(LONG.slice(0, 100), 'aa', { magic: MAGIC.gnu })),
      { nameDepth: 20 },
    );
    expect([members[0]?.name, repairs.length]).toEqual([LONG, 1]);
  });

  test('[repair.2] what is not odd has no repair', async () => {
    const { members, repairs } = await readOddly(tar(file('a', 'aa'), file('b/c', '')));
    expect([members.length, repairs]).toEqual([2, []]);
  });

  test.each<[string, Uint8Array, string]>([
    ['a wrong checksum', tar(file('a', 'aa', { checksum: '0000000\0' })), 'ARCHIVE_HEADER'],
    ['a negative size', tar(header({ name: 'a', size: base256(2n, 0xff) })), 'ARCHIVE_HEADER'],
    ['a cut', tar(file('a', 'a'.repeat(600))).subarray(0, 700), 'ARCHIVE_TRUNCATED'],
    ['a cut header', concat([file('a', 'aa'), header({ name: 'b' }).subarray(0, 100)]), 'ARCHIVE_TRUNCATED'],
    ['two sizes', tar(pax([record('size', '3')]), file('a', 'aa')), 'ARCHIVE_SIZE_CONFLICT'],
    ['a path twice', tar(pax([record('path', 'a'), record('path', 'b')]), file('a')), 'ARCHIVE_PAX'],
    ['a long name twice', tar(longName('a'), longName('b'), file('c')), 'ARCHIVE_HEADER'],
    ['the same long name twice', tar(longName('a'), longName('a'), file('a')), 'ARCHIVE_HEADER'],
    [
      'two sizes of a sparse member',
      version1('0\n', [...VERSION_1, record('GNU.sparse.size', '4001')]),
      'ARCHIVE_PAX',
    ],
    ['a global path', tar(pax([record('path', 'a')], { type: 'g' }), file('b')), 'ARCHIVE_PAX'],
    ['a link', tar(header({ name: 'a', type: '2', link: '/etc/passwd' })), 'ARCHIVE_TYPE'],
    ['a name above', tar(file('../a', 'aa')), 'ARCHIVE_NAME'],
    ['a name from the root', tar(file('/a', 'aa')), 'ARCHIVE_NAME'],
    ['a name twice', tar(file('a', 'aa'), file('./a', 'ab')), 'ARCHIVE_DUPLICATE'],
    ['a folder with content', tar(file('a/', 'aa')), 'ARCHIVE_TYPE'],
    ['nothing', tar(header({ name: './', type: '5' })), 'ARCHIVE_EMPTY'],
  ])('[repair.5] %s stays refused', async (_, bytes, code) => {
    const { error } = await readOddly(bytes);
    expect(error?.code).toBe(code);
    expect(error?.offset).toBeGreaterThanOrEqual(0);
  });

  test('[repair.9] headers that are of no member are bounded', async () => {
    const folders = Array.from({ length: 20 }, (_, i) => header({ name: `${i}/`, type: '5' }));
    const { error } = await readOddly(tar(...folders, file('a')), { members: 2 });
    expect(error?.code).toBe('ARCHIVE_LIMIT');
  });

  const sound = tar(file('a', 'aa'));
  const zeros = new Uint8Array(1024 * 1024);
  const pieceless = new Uint8Array(512);
  pieceless[504] = 1;
  test.each<[string, Uint8Array, Uint8Array, string]>([
    ['zeros behind a tar', sound, zeros, 'ARCHIVE_LIMIT'],
    ['junk behind a tar', sound, zeros.slice().fill(7), 'ARCHIVE_LIMIT'],
    ['zeros behind a gzip', gzipSync(sound), zeros, 'ARCHIVE_LIMIT'],
    ['zeros behind a tar in a gzip', gzipSync(sound), gzipSync(zeros), 'ARCHIVE_LIMIT'],
    ['a map without a piece', oldSparse([0, 1], { more: true }), pieceless, 'ARCHIVE_PAX'],
  ])('[repair.9] %s that never end: it ends with a refusal', async (_, start, again, code) => {
    const { members, error } = await readOddly(endless(start, again));
    expect([members.length <= 1, error?.code]).toEqual([true, code]);
    expect(error?.offset).toBeGreaterThanOrEqual(0);
  });

  test('[repair.7] [repair.9] members that are left out count by their bytes', async () => {
    const { error } = await readOddly(tar(file('._a', '1'.repeat(2000)), file('a')), { totalBytes: 1999 });
    expect(error).toMatchObject({ code: 'ARCHIVE_LIMIT', member: '._a' });
  });
});

/** The first bytes, then the others again and again. */
function endless(first: Uint8Array, again: Uint8Array): ByteStream {
  return {
    async *[Symbol.asyncIterator]() {
      yield first;
      for (;;) yield again;
    },
  };
}

describe('odd gzips', () => {
  const bytes = tar(file('a', 'aa'));
  const half = bytes.byteLength >> 1;
  const two = [gzipSync(bytes.subarray(0, half)), gzipSync(bytes.subarray(half))] as const;

  test.each<[string, Uint8Array, string]>([
    ['several members', concat([...two]), 'several gzip members'],
    ['an empty member', concat([gzipSync(''), gzipSync(bytes)]), 'several gzip members'],
    ['zeros behind', concat([gzipSync(bytes), new Uint8Array(100)]), 'bytes follow'],
    ['a name of no file', named('../x', gzipSync(bytes)), 'a name that no file may have'],
  ])('[repair.4] %s', async (_, packed, told) => {
    for (const size of [1, 7, 100_000]) {
      const { members, error, repairs } = await readOddly(chunked(packed, size));
      expect([error, members.map(({ name }) => name)]).toEqual([undefined, ['a']]);
      expect(repairs.map(({ what }) => what).join('\n')).toContain(told);
    }
  });

  test.each<[string, Uint8Array, string]>([
    ['a wrong checksum of the first', concat([changed(two[0]), two[1]]), 'GZIP_MALFORMED'],
    ['a second that is cut', concat([two[0], two[1].subarray(0, 5)]), 'ARCHIVE_TRUNCATED'],
    ['a gzip in it', gzipSync(gzipSync(bytes)), 'FORMAT_UNSUPPORTED'],
  ])('[repair.4] %s is refused', async (_, packed, code) => {
    expect((await readOddly(packed)).error?.code).toBe(code);
  });

  test('[repair.9] more members than their content is worth are refused', async () => {
    const hollow = gzipSync('');
    const whole = gzipSync(tar(file('a', new Uint8Array(3 * 16_384))));
    const all = (count: number): Uint8Array =>
      concat([whole, ...Array.from({ length: count }, () => hollow)]);
    const offset = whole.byteLength + 258 * hollow.byteLength;
    expect((await readOddly(all(300))).error).toMatchObject({ code: 'ARCHIVE_LIMIT', offset });
    expect((await readOddly(all(258))).error).toBeUndefined();
  });

  test('[repair.4] the ratio holds over all members', async () => {
    const ones = gzipSync(tar(file('a', '1'.repeat(20_000))).subarray(0, 10_000));
    const { error } = await readOddly(concat(Array.from({ length: 40 }, () => ones)), {
      inflateFree: 15_000,
      inflateRatio: 3,
    });
    expect(error?.code).toBe('ARCHIVE_LIMIT');
  });
});

/** The same gzip with a name in its header. */
function named(name: string, packed: Uint8Array): Uint8Array {
  const head = new Uint8Array(packed.subarray(0, 10));
  head[3] = 8;
  return concat([head, latin1(`${name}\0`), packed.subarray(10)]);
}

function changed(packed: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(packed);
  bytes[bytes.byteLength - 8] = (bytes[bytes.byteLength - 8] ?? 0) ^ 1;
  return bytes;
}
