import { crc32, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { gunzip } from '../../src/archive/deflate/gunzip.ts';
import { gzip } from '../../src/archive/deflate/gzip.ts';
import { concat, copyBytes, equalBytes } from '../../src/kit/bytes.ts';
import { isBundleError } from '../../src/kit/errors/errors.ts';
import { DEFAULT_LIMITS } from '../../src/kit/limits.ts';
import { mutated } from '../factory/mutation.ts';
import { chunked, irregular, sourceOf, type TestSource } from '../factory/streams.ts';

const CODES = ['GZIP_MALFORMED', 'ARCHIVE_TRUNCATED', 'ARCHIVE_LIMIT'];

interface Result {
  readonly length: number;
  readonly crc: number;
  readonly error?: string;
}

async function inflate(source: TestSource): Promise<Result> {
  let length = 0;
  let crc = 0;
  try {
    for await (const chunk of gunzip(source, DEFAULT_LIMITS)) {
      length += chunk.byteLength;
      crc = crc32(chunk, crc);
    }
    return { length, crc };
  } catch (error) {
    if (!isBundleError(error)) throw error;
    expect(CODES).toContain(error.code);
    expect(error.where.compressedOffset).toBeGreaterThanOrEqual(0);
    return { length, crc, error: `${error.code} ${error.where.compressedOffset} ${error.message}` };
  }
}

const contents = fc.oneof(
  fc.uint8Array({ maxLength: 3000 }),
  fc.tuple(fc.nat(255), fc.nat(300_000)).map(([byte, length]) => new Uint8Array(length).fill(byte)),
  fc.tuple(fc.nat(), fc.nat(400_000)).map(([seed, length]) => {
    const next = irregular(seed, 200);
    return Uint8Array.from({ length }, next);
  }),
);

const seeds = fc.nat();
const most = fc.constantFrom(1, 100, 5000, 100_000);

test('[gz.6] what is packed is read again, however the bytes arrive, and is the same each time', async () => {
  await fc.assert(
    fc.asyncProperty(contents, seeds, most, async (content, seed, size) => {
      fc.pre(size > 1 || content.byteLength < 5000);
      const parts: Uint8Array[] = [];
      const source = sourceOf(content, { sizes: irregular(seed, size), hostile: true });
      for await (const chunk of gzip(source)) parts.push(copyBytes(chunk));
      const packed = concat(parts);
      const expected = { length: content.byteLength, crc: crc32(content) };
      expect(await inflate(chunked(packed))).toEqual(expected);
      expect(await inflate(sourceOf(packed, { sizes: irregular(seed, size), hostile: true }))).toEqual(
        expected,
      );
      const again: Uint8Array[] = [];
      for await (const chunk of gzip(chunked(content))) again.push(copyBytes(chunk));
      expect(equalBytes(concat(again), packed)).toBe(true);
    }),
    { numRuns: 60 },
  );
});

test('[gz.3] what others pack is read, and with anything behind it refused', async () => {
  await fc.assert(
    fc.asyncProperty(
      contents,
      fc.integer({ min: 0, max: 9 }),
      fc.uint8Array({ minLength: 1 }),
      async (content, level, behind) => {
        const packed = gzipSync(content, { level });
        expect(await inflate(chunked(packed))).toEqual({ length: content.byteLength, crc: crc32(content) });
        const { error } = await inflate(chunked(concat([packed, behind])));
        expect(error).toMatch(`GZIP_MALFORMED ${packed.byteLength} bytes follow`);
      },
    ),
    { numRuns: 60 },
  );
});

const GOOD = Uint8Array.from(gzipSync(Uint8Array.from({ length: 5000 }, irregular(7, 30))));

test('[arc.2] [arc.3] a good gzip file with any bytes changed is refused, the same in chunks', async () => {
  await fc.assert(
    fc.asyncProperty(mutated(GOOD), seeds, async (bytes, seed) => {
      const whole = await inflate(chunked(bytes));
      // Only what the header says of time, hint and system may change without being noticed.
      if (!whole.error) expect(equalBytes(bytes.subarray(10), GOOD.subarray(10))).toBe(true);
      expect(await inflate(sourceOf(bytes, { sizes: irregular(seed), hostile: true }))).toEqual(whole);
    }),
    { numRuns: 500 },
  );
});

test('[arc.3] any bytes, with and without the magic, are refused', async () => {
  const magic = fc
    .uint8Array({ maxLength: 200 })
    .map((bytes) => concat([Uint8Array.of(0x1f, 0x8b, 8), bytes]));
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.uint8Array({ maxLength: 200 }), magic), async (bytes) => {
      expect((await inflate(chunked(bytes))).error).toBeDefined();
    }),
    { numRuns: 1000 },
  );
});

test('[gz.3] a good gzip file cut anywhere is refused', async () => {
  for (let length = 0; length < GOOD.byteLength; length += length < 30 ? 1 : 37) {
    const { error } = await inflate(chunked(GOOD.subarray(0, length)));
    expect(error).toMatch(`ARCHIVE_TRUNCATED ${length} `);
  }
});

test('[arc.4] whenever the reader leaves, or the source breaks, nothing is left behind', async () => {
  const packed = gzipSync(Uint8Array.from({ length: 3_000_000 }, irregular(3, 256)));
  await fc.assert(
    fc.asyncProperty(
      fc.nat(packed.byteLength),
      fc.nat(4),
      most.filter((size) => size > 100),
      async (offset, chunks, size) => {
        const error = new Error('broken');
        const source = sourceOf(packed, { sizes: () => size, failAt: { offset, error }, hostile: true });
        let left = chunks;
        try {
          for await (const _ of gunzip(source, DEFAULT_LIMITS)) if (left-- === 0) break;
          expect(source.seen.closed).toBe(true);
        } catch (caught) {
          expect(caught).toBe(error);
        }
      },
    ),
    { numRuns: 60 },
  );
});
