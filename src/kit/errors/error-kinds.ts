import type { Told } from './advice.ts';

/** Who must act on a fault; each kind has one exit code (`verdict/report/exit-codes.ts`). */
export type ErrorKind =
  | 'internal'
  | 'usage'
  | 'io'
  | 'network'
  | 'unauthorised'
  | 'different'
  | 'unsigned'
  | 'digest'
  | 'signature'
  | 'validity'
  | 'policy'
  | 'archive'
  | 'package'
  | 'unsupported'
  | 'unknown-signer'
  | 'no-trust'
  | 'interrupted'
  | 'terminated';

/** What a code's row holds: who must act, why it matters, what to do. */
export interface ErrorRow {
  readonly kind: ErrorKind;
  readonly why: string;
  readonly fix: Told;
  /** what to do for whoever makes the bundle, where that is something else [show.7] */
  readonly own?: Told | readonly Told[];
}
