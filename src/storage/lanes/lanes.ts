/**
 * The door of several lanes: members, or blocks of one, are hashed side by side by as many threads as there are free cores.
 *
 * It buys time where there is more than one core: two members of 2 GiB take 0.51 to 0.56 of the time of `openssl dgst -sha256`, one of
 * 4 GiB as long as before. It costs 9 to 10 MiB for each thread, four in all unless `limits.threads` says otherwise, and 20 ms to start one. It is for a tar in a regular file, or a folder,
 * that is verified, and for the blocks that an import goes on with; not for other imports, zips, gzip and pipes, nor below
 * 32 MiB (`limits.laneBytes`) for each thread. `limits.threads: 1` switches it off.
 *
 * What starts threads is loaded only when something is to be hashed by it: most bundles are small. No other file is imported from outside.
 *
 * @see spec/decisions/0010-several-lanes.md
 * @module
 */

import { availableParallelism } from 'node:os';
import type { HashedRange, LaneOptions } from '../../kit/source.ts';
import type { PlacedRange } from './hash-ranges.ts';

/** How many threads are to hash so many bytes: no more than cores that may be used, and each has enough to do. [lane.1] */
export function laneCount(bytes: number, { threads, laneBytes }: LaneOptions['limits']): number {
  return Math.min(threads, availableParallelism(), Math.floor(bytes / Math.max(1, laneBytes)));
}

/** Hashes parts of open files, on all cores that may be used. @throws {BundleError} `FILE_UNREADABLE`, `FILE_CHANGED` when a file has become shorter, `INTERRUPTED` */
type HashRanges = (ranges: readonly PlacedRange[], options: LaneOptions) => Promise<readonly HashedRange[]>;

/** Hashing by lanes, loaded: whoever has waited for it looks whether the file is still open. */
export async function loadLanes(): Promise<HashRanges> {
  const { hashRanges } = await import('./hash-ranges.ts');
  return (ranges, options) => {
    const total = ranges.reduce((sum, { start, end }) => sum + end - start, 0);
    return hashRanges(ranges, { ...options, threads: laneCount(total, options.limits) });
  };
}
