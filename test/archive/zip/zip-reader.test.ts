import { createReadStream, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { deflateRawSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { openArchive } from '../../../src/archive/open-archive.ts';
import { concat } from '../../../src/kit/bytes.ts';
import { DEFAULT_LIMITS } from '../../../src/kit/limits.ts';
import { openSource } from '../../../src/storage/sources/open-source.ts';
import { asArchive, read, readEveryWay, sha256 } from '../../factory/archives.ts';
import { noiseFile } from '../../factory/bundles.ts';
import { makeSandbox } from '../../factory/sandbox.ts';
import { chunked } from '../../factory/streams.ts';
import { extra, packed, type ZipItem, zip, zip64Records } from '../../factory/zip.ts';

const NOISE = noiseFile('noise', 100_000).bytes;
const A = { name: 'a.ovf', content: 'the first' } as const;
const B = { name: 'b.img', content: NOISE, deflate: true } as const;
const LATER = { both: { flags: 0x808 }, local: { crc: 0, packed: 0, size: 0 } } as const;

function descriptorOf(content: Uint8Array, width: 4 | 8, crc: number): Uint8Array {
  return packed([
    [4, 0x08074b50],
    [4, crc],
    [width, deflateRawSync(content).byteLength],
    [width, content.byteLength],
  ]);
}

async function contents(bytes: Uint8Array): Promise<unknown> {
  const { members, error } = await readEveryWay(bytes, asArchive);
  return error ?? members.map(({ name, size, sha256: digest }) => [name, size, digest]);
}

const BOTH = [
  ['a.ovf', 9, sha256(Buffer.from('the first'))],
  ['b.img', NOISE.byteLength, sha256(NOISE)],
];

describe('a zip is read', () => {
  test('[arc.2] however its bytes arrive, with sizes and offsets', async () => {
    const bytes = zip([A, B, { name: 'empty', content: '' }]);
    const { members, error } = await readEveryWay(bytes, asArchive);
    expect(error).toBeUndefined();
    const packedSize = deflateRawSync(NOISE).byteLength;
    expect(members.map(({ name, size, offset, dataOffset }) => [name, size, offset, dataOffset])).toEqual([
      ['a.ovf', 9, 0, 35],
      ['b.img', 100_000, 44, 79],
      ['empty', 0, 79 + packedSize, 79 + packedSize + 35],
    ]);
    expect(members[1]?.sha256).toBe(sha256(NOISE));
  });

  const kinds: readonly (readonly [string, readonly ZipItem[]])[] = [
    ['[zip.4] with the flags that say how hard deflate tried', [A, { ...B, both: { flags: 0x806 } }]],
    [
      '[zip.4] with the highest version that zip64 needs',
      [
        { ...A, both: { needed: 45 } },
        { ...B, both: { needed: 0x314 } },
      ],
    ],
    [
      '[zip.6] with ASCII names that are not said to be UTF-8',
      [
        { ...A, both: { flags: 0 } },
        { ...B, both: { flags: 0 } },
      ],
    ],
    [
      '[zip.7] without a mode',
      [
        { ...A, central: { attributes: 0, made: 20 } },
        { ...B, central: { attributes: 0x20 } },
      ],
    ],
    [
      '[zip.8] with times and owners, other ones in each header',
      [
        {
          ...A,
          local: { extra: extra(0x5455, Uint8Array.of(7, ...new Uint8Array(12))) },
          central: { extra: extra(0x5455, Uint8Array.of(7, ...new Uint8Array(4))) },
        },
        {
          ...B,
          both: {
            extra: concat([
              extra(0x7875, Uint8Array.of(1, 4, 0, 0, 0, 0, 4, 0, 0, 0, 0)),
              extra(0x000a, Uint8Array.of(0, 0, 0, 0, 1, 0, 24, 0, ...new Uint8Array(24))),
              extra(0x5855, new Uint8Array(8)),
              extra(0xcafe, new Uint8Array(0)),
            ]),
          },
        },
      ],
    ],
    [
      '[zip.9] with a zip64 field that the sizes are left to',
      [
        {
          ...A,
          both: {
            size: 0xffffffff,
            packed: 0xffffffff,
            extra: extra(
              1,
              packed([
                [8, 9],
                [8, 9],
              ]),
            ),
          },
        },
        { ...B, central: { offset: 0xffffffff, extra: extra(1, packed([[8, 44 + 20]])) } },
      ],
    ],
    ['[zip.9] with an empty zip64 field', [{ ...A, both: { extra: extra(1, new Uint8Array(0)) } }, B]],
  ];
  test.each(kinds)('%s', async (_, items) => expect(await contents(zip(items))).toEqual(BOTH));

  test.each([4, 8] as const)('[zip.11] with a data descriptor of %i bytes a number', async (width) => {
    const whole = zip([B]);
    const crc = new DataView(whole.buffer, whole.byteOffset).getUint32(14, true);
    const announced = { packed: 0xffffffff, size: 0xffffffff, extra: extra(1, new Uint8Array(16)) };
    const local = { ...LATER.local, ...(width === 8 ? announced : {}) };
    const bytes = zip([A, { ...B, ...LATER, local, after: descriptorOf(NOISE, width, crc) }]);
    expect(await contents(bytes)).toEqual(BOTH);
  });

  test.each([
    ['all three left to it', { count: 0xffff, bytes: 0xffffffff, offset: 0xffffffff }],
    ['one left to it', { bytes: 0xffffffff }],
  ])('[zip.3] with zip64 end records, %s', async (_, end) => {
    const directory = { bytes: 51, offset: 44, count: 1 };
    expect(await contents(zip([A], { ...end, before: zip64Records(95, directory) }))).toEqual(
      BOTH.slice(0, 1),
    );
  });

  test('[zip.10] without judging what is left unread', async () => {
    const bytes = zip([{ ...A, both: { crc: 1 } }, B]);
    const names: string[] = [];
    using sandbox = makeSandbox();
    sandbox.write('x.zip', bytes);
    await using source = await openSource(sandbox.path('x.zip'), { idleMs: 1000 });
    for await (const { name } of (await openArchive(source.stream(), DEFAULT_LIMITS)).entries)
      names.push(name);
    expect(names).toEqual(['a.ovf', 'b.img']);
  });

  test('[zip.14] through a pipe by a copy that leaves nothing behind', async () => {
    const before = leftovers();
    expect((await read(chunked(zip([A, B]), 100), asArchive)).error).toBeUndefined();
    expect((await read(chunked(zip([A, B]).subarray(0, -5), 100), asArchive)).error?.code).toBe(
      'ARCHIVE_TRUNCATED',
    );
    expect(leftovers()).toEqual(before);
  });

  test('[zip.14] through a pipe only up to the limit', async () => {
    using sandbox = makeSandbox();
    sandbox.write('x.zip', zip([A, B]));
    const stream = createReadStream(sandbox.path('x.zip'), { highWaterMark: 1000 });
    await using source = await openSource(stream, { idleMs: 1000, spoolBytes: 5000 });
    await expect(openArchive(source.stream(), DEFAULT_LIMITS)).rejects.toMatchObject({
      code: 'ARCHIVE_LIMIT',
      where: { offset: 5000 },
    });
    expect(stream.destroyed).toBe(true);
  });

  test('[arc.3] as truncated, when the file is cut while it is read', async () => {
    using sandbox = makeSandbox();
    const path = sandbox.path('x.zip');
    writeFileSync(path, zip([A, { name: 'b', content: NOISE }]));
    await using source = await openSource(path, { idleMs: 1000 });
    const reading = async (): Promise<void> => {
      for await (const entry of (await openArchive(source.stream(), DEFAULT_LIMITS)).entries) {
        if (entry.name === 'b') truncateSync(path, 1000);
        for await (const _ of entry.body);
      }
    };
    await expect(reading()).rejects.toMatchObject({
      code: 'ARCHIVE_TRUNCATED',
      where: { member: 'b', offset: 1000 },
    });
    expect(readFileSync(path).byteLength).toBe(1000);
  });
});

function leftovers(): readonly string[] {
  return readdirSync(tmpdir()).filter((name) => /^bulla-[0-9a-f]{24}$/.test(name));
}
