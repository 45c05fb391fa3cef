import type { ErrorKind } from '../../kit/errors/error-kinds.ts';
import type { BundleError } from '../../kit/errors/errors.ts';
import { type Examination, type ExamineOptions, judgeRead } from '../bundle/examine.ts';
import type { Member } from '../walk/member.ts';

/** What is found of a bundle that is packed and signed anew. Without errors that may be done. */
export type Original = Omit<Examination, 'format'> & {
  /** whether somebody is trusted, so that it had to be signed by such a one */
  readonly judgedByTrust: boolean;
};

/** Kinds of faults that are about whom to trust and by what rules, and not about what has been signed. [repack.3] */
const OF_TRUST: ReadonlySet<ErrorKind> = new Set([
  'unsigned',
  'validity',
  'policy',
  'unknown-signer',
  'no-trust',
]);

/** Of them, those that say that the signer is not known. */
const OF_STRANGER: ReadonlySet<ErrorKind> = new Set(['unknown-signer', 'no-trust']);

/**
 * Judges a bundle before another signs it: as `verify` does where anybody is trusted. Where nobody is, whose it was is told and
 * not asked; that its digests hold, and its signature if it has one, is asked in any case. [repack.2] [repack.3]
 *
 * @param own the SHA-256 of the key that is to sign (SubjectPublicKeyInfo, lower hex): of one's own signature nothing needs to be told
 */
export function judgeOriginal(
  members: readonly Member[],
  fault: BundleError | undefined,
  options: ExamineOptions,
  own: string,
): Original {
  const found = judgeRead(members, fault, options);
  const judgedByTrust = trustsAnybody(options);
  const isOnlyOwn = found.signatures.every(({ signer }) => signer?.spkiSha256 === own);
  const tell = (error: BundleError): BundleError =>
    OF_TRUST.has(error.kind) || (judgedByTrust && !isOnlyOwn) ? error : error.forMaker(); // [show.7]
  if (judgedByTrust) return { ...found, errors: found.errors.map(tell), judgedByTrust };
  const errors = found.errors.filter(({ kind }) => !OF_TRUST.has(kind)).map(tell);
  const isOwn = found.signatures.length > 0 && isOnlyOwn;
  const passed = found.errors.filter(({ kind }) => OF_TRUST.has(kind) && !(isOwn && OF_STRANGER.has(kind)));
  const tellPast = (error: BundleError): string => tellPassed(error, errors.length === 0);
  return { ...found, errors, warnings: [...found.warnings, ...passed.map(tellPast)], judgedByTrust };
}

function trustsAnybody({ trust: { anchors, pins } }: ExamineOptions): boolean {
  return anchors.length + pins.length > 0;
}

function tellPassed({ code, message }: BundleError, matches: boolean): string {
  switch (code) {
    case 'SIGNATURE_MISSING':
      return matches
        ? 'the bundle was not signed: its files match its manifest, and nothing says who wrote either'
        : 'the bundle was not signed: nothing says who wrote it';
    case 'SIGNER_UNKNOWN':
    case 'TRUST_EMPTY':
      return 'nobody is trusted here, so that who signed it before was not judged: you answer for what you sign now';
    default:
      return `let pass, since nobody is trusted here: ${message}`;
  }
}
