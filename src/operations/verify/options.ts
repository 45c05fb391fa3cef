import type { RevocationMode } from '../../trust/publisher.ts';
import type { JudgingOptions } from '../../verdict/judging-options.ts';
import type { EvidenceFiles } from './load-evidence.ts';
import type { TrustFiles } from './load-trust.ts';

/** How a bundle is verified. Everything left out has the safe default. */
export interface VerifyOptions extends JudgingOptions {
  /** whom to trust, by files or as data (a `Trust`); without it nobody is trusted */
  readonly trust?: TrustFiles;
  /** the moment certificates must be valid at; now when left out */
  readonly at?: Date;
  /** whether revocation must be ruled out, and what tells about it; `if-present` without a mode [rev.1] */
  readonly revocation?: { readonly mode?: RevocationMode } & Pick<EvidenceFiles, 'crls' | 'ocsps'>;
  /** whether the newest revocation information seen is kept in the last of the trust folders; it is unless this is false [rev.9] */
  readonly remember?: boolean;
}
