import { createHash, randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { closeSync, openSync, truncateSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ALL_DIGESTS } from '../../../src/crypto/digest.ts';
import type { BundleError } from '../../../src/kit/errors/errors.ts';
import type { HashRange, LaneOptions } from '../../../src/kit/source.ts';
import type { OpenFile } from '../../../src/storage/lanes/hash-ranges.ts';
import { loadLanes } from '../../../src/storage/lanes/lanes.ts';
import { makeSandbox, type Sandbox } from '../../factory/sandbox.ts';

const hashRanges = await loadLanes();

const MIB = 1024 * 1024;

/** What stands in for the next threads that are started; a real one when it is empty. */
const standIns: ((worker: EventEmitter, work: { readonly next: BigInt64Array }) => void)[] = [];
let threads = 0;

vi.mock('node:os', async (original) => ({
  ...(await original<typeof import('node:os')>()),
  availableParallelism: () => 4,
}));
vi.mock('node:worker_threads', async (original) => {
  const real = await original<typeof import('node:worker_threads')>();
  return {
    ...real,
    Worker: function start(program: string, options: { workerData: { next: BigInt64Array } }): unknown {
      threads++;
      const act = standIns.shift();
      if (!act) return new real.Worker(program, options);
      const worker = Object.assign(new EventEmitter(), { terminate: async () => 0 });
      act(worker, options.workerData);
      return worker as unknown as Worker;
    },
  };
});

let sandbox: Sandbox;
let content: Buffer;
let file: OpenFile;
beforeEach(() => {
  threads = 0;
  sandbox = makeSandbox();
  content = randomBytes(5 * MIB + 3);
  const path = sandbox.write('file', content);
  file = { path, descriptor: openSync(path, 'r') };
});
afterEach(() => {
  closeSync(file.descriptor);
  sandbox[Symbol.dispose]();
  standIns.length = 0;
});

const lanes = (threads: number): LaneOptions => ({ limits: { threads, laneBytes: 1 } });
const WHOLE: HashRange = { start: 0, end: 5 * MIB + 3, algorithms: ['sha256'] };

function digestOf(start: number, end: number, algorithm: string): string {
  return createHash(algorithm).update(content.subarray(start, end)).digest('hex');
}

/** The ranges in the one file. */
function placed(ranges: readonly HashRange[]): Parameters<typeof hashRanges>[0] {
  return ranges.map((range) => ({ ...range, ...file }));
}

async function faultOf(
  ranges: readonly HashRange[],
  options: LaneOptions,
): Promise<Pick<BundleError, 'code'>> {
  return hashRanges(placed(ranges), options).then(
    () => expect.unreachable('it was hashed'),
    (error) => error,
  );
}

test('the machine of these tests has four cores', () => expect(availableParallelism()).toBe(4));

describe.each([1, 2, 4])('[lane.1] %d threads', (count) => {
  test('hash ranges, whole and in pieces, as one does that reads them in order', async () => {
    const ranges: readonly HashRange[] = [
      { start: 7, end: 7, algorithms: ['sha256'] },
      { start: 0, end: 100, algorithms: ALL_DIGESTS },
      { ...WHOLE, step: MIB },
      { start: 3, end: 2 * MIB + 3, step: 1000, algorithms: ['sha512', 'sha1'] },
      { ...WHOLE, start: 1, algorithms: ['sha384'] },
      { start: 10, end: 20, step: 100, algorithms: ['sha1'] },
    ];
    const told: number[] = [];
    const hashed = await hashRanges(placed(ranges), {
      ...lanes(count),
      onBytes: (bytes) => told.push(bytes),
    });
    expect(threads).toBe(count - 1);
    expect(hashed.map(({ pieces }) => pieces)).toEqual([1, 1, 6, 2098, 1, 1]);
    for (const [i, { start, end, step = end - start, algorithms }] of ranges.entries()) {
      for (let piece = 0; piece < (hashed[i]?.pieces ?? 0); piece++) {
        const from = start + piece * step;
        for (const algorithm of algorithms) {
          const expected = digestOf(from, Math.min(end, from + step), algorithm);
          expect(hashed[i]?.digest(piece, algorithm)).toBe(expected);
        }
      }
    }
    expect(told.at(-1)).toBe(ranges.reduce((sum, { start, end }) => sum + end - start, 0));
    expect(told).toEqual([...told].sort((a, b) => a - b));
  });
});

describe('[lane.1] threads are started', () => {
  test('for no more pieces than there are, cores that may be used, and bytes that are worth it', async () => {
    const started = async (ranges: readonly HashRange[], limits: LaneOptions['limits']): Promise<number> => {
      threads = 0;
      await hashRanges(placed(ranges), { limits });
      return threads;
    };
    expect(await started([WHOLE], { threads: 9, laneBytes: 1 })).toBe(0);
    expect(await started([WHOLE, WHOLE], { threads: 9, laneBytes: 1 })).toBe(1);
    expect(await started([{ ...WHOLE, step: MIB }], { threads: 9, laneBytes: 1 })).toBe(3);
    expect(await started([{ ...WHOLE, step: MIB }], { threads: 9, laneBytes: 2 * MIB })).toBe(1);
    expect(await started([{ ...WHOLE, step: MIB }], { threads: 1, laneBytes: 1 })).toBe(0);
    expect(await started([], { threads: 9, laneBytes: 1 })).toBe(0);
  });
});

describe('[lane.2] no digest is given', () => {
  const pieces: HashRange = { ...WHOLE, step: MIB };

  test('when a thread dies', async () => {
    standIns.push((worker) => setImmediate(() => worker.emit('error', new Error('out of memory'))));
    expect(await faultOf([pieces], lanes(2))).toMatchObject({ code: 'INTERNAL' });
  });

  test('when a thread ends with another code than 0', async () => {
    standIns.push((worker) => setImmediate(() => worker.emit('exit', 1)));
    expect(await faultOf([pieces], lanes(2))).toMatchObject({ code: 'INTERNAL' });
  });

  test('when a thread has taken a piece and ends without having done it', async () => {
    standIns.push((worker, { next }) => {
      Atomics.add(next, 0, 1n);
      setImmediate(() => worker.emit('exit', 0));
    });
    expect(await faultOf([pieces], lanes(2))).toMatchObject({
      code: 'INTERNAL',
      message: expect.stringContaining('before its work was done'),
    });
  });

  test('when a thread cannot read: the others stop', async () => {
    truncateSync(file.path, 3000 * MIB); // a hole, which takes longer than a thread needs to start
    const gone: HashRange = { start: 4000 * MIB, end: 4000 * MIB + 1, algorithms: ['sha256'] };
    let told = 0;
    const onBytes = (bytes: number): void => {
      told = bytes;
    };
    const long: HashRange = { ...WHOLE, end: 3000 * MIB };
    const fault = await faultOf([long, gone], { ...lanes(2), onBytes });
    expect(fault).toMatchObject({ code: 'FILE_CHANGED', where: { file: file.path } });
    expect(told).toBeLessThan(3000 * MIB);
  });

  test('when the file is shorter than its parts, in one thread', async () => {
    expect(await faultOf([{ ...WHOLE, end: 6 * MIB }], lanes(1))).toMatchObject({ code: 'FILE_CHANGED' });
  });

  test('when it cannot be read, in one thread', async () => {
    const descriptor = openSync(sandbox.folder, 'r');
    await expect(hashRanges([{ ...WHOLE, ...file, descriptor }], lanes(1))).rejects.toMatchObject({
      code: 'FILE_UNREADABLE',
      where: { file: file.path },
    });
    closeSync(descriptor);
  });

  test('when its algorithm is none', async () => {
    const ranges = [WHOLE, WHOLE].map((range) => ({ ...range, algorithms: ['sha0' as 'sha1'] }));
    expect(await faultOf(ranges, lanes(2))).toMatchObject({ code: 'INTERNAL' });
  });
});

describe('[lane.3] an interruption stops all lanes', () => {
  test('before they begin', async () => {
    expect(await faultOf([WHOLE, WHOLE], { ...lanes(2), signal: AbortSignal.abort() })).toMatchObject({
      code: 'INTERRUPTED',
    });
  });

  test.each([1, 2])('on their way, this thread among %d', async (count) => {
    truncateSync(file.path, 3000 * MIB);
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 50);
    const long: HashRange = { ...WHOLE, end: 3000 * MIB };
    const fault = await faultOf([long, long], { ...lanes(count), signal: stop.signal });
    expect(fault).toMatchObject({ code: 'INTERRUPTED' });
  });

  test('when only another thread is still at work', async () => {
    const stop = new AbortController();
    standIns.push((_, { next }) => {
      Atomics.add(next, 0, 1n); // and is never done
      setTimeout(() => stop.abort(), 50);
    });
    expect(await faultOf([WHOLE, WHOLE], { ...lanes(2), signal: stop.signal })).toMatchObject({
      code: 'INTERRUPTED',
    });
  });
});
