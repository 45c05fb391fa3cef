import { describe, expect, it, test } from 'vitest';
import { ByteCursor, peek, watch } from '../../src/kit/byte-cursor.ts';
import { type ByteStream, concat, copyBytes } from '../../src/kit/bytes.ts';
import { chunked, skippable, sourceOf, waysIn } from '../factory/streams.ts';

const BYTES = Uint8Array.from({ length: 3000 }, (_, i) => (i * 7) % 251);
const WAYS = waysIn(BYTES);

async function all(stream: ByteStream): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const chunk of stream) parts.push(copyBytes(chunk));
  return concat(parts);
}

describe('ByteCursor', () => {
  test.each(WAYS)('[arc.2] takes by counts: %s', async (_, source) => {
    const cursor = new ByteCursor(source());
    let offset = 0;
    for (const count of [0, 1, 2, 511, 512, 0, 513, 1000]) {
      expect(await cursor.take(count)).toEqual(BYTES.subarray(offset, offset + count));
      offset += count;
      expect(cursor.offset).toBe(offset);
    }
    expect(await cursor.take(10_000)).toEqual(BYTES.subarray(offset));
    expect(cursor.offset).toBe(3000);
    expect(await cursor.take(1)).toEqual(new Uint8Array(0));
    expect(await cursor.takeSome(1)).toBeUndefined();
    expect(await cursor.skip(1)).toBe(0);
  });

  test.each(WAYS)('[arc.2] takes what there is, no more than asked: %s', async (_, source) => {
    const cursor = new ByteCursor(source());
    const parts: Uint8Array[] = [];
    for (;;) {
      const part = await cursor.takeSome(100);
      if (!part) break;
      expect(part.byteLength).toBeGreaterThan(0);
      expect(part.byteLength).toBeLessThanOrEqual(100);
      parts.push(copyBytes(part));
    }
    expect(concat(parts)).toEqual(BYTES);
  });

  test.each(WAYS)('[arc.2] skips, and gives the rest: %s', async (_, source) => {
    const cursor = new ByteCursor(source());
    expect(await cursor.skip(0)).toBe(0);
    expect(await cursor.skip(700)).toBe(700);
    expect(await cursor.take(10)).toEqual(BYTES.subarray(700, 710));
    expect(await cursor.skip(290)).toBe(290);
    expect(cursor.offset).toBe(1000);
    expect(await all(cursor.rest())).toEqual(BYTES.subarray(1000));
  });

  it('takes without waiting only what is at hand', async () => {
    const cursor = new ByteCursor(chunked(BYTES, 100));
    expect(cursor.takeBuffered(1)).toBeUndefined();
    await cursor.take(1);
    expect(cursor.takeBuffered(100)).toBeUndefined();
    expect(cursor.takeBuffered(99)).toEqual(BYTES.subarray(1, 100));
    expect(cursor.offset).toBe(100);
  });

  it('passes empty chunks over', async () => {
    async function* source(): AsyncGenerator<Uint8Array, void> {
      for (const part of [[], [1], [], [], [2, 3], []]) yield Uint8Array.from(part);
    }
    expect(await new ByteCursor(source()).take(4)).toEqual(Uint8Array.of(1, 2, 3));
  });

  it('says how much there was to skip', async () => {
    expect(await new ByteCursor(chunked(BYTES, 100)).skip(5000)).toBe(3000);
  });

  test.each([1, 100, 512, 5000])('leaves out what a source can skip, in chunks of %d', async (size) => {
    const source = skippable(BYTES, size);
    const cursor = new ByteCursor(source);
    await cursor.take(10);
    expect(await cursor.skip(1990)).toBe(1990);
    expect(source.skipped).toBe(Math.max(0, 2000 - size * Math.ceil(10 / size)));
    expect(cursor.offset).toBe(2000);
    expect(await cursor.take(2000)).toEqual(BYTES.subarray(2000));
  });

  it('does not ask a source to skip to where no number counts', async () => {
    const source = skippable(BYTES, 100);
    const cursor = new ByteCursor(source);
    await cursor.take(10);
    expect(await cursor.skip(Number.MAX_SAFE_INTEGER)).toBe(2990);
    expect(source.skipped).toBe(0);
  });

  it('[arc.4] closes the source', async () => {
    const source = chunked(BYTES, 100);
    const cursor = new ByteCursor(source);
    await cursor.take(10);
    await cursor.close();
    expect(source.seen).toEqual({ pulls: 1, closed: true, ended: false });
    await new ByteCursor({
      [Symbol.asyncIterator]: () => ({ next: async () => ({ done: true, value: null }) }),
    }).close();
  });

  it('[arc.4] passes an error of the source on as it is', async () => {
    const error = new Error('broken');
    const cursor = new ByteCursor(sourceOf(BYTES, { sizes: () => 100, failAt: { offset: 250, error } }));
    expect(await cursor.take(250)).toEqual(BYTES.subarray(0, 250));
    await expect(cursor.take(1)).rejects.toBe(error);
  });
});

describe('peek', () => {
  test.each(WAYS)(
    '[arc.2] shows the beginning, and the stream is whole all the same: %s',
    async (_, source) => {
      for (const count of [0, 1, 512, 2999, 3000, 4000]) {
        const { head, stream } = await peek(source(), count);
        expect(copyBytes(head)).toEqual(BYTES.subarray(0, count));
        expect(await all(stream)).toEqual(BYTES);
      }
    },
  );

  it('peeks into an empty stream', async () => {
    const { head, stream } = await peek(chunked(new Uint8Array(0)), 10);
    expect(head).toEqual(new Uint8Array(0));
    expect(await all(stream)).toEqual(new Uint8Array(0));
  });

  it('[arc.4] closes the source', async () => {
    const source = chunked(BYTES, 100);
    const { stream } = await peek(source, 10);
    await stream.return?.();
    expect(source.seen.closed).toBe(true);
  });

  test.each([100, 600, 5000])(
    'skips after a peek, also before the first pull, in chunks of %d',
    async (size) => {
      for (const count of [0, 5, 550, 1000]) {
        const source = skippable(BYTES, size);
        const { stream } = await peek(source, 512);
        if (!('skip' in stream) || typeof stream.skip !== 'function')
          throw new Error('the way to skip is lost');
        stream.skip(count);
        expect(await all(stream)).toEqual(BYTES.subarray(count));
      }
      const { stream } = await peek(skippable(BYTES, size), 512);
      const cursor = new ByteCursor(stream);
      await cursor.take(100);
      expect(await cursor.skip(2000)).toBe(2000);
      expect(await cursor.take(10)).toEqual(BYTES.subarray(2100, 2110));
    },
  );

  it('offers to skip only where the source can', async () => {
    expect('skip' in (await peek(chunked(BYTES), 1)).stream).toBe(false);
  });
});

describe('watch', () => {
  test.each(WAYS)('[arc.2] counts what passes: %s', async (_, source) => {
    const counts: number[] = [];
    expect(await all(watch(source(), (bytes) => counts.push(bytes)))).toEqual(BYTES);
    expect(counts.at(-1)).toBe(3000);
    expect([...counts].sort((a, b) => a - b)).toEqual(counts);
  });

  it('[arc.4] closes the source, and can skip where the source can', async () => {
    const source = skippable(BYTES, 100);
    const watched = watch(source, () => {});
    expect('skip' in watched).toBe(true);
    expect('skip' in watch(chunked(BYTES), () => {})).toBe(false);
    for await (const _ of watched) break;
    expect(source.seen.closed).toBe(true);
  });
});
