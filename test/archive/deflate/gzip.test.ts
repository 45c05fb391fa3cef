import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it, test } from 'vitest';
import { gunzip } from '../../../src/archive/deflate/gunzip.ts';
import { gzip } from '../../../src/archive/deflate/gzip.ts';
import { concat, copyBytes, equalBytes } from '../../../src/kit/bytes.ts';
import { encodeUtf8 } from '../../../src/kit/encoding.ts';
import { DEFAULT_LIMITS, type Limits } from '../../../src/kit/limits.ts';
import { chunked, irregular, sourceOf, waysIn } from '../../factory/streams.ts';

const MIB = 1024 * 1024;
const TEXT = encodeUtf8(Array.from({ length: 3000 }, (_, i) => `line ${i * 7919} of the text\n`).join(''));

async function packed(source: AsyncIterable<Uint8Array>, limits: Partial<Limits> = {}): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const chunk of gzip(source, { ...DEFAULT_LIMITS, ...limits })) parts.push(copyBytes(chunk));
  return concat(parts);
}

async function inflatedLength(bytes: Uint8Array, limits: Partial<Limits> = {}): Promise<number> {
  let length = 0;
  for await (const chunk of gunzip(chunked(bytes), { ...DEFAULT_LIMITS, ...limits }))
    length += chunk.byteLength;
  return length;
}

/** Zeros by the MiB, of which no more than one is made. */
async function* repeated(piece: Uint8Array, times: number): AsyncGenerator<Uint8Array, void> {
  for (let i = 0; i < times; i++) yield piece;
}

describe('gzip', () => {
  it('[gz.6] writes one member without name and time', async () => {
    const bytes = await packed(chunked(TEXT));
    expect([...bytes.subarray(0, 10)]).toEqual([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
    expect(Uint8Array.from(gunzipSync(bytes))).toEqual(TEXT);
    expect(bytes.byteLength).toBeLessThan(TEXT.byteLength / 3);
  });

  test.each([0, 1, 100, 65_536, 524_287, 524_288, 524_289, 1_048_576, 1_500_000])(
    '[gz.6] writes %d bytes as they are read',
    async (length) => {
      const next = irregular(length, 16);
      const content = Uint8Array.from({ length }, next);
      const bytes = await packed(chunked(content, 100_000));
      expect(equalBytes(gunzipSync(bytes), content)).toBe(true);
      expect(await inflatedLength(bytes)).toBe(length);
    },
  );

  const WHOLE = packed(chunked(TEXT));
  test.each(waysIn(TEXT))('[gz.6] writes the same bytes for the same content: %s', async (_, source) => {
    expect(await packed(source())).toEqual(await WHOLE);
  });

  it('[gz.6] writes the same bytes for large contents, however they arrive', async () => {
    const content = concat(Array.from({ length: 20 }, () => TEXT)); // of several blocks
    const whole = await packed(chunked(content));
    for (const sizes of [() => 1000, () => 300_000, irregular(1, 100_000)]) {
      expect(equalBytes(await packed(sourceOf(content, { sizes, hostile: true })), whole)).toBe(true);
    }
  });
});

describe('what a reader would refuse', () => {
  it('[gz.6] an empty disk is packed, and read', async () => {
    const bytes = await packed(repeated(new Uint8Array(MIB), 40), { inflateFree: 0 });
    expect(bytes.byteLength).toBeLessThan((40 * MIB) / 900);
    expect(await inflatedLength(bytes, { inflateFree: 0 })).toBe(40 * MIB);
  });

  it('[gz.6] an empty disk with some data is packed, and read', async () => {
    const disk = async function* (): AsyncGenerator<Uint8Array, void> {
      yield TEXT;
      yield* repeated(new Uint8Array(MIB), 10);
      yield TEXT;
      yield* repeated(new Uint8Array(MIB), 10);
    };
    const bytes = await packed(disk(), { inflateFree: MIB });
    expect(await inflatedLength(bytes, { inflateFree: MIB })).toBe(20 * MIB + 2 * TEXT.byteLength);
  });

  it('[gz.6] one byte repeated is refused when it is packed, as it would be when it is read', async () => {
    const content = () => repeated(new Uint8Array(MIB).fill(0xff), 40);
    await expect(packed(content(), { inflateFree: 10 * MIB })).rejects.toMatchObject({
      code: 'ARCHIVE_LIMIT',
    });
    const forced = gzipSync(new Uint8Array(40 * MIB).fill(0xff));
    await expect(inflatedLength(forced, { inflateFree: 10 * MIB })).rejects.toMatchObject({
      code: 'ARCHIVE_LIMIT',
    });
    expect(await inflatedLength(await packed(content()))).toBe(40 * MIB);
  });

  it('[gz.6] what is packed at all is read with the same limits', async () => {
    const limits = { inflateFree: 2 * MIB, inflateRatio: 100 };
    let refused = 0;
    let read = 0;
    for (let step = 16; step <= 4096; step *= 2) {
      // The fewer other bytes there are, the better it compresses.
      const next = irregular(step, 256);
      const piece = Uint8Array.from({ length: MIB }, (_, i) => (i % step === 0 ? next() : 0x20));
      let bytes: Uint8Array;
      try {
        bytes = await packed(repeated(piece, 12), limits);
      } catch (error) {
        expect(error).toMatchObject({ code: 'ARCHIVE_LIMIT' });
        refused++;
        continue;
      }
      expect(await inflatedLength(bytes, limits)).toBe(12 * MIB);
      read++;
    }
    expect([refused > 0, read > 0]).toEqual([true, true]);
  });
});

describe('lifetime', () => {
  const content = () => sourceOf(new Uint8Array(3 * MIB), { sizes: () => 100_000 });

  it.each([1, 2])('[arc.4] closes the source when the loop is left after %d chunks', async (most) => {
    const source = content();
    let chunks = 0;
    for await (const _ of gzip(source)) if (++chunks === most) break;
    expect(source.seen.closed).toBe(true);
  });

  it('[arc.4] closes the source when it refuses', async () => {
    const source = sourceOf(new Uint8Array(3 * MIB).fill(1), { sizes: () => 100_000 });
    await expect(packed(source, { inflateFree: 0 })).rejects.toMatchObject({ code: 'ARCHIVE_LIMIT' });
    expect(source.seen.closed).toBe(true);
  });

  it('[arc.4] passes an error of the source on as it is', async () => {
    for (const offset of [0, 100, 1_000_000]) {
      const error = new Error('broken');
      const source = sourceOf(new Uint8Array(3 * MIB), { sizes: () => 100_000, failAt: { offset, error } });
      await expect(packed(source)).rejects.toBe(error);
    }
  });
});
