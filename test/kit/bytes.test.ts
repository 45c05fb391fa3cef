import { describe, expect, it, test } from 'vitest';
import { checkAborted, collect, concat, copyBytes, equalBytes, isZero, once } from '../../src/kit/bytes.ts';
import { BundleError } from '../../src/kit/errors/errors.ts';
import { codeOf } from '../factory/errors.ts';
import { sourceOf, waysIn } from '../factory/streams.ts';

const BYTES = Uint8Array.from({ length: 3000 }, (_, i) => i % 251);
const tooMuch = () => new BundleError('ARCHIVE_LIMIT', 'too much');

describe('collect', () => {
  test.each(waysIn(BYTES))('[arc.2] gives all bytes: %s', async (_, source) => {
    expect(await collect(source(), 3000, tooMuch)).toEqual(BYTES);
  });

  test.each(waysIn(BYTES))(
    '[arc.4] stops at the first byte over the limit and closes the source: %s',
    async (_, source) => {
      const input = source();
      await expect(collect(input, 2999, tooMuch)).rejects.toThrow('too much');
      expect(input.seen.closed).toBe(true);
    },
  );

  it('[arc.4] passes an error of the source on as it is', async () => {
    const error = new Error('broken');
    const source = sourceOf(BYTES, { sizes: () => 100, failAt: { offset: 200, error } });
    await expect(collect(source, 3000, tooMuch)).rejects.toBe(error);
  });

  it('gives nothing of an empty stream', async () => {
    expect(await collect(once(new Uint8Array(0)), 0, tooMuch)).toEqual(new Uint8Array(0));
  });
});

it('copies bytes, of a Buffer too', () => {
  const buffer = Buffer.from([1, 2, 3]);
  const copy = copyBytes(buffer);
  buffer.fill(0);
  expect(copy).toEqual(Uint8Array.of(1, 2, 3));
});

it('joins parts', () => {
  expect(concat([])).toEqual(new Uint8Array(0));
  expect(concat([Uint8Array.of(1)])).toEqual(Uint8Array.of(1));
  expect(concat([Uint8Array.of(1), new Uint8Array(0), Uint8Array.of(2, 3)])).toEqual(Uint8Array.of(1, 2, 3));
});

it('compares bytes', () => {
  expect(equalBytes(Uint8Array.of(1, 2), Buffer.from([1, 2]))).toBe(true);
  expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 3))).toBe(false);
  expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1))).toBe(false);
  expect(equalBytes(Uint8Array.of(1), Uint8Array.of(1, 2))).toBe(false);
  expect(equalBytes(new Uint8Array(0), new Uint8Array(0))).toBe(true);
});

it('knows zeros', () => {
  expect(isZero(new Uint8Array(0))).toBe(true);
  expect(isZero(new Uint8Array(100))).toBe(true);
  expect(isZero(new Uint8Array(100).fill(1, 99))).toBe(false);
});

it('finds every byte that is not zero, wherever the bytes lie in their buffer', () => {
  for (let start = 0; start < 8; start++) {
    for (let length = 0; length < 20; length++) {
      const memory = new Uint8Array(32).fill(1); // what lies around is of no account
      const bytes = memory.subarray(start, start + length).fill(0);
      expect(isZero(bytes), `${length} bytes from ${start}`).toBe(true);
      for (let i = 0; i < length; i++) {
        bytes[i] = 1;
        expect(isZero(bytes), `${length} bytes from ${start}, byte ${i}`).toBe(false);
        bytes[i] = 0;
      }
    }
  }
});

it('makes a stream of one chunk, and none of no bytes', async () => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of once(BYTES)) chunks.push(chunk);
  for await (const chunk of once(new Uint8Array(0))) chunks.push(chunk);
  expect(chunks).toEqual([BYTES]);
});

it('[arc.4] knows a signal that has fired, and its reason', () => {
  const abort = new AbortController();
  expect(codeOf(() => checkAborted(undefined))).toBeUndefined();
  expect(codeOf(() => checkAborted(abort.signal))).toBeUndefined();
  abort.abort();
  expect(codeOf(() => checkAborted(abort.signal))).toBe('INTERRUPTED');
  expect(codeOf(() => checkAborted(AbortSignal.abort('x')))).toBe('INTERRUPTED');
  expect(codeOf(() => checkAborted(AbortSignal.abort(new BundleError('TERMINATED', 'x'))))).toBe(
    'TERMINATED',
  );
});
