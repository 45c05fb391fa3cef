import { BundleError } from './errors.ts';

/** A signal that fires at the caller's word, or when the time is over; dispose it when the work is done. */
export interface Deadline extends Disposable {
  readonly signal?: AbortSignal;
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
  if (deadlineMs === undefined) return { ...(signal ? { signal } : {}), [Symbol.dispose]: () => {} };
  const over = new AbortController();
  const timer = setTimeout(() => {
    const message = `it was not done within ${deadlineMs / 1000} seconds`;
    over.abort(new BundleError('INPUT_STALLED', message, { fix: FIX }));
  }, deadlineMs);
  return {
    signal: signal ? AbortSignal.any([signal, over.signal]) : over.signal,
    [Symbol.dispose]: () => clearTimeout(timer),
  };
}

const FIX =
  'check what feeds this input and how fast; then run again, with a longer --deadline if it is honest';
