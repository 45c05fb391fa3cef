import { describe, expect, it, test } from 'vitest';
import { readTar } from '../../../src/archive/tar/tar-reader.ts';
import { OCTAL_LIMIT } from '../../../src/formats/tar/header.ts';
import { concat } from '../../../src/kit/bytes.ts';
import { encodeUtf8 } from '../../../src/kit/encoding.ts';
import { BundleError } from '../../../src/kit/errors/errors.ts';
import { DEFAULT_LIMITS } from '../../../src/kit/limits.ts';
import { type Outcome, read, readEveryWay, sha256 } from '../../factory/archives.ts';
import { chunked, irregular, skippable, sourceOf } from '../../factory/streams.ts';
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
} from '../../factory/tar.ts';

const A = file('a', 'hello');
const BLOCK = new Uint8Array(512);

function names(outcome: Outcome): string[] {
  return outcome.members.map(({ name }) => name);
}

describe('accepted', () => {
  it('[arc.2] gives names, sizes, offsets and contents, however the bytes arrive', async () => {
    const content = Uint8Array.from({ length: 1500 }, (_, i) => i % 256);
    const outcome = await readEveryWay(
      tar(A, file('dir/b.bin', content), file('empty'), file('c', padded('x'))),
    );
    expect(outcome).toEqual({
      members: [
        { name: 'a', size: 5, offset: 0, dataOffset: 512, sha256: sha256(encodeUtf8('hello')) },
        { name: 'dir/b.bin', size: 1500, offset: 1024, dataOffset: 1536, sha256: sha256(content) },
        { name: 'empty', size: 0, offset: 3072, dataOffset: 3584, sha256: sha256(new Uint8Array(0)) },
        { name: 'c', size: 512, offset: 3584, dataOffset: 4096, sha256: sha256(padded('x')) },
      ],
    });
  });

  test.each<readonly [title: string, archive: Uint8Array, name: string]>([
    ['[tar.1] a prefix', tar(header({ name: 'b', prefix: 'dir' })), 'dir/b'],
    ['[tar.1] a GNU header', tar(header({ name: 'b', magic: MAGIC.gnu })), 'b'],
    ['[tar.4] the type NUL', tar(header({ name: 'b', type: '\0' })), 'b'],
    ['[tar.8] two zero blocks and no more', tar(header({ name: 'b' })), 'b'],
    ['[tar.8] zero blocks to a whole record', tar(header({ name: 'b' }), new Uint8Array(8704)), 'b'],
    [
      '[tar.8] as many zeros as allowed',
      tar(header({ name: 'b' }), new Uint8Array(DEFAULT_LIMITS.trailingZeros)),
      'b',
    ],
    ['[pax.1] a pax path', tar(pax([record('path', 'long')]), header({ name: 'long' })), 'long'],
    [
      '[pax.2] a pax header over many blocks',
      tar(pax([record('comment', 'x'.repeat(5000)), record('path', 'a')]), A),
      'a',
    ],
    [
      '[pax.4] a pax header that says nothing',
      tar(pax([record('mtime', '1.5')]), header({ name: 'b' })),
      'b',
    ],
    ['[pax.5] a pax size that agrees', tar(pax([record('size', '5')]), file('b', 'hello')), 'b'],
    ['[name.1] a name in UTF-8', tar(file('größe-磁碟')), 'größe-磁碟'],
  ])('%s', async (_, archive, name) => {
    const outcome = await readEveryWay(archive);
    expect(outcome.error).toBeUndefined();
    expect(names(outcome)).toEqual([name]);
  });

  test.each([0, 1, 511, 512, 513, 1023, 1024, 5000])('[tar.7] a content of %d bytes', async (size) => {
    const content = new Uint8Array(size).fill(0x61);
    const outcome = await readEveryWay(tar(file('a', content), file('b', 'x')));
    expect(outcome.error).toBeUndefined();
    expect(outcome.members[0]?.sha256).toBe(sha256(content));
    expect(outcome.members[1]?.sha256).toBe(sha256(encodeUtf8('x')));
  });

  it('[pax.1] counts the offset of a member from its pax header', async () => {
    const { members } = await readEveryWay(tar(A, pax([record('path', 'p')]), file('p', 'x')));
    expect(members[1]).toMatchObject({ name: 'p', offset: 1024, dataOffset: 2560 });
  });
});

describe('errors', () => {
  it('[arc.3] names member and place', async () => {
    const { error } = await read(chunked(tar(A, file('b\x1b', 'x'))));
    expect(error).toEqual({
      code: 'ARCHIVE_NAME',
      message: 'the member "b\\u{1b}": the name holds a control, format or unassigned character',
      member: 'b\\u{1b}',
      offset: 1024,
    });
    const cut = await read(chunked(concat([A, header({ name: 'b', size: 2000 }), latin1('xyz')])));
    expect(cut.error).toMatchObject({
      message: 'the archive ends 1997 bytes before the end of "b"',
      member: 'b',
    });
  });

  it('[arc.4] passes an error of the source on as it is, wherever it happens', async () => {
    const archive = tar(pax([record('path', 'b')]), file('b', 'x'.repeat(1000)));
    for (let offset = 0; offset <= archive.byteLength; offset += 100) {
      const error = new Error('broken');
      const source = sourceOf(archive, { sizes: irregular(offset), failAt: { offset, error } });
      await expect(read(source)).rejects.toBe(error);
    }
    const error = new BundleError('INPUT_STALLED', 'stalled', { where: { file: 'f' } });
    const source = sourceOf(archive, { sizes: () => 512, failAt: { offset: 600, error } });
    expect((await read(source)).error).toMatchObject({ code: 'INPUT_STALLED', message: 'stalled' });
  });

  it('[arc.4] closes the source when the loop is left, and when the archive is refused', async () => {
    const archive = tar(A, file('b', 'x'.repeat(1000)), file('../c'));
    const left = chunked(archive, 100);
    for await (const _ of readTar(left, DEFAULT_LIMITS)) break;
    expect(left.seen.closed).toBe(true);

    const inside = chunked(archive, 100);
    const failing = async () => {
      for await (const entry of readTar(inside, DEFAULT_LIMITS)) {
        for await (const _ of entry.body) throw new Error('of the reader');
      }
    };
    await expect(failing()).rejects.toThrow('of the reader');
    expect(inside.seen.closed).toBe(true);

    const refusedSource = chunked(archive, 100);
    expect((await read(refusedSource)).error?.code).toBe('ARCHIVE_NAME');
    expect(refusedSource.seen.closed).toBe(true);
  });

  it('[arc.4] leaves the source open when only a body is left', async () => {
    const source = chunked(tar(file('a', 'x'.repeat(5000)), file('b')), 100);
    const seen: string[] = [];
    for await (const entry of readTar(source, DEFAULT_LIMITS)) {
      seen.push(entry.name);
      for await (const _ of entry.body) break;
    }
    expect(seen).toEqual(['a', 'b']);
    expect(source.seen.ended).toBe(true);
  });
});

describe('bodies', () => {
  const content = Uint8Array.from({ length: 3000 }, (_, i) => i % 256);
  const archive = tar(file('a', content), file('b', 'x'));

  test.each([1, 512, 4096, 100_000])(
    'gives the whole content at once when it is at hand, in chunks of %d',
    async (size) => {
      for await (const entry of readTar(chunked(archive, size), DEFAULT_LIMITS)) {
        const whole = entry.takeAll();
        if (entry.name === 'a') {
          expect(whole !== undefined).toBe(size >= 4096);
          if (whole) expect(whole).toEqual(content);
          const rest = await read(chunked(tar(file('x', await all(entry.body)))));
          expect(rest.members[0]?.size).toBe(whole ? 0 : 3000);
        }
      }
    },
  );

  it('gives nothing of a body that is read again, or too late', async () => {
    const bodies: AsyncIterable<Uint8Array>[] = [];
    for await (const entry of readTar(chunked(archive, 700), DEFAULT_LIMITS)) {
      expect((await all(entry.body)).byteLength).toBe(entry.size);
      expect((await all(entry.body)).byteLength).toBe(0);
      bodies.push(entry.body);
    }
    for (const body of bodies) expect((await all(body)).byteLength).toBe(0);
  });

  test.each([1, 512, 700, 100_000])(
    'goes on behind a body that is not read, in chunks of %d',
    async (size) => {
      const seen: string[] = [];
      for await (const { name, offset } of readTar(chunked(archive, size), DEFAULT_LIMITS))
        seen.push(`${name} ${offset}`);
      expect(seen).toEqual(['a 0', 'b 3584']);
    },
  );

  test.each([1, 512, 700, 100_000])('leaves out what the source can skip, in chunks of %d', async (size) => {
    const source = skippable(archive, size);
    const seen: string[] = [];
    for await (const { name, offset } of readTar(source, DEFAULT_LIMITS)) seen.push(`${name} ${offset}`);
    expect(seen).toEqual(['a 0', 'b 3584']);
    if (size < 3000) expect(source.skipped).toBeGreaterThan(2000);
  });

  it('[tar.3] goes through members of terabytes that are not read', async () => {
    const size = 3 * 1024 ** 4;
    const source = holed([
      [0, header({ name: 'huge', size: base256(BigInt(size)), magic: MAGIC.gnu })],
      [512 + size, concat([pax([record('size', String(OCTAL_LIMIT))]), header({ name: 'pax', size: 0 })])],
      [
        512 + size + 1536 + OCTAL_LIMIT,
        concat([
          pax([record('size', String(OCTAL_LIMIT + 1))]),
          header({ name: 'max', size: OCTAL_LIMIT - 1 }),
        ]),
      ],
      [512 + size + 1536 + OCTAL_LIMIT + 1536 + OCTAL_LIMIT + 512, tar(file('last', 'x'))],
    ]);
    const seen: unknown[] = [];
    for await (const { name, size, offset } of readTar(source, DEFAULT_LIMITS))
      seen.push([name, size, offset]);
    expect(seen).toEqual([
      ['huge', size, 0],
      ['pax', OCTAL_LIMIT, 512 + size],
      ['max', OCTAL_LIMIT + 1, 512 + size + 1536 + OCTAL_LIMIT],
      ['last', 1, 512 + size + 1536 + OCTAL_LIMIT + 1536 + OCTAL_LIMIT + 512],
    ]);
  });

  test.each([
    ['to a whole block', 512 * 1000],
    ['into a block', 512 * 1000 + 1],
    ['to the largest size', Number.MAX_SAFE_INTEGER],
  ])('[tar.6] notices that a body which was left out %s is not there', async (_, size) => {
    const field = size < OCTAL_LIMIT ? octalSize(size) : base256(BigInt(size));
    const source = skippable(concat([header({ name: 'b', size: field }), BLOCK]), 512);
    const reading = async () => {
      for await (const entry of readTar(source, DEFAULT_LIMITS)) expect(entry.size).toBe(size);
    };
    await expect(reading()).rejects.toMatchObject({ code: 'ARCHIVE_TRUNCATED' });
  });
});

async function all(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const chunk of stream) parts.push(chunk.slice());
  return concat(parts);
}

/** A source of terabytes: pieces at their offsets, zeros between, of which no more than a block is made at a time. */
function holed(
  pieces: readonly (readonly [at: number, bytes: Uint8Array])[],
): AsyncIterable<Uint8Array> & { skip(count: number): void } {
  let offset = 0;
  const last = pieces.at(-1);
  const end = last ? last[0] + last[1].byteLength : 0;
  return {
    skip: (count) => {
      offset += count;
    },
    async *[Symbol.asyncIterator]() {
      while (offset < end) {
        const block = new Uint8Array(Math.min(512, end - offset));
        for (const [at, bytes] of pieces) {
          for (let i = 0; i < block.byteLength; i++) block[i] = bytes[offset - at + i] ?? block[i] ?? 0;
        }
        offset += block.byteLength;
        yield block;
      }
    },
  };
}
