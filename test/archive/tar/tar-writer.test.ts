import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { extract } from 'tar-stream';
import { describe, expect, it, test } from 'vitest';
import { type TarFile, writeTar } from '../../../src/archive/tar/tar-writer.ts';
import { OCTAL_LIMIT, parseTarHeader } from '../../../src/formats/tar/header.ts';
import { concat, copyBytes, once } from '../../../src/kit/bytes.ts';
import { encodeUtf8 } from '../../../src/kit/encoding.ts';
import { isBundleError } from '../../../src/kit/errors/errors.ts';
import { readEveryWay, sha256 } from '../../factory/archives.ts';
import { chunked, irregular, sourceOf } from '../../factory/streams.ts';
import { base256, file, MAGIC, tar } from '../../factory/tar.ts';

const inMemory = (name: string, content: string): TarFile => {
  const bytes = encodeUtf8(content);
  return { name, size: bytes.byteLength, body: once(bytes) };
};

async function written(files: Iterable<TarFile>, mtime = 0): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const chunk of writeTar(files, { mtime })) parts.push(copyBytes(chunk));
  return concat(parts);
}

async function refusal(files: Iterable<TarFile>): Promise<string> {
  try {
    await written(files);
    return 'accepted';
  } catch (error) {
    if (!isBundleError(error)) throw error;
    return `${error.code} ${error.where.member ?? ''}`.trim();
  }
}

describe('writeTar', () => {
  it('[tar.10] writes ustar headers, contents, zeros, and the end mark to a whole record', async () => {
    const bytes = await written([inMemory('a', 'hello'), inMemory('b', '')]);
    const expected = tar(file('a', 'hello'), file('b'));
    expect(bytes.byteLength).toBe(10_240);
    expect(bytes.subarray(0, expected.byteLength)).toEqual(expected);
    expect(bytes.subarray(expected.byteLength).every((byte) => byte === 0)).toBe(true);
  });

  it('[tar.10] writes what its reader reads', async () => {
    const contents = [0, 1, 511, 512, 513, 9000].map((size) => new Uint8Array(size).fill(size % 251));
    const files = contents.map((content, i) => {
      const body = sourceOf(content, { sizes: irregular(i), hostile: true });
      return { name: `dir/file ${i}.bin`, size: content.byteLength, body };
    });
    const outcome = await readEveryWay(await written(files));
    expect(outcome.error).toBeUndefined();
    expect(outcome.members.map(({ name, sha256 }) => [name, sha256])).toEqual(
      contents.map((content, i) => [`dir/file ${i}.bin`, sha256(content)]),
    );
  });

  it('[tar.10] writes what tar-stream reads alike', async () => {
    const contents = [
      ['a.ovf', 'hello'],
      ['größe.mf', ''],
      [`${'d'.repeat(90)}/${'n'.repeat(90)}`, 'x'.repeat(1000)],
    ] as const;
    const bytes = await written(contents.map(([name, content]) => inMemory(name, content)));
    const seen: unknown[] = [];
    for await (const entry of Readable.from([bytes]).pipe(extract())) {
      seen.push([entry.header.name, await text(entry)]);
      expect(entry.header).toMatchObject({ type: 'file', mode: 0o644, uid: 0, gid: 0 });
    }
    expect(seen).toEqual(contents);
  });

  it('[tar.10] writes the same bytes for the same files and time', async () => {
    const files = () => [inMemory('a', 'hello'), { ...inMemory('b', ''), body: chunked(new Uint8Array(0)) }];
    expect(await written(files(), 7)).toEqual(await written(files(), 7));
    expect(await written(files(), 7)).not.toEqual(await written(files(), 8));
  });

  it.each([
    [0, 10_240],
    [8 * 1024, 10_240],
    [9 * 1024 - 512, 10_240],
    [9 * 1024, 20_480],
  ])('[tar.8] ends a content of %d bytes with two zero blocks and a whole record', async (size, length) => {
    const bytes = await written([{ name: 'a', size, body: once(new Uint8Array(size).fill(1)) }]);
    expect(bytes.byteLength).toBe(length);
    expect(bytes.subarray(-1024).every((byte) => byte === 0)).toBe(true);
  });

  it('[tar.10] writes a size of 8 GiB in base-256, before the content', async () => {
    const endless = { name: 'huge', size: OCTAL_LIMIT, body: chunked(new Uint8Array(10)) };
    for await (const chunk of writeTar([endless], { mtime: 0 })) {
      expect(parseTarHeader(chunk)).toMatchObject({ kind: 'file', size: OCTAL_LIMIT });
      expect(chunk.subarray(124, 136)).toEqual(base256(2n ** 33n));
      expect(String.fromCharCode(...chunk.subarray(257, 265))).toBe(MAGIC.gnu);
      break;
    }
  });

  test.each([
    ['a byte less', 5],
    ['a byte more', 3],
    ['nothing of its content', 1000],
    ['a content of nothing', 0],
  ])('[tar.10] refuses a file that has %s than its size', async (_, size) => {
    expect(await refusal([{ name: 'a', size, body: once(Uint8Array.of(1, 2, 3, 4)) }])).toBe(
      'FILE_CHANGED a',
    );
  });

  test.each([
    ['a name that no member can have', ['../a'], 'ARCHIVE_NAME'],
    ['a name too long for ustar', ['n'.repeat(101)], 'ARCHIVE_NAME'],
    ['half a surrogate pair', ['\ud800'], 'ARCHIVE_NAME'],
    ['a name twice', ['a', 'A'], 'ARCHIVE_DUPLICATE A'],
    ['a file below a file', ['a', 'a/b'], 'ARCHIVE_DUPLICATE a/b'],
    ['more members than are read', Array.from({ length: 257 }, (_, i) => `f${i}`), 'ARCHIVE_LIMIT f256'],
  ])('[tar.10] refuses %s', async (_, names, code) => {
    expect(await refusal(names.map((name) => inMemory(name, 'x')))).toBe(code);
  });

  it('[arc.4] closes body and files when the loop is left, or a body is too long', async () => {
    const body = chunked(new Uint8Array(1000), 10);
    let closed = 0;
    function* files(): Generator<TarFile, void> {
      try {
        yield { name: 'a', size: 1000, body };
      } finally {
        closed++;
      }
    }
    let chunks = 0;
    for await (const _ of writeTar(files(), { mtime: 0 })) if (++chunks === 3) break;
    expect([body.seen.closed, closed]).toEqual([true, 1]);

    const long = chunked(new Uint8Array(1000), 100);
    expect(await refusal([{ name: 'a', size: 150, body: long }])).toBe('FILE_CHANGED a');
    expect(long.seen).toEqual({ pulls: 2, closed: true, ended: false });
  });

  it('[arc.4] passes an error of a body on as it is', async () => {
    const error = new Error('broken');
    const body = sourceOf(new Uint8Array(1000), { sizes: () => 100, failAt: { offset: 500, error } });
    await expect(written([{ name: 'a', size: 1000, body }])).rejects.toBe(error);
  });
});
