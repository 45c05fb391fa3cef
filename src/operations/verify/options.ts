import type { Limits } from '../../kit/limits.ts';
import type { OnProgress } from '../../kit/progress.ts';
import type { Relaxation } from '../../kit/relaxation.ts';
import type { Allowances } from '../../trust/policy.ts';
import type { RevocationMode, TimestampMode } from '../../trust/publisher.ts';
import type { EvidenceFiles } from './load-evidence.ts';
import type { TrustFiles } from './load-trust.ts';

/** How a bundle is verified. Everything left out has the safe default. */
export interface VerifyOptions {
  /** whom to trust, by files or as data (a `Trust`); without it nobody is trusted */
  readonly trust?: TrustFiles;
  /** the moment certificates must be valid at; now when left out */
  readonly at?: Date;
  /** whether revocation must be ruled out, and what tells about it; `if-present` without a mode [rev.1] */
  readonly revocation?: { readonly mode?: RevocationMode } & Pick<EvidenceFiles, 'crls' | 'ocsps'>;
  /** whether the newest revocation information seen is kept in the last of the trust folders; it is unless this is false [rev.9] */
  readonly remember?: boolean;
  /** what a timestamp is for; `prefer` when left out [tst.1] */
  readonly timestamp?: TimestampMode;
  /** checks to weaken, each by name; each shows in the report */
  readonly allow?: Partial<Allowances>;
  /** habits of producers to let pass in the archive, each by name; each shows in the report [relax.1] */
  readonly relax?: readonly Relaxation[];
  readonly limits?: Partial<Limits>;
  readonly signal?: AbortSignal;
  /** milliseconds that all of it may take; without it only `limits.idleMs` ends the waiting */
  readonly deadlineMs?: number;
  readonly onProgress?: OnProgress;
}
