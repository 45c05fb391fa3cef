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

/** When several faults apply, the first of these decides; what kept us from finding out comes before every verdict. */
const PRECEDENCE: readonly number[] = [130, 143, 1, 2, 3, 4, 5, 15, 11, 12, 16, 17, 13, 14, 18, 10, 20, 6];

/** The exit code of a run that met these faults; 0 for none. */
export function exitCodeOf(errors: readonly BundleError[]): number {
  return firstOf(errors.map((error) => EXIT_CODES[error.kind]));
}

/** Of the exit codes of several runs, the one that says what they came to together: the first in the order of faults; 0 when all are. [many.5] */
export function firstOf(codes: Iterable<number>): number {
  const all = new Set(codes);
  return PRECEDENCE.find((code) => all.has(code)) ?? 0;
}

/** The same faults, those that decide first. */
export function byPrecedence(errors: readonly BundleError[]): readonly BundleError[] {
  const rank = (error: BundleError): number => PRECEDENCE.indexOf(EXIT_CODES[error.kind]);
  return [...errors].sort((a, b) => rank(a) - rank(b));
}
