import type { ErrorKind } from '../../kit/errors/error-kinds.ts';
import type { BundleError } from '../../kit/errors/errors.ts';

/** The exit code of each kind of fault; part of the product, never changed. */
export const EXIT_CODES: Record<ErrorKind, number> = {
  internal: 1,
  usage: 2,
  io: 3,
  network: 4,
  unauthorised: 5,
  different: 6,
  unsigned: 10,
  digest: 11,
  signature: 12,
  validity: 13,
  policy: 14,
  archive: 15,
  package: 16,
  unsupported: 17,
  'unknown-signer': 18,
  'no-trust': 20,
  interrupted: 130,
  terminated: 143,
};

/** What each exit code says, in the words of `bulla help exit-codes`. */
export const EXIT_MEANINGS: readonly (readonly [code: number, meaning: string])[] = [
  [0, 'done; for verify and import: trusted'],
  [1, 'internal error (a fault of bulla)'],
  [2, 'usage or configuration'],
  [3, 'input unreadable, input or output error, disk full'],
  [4, 'network or remote server'],
  [5, 'not authorised'],
  [6, 'diff: the bundles differ'],
  [10, 'no signature'],
  [11, 'a digest does not match'],
  [12, 'signature invalid'],
  [13, 'certificate expired, not yet valid, or revoked'],
  [14, 'signer refused by policy (scope, purpose, weak key or algorithm, threshold)'],
  [15, 'archive malformed, unsafe, empty or cut short'],
  [16, 'package malformed: manifest, descriptor, files missing or unlisted'],
  [17, 'unsupported format or algorithm'],
  [18, 'signature valid, signer unknown'],
  [20, 'no trust configured'],
  [130, 'interrupted (SIGINT); nothing is left behind, except what import --resume keeps'],
  [143, 'terminated (SIGTERM or SIGHUP); nothing is left behind, except what import --resume keeps'],
];

/** When several faults apply, the first of these decides; what kept us from finding out comes before every verdict. */
const PRECEDENCE: readonly number[] = [130, 143, 1, 2, 3, 4, 5, 15, 11, 12, 16, 17, 13, 14, 18, 10, 20, 6];

/** The exit code of a run that met these faults; 0 for none. */
export function exitCodeOf(errors: readonly BundleError[]): number {
  const codes = new Set(errors.map((error) => EXIT_CODES[error.kind]));
  return PRECEDENCE.find((code) => codes.has(code)) ?? 0;
}

/** The same faults, those that decide first. */
export function byPrecedence(errors: readonly BundleError[]): readonly BundleError[] {
  const rank = (error: BundleError): number => PRECEDENCE.indexOf(EXIT_CODES[error.kind]);
  return [...errors].sort((a, b) => rank(a) - rank(b));
}
