import { createDeflateRaw, createInflateRaw, deflateRawSync, inflateRawSync } from 'node:zlib';
import { expect, it, test } from 'vitest';
import { ENGINE_OPTIONS, SLICE_BYTES, throughZlib } from '../../../src/archive/deflate/zlib-stream.ts';
import { ByteCursor } from '../../../src/kit/byte-cursor.ts';
import { concat, copyBytes, equalBytes } from '../../../src/kit/bytes.ts';
import { chunked, irregular, sourceOf, waysIn } from '../../factory/streams.ts';

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
  const { bytes, rest } = await drain(
    throughZlib(createInflateRaw(ENGINE_OPTIONS), new ByteCursor(source())),
  );
  expect(equalBytes(bytes, CONTENT)).toBe(true);
  expect(rest.byteLength).toBe(0);
});

it.each([1, 8, 1000, SLICE_BYTES, 3 * SLICE_BYTES])(
  'gives back what lies behind the end: %d bytes',
  async (length) => {
    const behind = Uint8Array.from({ length }, irregular(length, 256));
    const cursor = new ByteCursor(chunked(concat([DEFLATED, behind]), 100_000));
    const engine = createInflateRaw(ENGINE_OPTIONS);
    const { bytes, rest } = await drain(throughZlib(engine, cursor));
    expect(equalBytes(bytes, CONTENT)).toBe(true);
    expect(engine.bytesWritten).toBe(DEFLATED.byteLength);
    expect(cursor.offset).toBe(DEFLATED.byteLength + rest.byteLength);
    expect(equalBytes(rest, behind.subarray(0, rest.byteLength))).toBe(true);
    expect(rest.byteLength).toBeGreaterThan(0);
  },
);

it('[arc.2] shows every byte to the watcher, in slices of one size', async () => {
  const content = new Uint8Array(3 * SLICE_BYTES + 5).fill(7);
  const slices: number[] = [];
  const cursor = new ByteCursor(sourceOf(content, { sizes: irregular(3, 10_000), hostile: true }));
  const stream = throughZlib(createDeflateRaw(ENGINE_OPTIONS), cursor, (slice) =>
    slices.push(slice.byteLength),
  );
  const { bytes } = await drain(stream);
  expect(equalBytes(inflateRawSync(bytes), content)).toBe(true);
  expect(slices).toEqual([SLICE_BYTES, SLICE_BYTES, SLICE_BYTES, 5]);
});

it('[arc.4] closes the engine when it is left early, and leaves the cursor to its owner', async () => {
  const engine = createInflateRaw(ENGINE_OPTIONS);
  const source = chunked(DEFLATED, 100);
  for await (const _ of throughZlib(engine, new ByteCursor(source))) break;
  expect(engine.destroyed).toBe(true);
  expect(source.seen.closed).toBe(false);
});

it('[arc.4] closes the engine when the reader throws while the source is still asked', async () => {
  const engine = createDeflateRaw({ ...ENGINE_OPTIONS, level: 0 });
  const noise = Uint8Array.from({ length: 2 * SLICE_BYTES }, irregular(5, 256));
  let late: (() => void) | undefined;
  async function* slow(): AsyncGenerator<Uint8Array, void> {
    yield noise;
    await new Promise<void>((resolve) => {
      late = resolve;
    });
    throw new Error('too late for anybody');
  }
  const stream = throughZlib(engine, new ByteCursor(slow()));
  await stream.next();
  const left = stream.return(new Uint8Array(0));
  for (let i = 0; i < 100 && !late; i++) await new Promise((resolve) => setTimeout(resolve, 5));
  late?.();
  await left;
  expect(engine.destroyed).toBe(true);
});

it('[arc.4] passes an error of the source on, and closes the engine', async () => {
  for (const error of [new Error('broken'), Object.assign(new Error('Z'), { code: 'EIO' })]) {
    const engine = createInflateRaw(ENGINE_OPTIONS);
    const source = sourceOf(DEFLATED, { sizes: () => 1000, failAt: { offset: 3000, error } });
    await expect(drain(throughZlib(engine, new ByteCursor(source)))).rejects.toBe(error);
    expect(engine.destroyed).toBe(true);
  }
});

it('[arc.4] passes on what a source throws that is no error, and what the watcher throws', async () => {
  const odd = { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject('a text') }) };
  await expect(drain(throughZlib(createInflateRaw(ENGINE_OPTIONS), new ByteCursor(odd)))).rejects.toThrow(
    'a text',
  );
  const watcher = () => {
    throw new Error('of the watcher');
  };
  const cursor = new ByteCursor(chunked(DEFLATED));
  await expect(drain(throughZlib(createInflateRaw(ENGINE_OPTIONS), cursor, watcher))).rejects.toThrow(
    'of the watcher',
  );
});

it('[arc.4] passes an error of the engine on', async () => {
  const cursor = new ByteCursor(chunked(new Uint8Array(100).fill(0xff)));
  await expect(drain(throughZlib(createInflateRaw(ENGINE_OPTIONS), cursor))).rejects.toMatchObject({
    code: 'Z_DATA_ERROR',
  });
});
