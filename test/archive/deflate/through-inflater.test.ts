import { createDeflateRaw, deflateRawSync, type InflateRaw } from 'node:zlib';
import { expect, it, test } from 'vitest';
import { SLICE_BYTES, throughInflater } from '../../../src/archive/deflate/through-inflater.ts';
import { engine } from '../../../src/engine/node/engine.ts';
import { ByteCursor } from '../../../src/kit/byte-cursor.ts';
import { concat, copyBytes, equalBytes } from '../../../src/kit/bytes.ts';
import { CHUNK_BYTES } from '../../../src/kit/limits.ts';
import { chunked, irregular, sourceOf, waysIn } from '../../factory/streams.ts';

const openInflater = () => engine.openInflater() as InflateRaw;

const CONTENT = Uint8Array.from({ length: 50_000 }, irregular(9, 100));
const DEFLATED = Uint8Array.from(deflateRawSync(CONTENT));

async function drain(
  stream: AsyncGenerator<Uint8Array, Uint8Array>,
): Promise<{ bytes: Uint8Array; rest: Uint8Array }> {
  const parts: Uint8Array[] = [];
  for (;;) {
    const next = await stream.next();
    if (next.done) return { bytes: concat(parts), rest: copyBytes(next.value) };
    parts.push(copyBytes(next.value));
  }
}

test.each(waysIn(DEFLATED))('[arc.2] inflates: %s', async (_, source) => {
  const { bytes, rest } = await drain(throughInflater(openInflater(), new ByteCursor(source())));
  expect(equalBytes(bytes, CONTENT)).toBe(true);
  expect(rest.byteLength).toBe(0);
});

it.each([1, 8, 1000, SLICE_BYTES, 3 * SLICE_BYTES])(
  'gives back what lies behind the end: %d bytes',
  async (length) => {
    const behind = Uint8Array.from({ length }, irregular(length, 256));
    const cursor = new ByteCursor(chunked(concat([DEFLATED, behind]), 100_000));
    const engine = openInflater();
    const { bytes, rest } = await drain(throughInflater(engine, cursor));
    expect(equalBytes(bytes, CONTENT)).toBe(true);
    expect(engine.bytesWritten).toBe(DEFLATED.byteLength);
    expect(cursor.offset).toBe(DEFLATED.byteLength + rest.byteLength);
    expect(equalBytes(rest, behind.subarray(0, rest.byteLength))).toBe(true);
    expect(rest.byteLength).toBeGreaterThan(0);
  },
);

it('[arc.4] closes the engine when it is left early, and leaves the cursor to its owner', async () => {
  const engine = openInflater();
  const source = chunked(DEFLATED, 100);
  for await (const _ of throughInflater(engine, new ByteCursor(source))) break;
  expect(engine.destroyed).toBe(true);
  expect(source.seen.closed).toBe(false);
});

it('[arc.4] closes the engine when the reader throws while the source is still asked', async () => {
  const engine = createDeflateRaw({ chunkSize: CHUNK_BYTES, level: 0 });
  const noise = Uint8Array.from({ length: 2 * SLICE_BYTES }, irregular(5, 256));
  let late: (() => void) | undefined;
  async function* slow(): AsyncGenerator<Uint8Array, void> {
    yield noise;
    await new Promise<void>((resolve) => {
      late = resolve;
    });
    throw new Error('too late for anybody');
  }
  const stream = throughInflater(engine, new ByteCursor(slow()));
  await stream.next();
  const left = stream.return(new Uint8Array(0));
  for (let i = 0; i < 100 && !late; i++) await new Promise((resolve) => setTimeout(resolve, 5));
  late?.();
  await left;
  expect(engine.destroyed).toBe(true);
});

it('[arc.4] passes an error of the source on, and closes the engine', async () => {
  for (const error of [new Error('broken'), Object.assign(new Error('Z'), { code: 'EIO' })]) {
    const engine = openInflater();
    const source = sourceOf(DEFLATED, { sizes: () => 1000, failAt: { offset: 3000, error } });
    await expect(drain(throughInflater(engine, new ByteCursor(source)))).rejects.toBe(error);
    expect(engine.destroyed).toBe(true);
  }
});

it('[arc.4] passes on what a source throws that is no error', async () => {
  const odd = { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject('a text') }) };
  await expect(drain(throughInflater(openInflater(), new ByteCursor(odd)))).rejects.toThrow('a text');
});

it('[arc.4] passes an error of the engine on', async () => {
  const cursor = new ByteCursor(chunked(new Uint8Array(100).fill(0xff)));
  await expect(drain(throughInflater(openInflater(), cursor))).rejects.toMatchObject({
    code: 'Z_DATA_ERROR',
  });
});
