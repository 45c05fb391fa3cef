import {
  appendFileSync,
  closeSync,
  copyFileSync,
  openSync,
  renameSync,
  statSync,
  truncateSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isBundleError } from '../../../src/kit/errors/errors.ts';
import { openImage, type VerifiedImage } from '../../../src/operations/verify/open-image.ts';
import type { VerifyOptions } from '../../../src/operations/verify/options.ts';
import { archiveOf } from '../../factory/bundles.ts';
import { codeOfAsync } from '../../factory/errors.ts';
import { resumable } from '../../factory/resuming.ts';
import { makeSandbox, type Sandbox, trusting } from '../../factory/sandbox.ts';

const MIB = 1024 * 1024;
const SIZE = 3 * MIB + 1000;

let sandbox: Sandbox;
let trust: VerifyOptions;
let good: string;
let disk: Uint8Array;
/** where the image lies in the bundle */
let start: number;

beforeAll(async () => {
  sandbox = makeSandbox();
  trust = await trusting(sandbox);
  const made = await resumable(SIZE);
  disk = made.disk.bytes;
  const bytes = await archiveOf(made.members);
  start = Buffer.from(bytes).indexOf(Buffer.from(disk.subarray(0, 64)));
  good = sandbox.write('good.ova', bytes);
}, 120_000);
afterAll(() => sandbox[Symbol.dispose]());

/** Writes other bytes at a place of a file, and puts its modification time back. */
function poke(path: string, at: number): void {
  const { atime, mtime } = statSync(path);
  const descriptor = openSync(path, 'r+');
  writeSync(descriptor, Buffer.alloc(4096, 7), 0, 4096, at);
  closeSync(descriptor);
  utimesSync(path, atime, mtime);
}

/** What may become of a file while it is read. */
const CHANGES: Readonly<Record<string, (path: string) => void>> = {
  'written to at its front': (path) => poke(path, 0),
  'written to in the image': (path) => poke(path, start + MIB),
  'written to behind the image': (path) => poke(path, statSync(path).size - 8192),
  'cut at nothing': (path) => truncateSync(path, 0),
  'cut in the image': (path) => truncateSync(path, start + MIB + 5),
  'cut by one block': (path) => truncateSync(path, statSync(path).size - 512),
  'made longer': (path) => appendFileSync(path, Buffer.alloc(10_240)),
  replaced: (path) => {
    copyFileSync(good, `${path}.new`);
    poke(`${path}.new`, start);
    renameSync(`${path}.new`, path);
  },
};

/** Reads all of an image in steps of odd sizes: each is what was signed, or the file has changed. */
async function readOut(image: VerifiedImage): Promise<'whole' | 'changed'> {
  let changed = false;
  for (const offset of [0, MIB - 1, MIB, 2 * MIB + 17, 3 * MIB, SIZE - 1, 5]) {
    try {
      const bytes = await image.read(offset, MIB / 2);
      const wanted = disk.subarray(offset, Math.min(SIZE, offset + MIB / 2));
      expect(Buffer.compare(bytes, wanted), `bytes from ${offset}`).toBe(0);
    } catch (error) {
      expect(isBundleError(error) && error.code, `an error at ${offset}: ${error}`).toBe('FILE_CHANGED');
      changed = true;
    }
  }
  return changed ? 'changed' : 'whole';
}

async function copy(): Promise<string> {
  const path = sandbox.path('image.ova');
  copyFileSync(good, path);
  return path;
}

/** How many times it is told how far the opening has come. */
async function countProgress(): Promise<number> {
  let count = 0;
  const options = { ...trust, onProgress: () => void count++ };
  await using image = await openImage(good, 'disk.img', options);
  expect(await readOut(image)).toBe('whole');
  return count;
}

describe('[blocks.11] [stamp.3] a part of an image, of a file that is', () => {
  test.each(Object.entries(CHANGES))('%s at each step of the opening, or after it', async (_, change) => {
    const steps = await countProgress();
    expect(steps).toBeGreaterThan(1);
    for (let step = 1; step <= steps + 1; step++) {
      const path = await copy();
      let count = 0;
      const onProgress = (): void => {
        if (++count === step) change(path);
      };
      try {
        await using image = await openImage(path, 'disk.img', { ...trust, onProgress });
        if (step > steps) change(path);
        await readOut(image);
      } catch (error) {
        expect([step, isBundleError(error) && error.code]).toEqual([step, 'FILE_CHANGED']);
      }
    }
  });
});

test('[blocks.11] the opening, and each reading, is ended by the signal at any step, and by closing', async () => {
  const steps = await countProgress();
  for (let step = 0; step <= steps; step++) {
    const stop = new AbortController();
    let count = 0;
    const onProgress = (): void => {
      if (++count === step) stop.abort();
    };
    if (step === 0) stop.abort();
    const opened = openImage(good, 'disk.img', { ...trust, onProgress, signal: stop.signal });
    // a small bundle may have been read by then; what is read of it afterwards is not
    const read = opened.then(async (image) => {
      await using open = image;
      return open.read(0, 10);
    });
    expect([step, await codeOfAsync(read)]).toEqual([step, 'INTERRUPTED']);
  }
  const stop = new AbortController();
  const image = await openImage(good, 'disk.img', { ...trust, signal: stop.signal });
  await image.read(0, 10);
  stop.abort();
  expect(await codeOfAsync(image.read(0, 10))).toBe('INTERRUPTED'); // of the block that is at hand, too
  await image[Symbol.asyncDispose]();
  const closed = await openImage(good, 'disk.img', trust);
  await closed.read(0, 10);
  const under = closed.read(MIB, 2 * MIB);
  await closed[Symbol.asyncDispose]();
  await closed[Symbol.asyncDispose]();
  expect(await codeOfAsync(closed.read(0, 10))).toBe('USAGE');
  expect(
    await under.then(
      ({ byteLength }) => byteLength,
      ({ code }) => code,
    ),
  ).toSatisfy((end) => end === 2 * MIB || end === 'USAGE');
});
