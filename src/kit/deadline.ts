import { checkAborted } from './bytes.ts';
import { counted } from './encoding.ts';
import type { Advised } from './errors/advice.ts';
import { BundleError } from './errors/errors.ts';
import { TIMER_MS } from './limits.ts';

/** A signal that fires at the caller's word, or when the time is over; dispose it when the work is done. */
export interface Deadline extends Disposable {
  readonly signal?: AbortSignal;
  /** Looks at both before what is done counts: after long work no timer may have had its turn yet. [cli.15] @throws the signal's reason */
  expectInTime(): void;
}

/**
 * The caller's signal and an end to all waiting, together; without a deadline it is the caller's signal alone.
 *
 * The reason is then `INPUT_STALLED`. [cli.15]
 */
export function openDeadline(options: {
  readonly signal?: AbortSignal;
  readonly deadlineMs?: number;
}): Deadline {
  const { signal, deadlineMs } = options;
  if (deadlineMs === undefined) {
    return {
      ...(signal !== undefined && { signal }),
      expectInTime: () => checkAborted(signal),
      [Symbol.dispose]: () => {},
    };
  }
  const over = new AbortController();
  const end = performance.now() + deadlineMs;
  const giveUp = (): void => {
    const message = `it was not done within ${counted(deadlineMs / 1000, 'second')}`;
    over.abort(new BundleError('INPUT_STALLED', message, { fix: FIX }));
  };
  const timer = setTimeout(giveUp, Math.min(deadlineMs, TIMER_MS));
  const both = signal ? AbortSignal.any([signal, over.signal]) : over.signal;
  return {
    signal: both,
    expectInTime: () => {
      if (performance.now() >= end) giveUp();
      checkAborted(both);
    },
    [Symbol.dispose]: () => clearTimeout(timer),
  };
}

/** What `work` comes to, unless the signal fires first: then its reason, and nobody waits for the work any more. */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  work.catch(() => {}); // its end may come when nobody listens
  checkAborted(signal); // before anything is made that would be told, too
  let onAbort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => {
      try {
        checkAborted(signal);
      } catch (error) {
        reject(error);
      }
    };
    signal?.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    if (onAbort) signal?.removeEventListener('abort', onAbort);
  }
}

const FIX: Advised = {
  text: 'check what feeds this input and how fast; then run again, with a longer deadline if it is honest',
  advice: 'longer-deadline',
};
