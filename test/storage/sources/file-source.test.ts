import { execFileSync, spawn } from 'node:child_process';
import { appendFileSync, mkdirSync, renameSync, truncateSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ByteCursor } from '../../../src/kit/byte-cursor.ts';
import { openFileSource } from '../../../src/storage/sources/file-source.ts';
import { bytesOf, noiseFile } from '../../factory/bundles.ts';
import { makeSandbox } from '../../factory/sandbox.ts';
import { irregular } from '../../factory/streams.ts';

const MIB = 1024 * 1024;
const OPTIONS = { idleMs: 5000 };
const NOISE = noiseFile('noise', 3 * MIB + 5).bytes;

describe('a file', () => {
  test('is read in order, any number of times', async () => {
    using sandbox = makeSandbox();
    await using source = openFileSource(sandbox.write('file', NOISE), OPTIONS);
    expect([source.size, source.repeatable]).toEqual([NOISE.byteLength, true]);
    for (let i = 0; i < 2; i++) expect(Buffer.compare(await bytesOf(source.stream()), NOISE)).toBe(0);
    source.checkUnchanged();
  });

  test('gives chunks that stay until the second pull after them', async () => {
    using sandbox = makeSandbox();
    await using source = openFileSource(sandbox.write('file', NOISE), OPTIONS);
    let before: { at: number; chunk: Uint8Array } | undefined;
    let at = 0;
    for await (const chunk of source.stream()) {
      if (before) expect(Buffer.compare(before.chunk, NOISE.subarray(before.at, before.at + MIB))).toBe(0);
      before = { at, chunk };
      at += chunk.byteLength;
    }
    expect(at).toBe(NOISE.byteLength);
  });

  test('is the same whoever skips, and however far, while the next bytes are being read', async () => {
    using sandbox = makeSandbox();
    const size = 12 * MIB + 77;
    const bytes = noiseFile('long', size).bytes;
    await using source = openFileSource(sandbox.write('file', bytes), OPTIONS);
    const sizes = irregular(5, 2 * MIB);
    for (const every of [1, 2, 3, 5]) {
      const cursor = new ByteCursor(source.stream());
      for (let turn = 0; cursor.offset < size; turn++) {
        if (turn % every === every - 1) await cursor.skip(Math.min(sizes(), size - cursor.offset));
        const from = cursor.offset;
        const part = await cursor.takeSome(sizes());
        if (part) expect(Buffer.compare(part, bytes.subarray(from, from + part.byteLength))).toBe(0);
      }
      expect(await cursor.takeSome(1)).toBeUndefined();
      await cursor.close();
    }
  });

  test('may be left and closed while the next bytes are being read', async () => {
    using sandbox = makeSandbox();
    const path = sandbox.write('file', noiseFile('long', 8 * MIB).bytes);
    for (let chunks = 1; chunks < 6; chunks++) {
      const source = openFileSource(path, OPTIONS);
      let left = chunks;
      for await (const _ of source.stream()) if (--left === 0) break;
      const stream = source.stream()[Symbol.asyncIterator]();
      for (left = chunks; left > 0; left--) await stream.next(); // and nobody says that he leaves
      await source[Symbol.asyncDispose]();
    }
  });

  test('[judge.6] says when it has changed', async () => {
    using sandbox = makeSandbox();
    const path = sandbox.write('file', NOISE);
    for (const change of [() => appendFileSync(path, 'x'), () => truncateSync(path, 5)]) {
      await using source = openFileSource(path, OPTIONS);
      source.checkUnchanged();
      change();
      expect(() => source.checkUnchanged()).toThrow(expect.objectContaining({ code: 'FILE_CHANGED' }));
    }
  });

  test('[judge.6] [stamp.1] is the one that was opened, whatever takes its name', async () => {
    using sandbox = makeSandbox();
    const path = sandbox.write('file', NOISE);
    await using source = openFileSource(path, OPTIONS);
    renameSync(sandbox.write('other', 'other'), path);
    expect((await bytesOf(source.stream())).byteLength).toBe(NOISE.byteLength);
    expect(() => source.checkUnchanged()).toThrow(/another was put in its place/);
  });

  test('[stamp.3] that was closed is neither read nor looked at: its descriptor may be of another file', async () => {
    using sandbox = makeSandbox();
    const source = openFileSource(sandbox.write('file', NOISE), OPTIONS);
    await source[Symbol.asyncDispose]();
    await using other = openFileSource(sandbox.write('other', 'x'), OPTIONS);
    other.checkUnchanged();
    expect(() => source.checkUnchanged()).toThrow(expect.objectContaining({ code: 'USAGE' }));
    await expect(source.parts?.readAt(0, 1)).rejects.toMatchObject({ code: 'USAGE' });
    const all = [{ start: 0, end: 1, algorithms: ['sha256' as const] }];
    const hashing = source.parts?.hash(all, { limits: { threads: 1, laneBytes: 1 } });
    await expect(hashing).rejects.toMatchObject({ code: 'USAGE' });
    expect(() => source.stream()).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });

  test('stops at the word', async () => {
    using sandbox = makeSandbox();
    const stop = new AbortController();
    await using source = openFileSource(sandbox.write('file', NOISE), { ...OPTIONS, signal: stop.signal });
    const reading = (async () => {
      for await (const _ of source.stream()) stop.abort();
    })();
    await expect(reading).rejects.toMatchObject({ code: 'INTERRUPTED' });
  });

  test('is no folder, and is there', () => {
    using sandbox = makeSandbox();
    mkdirSync(sandbox.path('folder'));
    const opening = (name: string) => () => openFileSource(sandbox.path(name), OPTIONS);
    expect(opening('folder')).toThrow(expect.objectContaining({ code: 'FILE_UNREADABLE' }));
    expect(opening('nowhere')).toThrow(expect.objectContaining({ code: 'FILE_NOT_FOUND' }));
  });
});

describe('a named pipe', () => {
  test('is waited for, and read once', async () => {
    using sandbox = makeSandbox();
    execFileSync('mkfifo', [sandbox.path('pipe')]);
    await using source = openFileSource(sandbox.path('pipe'), OPTIONS);
    expect([source.size, source.repeatable]).toEqual([undefined, false]);
    const script = 'sleep 0.2; exec cat "$0" > "$1"';
    spawn('sh', ['-c', script, sandbox.write('file', NOISE), sandbox.path('pipe')], { stdio: 'ignore' });
    expect(Buffer.compare(await bytesOf(source.stream()), NOISE)).toBe(0);
  });

  test('[cli.12] that nobody writes to is given up', async () => {
    using sandbox = makeSandbox();
    execFileSync('mkfifo', [sandbox.path('pipe')]);
    await using source = openFileSource(sandbox.path('pipe'), { idleMs: 100 });
    await expect(bytesOf(source.stream())).rejects.toMatchObject({ code: 'INPUT_STALLED' });
  });
});

test('a device is read like a pipe', async () => {
  await using source = openFileSource('/dev/null', OPTIONS);
  expect([(await bytesOf(source.stream())).byteLength, source.repeatable]).toEqual([0, false]);
});
