import { describe, expect, test } from 'vitest';
import { concat } from '../../../src/kit/bytes.ts';
import { encodeUtf8 } from '../../../src/kit/encoding.ts';
import type { ErrorCode } from '../../../src/kit/errors/errors.ts';
import { asArchive, read } from '../../factory/archives.ts';
import { chunked } from '../../factory/streams.ts';
import { extra, packed, type ZipItem, zip, zip64Records } from '../../factory/zip.ts';

const A = { name: 'a.ovf', content: 'the first' } as const;
const B = { name: 'b.img', content: 'the second, again and again and again', deflate: true } as const;
/** where the second member of a zip that begins with `A` has its header */
const SECOND = 30 + 5 + 9;
const CRC_A = 0x4c5b4a4e;
const CRC_B = 0x956059f;
const TIMES = extra(0x5455, Uint8Array.of(1, 0, 0, 0, 0));
const GARBAGE = encodeUtf8('garbage');

function one(item: Partial<ZipItem>, base: ZipItem = A): Uint8Array {
  return zip([{ ...base, ...item }]);
}

function descriptor(crc: number, size: number, unpacked: number): Uint8Array {
  return packed([
    [4, 0x08074b50],
    [4, crc],
    [4, size],
    [4, unpacked],
  ]);
}

const DIRECTORY = { bytes: 51, offset: SECOND, count: 1 } as const;
/** A zip with zip64 end records, which say what they are told to. */
function zip64(
  record: Parameters<typeof zip64Records>[1],
  end: Parameters<typeof zip>[1] = { count: 0xffff },
): Uint8Array {
  return zip([A], { ...end, before: zip64Records(SECOND + 51, { ...DIRECTORY, ...record }) });
}

type Case = readonly [title: string, bytes: Uint8Array, code: ErrorCode, offset: number, member?: string];

const CASES: readonly Case[] = [
  [
    '[zip.1] a member that the directory leaves out',
    zip([A, { ...B, hidden: true }]),
    'ZIP_MALFORMED',
    SECOND,
  ],
  [
    '[zip.1] a member left out between two',
    zip([A, { ...B, hidden: true }, { ...A, name: 'c' }]),
    'ZIP_MALFORMED',
    SECOND,
    'c',
  ],
  [
    '[zip.1] bytes before the first',
    zip([{ ...A, before: encodeUtf8('PK\u0003\u0004') }]),
    'ZIP_MALFORMED',
    0,
    'a.ovf',
  ],
  ['[zip.1] bytes between two', zip([A, { ...B, before: GARBAGE }]), 'ZIP_MALFORMED', SECOND, 'b.img'],
  ['[zip.1] bytes behind the last', zip([{ ...A, after: GARBAGE }]), 'ZIP_MALFORMED', SECOND],
  [
    '[zip.1] two members in one place',
    zip([A, { ...B, central: { offset: 0 } }]),
    'ZIP_MALFORMED',
    0,
    'b.img',
  ],
  [
    '[zip.1] an order of its own',
    zip([
      { ...A, central: { offset: 44 } },
      { ...B, central: { offset: 0 } },
    ]),
    'ZIP_MALFORMED',
    0,
    'a.ovf',
  ],
  [
    '[arc.1] no header where the first member begins',
    one({ local: { signature: 0x04034b51 } }),
    'FORMAT_UNSUPPORTED',
    0,
  ],
  [
    '[zip.1] no header where the second begins',
    zip([A, { ...B, local: { signature: 1 } }]),
    'ZIP_MALFORMED',
    SECOND,
    'b.img',
  ],
  [
    '[zip.1] data as far as the directory and into it',
    one({ both: { packed: 10, size: 10 } }),
    'ZIP_MALFORMED',
    35,
    'a.ovf',
  ],

  ['[zip.2] no end record', zip([A]).subarray(0, -22), 'ARCHIVE_TRUNCATED', SECOND + 51],
  ['[zip.2] a cut in the end record', zip([A]).subarray(0, -1), 'ARCHIVE_TRUNCATED', SECOND + 51 + 21],
  ['[zip.2] a comment', zip([A], { commentLength: 7, after: GARBAGE }), 'ARCHIVE_TRAILING', SECOND + 51 + 22],
  ['[zip.2] bytes behind the end record', zip([A], { after: GARBAGE }), 'ARCHIVE_TRAILING', SECOND + 51 + 22],
  ['[zip.2] a comment that is not there', zip([A], { commentLength: 7 }), 'ZIP_MALFORMED', SECOND + 51],
  ['[zip.2] a second zip behind', concat([zip([A]), zip([B])]), 'ZIP_MALFORMED', 228],
  ['[zip.2] an end record of an empty zip behind', concat([zip([A]), zip([])]), 'ZIP_MALFORMED', 117],
  [
    '[zip.2] bytes between directory and end record',
    zip([A], { before: GARBAGE }),
    'ZIP_MALFORMED',
    SECOND + 51 + 7,
  ],
  [
    '[zip.2] a directory that begins elsewhere',
    zip([A], { offset: SECOND - 1 }),
    'ZIP_MALFORMED',
    SECOND + 51,
  ],
  ['[zip.2] a directory that is shorter', zip([A], { bytes: 50 }), 'ZIP_MALFORMED', SECOND + 51],
  ['[zip.2] fewer members than there are', zip([A, B], { count: 1 }), 'ZIP_MALFORMED', 155],
  ['[zip.2] more members than there are', zip([A], { count: 2 }), 'ZIP_MALFORMED', SECOND + 51],
  ['[zip.2] no member counted', zip([A], { count: 0 }), 'ZIP_MALFORMED', SECOND + 51],
  [
    '[zip.2] a directory header with another signature',
    one({ central: { signature: 0x02014b51 } }),
    'ZIP_MALFORMED',
    SECOND,
  ],
  [
    '[zip.2] a name that the directory has no room for',
    zip([A], { bytes: 48, offset: 44, before: new Uint8Array(0) }),
    'ZIP_MALFORMED',
    95,
  ],

  ['[zip.3] one disk of several', zip([A], { disk: 1 }), 'ZIP_FEATURE', SECOND + 51],
  ['[zip.3] a directory on another disk', zip([A], { directoryDisk: 1 }), 'ZIP_FEATURE', SECOND + 51],
  ['[zip.3] a member of the directory elsewhere', zip([A], { countOnDisk: 0 }), 'ZIP_FEATURE', SECOND + 51],
  ['[zip.3] zip64 needed and not there', zip([A], { offset: 0xffffffff }), 'ZIP_MALFORMED', SECOND + 51],
  ['[zip.3] zip64 records that nothing needs', zip64({}, {}), 'ZIP_MALFORMED', SECOND + 51 + 76],
  ['[zip.3] a locator that points elsewhere', zip64({ at: 1 }), 'ZIP_MALFORMED', SECOND + 51 + 56],
  ['[zip.3] a zip64 record that is longer', zip64({ recordBytes: 45 }), 'ZIP_MALFORMED', SECOND + 51],
  [
    '[zip.3] another count in the zip64 record',
    zip64({ count: 2 }, { offset: 0xffffffff }),
    'ZIP_MALFORMED',
    SECOND + 51 + 76,
  ],
  ['[zip.3] another place in the zip64 record', zip64({ offset: 1 }), 'ZIP_MALFORMED', SECOND + 51 + 76],
  ['[zip.3] no part in the locator', zip64({ disks: 0 }), 'ZIP_FEATURE', SECOND + 51],
  ['[zip.3] two parts in the locator', zip64({ disks: 2 }), 'ZIP_FEATURE', SECOND + 51],
  ['[zip.3] a second part in the zip64 record', zip64({ disk: 1 }), 'ZIP_MALFORMED', SECOND + 51 + 76],
  [
    '[zip.3] a count beyond 2^53',
    zip64({ count: 2 ** 60, countOnDisk: 2 ** 60 }),
    'ARCHIVE_LIMIT',
    SECOND + 51,
  ],

  ['[zip.4] encryption', one({ both: { flags: 1 } }), 'ZIP_FEATURE', SECOND, 'a.ovf'],
  ['[zip.4] strong encryption', one({ both: { flags: 0x40 } }), 'ZIP_FEATURE', SECOND, 'a.ovf'],
  ['[zip.4] an encrypted directory', one({ both: { flags: 0x2000 } }), 'ZIP_FEATURE', SECOND, 'a.ovf'],
  ['[zip.4] a patch', one({ both: { flags: 0x20 } }), 'ZIP_FEATURE', SECOND, 'a.ovf'],
  ['[zip.4] enhanced deflating', one({ both: { flags: 0x10 } }), 'ZIP_FEATURE', SECOND, 'a.ovf'],
  ['[zip.4] a flag without a meaning', one({ both: { flags: 0x100 } }), 'ZIP_FEATURE', SECOND, 'a.ovf'],
  ['[zip.4] Deflate64', one({ both: { method: 9 } }), 'ZIP_FEATURE', SECOND, 'a.ovf'],
  ['[zip.4] Zstandard', one({ both: { method: 93 } }), 'ZIP_FEATURE', SECOND, 'a.ovf'],
  ['[zip.4] a method without a name', one({ both: { method: 4711 } }), 'ZIP_FEATURE', SECOND, 'a.ovf'],
  ['[zip.4] a reader for VMS', one({ central: { needed: 0x20a } }), 'ZIP_FEATURE', SECOND, 'a.ovf'],
  [
    '[zip.4] a reader for VMS, said before the data',
    one({ local: { needed: 0x20a } }),
    'ZIP_FEATURE',
    0,
    'a.ovf',
  ],
  ['[zip.4] a newer reader', one({ central: { needed: 46 } }), 'ZIP_FEATURE', SECOND, 'a.ovf'],
  ['[zip.4] a newer reader, said before the data', one({ local: { needed: 63 } }), 'ZIP_FEATURE', 0, 'a.ovf'],
  ['[zip.4] a comment of a member', one({ central: { comment: 'x' } }), 'ZIP_FEATURE', SECOND, 'a.ovf'],
  ['[zip.4] a member on another disk', one({ central: { disk: 1 } }), 'ZIP_FEATURE', SECOND, 'a.ovf'],

  ['[zip.5] another name before the data', one({ local: { name: 'b.ovf' } }), 'ZIP_MALFORMED', 0, 'a.ovf'],
  [
    '[zip.5] a longer name before the data',
    one({ local: { name: 'a.ovf\0x' } }),
    'ZIP_MALFORMED',
    0,
    'a.ovf',
  ],
  ['[zip.5] other flags', one({ local: { flags: 0 } }), 'ZIP_MALFORMED', 0, 'a.ovf'],
  ['[zip.5] another method', one({ local: { method: 8 } }), 'ZIP_MALFORMED', 0, 'a.ovf'],
  ['[zip.5] another checksum', one({ local: { crc: 1 } }), 'ZIP_MALFORMED', 0, 'a.ovf'],
  ['[zip.5] a checksum of zero', one({ local: { crc: 0 } }), 'ZIP_MALFORMED', 0, 'a.ovf'],
  ['[zip.5] another size', one({ local: { size: 8 } }), 'ARCHIVE_SIZE_CONFLICT', 0, 'a.ovf'],
  ['[zip.5] another packed size', one({ local: { packed: 8 } }), 'ARCHIVE_SIZE_CONFLICT', 0, 'a.ovf'],
  [
    '[zip.5] another size although one follows',
    one({ both: { flags: 0x808 }, local: { size: 8 } }, B),
    'ARCHIVE_SIZE_CONFLICT',
    0,
    'b.img',
  ],
  [
    '[zip.5] another checksum although one follows',
    one({ both: { flags: 0x808 }, local: { crc: 8 } }, B),
    'ZIP_MALFORMED',
    0,
    'b.img',
  ],

  [
    '[zip.6] letters that are not ASCII, unsaid',
    one({ name: 'ä', both: { flags: 0 } }),
    'ARCHIVE_NAME',
    41,
    'ä',
  ],
  ['[zip.6] a name that is not UTF-8', one({ name: Uint8Array.of(0x61, 0xff) }), 'ARCHIVE_NAME', 41],
  [
    '[zip.6] letters that are not ASCII, made on DOS',
    one({ name: 'ä', central: { made: 20, attributes: 0 } }),
    'ARCHIVE_NAME',
    41,
    'ä',
  ],
  ['[zip.6] no name', one({ name: '' }), 'ARCHIVE_NAME', 39],
  ['[name.3] a name that leaves its folder', one({ name: '../a' }), 'ARCHIVE_NAME', 43, '../a'],
  ['[name.1] a name with a backslash', one({ name: 'a\\b' }), 'ARCHIVE_NAME', 42, 'a\\b'],
  ['[name.2] a name with a NUL', one({ name: 'a\0b' }), 'ARCHIVE_NAME', 42],
  ['[name.5] a name twice', zip([A, A]), 'ARCHIVE_DUPLICATE', 139, 'a.ovf'],
  ['[name.5] a name in two cases', zip([A, { ...A, name: 'A.ovf' }]), 'ARCHIVE_DUPLICATE', 139, 'A.ovf'],
  [
    '[name.5] a file that is a folder',
    zip([A, { ...A, name: 'a.ovf/b' }]),
    'ARCHIVE_DUPLICATE',
    141,
    'a.ovf/b',
  ],

  ['[zip.7] a folder', one({ name: 'd/', content: '' }), 'ARCHIVE_TYPE', 32, 'd/'],
  ['[zip.7] a folder with a content', one({ name: 'd/' }), 'ARCHIVE_TYPE', 41, 'd/'],
  ['[zip.7] a symbolic link', one({ central: { attributes: 0xa1ff0000 } }), 'ARCHIVE_TYPE', SECOND, 'a.ovf'],
  [
    '[zip.7] a link of another system',
    one({ central: { attributes: 0xa1ff0000, made: 0x131e } }),
    'ARCHIVE_TYPE',
    SECOND,
    'a.ovf',
  ],
  ['[zip.7] a device', one({ central: { attributes: 0x61ff0000 } }), 'ARCHIVE_TYPE', SECOND, 'a.ovf'],
  [
    '[zip.7] a folder by its mode',
    one({ central: { attributes: 0x41ed0000 } }),
    'ARCHIVE_TYPE',
    SECOND,
    'a.ovf',
  ],
  [
    '[zip.7] a folder by DOS',
    one({ central: { attributes: 0x10, made: 20 } }),
    'ARCHIVE_TYPE',
    SECOND,
    'a.ovf',
  ],
  ['[zip.7] a volume label', one({ central: { attributes: 8, made: 20 } }), 'ARCHIVE_TYPE', SECOND, 'a.ovf'],
  ['[zip.7] setuid', one({ central: { attributes: 0x89ed0000 } }), 'ARCHIVE_TYPE', SECOND, 'a.ovf'],

  [
    '[zip.8] a second name',
    one({ central: { extra: extra(0x7075, GARBAGE) } }),
    'ZIP_FEATURE',
    SECOND,
    'a.ovf',
  ],
  [
    '[zip.8] a second name before the data',
    one({ local: { extra: extra(0x7075, GARBAGE) } }),
    'ZIP_FEATURE',
    0,
    'a.ovf',
  ],
  ['[zip.8] AES', one({ central: { extra: extra(0x9901, GARBAGE) } }), 'ZIP_FEATURE', SECOND, 'a.ovf'],
  [
    '[zip.8] an unknown extra field',
    one({ central: { extra: extra(0x1234, GARBAGE) } }),
    'ZIP_FEATURE',
    SECOND,
    'a.ovf',
  ],
  ...(
    [
      [0x5455, []],
      [0x5455, [0, 0]],
      [0x5455, [1]],
      [0x5455, [3, ...new Uint8Array(7)]],
      [0x5455, [2, ...new Uint8Array(8)]],
      [0x7875, []],
      [0x7875, [1, 4, 0, 0, 0, 0]],
      [0x7875, [1, 4, 0, 0, 0, 0, 4, 0, 0, 0]],
      [0x7875, [2, 4, 0, 0, 0, 0, 4, 0, 0, 0, 0]],
      [0x5855, []],
      [0x5855, [0, 0, 0, 0]],
      [0x000a, []],
      [0x000a, [...new Uint8Array(32)]],
      [0xcafe, [0]],
    ] as const
  ).map(
    ([id, content]) =>
      [
        `[zip.8] an extra field ${id.toString(16)} of ${content.length} bytes, ${content.slice(0, 3)}`,
        one({ central: { extra: extra(id, Uint8Array.from(content)) } }),
        'ZIP_MALFORMED',
        SECOND,
        'a.ovf',
      ] as const,
  ),
  [
    '[zip.8] an extra field twice',
    one({ central: { extra: concat([TIMES, TIMES]) } }),
    'ZIP_MALFORMED',
    SECOND,
    'a.ovf',
  ],
  [
    '[zip.8] an extra field beyond its space',
    one({ central: { extra: extra(0x5455, GARBAGE).subarray(0, 9) } }),
    'ZIP_MALFORMED',
    SECOND,
    'a.ovf',
  ],
  [
    '[zip.8] three bytes of an extra field',
    one({ local: { extra: Uint8Array.of(1, 2, 3) } }),
    'ZIP_MALFORMED',
    0,
    'a.ovf',
  ],

  [
    '[zip.9] a size left to zip64, and no such field',
    one({ central: { size: 0xffffffff } }),
    'ZIP_MALFORMED',
    SECOND,
    'a.ovf',
  ],
  [
    '[zip.9] a zip64 field that nothing is left to',
    one({ central: { extra: extra(1, packed([[8, 9]])) } }),
    'ZIP_MALFORMED',
    SECOND,
    'a.ovf',
  ],
  [
    '[zip.9] a zip64 field with more than is left to it',
    one({
      central: {
        size: 0xffffffff,
        extra: extra(
          1,
          packed([
            [8, 9],
            [8, 9],
          ]),
        ),
      },
    }),
    'ZIP_MALFORMED',
    SECOND,
    'a.ovf',
  ],
  [
    '[zip.9] a zip64 field with less',
    one({ central: { size: 0xffffffff, extra: extra(1, packed([[4, 9]])) } }),
    'ZIP_MALFORMED',
    SECOND,
    'a.ovf',
  ],
  [
    '[zip.9] a size over 2^53',
    one({ central: { size: 0xffffffff, extra: extra(1, packed([[8, 2 ** 54]])) } }),
    'ARCHIVE_LIMIT',
    SECOND,
    'a.ovf',
  ],

  ['[zip.10] stored, and two sizes', one({ both: { size: 8 } }), 'ARCHIVE_SIZE_CONFLICT', SECOND, 'a.ovf'],
  ['[zip.10] a wrong checksum, stored', one({ both: { crc: 1 } }), 'ZIP_MALFORMED', 35, 'a.ovf'],
  ['[zip.10] a wrong checksum, deflated', one({ both: { crc: 1 } }, B), 'ZIP_MALFORMED', 35, 'b.img'],
  ['[zip.10] more than the size', one({ both: { size: 36 } }, B), 'ZIP_MALFORMED', 35, 'b.img'],
  ['[zip.10] less than the size', one({ both: { size: 38 } }, B), 'ZIP_MALFORMED', 35, 'b.img'],
  [
    '[zip.10] deflate data without an end',
    one({ data: Uint8Array.of(0x4a) }, B),
    'ZIP_MALFORMED',
    36,
    'b.img',
  ],
  [
    '[zip.10] deflate data that is none',
    one({ data: Uint8Array.of(7, 7, 7) }, B),
    'ZIP_MALFORMED',
    35,
    'b.img',
  ],
  [
    '[zip.10] bytes behind the deflate data',
    one({ data: Uint8Array.of(3, 0, 9, 9), both: { size: 0, crc: 0 } }, B),
    'ZIP_MALFORMED',
    37,
    'b.img',
  ],
  [
    '[zip.10] deflated to no byte',
    one({ data: new Uint8Array(0), both: { size: 0, crc: 0 } }, B),
    'ZIP_MALFORMED',
    35,
    'b.img',
  ],

  [
    '[zip.11] stored, and a data descriptor',
    one({ both: { flags: 0x808 }, after: descriptor(CRC_A, 9, 9) }),
    'ZIP_FEATURE',
    60,
    'a.ovf',
  ],
  ['[zip.11] no data descriptor', one({ both: { flags: 0x808 } }, B), 'ZIP_MALFORMED', 60, 'b.img'],
  [
    '[zip.11] a data descriptor without its signature',
    one({ both: { flags: 0x808 }, after: descriptor(0, 0, 0).subarray(4) }, B),
    'ZIP_MALFORMED',
    60,
    'b.img',
  ],
  [
    '[zip.11] another signature',
    one({ both: { flags: 0x808 }, after: new Uint8Array(16) }, B),
    'ZIP_MALFORMED',
    60,
    'b.img',
  ],
  [
    '[zip.11] a data descriptor that says something else',
    one({ both: { flags: 0x808 }, after: descriptor(0, 25, 37) }, B),
    'ZIP_MALFORMED',
    60,
    'b.img',
  ],
  [
    '[zip.11] a data descriptor and more',
    one({ both: { flags: 0x808 }, after: new Uint8Array(20) }, B),
    'ZIP_MALFORMED',
    60,
    'b.img',
  ],

  [
    '[zip.11] a data descriptor of 24 bytes that no header announces',
    one(
      {
        both: { flags: 0x808 },
        after: packed([
          [4, 0x08074b50],
          [4, CRC_B],
          [8, 25],
          [8, 37],
        ]),
      },
      B,
    ),
    'ZIP_MALFORMED',
    60,
    'b.img',
  ],
  [
    '[zip.11] a data descriptor of 16 bytes where a zip64 field announces 24',
    one(
      {
        both: { flags: 0x808 },
        local: { size: 0xffffffff, packed: 0xffffffff, extra: extra(1, new Uint8Array(16)) },
        after: descriptor(CRC_B, 25, 37),
      },
      B,
    ),
    'ZIP_MALFORMED',
    80,
    'b.img',
  ],

  ['[zip.12] no members', zip([]), 'ARCHIVE_EMPTY', 0],
];

describe('a zip is refused', () => {
  const cases = CASES.map(([title, bytes, code, offset, member]) => ({ title, bytes, code, offset, member }));
  test.each(cases)('$title', async ({ bytes, code, offset, member }) => {
    const { error } = await read(chunked(bytes), asArchive);
    expect(error).toMatchObject({ code, offset });
    if (member !== undefined) expect(error?.member).toBe(member);
  });

  test('[zip.12] with more members than the limit', async () => {
    const many = zip(Array.from({ length: 257 }, (_, i) => ({ name: `f${i}` })));
    expect((await read(chunked(many), asArchive)).error).toMatchObject({ code: 'ARCHIVE_LIMIT' });
    const outcome = await read(chunked(many), asArchive, { members: 257 });
    expect([outcome.error, outcome.members.length]).toEqual([undefined, 257]);
  });

  test.each([{ memberBytes: 8 }, { totalBytes: 45 }] as const)(
    '[zip.12] with more bytes than %o, before any is read',
    async (limits) => {
      const { members, error } = await read(chunked(zip([A, B])), asArchive, limits);
      expect([error?.code, members]).toEqual(['ARCHIVE_LIMIT', []]);
    },
  );

  test('[zip.13] when it inflates too much, as a gzip is', async () => {
    const content = new Uint8Array(1_000_000).map((_, i) => (i % 7 === 0 ? 1 : 0));
    const bytes = zip([{ name: 'a', content, deflate: true }]);
    expect((await read(chunked(bytes), asArchive)).error).toBeUndefined();
    const { error } = await read(chunked(bytes), asArchive, { inflateFree: 100_000 });
    expect(error).toMatchObject({ code: 'ARCHIVE_LIMIT', member: 'a' });
  });
});
