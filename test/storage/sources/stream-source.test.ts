import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { openSource } from '../../../src/storage/sources/open-source.ts';
import { bytesOf, noiseFile } from '../../factory/bundles.ts';
import { chunked } from '../../factory/streams.ts';

const OPTIONS = { idleMs: 1000 };
const NOISE = noiseFile('noise', 100_000).bytes;

describe('a stream of the caller', () => {
  test('is read whole, one of node too', async () => {
    for (const stream of [chunked(NOISE, 1000), Readable.from([Buffer.from(NOISE)])]) {
      await using source = await openSource(stream, OPTIONS);
      expect(source).toMatchObject({ name: '(stream)', repeatable: false });
      expect(Buffer.compare(await bytesOf(source.stream()), NOISE)).toBe(0);
    }
  });

  test('may use one buffer for everything, and give nothing at times', async () => {
    async function* reusing(): AsyncGenerator<Uint8Array, void> {
      const buffer = new Uint8Array(1000);
      for (let at = 0; at < NOISE.byteLength; at += 1000) {
        buffer.set(NOISE.subarray(at, at + 1000));
        yield buffer;
        buffer.fill(0xee);
        yield new Uint8Array(0);
      }
    }
    await using source = await openSource(reusing(), OPTIONS);
    const kept: Uint8Array[] = [];
    for await (const chunk of source.stream()) kept.push(chunk);
    expect(Buffer.compare(Buffer.concat(kept), NOISE)).toBe(0);
  });

  test('gives bytes, and nothing else', async () => {
    for (const stream of [Readable.from(['text']), Readable.from([[1, 2, 3]])]) {
      await using source = await openSource(stream, OPTIONS);
      await expect(bytesOf(source.stream())).rejects.toMatchObject({ code: 'USAGE' });
    }
  });

  test('that fails says so in its own words', async () => {
    const failing = Readable.from(
      (async function* () {
        yield Buffer.from('x');
        throw new Error('the line is cut');
      })(),
    );
    await using source = await openSource(failing, OPTIONS);
    const reading = bytesOf(source.stream());
    await expect(reading).rejects.toMatchObject({
      code: 'FILE_UNREADABLE',
      message: expect.stringContaining('the line is cut'),
    });
  });

  test('is closed by whoever stops reading', async () => {
    const stream = chunked(NOISE, 10);
    await using source = await openSource(stream, OPTIONS);
    for await (const _ of source.stream()) break;
    expect(stream.seen).toMatchObject({ closed: true, pulls: 1 });
  });

  test.each([
    ['stalls', () => ({ idleMs: 100 }), 'INPUT_STALLED'],
    ['is interrupted', () => ({ idleMs: 600_000, signal: AbortSignal.timeout(100) }), 'INTERRUPTED'],
  ])('that %s does not hold its reader, and closes when it wakes', async (_, optionsOf, code) => {
    let closed = false;
    let wake = (): void => {};
    const woken = new Promise<void>((done) => {
      wake = done;
    });
    async function* waiting(): AsyncGenerator<Uint8Array, void> {
      try {
        yield Uint8Array.of(1);
        await woken;
        yield Uint8Array.of(2);
      } finally {
        closed = true;
      }
    }
    await using source = await openSource(waiting(), optionsOf());
    await expect(bytesOf(source.stream())).rejects.toMatchObject({ code });
    expect(closed).toBe(false);
    wake();
    await expect.poll(() => closed, { timeout: 60_000 }).toBe(true);
  });

  test('is not begun after the word to stop', async () => {
    const stream = chunked(NOISE);
    await using source = await openSource(stream, { ...OPTIONS, signal: AbortSignal.abort() });
    await expect(bytesOf(source.stream())).rejects.toMatchObject({ code: 'INTERRUPTED' });
    expect(stream.seen.pulls).toBeLessThanOrEqual(1);
  });
});
