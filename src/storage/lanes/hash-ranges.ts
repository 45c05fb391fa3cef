import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { checkAborted } from '../../kit/bytes.ts';
import { DIGEST_BYTES, type DigestName } from '../../kit/digest-name.ts';
import { BundleError, toBundleError } from '../../kit/errors/errors.ts';
import type { HashedRange, HashRange, LaneOptions } from '../../kit/source.ts';
import { readError } from '../io-errors.ts';

/** An open file that may be hashed in any order. */
export interface OpenFile {
  readonly descriptor: number;
  readonly path: string;
}

/** A range of an open file. */
export type PlacedRange = HashRange & OpenFile;

/** Reads between two looks at signals and timers, a MiB each at most. */
const TURN_READS = 32;
/** Milliseconds between two looks at how far the other threads are. */
const TICK_MS = 100;

/** A number that all lanes count on. */
type Counter = BigInt64Array<SharedArrayBuffer>;

/** A range as the lanes know it: of which open file, the number of its first piece, and where its digests go. */
interface Job extends OpenFile {
  readonly start: number;
  readonly end: number;
  readonly step: number;
  readonly first: number;
  readonly slot: number;
  readonly algorithms: readonly { readonly name: DigestName; readonly bytes: number }[];
}

interface Work {
  readonly jobs: readonly Job[];
  /** the next piece that nobody has begun, the pieces that are done, the bytes that are hashed */
  readonly next: Counter;
  readonly done: Counter;
  readonly hashed: Counter;
  readonly digests: Uint8Array<SharedArrayBuffer>;
}

/**
 * Hashes parts of files, on all cores that may be used: this thread takes one piece after another, and so do others
 * that read the same open descriptors. The longest come first, since what is whole cannot be shared out.
 *
 * A lane that fails, or ends before the work is done, is an error; no digest is given then.
 *
 * @throws {BundleError} `FILE_UNREADABLE`, `FILE_CHANGED` when a file has become shorter, `INTERRUPTED`
 */
export async function hashRanges(
  ranges: readonly PlacedRange[],
  options: Omit<LaneOptions, 'limits'> & { readonly threads: number },
): Promise<readonly HashedRange[]> {
  const { work, pieces, results } = plan(ranges);
  const threads = Math.min(pieces, options.threads);
  await using others = startOthers(work, threads - 1);
  const tell = (): void => options.onBytes?.(read(work.hashed));
  try {
    await takePart(work, { ...options, tell, failure: others.failure });
    await others.ended(options.signal, tell);
  } catch (error) {
    throw faultOf(error, ranges[0]?.path ?? '');
  }
  if (read(work.done) !== pieces) {
    throw new BundleError('INTERNAL', 'a thread that hashes has ended before its work was done');
  }
  tell();
  return results;
}

function plan(ranges: readonly PlacedRange[]): {
  readonly work: Work;
  readonly pieces: number;
  readonly results: readonly HashedRange[];
} {
  const whole = ranges.map((range) => ({
    ...range,
    step: range.step ?? Math.max(1, range.end - range.start),
  }));
  const byLength = [...whole.keys()].sort((a, b) => (whole[b]?.step ?? 0) - (whole[a]?.step ?? 0));
  const jobs = new Map<number, Job>();
  let first = 0;
  let slot = 0;
  for (const i of byLength) {
    const { descriptor, path, start, end, step, algorithms } = whole[i] as (typeof whole)[number];
    const sized = algorithms.map((name) => ({ name, bytes: DIGEST_BYTES[name] }));
    jobs.set(i, { descriptor, path, start, end, step, first, slot, algorithms: sized });
    const pieces = piecesOf({ start, end, step });
    first += pieces;
    slot += pieces * bytesOf(sized);
  }
  const digests = new Uint8Array(new SharedArrayBuffer(slot));
  const work = { jobs: [...jobs.values()], digests };
  return {
    work: { ...work, next: makeCounter(), done: makeCounter(), hashed: makeCounter() },
    pieces: first,
    results: whole.map((_, i) => resultOf(jobs.get(i) as Job, digests)),
  };
}

function makeCounter(): Counter {
  return new BigInt64Array(new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT));
}

function read(counter: Counter): number {
  return Number(Atomics.load(counter, 0));
}

/** A file without bytes has one piece, and a digest. */
function piecesOf({ start, end, step }: Pick<Job, 'start' | 'end' | 'step'>): number {
  return Math.max(1, Math.ceil((end - start) / step));
}

function bytesOf(algorithms: Job['algorithms']): number {
  return algorithms.reduce((sum, { bytes }) => sum + bytes, 0);
}

function resultOf(job: Job, digests: Uint8Array): HashedRange {
  return {
    pieces: piecesOf(job),
    digest: (piece, algorithm) => {
      let at = job.slot + piece * bytesOf(job.algorithms);
      for (const { name, bytes } of job.algorithms) {
        if (name === algorithm) return Buffer.from(digests.subarray(at, at + bytes)).toString('hex');
        at += bytes;
      }
      throw new Error(`no ${algorithm} was computed`);
    },
  };
}

/**
 * What every lane does, a read at a time. Its text is the program of the other threads, so it stands for itself: all it
 * uses is in it, in its argument, or in Node. (A file of its own would have to be found from the sources, in `dist`,
 * and in whatever another program is bundled into.)
 */
function* lane({ jobs, digests, next, done, hashed }: Work): Generator<void, void> {
  const { readSync } = process.getBuiltinModule('node:fs');
  const { createHash } = process.getBuiltinModule('node:crypto');
  const buffer = new Uint8Array(1024 * 1024);
  let at = 0;
  for (;;) {
    const piece = Number(Atomics.add(next, 0, 1n));
    while (at + 1 < jobs.length && piece >= (jobs[at + 1]?.first ?? 0)) at++;
    const job = jobs[at];
    if (!job) return;
    const { descriptor, path, start, end, step, algorithms } = job;
    const index = piece - job.first;
    let position = start + index * step;
    if (index > 0 && position >= end) return; // there are no more
    const stop = Math.min(end, position + step);
    const hashes = algorithms.map(({ name }) => createHash(name));
    while (position < stop) {
      let count = 0;
      try {
        count = readSync(descriptor, buffer, 0, Math.min(buffer.byteLength, stop - position), position);
      } catch (error) {
        throw Object.assign(error as Error, { path });
      }
      if (count === 0)
        throw Object.assign(new Error('the file ends before its part does'), { code: 'EOF', path });
      for (const hash of hashes) hash.update(count < buffer.byteLength ? buffer.subarray(0, count) : buffer);
      position += count;
      Atomics.add(hashed, 0, BigInt(count));
      yield;
    }
    let slot = job.slot + index * algorithms.reduce((sum, { bytes }) => sum + bytes, 0);
    for (const [i, { bytes }] of algorithms.entries()) {
      digests.set(hashes[i]?.digest() ?? [], slot);
      slot += bytes;
    }
    Atomics.add(done, 0, 1n);
  }
}

/** This thread's lane, which looks up now and then. */
async function takePart(
  work: Work,
  options: Omit<LaneOptions, 'limits'> & { readonly tell: () => void; readonly failure: () => unknown },
): Promise<void> {
  let reads = 0;
  checkAborted(options.signal);
  for (const _ of lane(work)) {
    if (++reads % TURN_READS !== 0) continue;
    await setImmediate(); // reading never waits, so without this no signal would ever be seen
    checkAborted(options.signal);
    const failure = options.failure();
    if (failure !== undefined) throw failure;
    options.tell();
  }
}

/** The other threads. Disposing them ends them, and waits for that: the descriptor is closed afterwards. */
interface Others extends AsyncDisposable {
  /** what one of them has died of */
  readonly failure: () => unknown;
  /** Resolves when all have ended by themselves. @throws what one of them has died of, or `INTERRUPTED` */
  ended(signal: AbortSignal | undefined, onTick: () => void): Promise<void>;
}

function startOthers(work: Work, count: number): Others {
  const program = `for (const _ of (${lane})(require('node:worker_threads').workerData));`;
  let failure: unknown;
  const started: { readonly worker: Worker; readonly exited: Promise<void> }[] = [];
  for (let i = 0; i < count; i++) {
    const worker = new Worker(program, { eval: true, workerData: work, execArgv: [], env: {}, stdin: false });
    const exited = new Promise<void>((resolve, reject) => {
      const fail = (error: unknown): void => {
        failure ??= error;
        reject(error);
      };
      worker.once('error', fail);
      worker.once('exit', (code) =>
        code === 0 ? resolve() : fail(new Error(`a thread has ended with ${code}`)),
      );
    });
    exited.catch(() => {}); // it may die while this thread is still at work
    started.push({ worker, exited });
  }
  return {
    failure: () => failure,
    ended: async (signal, onTick) => {
      if (started.length === 0) return;
      const ticks = setInterval(onTick, TICK_MS);
      const stop = new AbortController();
      const stopped = new Promise<never>((_, reject) => {
        const abort = (): void => {
          try {
            checkAborted(signal);
          } catch (error) {
            reject(error);
          }
        };
        signal?.addEventListener('abort', abort, { signal: stop.signal });
        abort();
      });
      try {
        await Promise.race([Promise.all(started.map(({ exited }) => exited)), stopped]);
      } finally {
        clearInterval(ticks);
        stop.abort();
      }
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(started.map(({ worker }) => worker.terminate()));
    },
  };
}

function faultOf(error: unknown, first: string): BundleError {
  const { code, errno, path = first } = error instanceof Error ? (error as NodeJS.ErrnoException) : {};
  if (code === 'EOF') {
    return new BundleError('FILE_CHANGED', 'the file changed while it was read', { where: { file: path } });
  }
  return errno === undefined ? toBundleError(error) : readError(error, path);
}
