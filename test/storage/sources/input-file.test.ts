import { appendFileSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { concat, copyBytes } from '../../../src/kit/bytes.ts';
import { openInputFile, stampOf, WHOLE_BYTES, WholeReader } from '../../../src/storage/sources/input-file.ts';
import { noiseFile } from '../../factory/bundles.ts';
import { makeSandbox } from '../../factory/sandbox.ts';

const MIB = 1024 * 1024;
const NOISE = noiseFile('noise', 5 * MIB + 77).bytes;

describe('a file that is read while the bytes before are used', () => {
  test.each([
    [0, NOISE.byteLength],
    [0, MIB],
    [1, MIB + 1],
    [3 * MIB - 5, 10],
    [5 * MIB, 77],
    [7, 0],
    [9 * MIB, 5],
    [2 * MIB, Number.MAX_SAFE_INTEGER],
  ])('is what it is from %d on, %d bytes', async (start, length) => {
    using sandbox = makeSandbox();
    await using file = await openInputFile(sandbox.write('a', NOISE));
    const parts: Uint8Array[] = [new Uint8Array(0)];
    for await (const chunk of file.part({ start, length })) parts.push(copyBytes(chunk));
    expect(Buffer.compare(concat(parts), NOISE.subarray(start, start + length))).toBe(0);
  });

  test('leaves a chunk as it is until the second pull after it', async () => {
    using sandbox = makeSandbox();
    await using file = await openInputFile(sandbox.write('a', NOISE));
    let before: { chunk: Uint8Array; at: number } | undefined;
    let at = 0;
    for await (const chunk of file.stream()) {
      await new Promise((done) => setTimeout(done, 5)); // by now the next one has been read
      for (const one of [before, { chunk, at }]) {
        if (one) expect(Buffer.compare(one.chunk, NOISE.subarray(one.at, one.at + one.chunk.length))).toBe(0);
      }
      before = { chunk, at };
      at += chunk.byteLength;
    }
    expect(at).toBe(NOISE.byteLength);
  });

  test('may be left, and closed, at any time', async () => {
    using sandbox = makeSandbox();
    const path = sandbox.write('a', NOISE);
    for (let most = 1; most < 7; most++) {
      await using file = await openInputFile(path);
      let chunks = 0;
      for await (const _ of file.stream()) if (++chunks === most) break;
      expect(chunks).toBe(most);
    }
  });

  test('[cli.9] ends when it is told to', async () => {
    using sandbox = makeSandbox();
    await using file = await openInputFile(sandbox.write('a', NOISE));
    const stop = new AbortController();
    const reading = async (): Promise<void> => {
      for await (const _ of file.stream(stop.signal)) stop.abort();
    };
    await expect(reading()).rejects.toMatchObject({ code: 'INTERRUPTED' });
  });

  test('[pack.3] is known to be as it was, or not', async () => {
    using sandbox = makeSandbox();
    const path = sandbox.write('a', NOISE);
    const stamp = stampOf(path);
    await using file = await openInputFile(path);
    file.expectUnchanged(stamp, 'packed');
    for (const change of [
      () => utimesSync(path, 1, 2),
      () => writeFileSync(path, NOISE),
      () => appendFileSync(path, 'x'),
      () => truncateSync(path, 5),
    ]) {
      change();
      expect(() => file.expectUnchanged(stamp, 'packed')).toThrow(/changed while it was packed/);
    }
  });
});

describe('a small file', () => {
  test.each([0, 1, 511, 4096, WHOLE_BYTES - 1, WHOLE_BYTES])('of %d bytes is read whole', async (size) => {
    using sandbox = makeSandbox();
    const path = sandbox.write('a', NOISE.subarray(0, size));
    const bytes = await new WholeReader(undefined).read(path, stampOf(path));
    expect(Buffer.compare(bytes, NOISE.subarray(0, size))).toBe(0);
  });

  test('stays as it is until the second reading after it', async () => {
    using sandbox = makeSandbox();
    const [a, b] = [sandbox.write('a', 'first'), sandbox.write('b', 'other')];
    const reader = new WholeReader(undefined);
    const first = await reader.read(a, stampOf(a));
    const other = await reader.read(b, stampOf(b));
    expect([Buffer.from(first).toString(), Buffer.from(other).toString()]).toEqual(['first', 'other']);
  });

  test.each<[string, (path: string) => void, string]>([
    ['grew', (path) => appendFileSync(path, 'x'), 'FILE_CHANGED'],
    ['shrank', (path) => truncateSync(path, 3), 'FILE_CHANGED'],
    ['was written again', (path) => utimesSync(path, 1, 2), 'FILE_CHANGED'],
    ['was removed', (path) => rmSync(path), 'FILE_NOT_FOUND'],
  ])('[pack.3] that %s since it was looked at is not taken', async (_, change, code) => {
    using sandbox = makeSandbox();
    const path = sandbox.write('a', 'content');
    const stamp = stampOf(path);
    change(path);
    const reading = new WholeReader(undefined).read(path, stamp);
    await expect(reading).rejects.toMatchObject({ code, where: { file: path } });
  });

  test('[cli.9] among thousands: the reader ends when it is told to', async () => {
    using sandbox = makeSandbox();
    const path = sandbox.write('a', 'content');
    const stop = new AbortController();
    const reader = new WholeReader(stop.signal);
    setTimeout(() => stop.abort(), 1);
    const reading = async (): Promise<void> => {
      for (const stamp = stampOf(path); ; ) await reader.read(path, stamp);
    };
    await expect(reading()).rejects.toMatchObject({ code: 'INTERRUPTED' });
  });
});
