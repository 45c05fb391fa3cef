import { openDeadline } from '../kit/deadline.ts';
import { abortSignal, positive, shape } from '../kit/shape.ts';
import { type SourceOptions, sourceOptions } from '../kit/source.ts';
import { limits } from '../verdict/judging-rules.ts';
import type { VerifyOptions } from './verify/options.ts';

/** What ends the waiting for a small file, where it is a pipe: a signal, a deadline, or `limits.idleMs` without a byte. [cli.21] */
export type Waiting = Pick<VerifyOptions, 'signal' | 'deadlineMs' | 'limits'>;

/** [api.1] */
export const waitingOptions = shape<Waiting>({ signal: abortSignal, deadlineMs: positive, limits });

/** Does what waits for small files, under the caller's deadline. */
export async function whileWaiting<T>(
  waiting: Waiting,
  work: (source: SourceOptions) => Promise<T>,
): Promise<T> {
  using deadline = openDeadline(waiting);
  return await work(sourceOptions({ ...waiting, ...deadline }));
}
