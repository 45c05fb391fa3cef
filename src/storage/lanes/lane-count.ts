import { availableParallelism } from 'node:os';
import type { Limits } from '../../kit/limits.ts';

/** How many threads are to hash so many bytes: no more than cores that may be used, and each has enough to do. [lane.1] */
export function laneCount(
  bytes: number,
  { threads, laneBytes }: Pick<Limits, 'threads' | 'laneBytes'>,
): number {
  return Math.min(threads, availableParallelism(), Math.floor(bytes / Math.max(1, laneBytes)));
}
