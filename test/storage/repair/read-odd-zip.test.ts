import { describe, expect, test } from 'vitest';
import { openArchive } from '../../../src/archive/open-archive.ts';
import { Repairs } from '../../../src/archive/repair/repairs.ts';
import { concat } from '../../../src/kit/bytes.ts';
import { encodeUtf8 } from '../../../src/kit/encoding.ts';
import { REBUILT } from '../../../src/kit/errors/archive-errors.ts';
import { DEFAULT_LIMITS } from '../../../src/kit/limits.ts';
import { type RandomAccess, watchAccess } from '../../../src/kit/random-access.ts';
import { readOddZip } from '../../../src/storage/repair/read-odd-zip.ts';
import { spoolable } from '../../../src/storage/sources/private-file.ts';
import { readOddly } from '../../factory/repairing.ts';
import { chunked } from '../../factory/streams.ts';
import { latin1 } from '../../factory/tar.ts';
import { extra, packed, type ZipEndFields, type ZipItem, zip } from '../../factory/zip.ts';

const A: ZipItem = { name: 'a', content: 'aa' };
const folder: ZipItem = { name: 'b/', content: '' };
const comment: Partial<ZipEndFields> = { commentLength: 2, after: latin1('hi') };

/** A zip64 field with these numbers. */
const long = (...numbers: readonly number[]): Uint8Array =>
  extra(1, packed(numbers.map((number) => [8, number] as const)));

describe('odd zips', () => {
  test.each<[string, Uint8Array, string]>([
    ['bytes before it', concat([latin1('MZ, a program'), zip([A])]), 'before the zip'],
    ['bytes behind it', concat([zip([A]), latin1('\n')]), 'behind the zip'],
    ['both', concat([new Uint8Array(5000).fill(1), zip([A]), new Uint8Array(70_000)]), 'before the zip'],
    ['a comment', zip([A], comment), 'comment'],
    [
      'stored, its size behind it',
      zip([
        { ...A, both: { flags: 0x808 }, local: { crc: 0, packed: 0, size: 0 }, after: latin1('PK\x07\x08') },
      ]),
      'data descriptor',
    ],
    ['a folder', zip([A, folder]), 'folder'],
    [
      'files of macOS',
      zip([A, { name: '__MACOSX/._a', content: 'x' }, { name: '.DS_Store', content: 'x' }]),
      'macOS',
    ],
    ['setuid', zip([{ ...A, central: { made: 0x314, attributes: 0o104755 * 2 ** 16 } }]), 'setuid'],
    ['an unknown extra field', zip([{ ...A, both: { extra: extra(0x1234, new Uint8Array(4)) } }]), '0x1234'],
    ['another name before the data', zip([{ ...A, local: { name: 'c' } }]), 'another name'],
    ['something between members', zip([{ ...A, after: new Uint8Array(7) }]), 'belongs to no member'],
    ['a reader of tomorrow', zip([{ ...A, both: { needed: 63 } }]), 'version'],
  ])('[repair.3] [repair.8] %s: is read, and told', async (_, bytes, told) => {
    const { members, error, repairs } = await readOddly(bytes);
    expect([error, members.map(({ name, size }) => [name, size])]).toEqual([undefined, [['a', 2]]]);
    expect(repairs.map(({ what }) => what).join('\n')).toContain(told);
  });

  test.each<[string, ZipItem, string]>([
    ['UTF-8 that is not said to be', { name: encodeUtf8('ä'), both: { flags: 0 } }, 'ä'],
    ['the code page of DOS', { name: Uint8Array.of(0x84), both: { flags: 0 } }, 'ä'],
    ['back slashes', { name: 'b\\a', content: '' }, 'b/a'],
  ])('[repair.8] a name in %s', async (_, item, name) => {
    const { members, error, repairs } = await readOddly(zip([item]));
    expect([error, members.map((member) => member.name)]).toEqual([undefined, [name]]);
    expect(repairs.length).toBeGreaterThan(0);
  });

  test('[repair.3] each run of bytes that no entry speaks of is told, whatever else is odd, and no entry that is passed over', async () => {
    const described = { flags: 0x808 };
    const items: readonly ZipItem[] = [
      { ...A, before: new Uint8Array(5) },
      { name: 'b', content: 'bb', both: described, after: new Uint8Array(16) },
      folder,
      { name: '.DS_Store', content: 'x' },
      { name: 'c', content: 'cc', both: described, after: new Uint8Array(16 + 300) },
      { name: 'd', content: 'dd', after: new Uint8Array(40) },
    ];
    const { error, repairs } = await readOddly(zip(items, comment));
    const stray = repairs.filter(({ what }) => what.includes('belongs to no member'));
    expect([error, stray.map(({ member, what }) => [member, what.replace(/.*: /, '')])]).toEqual([
      undefined,
      [
        ['a', '5 bytes'],
        ['d', '316 bytes'],
        [undefined, '40 bytes'],
      ],
    ]);
  });

  test('[repair.2] what is not odd has no repair', async () => {
    const { members, repairs } = await readOddly(zip([A]));
    expect([members.length, repairs]).toEqual([1, []]);
  });

  test.each<[string, Uint8Array, string]>([
    ['encrypted', zip([{ ...A, both: { flags: 1 } }]), 'ZIP_FEATURE'],
    ['compressed otherwise', zip([{ ...A, both: { method: 12 } }]), 'ZIP_FEATURE'],
    ['a link', zip([{ ...A, central: { made: 0x314, attributes: 0o120777 * 2 ** 16 } }]), 'ARCHIVE_TYPE'],
    ['a name above', zip([{ ...A, name: '..\\a' }]), 'ARCHIVE_NAME'],
    ['a name of a drive', zip([{ ...A, name: 'C:\\a' }]), 'ARCHIVE_NAME'],
    ['a name twice', zip([A, { name: 'A', content: 'ab' }]), 'ARCHIVE_DUPLICATE'],
    ['a folder with content', zip([A, { ...folder, content: 'aa' }]), 'ARCHIVE_TYPE'],
    ['another content', zip([{ ...A, both: { crc: 7 } }], comment), 'ZIP_MALFORMED'],
    ['cut', zip([A]).subarray(0, 60), 'ARCHIVE_TRUNCATED'],
    ['a member that lies elsewhere', zip([{ ...A, central: { offset: 4_000_000 } }]), 'ZIP_MALFORMED'],
    ['nothing', zip([folder]), 'ARCHIVE_EMPTY'],
  ])('[repair.5] %s stays refused', async (_, bytes, code) => {
    expect((await readOddly(bytes)).error?.code).toBe(code);
  });

  test.each<[string, ZipItem]>([
    ['encrypted', { ...A, both: { flags: 1 } }],
    ['a patch', { ...A, both: { flags: 0x20 } }],
    ['compressed otherwise', { ...A, both: { method: 12 } }],
  ])('[repair.5] %s: no repair is advised for what it refuses', async (_, item) => {
    const opened = openArchive(spoolable(chunked(zip([item])), {}), DEFAULT_LIMITS);
    const error = await opened
      .then(async ({ entries }) => {
        for await (const { body } of entries) for await (const _ of body);
      })
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'ZIP_FEATURE', advice: [REBUILT] });
  });

  test('[repair.8] members that share bytes are refused', async () => {
    const twice = zip([A, { name: 'b', content: 'aa', central: { offset: 0 } }]);
    expect((await readOddly(twice)).error).toMatchObject({ code: 'ZIP_MALFORMED', member: 'b' });
  });

  test.each<[string, ZipItem]>([
    ['its first bytes', { name: 'a', content: 'aaPK\x01\x02', data: latin1('aa'), both: { packed: 6 } }],
    ['all of it', { ...A, both: { packed: 50, size: 50 } }],
  ])('[repair.8] a member that has %s of the directory in it is refused', async (_, item) => {
    for (const bytes of [zip([item]), concat([latin1('MZ'), zip([item])])])
      expect((await readOddly(bytes)).error).toMatchObject({ code: 'ZIP_MALFORMED', member: 'a' });
  });

  test.each<[string, ZipItem, string]>([
    ['checksum', { ...A, local: { crc: 7 } }, 'ZIP_MALFORMED'],
    ['no checksum', { ...A, local: { crc: 0 } }, 'ZIP_MALFORMED'],
    ['size', { ...A, local: { size: 3 } }, 'ARCHIVE_SIZE_CONFLICT'],
    ['packed size', { ...A, local: { packed: 3 } }, 'ARCHIVE_SIZE_CONFLICT'],
    [
      'size, a data descriptor behind it',
      { ...A, both: { flags: 8 }, local: { size: 3 } },
      'ARCHIVE_SIZE_CONFLICT',
    ],
    ['size in zip64', { ...A, local: { size: 0xffffffff, extra: long(3) } }, 'ARCHIVE_SIZE_CONFLICT'],
    ['size left to a zip64 field that is not there', { ...A, local: { size: 0xffffffff } }, 'ZIP_MALFORMED'],
  ])('[repair.5] [repair.8] a header before the data with another %s is refused', async (_, item, code) => {
    expect((await readOddly(zip([item], comment))).error).toMatchObject({ code, offset: expect.any(Number) });
  });

  test.each<[string, ZipItem]>([
    ['a zip64 field with more than is left to it', { ...A, local: { size: 0xffffffff, extra: long(2, 2) } }],
    ['extra fields that are none', { ...A, local: { extra: latin1('abcde') } }],
  ])('[repair.8] %s before the data is read', async (_, item) => {
    const { error, members } = await readOddly(zip([item], comment));
    expect([error, members.length]).toEqual([undefined, 1]);
  });

  test('[repair.9] a fault of this program is not taken for one of the zip', async () => {
    const repairs = new Repairs();
    repairs.add = () => {
      throw new TypeError('a fault of ours');
    };
    const file = await spoolable(chunked(zip([A, folder])), {}).randomAccess(chunked(zip([A, folder])));
    await expect(
      readOddZip(file, { limits: DEFAULT_LIMITS, repairs, takeTurn: async () => {} }),
    ).rejects.toThrow(TypeError);
    await file[Symbol.asyncDispose]();
  });

  test('[repair.9] the limits hold', async () => {
    const many = Array.from({ length: 20 }, (_, i) => ({ name: `${i}`, content: 'x' }));
    expect((await readOddly(zip(many, comment), { members: 19 })).error?.code).toBe('ARCHIVE_LIMIT');
    expect((await readOddly(zip(many, comment), { members: 2 })).error?.code).toBe('ARCHIVE_LIMIT');
    expect((await readOddly(zip(many, comment), { totalBytes: 19 })).error?.code).toBe('ARCHIVE_LIMIT');
    const bomb: ZipItem = { name: 'a', content: 'x'.repeat(100_000), deflate: true };
    const small = { inflateFree: 1000, inflateRatio: 10 };
    expect((await readOddly(zip([bomb], comment), small)).error?.code).toBe('ARCHIVE_LIMIT');
  });

  test('[repair.9] end records without a directory cost no more than 1,024 of them do', async () => {
    const falseEnds = (count: number): Uint8Array =>
      new Uint8Array(Buffer.alloc(4 * count, latin1('PK\x05\x06')));
    const reading = async (count: number) => {
      const bytes = concat([zip([A]), falseEnds(count), new Uint8Array(18)]);
      const file = await spoolable(chunked(bytes), {}).randomAccess(chunked(bytes));
      let reads = 0;
      const counting: RandomAccess = {
        ...watchAccess(file, () => {}),
        readAt: (offset, length) => {
          reads++;
          return file.readAt(offset, length);
        },
      };
      const repairs = new Repairs();
      const asked = readOddZip(counting, { limits: DEFAULT_LIMITS, repairs, takeTurn: async () => {} });
      const code = await asked.then(
        () => undefined,
        (error: { readonly code: string }) => error.code,
      );
      await file[Symbol.asyncDispose]();
      return { code, reads };
    };
    expect((await reading(1024)).code).toBeUndefined();
    const beyond = await reading(1025);
    expect(beyond.code).toBe('ARCHIVE_LIMIT');
    expect(await reading(200_000)).toEqual(beyond);
  });
});
