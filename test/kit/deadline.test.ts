import { expect, test } from 'vitest';
import { unlessAborted } from '../../src/kit/deadline.ts';

test('[cli.9] a signal that fires as it is looked at ends the work once, and nothing is rejected that nobody awaits', async () => {
  const stop = new AbortController();
  const fires = Object.defineProperty(stop.signal, 'aborted', {
    get: () => {
      stop.abort();
      return true;
    },
  });
  const rejected: unknown[] = [];
  const note = (reason: unknown): void => void rejected.push(reason);
  process.on('unhandledRejection', note);
  await expect(unlessAborted(new Promise(() => {}), fires)).rejects.toMatchObject({ code: 'INTERRUPTED' });
  await new Promise(setImmediate);
  process.off('unhandledRejection', note);
  expect(rejected).toEqual([]);
});
