import {
  closeSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { FileWriter } from '../../../src/storage/output/file-writer.ts';
import { writeWholeFile } from '../../../src/storage/output/whole-file.ts';
import { noiseFile } from '../../factory/bundles.ts';
import { makeSandbox, type Sandbox } from '../../factory/sandbox.ts';
import { irregular } from '../../factory/streams.ts';

const MIB = 1024 * 1024;
const NOISE = noiseFile('noise', 3 * MIB).bytes;

/** Where Linux lists the open files of a process. */
const OPEN_FILES = '/proc/self/fd';
if (!existsSync(OPEN_FILES)) console.warn(`SKIPPED: without ${OPEN_FILES}, nobody sees what is left open`);

function isOpen(path: string): boolean {
  return readdirSync(OPEN_FILES).some((name) => {
    const link = join(OPEN_FILES, name);
    return lstatSync(link, { throwIfNoEntry: false }) !== undefined && readlinkSync(link) === path;
  });
}

afterEach(() => vi.restoreAllMocks());

/** Puts something in place of a method that every open file has. */
async function instead(
  sandbox: Sandbox,
  method: 'write' | 'sync' | 'datasync',
  act: (real: () => Promise<unknown>) => Promise<unknown>,
): Promise<void> {
  await using handle = await open(sandbox.write('any', ''));
  const prototype = Object.getPrototypeOf(handle) as FileHandle;
  const real = prototype[method] as (...args: unknown[]) => Promise<unknown>;
  vi.spyOn(prototype, method).mockImplementation(function (this: unknown, ...args: unknown[]) {
    return act(() => real.apply(this, args)) as never;
  });
}

/** Writes chunks, each overwritten as soon as the writer may no longer need it. */
async function writeLent(writer: FileWriter, bytes: Uint8Array, sizes: () => number): Promise<void> {
  let before: Uint8Array | undefined;
  for (let at = 0; at < bytes.byteLength; ) {
    const chunk = bytes.slice(at, at + sizes());
    at += chunk.byteLength;
    await writer.write(chunk);
    before?.fill(0xee);
    before = chunk;
  }
  await writer.finish();
}

function sequence(...sizes: readonly number[]): () => number {
  let turn = 0;
  return () => sizes[turn++ % sizes.length] ?? 1;
}

describe('what is written', () => {
  test.each<[string, () => number]>([
    ['in one piece', () => NOISE.byteLength],
    ['in large chunks', () => 300_000],
    ['in small chunks', () => 1000],
    ['in chunks of a quarter MiB', () => MIB / 4],
    ['in large and small chunks by turns', sequence(500_000, 10)],
    ['in small and large chunks by turns', sequence(10, 262_143, 262_144, 1)],
    ['in chunks of all sizes', irregular(7, 400_000)],
  ])('is what was given, on a slow disk too: %s', async (_, sizes) => {
    using sandbox = makeSandbox();
    await instead(sandbox, 'write', async (real) => {
      await setTimeout(5);
      return real();
    });
    const writer = await FileWriter.create(sandbox.path('out'), 0o600);
    await writeLent(writer, NOISE, sizes);
    expect(Buffer.compare(readFileSync(sandbox.path('out')), NOISE)).toBe(0);
  });

  test('is given to the disk on the way, by 64 MiB and one at a time', async () => {
    using sandbox = makeSandbox();
    const seen = { synced: 0, atOnce: 0, most: 0 };
    await instead(sandbox, 'datasync', async (real) => {
      seen.synced++;
      seen.most = Math.max(seen.most, ++seen.atOnce);
      await real();
      seen.atOnce--;
    });
    const writer = await FileWriter.create(sandbox.path('out'), 0o600);
    for (let i = 0; i < 200; i++) await writer.write(NOISE.subarray(0, MIB));
    await writer.finish();
    expect(statSync(sandbox.path('out')).size).toBe(200 * MIB);
    expect([seen.synced > 0, seen.synced <= 3, seen.most, seen.atOnce]).toEqual([true, true, 1, 0]);
  });

  test('is whole when the system takes less than it is given', async () => {
    using sandbox = makeSandbox();
    const bytes = NOISE.subarray(0, MIB);
    await using handle = await open(sandbox.write('any', ''));
    const prototype = Object.getPrototypeOf(handle) as FileHandle;
    const real = prototype.write as (
      ...args: unknown[]
    ) => Promise<{ bytesWritten: number; buffer: Uint8Array }>;
    vi.spyOn(prototype, 'write').mockImplementation(function (this: unknown, ...args: unknown[]) {
      const [buffer, at, length, position] = args as [Uint8Array, number, number, number];
      return real.call(this, buffer, at, Math.min(length, 100_001), position) as never;
    });
    const writer = await FileWriter.create(sandbox.path('out'), 0o600);
    await writer.write(bytes);
    await writer.finish();
    expect(Buffer.compare(readFileSync(sandbox.path('out')), bytes)).toBe(0);
  });

  test.each([0, 1, 4095, 4096, 4097, MIB, 5 * MIB + 1])(
    'has holes for %i zeros, and its size',
    async (size) => {
      using sandbox = makeSandbox();
      for (const pieces of new Set([Math.max(1, size), 65_536, MIB])) {
        const path = sandbox.path(`out-${pieces}`);
        const writer = await FileWriter.create(path, 0o600);
        for (let at = 0; at < size; at += pieces)
          await writer.write(new Uint8Array(Math.min(pieces, size - at)));
        await writer.write(Uint8Array.of(1));
        for (let at = 0; at < size; at += pieces)
          await writer.write(new Uint8Array(Math.min(pieces, size - at)));
        await writer.finish();
        const found = readFileSync(path);
        expect([found.length, found.findIndex((byte) => byte !== 0), found[size]]).toEqual([
          2 * size + 1,
          size,
          1,
        ]);
        if (pieces <= MIB) expect(statSync(path).blocks * 512).toBeLessThan(MIB);
      }
    },
  );
});

describe('zeros among other bytes', () => {
  const KIB = 1024;
  /** 8 MiB: noise of 100 KiB now and then, some of it not where a block begins, and zeros between. */
  const mixed = new Uint8Array(8 * MIB);
  for (const at of [0, 700 * KIB + 17, 3 * MIB, 5 * MIB - 50 * KIB])
    mixed.set(NOISE.subarray(0, 100 * KIB), at);

  test.each<[string, () => number]>([
    ['in one piece', () => mixed.byteLength],
    ['in chunks of 1 MiB', () => MIB],
    ['in chunks of a disk that begins behind a header', sequence(MIB - 1536, MIB)],
    ['in the pieces of a pipe', () => 64 * KIB],
    ['in pieces of all sizes', irregular(11, 300_000)],
  ])('become holes, and the file is the same: %s', async (_, sizes) => {
    using sandbox = makeSandbox();
    const writer = await FileWriter.create(sandbox.path('out'), 0o600);
    await writeLent(writer, mixed, sizes);
    expect(Buffer.compare(readFileSync(sandbox.path('out')), mixed)).toBe(0);
    // Each of the four may take up to two blocks of 64 KiB more than it has.
    expect(statSync(sandbox.path('out')).blocks * 512).toBeLessThan(4 * 230 * KIB);
  });

  test('become holes of a small file, too', () => {
    using sandbox = makeSandbox();
    for (const [i, size] of [0, 1, 4096, 65_536, 65_537, 300_000, MIB].entries()) {
      for (const end of [0, 5]) {
        const content = new Uint8Array(size);
        content.fill(7, Math.max(0, size - end));
        const path = sandbox.path(`small-${i}-${end}`);
        closeSync(writeWholeFile(path, 0o600, content));
        expect(Buffer.compare(readFileSync(path), content)).toBe(0);
        expect(statSync(path).blocks * 512).toBeLessThanOrEqual(80 * KIB);
      }
    }
  });
});

describe('what goes wrong', () => {
  test('is told by the call after it, and by the end', async () => {
    for (const last of ['write', 'finish'] as const) {
      using sandbox = makeSandbox();
      await instead(sandbox, 'write', async () => {
        throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
      });
      const writer = await FileWriter.create(sandbox.path('out'), 0o600, 'disk.img');
      await writer.write(NOISE);
      const next = last === 'write' ? writer.write(NOISE) : writer.finish();
      await expect(next).rejects.toMatchObject({ code: 'STORAGE_FULL', where: { file: 'disk.img' } });
      await writer.discard();
      vi.restoreAllMocks();
    }
  });

  test.skipIf(!existsSync(OPEN_FILES))('closes the file all the same', async () => {
    using sandbox = makeSandbox();
    await instead(sandbox, 'sync', async () => {
      throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO' });
    });
    const writer = await FileWriter.create(sandbox.path('out'), 0o600);
    expect(isOpen(sandbox.path('out'))).toBe(true);
    await writer.write(NOISE);
    await expect(writer.finish()).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    expect(isOpen(sandbox.path('out'))).toBe(false);
    await writer.discard();
  });

  test.skipIf(!existsSync(OPEN_FILES))('is told in the end when the disk told it on the way', async () => {
    const piece = NOISE.subarray(0, MIB);
    for (const last of ['finish', 'discard'] as const) {
      using sandbox = makeSandbox();
      let synced = 0;
      await instead(sandbox, 'datasync', async () => {
        synced++;
        await setTimeout(20);
        throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO' });
      });
      const writer = await FileWriter.create(sandbox.path('out'), 0o600, 'disk.img');
      for (let i = 0; i < 70; i++) await writer.write(piece);
      if (last === 'discard') await writer.discard();
      else await expect(writer.finish()).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
      expect([synced, isOpen(sandbox.path('out'))]).toEqual([1, false]);
      vi.restoreAllMocks();
    }
  });

  test('is a file that is there already, or a link', async () => {
    using sandbox = makeSandbox();
    sandbox.write('there', 'mine');
    symlinkSync(sandbox.path('there'), sandbox.path('link'));
    for (const name of ['there', 'link']) {
      const creating = FileWriter.create(sandbox.path(name), 0o600);
      await expect(creating).rejects.toMatchObject({ code: 'DESTINATION_EXISTS' });
    }
    const nowhere = FileWriter.create(sandbox.path('no/where'), 0o600);
    await expect(nowhere).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    expect(readFileSync(sandbox.path('there'), 'utf8')).toBe('mine');
  });
});
