import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { isBundleError } from '../../../src/kit/errors/errors.ts';
import type { SourceOptions } from '../../../src/kit/source.ts';
import { Patience } from '../../../src/kit/streams/idle.ts';

beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => vi.useRealTimers());

/** How long after its beginning a source is given up that brings chunks of some bytes, each after some milliseconds. */
async function givenUp(
  options: SourceOptions,
  chunks: Iterable<readonly [afterMs: number, bytes: number]>,
): Promise<readonly [ms: number, message: string] | 'never'> {
  const patience = new Patience(options, 'x');
  const started = performance.now();
  try {
    for (const [afterMs, bytes] of chunks) {
      const waiting = patience.wait(new Promise<void>((done) => setTimeout(done, afterMs)));
      waiting.catch(() => {});
      await vi.advanceTimersByTimeAsync(afterMs + 10);
      await waiting;
      patience.arrived(bytes);
    }
    return 'never';
  } catch (error) {
    if (!isBundleError(error) || error.code !== 'INPUT_STALLED') throw error;
    return [performance.now() - started, error.message];
  }
}

function* endless(afterMs: number, bytes: number): Generator<readonly [number, number]> {
  for (let i = 0; i < 1_000_000; i++) yield [afterMs, bytes];
}

test('[cli.12] [net.4] what brings no byte for the idle time is given up, and what brings one before is not', async () => {
  expect(await givenUp({ idleMs: 1000 }, [[999, 1], [999, 1], [999, 1]])).toBe('never'); // biome-ignore format: one idea
  expect(await givenUp({ idleMs: 1000 }, [[999, 1], [1100, 1]])).toMatchObject([expect.any(Number), 'no byte has arrived for 1 second']); // biome-ignore format: one idea
});

test('[net.4] what brings no payload does not end the idle time, however often it comes', async () => {
  for (const everyMs of [1, 100, 300]) {
    const [ms] = (await givenUp({ idleMs: 1000 }, endless(everyMs, 0))) as [number, string];
    expect(ms).toBeGreaterThanOrEqual(1000);
    expect(ms).toBeLessThan(20_000); // of a clock that only this test moves: each wait is followed by ten idle milliseconds
  }
});

test('[net.5] what drips is given up when a least rate is asked for', async () => {
  const options = { idleMs: 1000, minimumRate: 100 };
  for (const [everyMs, bytes] of [
    [1, 0],
    [5, 0],
    [20, 1],
    [500, 49],
    [900, 1],
  ] as const) {
    // biome-ignore format: one idea
    expect(await givenUp(options, endless(everyMs, bytes)), `${bytes} each ${everyMs}`).not.toBe('never');
  }
  expect(await givenUp({ idleMs: 1000 }, [...endless(20, 1)].slice(0, 500))).toBe('never');
});

test('[net.5] what is fast enough on average is read on, and the time that we take does not count', async () => {
  const options = { idleMs: 1000, minimumRate: 100 };
  const bursts = Array.from({ length: 50 }, (_, i) => [100, i % 5 === 0 ? 60 : 1] as const);
  expect(await givenUp(options, bursts)).toBe('never');
  const patience = new Patience(options, 'x');
  for (let i = 0; i < 10; i++) {
    await patience.wait(Promise.resolve());
    patience.arrived(1);
    await vi.advanceTimersByTimeAsync(100_000); // a slow disk of ours
  }
});

test('[cli.15] an abort ends the waiting, before it and while it lasts', async () => {
  const stop = new AbortController();
  const patience = new Patience({ idleMs: 1000, signal: stop.signal }, 'x');
  const waiting = patience.wait(new Promise(() => {}));
  stop.abort();
  await expect(waiting).rejects.toMatchObject({ code: 'INTERRUPTED' });
  await expect(patience.wait(new Promise(() => {}))).rejects.toMatchObject({ code: 'INTERRUPTED' });
});
