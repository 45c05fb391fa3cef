import { checkAborted } from '../bytes.ts';
import { counted } from '../encoding.ts';
import { BundleError } from '../errors/errors.ts';
import { TIMER_MS } from '../limits.ts';
import type { SourceOptions } from '../source.ts';

/**
 * Waits for the bytes of one source, and counts what that brings.
 *
 * Only bytes of the payload end the idle time: not a connection, a header, or a chunk without any. Only the time that is
 * spent waiting counts, so no sender is held to account for a slow disk of ours. [net.4] [net.5]
 */
export class Patience {
  readonly #options: SourceOptions;
  readonly #name: string;
  /** milliseconds waited since the last byte */
  #idle = 0;
  /** milliseconds waited since the rate was last looked at, and the bytes that came meanwhile */
  #waited = 0;
  #bytes = 0;

  constructor(options: SourceOptions, name: string) {
    this.#options = options;
    this.#name = name;
  }

  /** So many bytes have come. */
  arrived(bytes: number): void {
    if (bytes > 0) this.#idle = 0;
    this.#bytes += bytes;
  }

  /** Waits for `work`, but no longer than the idle time and the least rate allow, and not past an abort. @throws `INPUT_STALLED`, the abort's reason */
  async wait<T>(work: Promise<T>): Promise<T> {
    work.catch(() => {}); // whoever gives up on it is not told of its end either
    const { signal } = this.#options;
    checkAborted(signal);
    const stalled = this.#stallAfter(0); // waits that are shorter than a timer add up, too
    if (stalled) throw stalled;
    const started = performance.now();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let onAbort: (() => void) | undefined;
    const limit = new Promise<never>((_, reject) => {
      const look = (): void => {
        const elapsed = performance.now() - started;
        const stall = this.#stallAfter(elapsed);
        // what came while this program stood still is taken first
        if (stall) timer = setTimeout(() => reject(stall));
        else timer = setTimeout(look, this.#patienceAfter(elapsed));
      };
      timer = setTimeout(look, this.#patienceAfter(0));
      onAbort = () => reject(reasonOf(signal));
      signal?.addEventListener('abort', onAbort, { once: true });
    });
    try {
      return await Promise.race([work, limit]);
    } finally {
      clearTimeout(timer);
      if (onAbort) signal?.removeEventListener('abort', onAbort);
      const took = performance.now() - started;
      this.#idle += took;
      this.#waited += took;
    }
  }

  /** How long to wait before looking again, when a wait has lasted for `elapsed`. */
  #patienceAfter(elapsed: number): number {
    const { idleMs, minimumRate = 0 } = this.#options;
    const since = minimumRate > 0 ? Math.max(this.#idle, this.#waited) : this.#idle;
    return Math.min(TIMER_MS, Math.max(1, Math.ceil(idleMs - since - elapsed)));
  }

  /** What is wrong when a wait has lasted for `elapsed`. */
  #stallAfter(elapsed: number): BundleError | undefined {
    const { idleMs, minimumRate = 0 } = this.#options;
    const seconds = counted(idleMs / 1000, 'second');
    if (this.#idle + elapsed >= idleMs) return this.#stall(`no byte has arrived for ${seconds}`);
    if (minimumRate === 0 || this.#waited + elapsed < idleMs) return undefined;
    const [bytes, window] = [this.#bytes, this.#waited + elapsed];
    this.#bytes = 0;
    this.#waited = -elapsed;
    if (bytes * 1000 >= minimumRate * window) return undefined;
    return this.#stall(
      `${counted(bytes, 'byte')} arrived in ${seconds}, less than ${counted(minimumRate, 'byte')} a second`,
    );
  }

  #stall(message: string): BundleError {
    return new BundleError('INPUT_STALLED', message, { where: { file: this.#name } });
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
