import { constants, inflateRawSync } from 'node:zlib';
import { describe, expect, it, test } from 'vitest';
import { Deflation, deflateBlocks } from '../../../src/archive/deflate/deflate-blocks.ts';
import { writeZip, type ZipFile } from '../../../src/archive/zip/zip-writer.ts';
import {
  formatCentralHeader,
  formatEnd,
  formatLocalHeader,
} from '../../../src/formats/zip/format-records.ts';
import { concat, once } from '../../../src/kit/bytes.ts';
import { encodeUtf8 } from '../../../src/kit/encoding.ts';
import { DEFAULT_LIMITS } from '../../../src/kit/limits.ts';
import { asArchive, read, readEveryWay, sha256 } from '../../factory/archives.ts';
import { bytesOf, noiseFile } from '../../factory/bundles.ts';
import { chunked, irregular, sourceOf } from '../../factory/streams.ts';

const MIB = 1024 * 1024;
const TEXT = encodeUtf8('all work and no play makes a dull image\n'.repeat(50_000));

/** Bytes that deflate finds nothing in, the same every time. */
function incompressible(size: number): Uint8Array {
  const next = irregular(7, 256);
  return Uint8Array.from({ length: size }, () => next() - 1);
}

function file(name: string, bytes: Uint8Array, more: Partial<ZipFile> = {}): ZipFile {
  return { name, size: bytes.byteLength, body: once(bytes), ...more };
}

/** What `writeZip` makes, patched as it says. */
async function written(files: readonly ZipFile[], mtime = 0): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let whole = new Uint8Array(0);
  let length = 0;
  const patches: (readonly [number, Uint8Array])[] = [];
  const bytes = await writeZip(
    files,
    {
      write: async (chunk) => {
        parts.push(new Uint8Array(chunk));
        length += chunk.byteLength;
      },
      patch: async (offset, patch) => {
        expect(offset + patch.byteLength, 'only what was written is written again').toBeLessThanOrEqual(
          length,
        );
        patches.push([offset, patch]);
      },
    },
    { mtime },
  );
  whole = new Uint8Array(concat(parts));
  for (const [offset, patch] of patches) whole.set(patch, offset);
  expect(bytes).toBe(whole.byteLength);
  return whole;
}

function methodOf(bytes: Uint8Array, offset = 0): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint16(offset + 8, true);
}

describe('writeZip', () => {
  it('[zip.15] writes what the reader reads, deflated and stored', async () => {
    const noise = incompressible(60_000);
    const contents = [
      TEXT.subarray(0, 100_000),
      noise,
      new Uint8Array(0),
      encodeUtf8('x'),
      noiseFile('n', 50_000).bytes,
    ];
    const bytes = await written(contents.map((content, i) => file(`f${i}`, content)));
    const { members, error } = await readEveryWay(bytes, asArchive);
    expect(error).toBeUndefined();
    expect(members.map(({ sha256: digest }) => digest)).toEqual(contents.map((content) => sha256(content)));
    expect(members.map(({ offset }) => methodOf(bytes, offset))).toEqual([8, 0, 0, 0, 8]);
    expect(bytes.byteLength).toBeLessThan(noise.byteLength + 60_000);
  });

  it('[zip.15] gives the same bytes however the content arrives', async () => {
    const once = await written([file('a', TEXT), file('b', TEXT, { deflate: false })]);
    const pieces = (): ZipFile['body'] => sourceOf(TEXT, { sizes: irregular(3, 70_000), hostile: true });
    const again = await written([
      { name: 'a', size: TEXT.byteLength, body: pieces() },
      { name: 'b', size: TEXT.byteLength, body: pieces(), deflate: false },
    ]);
    expect(Buffer.compare(once, again)).toBe(0);
  });

  test.each([
    [0, 0x21, 0],
    [Date.UTC(2026, 10, 24, 13, 14, 15) / 1000, (46 << 9) | (11 << 5) | 24, (13 << 11) | (14 << 5) | 7],
    [10_000_000_000, (127 << 9) | (12 << 5) | 31, (23 << 11) | (59 << 5) | 29],
  ])('[zip.15] writes the time %i as DOS has it', async (mtime, date, time) => {
    const view = new DataView((await written([file('a', TEXT)], mtime)).buffer);
    expect([view.getUint16(12, true), view.getUint16(10, true)]).toEqual([date, time]);
  });

  it('[zip.15] flags a name that is not ASCII, and no other', async () => {
    const bytes = await written([file('a', encodeUtf8('1')), file('ä', encodeUtf8('2'))]);
    const view = new DataView(bytes.buffer);
    expect([view.getUint16(6, true), view.getUint16(32 + 6, true)]).toEqual([0, 0x800]);
    expect((await read(chunked(bytes), asArchive)).members.map(({ name }) => name)).toEqual(['a', 'ä']);
  });

  test.each([
    ['a name that leaves its folder', [file('../a', TEXT)], 'ARCHIVE_NAME'],
    ['a name twice', [file('a', TEXT), file('A', TEXT)], 'ARCHIVE_DUPLICATE'],
    [
      'too many members',
      Array.from({ length: 257 }, (_, i) => file(`f${i}`, new Uint8Array(0))),
      'ARCHIVE_LIMIT',
    ],
    [
      'a stored file that is shorter',
      [file('a', TEXT, { size: TEXT.byteLength + 1, deflate: false })],
      'FILE_CHANGED',
    ],
    [
      'a stored file that is longer',
      [file('a', TEXT, { size: TEXT.byteLength - 1, deflate: false })],
      'FILE_CHANGED',
    ],
    ['a deflated file that is shorter', [file('a', TEXT, { size: TEXT.byteLength + 1 })], 'FILE_CHANGED'],
    ['a deflated file that is longer', [file('a', TEXT, { size: TEXT.byteLength - 1 })], 'FILE_CHANGED'],
    ['a file that ends on a block and goes on', [file('a', TEXT, { size: MIB })], 'FILE_CHANGED'],
    ['an empty file that is not empty', [file('a', TEXT, { size: 0 })], 'FILE_CHANGED'],
  ] as const)('[zip.15] refuses %s', async (_, files, code) => {
    await expect(written(files)).rejects.toMatchObject({ code });
  });

  it('[zip.16] stores blocks that would take the archive over the ratio', async () => {
    // No MiB of it is all zeros, and all of it is a thousand times smaller when deflated.
    const dense = new Uint8Array(80 * MIB);
    for (let at = 0; at < dense.byteLength; at += MIB) dense[at] = 1;
    const bytes = await written([file('a', dense)]);
    const { members, error } = await read(chunked(bytes), asArchive);
    expect([error, members[0]?.sha256]).toEqual([undefined, sha256(dense)]);
    const before = await written([file('a', dense.subarray(0, 60 * MIB))]);
    expect(before.byteLength).toBeLessThan(MIB);
    expect(bytes.byteLength).toBeLessThan(2 * MIB);
  });

  it('[zip.16] makes one deflate stream of blocks, of any number', async () => {
    for (const size of [1, 512 * 1024 - 1, 512 * 1024, 512 * 1024 + 1, 2 * MIB, TEXT.byteLength]) {
      const content = TEXT.subarray(0, size);
      const data = await bytesOf(deflateBlocks(once(content), new Deflation(DEFAULT_LIMITS)));
      expect(sha256(inflateRawSync(data, { finishFlush: constants.Z_FINISH })), `${size}`).toBe(
        sha256(content),
      );
    }
  });
});

describe('[zip.15] zip64 is written', () => {
  const GIB4 = 2 ** 32;
  const member = {
    nameBytes: encodeUtf8('a'),
    deflated: false,
    crc: 7,
    size: GIB4,
    compressedSize: GIB4,
    offset: 0,
    mtime: 0,
    long: true,
  };

  it('for sizes from 4 GiB on, in both headers', () => {
    const local = formatLocalHeader(member);
    const view = new DataView(local.buffer);
    expect([view.getUint32(18, true), view.getUint32(22, true), view.getUint16(28, true)]).toEqual([
      0xffffffff, 0xffffffff, 20,
    ]);
    expect([view.getBigUint64(35, true), view.getBigUint64(43, true)]).toEqual([BigInt(GIB4), BigInt(GIB4)]);
    expect(formatCentralHeader(member).byteLength).toBe(46 + 1 + 20);
  });

  it('for what is large only: the offset, one of the sizes, or nothing', () => {
    const small = { ...member, size: 5, compressedSize: 5 };
    expect(formatCentralHeader({ ...small, offset: GIB4 }).byteLength).toBe(46 + 1 + 12);
    expect(formatCentralHeader({ ...member, compressedSize: 5 }).byteLength).toBe(46 + 1 + 12);
    expect(formatCentralHeader(small).byteLength).toBe(46 + 1);
    expect(formatCentralHeader({ ...small, size: 0xffffffff }).byteLength).toBe(46 + 1 + 12);
  });

  test.each([
    [1, { offset: GIB4, bytes: 50 }, 98],
    [1, { offset: 0xffffffff, bytes: 50 }, 98],
    [65_535, { offset: 0, bytes: 50 }, 98],
    [65_534, { offset: 0xfffffffe, bytes: 50 }, 22],
  ])('for the end, of %i members at %o', (count, directory, bytes) => {
    expect(formatEnd(count, directory).byteLength).toBe(bytes);
  });
});
