import { checkAborted } from '../kit/bytes.ts';
import { BundleError } from '../kit/errors.ts';
import type { SourceOptions } from './source.ts';

/** Waits for `work`, but no longer than the idle time, and not past an abort. @throws `INPUT_STALLED`, the abort's reason */
export async function waitFor<T>(work: Promise<T>, options: SourceOptions, name: string): Promise<T> {
  work.catch(() => {}); // whoever gives up on it is not told of its end either
  let timer: NodeJS.Timeout | undefined;
  let onAbort: (() => void) | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const seconds = options.idleMs / 1000;
      reject(
        new BundleError('INPUT_STALLED', `no byte has arrived for ${seconds} seconds`, {
          where: { file: name },
        }),
      );
    }, options.idleMs);
    onAbort = () => reject(reasonOf(options.signal));
    options.signal?.addEventListener('abort', onAbort, { once: true });
  });
  try {
    checkAborted(options.signal);
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
    if (onAbort) options.signal?.removeEventListener('abort', onAbort);
  }
}

/** Why a signal has fired, as an error of ours. */
export function reasonOf(signal: AbortSignal | undefined): unknown {
  try {
    checkAborted(signal);
    return new BundleError('INTERRUPTED', 'interrupted');
  } catch (error) {
    return error;
  }
}
