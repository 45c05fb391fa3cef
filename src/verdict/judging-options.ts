import type { Limits } from '../kit/limits.ts';
import type { OnProgress } from '../kit/progress.ts';
import type { Relaxation } from '../kit/relaxation.ts';
import type { Allowances } from '../trust/policy.ts';
import type { TimestampMode } from '../trust/publisher.ts';

/** How something is judged, besides whom to trust and what is known of revocation. Everything left out has the safe default. */
export interface JudgingOptions {
  /** what a timestamp is for; `prefer` when left out [tst.1] */
  readonly timestamp?: TimestampMode;
  /** checks to weaken, each by name; each shows in the report */
  readonly allow?: Partial<Allowances>;
  /** habits of producers to let pass in the archive, each by name; each shows in the report [relax.1] */
  readonly relax?: readonly Relaxation[];
  /** the bundle is the one `.ova` in the archive that is given, which is not signed itself [inner.1] */
  readonly inner?: boolean;
  readonly limits?: Partial<Limits>;
  readonly signal?: AbortSignal;
  /** milliseconds that all of it may take; without it only `limits.idleMs` ends the waiting */
  readonly deadlineMs?: number;
  readonly onProgress?: OnProgress;
}
