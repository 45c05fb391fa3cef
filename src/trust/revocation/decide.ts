import type { Certificate } from '../../crypto/certificate.ts';
import type { Revocation } from '../../formats/crl/crl-entries.ts';
import { showTime } from '../path/certificate-rules.ts';
import { nameOf, refused } from '../path/findings.ts';
import type { TimeWindow } from '../path/judge-options.ts';
import type { Finding } from '../policy.ts';
import type { Word } from './evidence.ts';

/** Reasons after which everything that the key has signed is in doubt, and nobody knows since when. */
const COMPROMISES: readonly string[] = ['keyCompromise', 'cACompromise', 'aACompromise'];

/**
 * What all that revokes a certificate means for a signature together: the strictest of it, since whoever carries a bundle
 * chooses what lies beside it. Undefined when nothing revokes. [rev.3]
 */
export function judgeRevoking(
  certificate: Certificate,
  words: readonly Word[],
  proven: TimeWindow | undefined,
): Finding | undefined {
  const findings = words.flatMap(({ status, revocation, source }) =>
    status === 'revoked' && revocation ? [judgeRevoked(certificate, revocation, source, proven)] : [],
  );
  return findings.find(({ allowed }) => allowed === undefined) ?? findings[0];
}

/**
 * What a revocation means for a signature: refusal, unless a timestamp proves that it was there before. [rev.6] [rev.7]
 */
export function judgeRevoked(
  certificate: Certificate,
  revocation: Revocation,
  source: string,
  proven: TimeWindow | undefined,
): Finding {
  const { at, reason = 'no reason given' } = revocation;
  const message = `${nameOf(certificate)} was revoked on ${showTime(at)} (${reason}), says ${source}`;
  const since = proven && validUntil(revocation);
  if (!proven || !since || !(proven.to < since)) return refused('CERTIFICATE_REVOKED', message);
  const before = `; the signature is older, of ${showTime(proven.to)} at the latest`;
  return { ...refused('CERTIFICATE_REVOKED', message + before), allowed: 'lenient' };
}

/** Until when signatures of the key count although it is revoked; undefined: none does. [rev.6] [rev.7] */
function validUntil({ at, reason, invalidSince }: Revocation): Date | undefined {
  if (reason === 'certificateHold') return undefined; // it says nothing about the time before or after
  if (invalidSince === undefined && reason !== undefined && COMPROMISES.includes(reason)) return undefined;
  return invalidSince && invalidSince < at ? invalidSince : at;
}

/** Of several revocations the one after which the fewest signatures count. [rev.3] */
export function strictestOf(revocations: readonly Revocation[]): Revocation | undefined {
  const until = (one: Revocation): number => +(validUntil(one) ?? Number.NEGATIVE_INFINITY);
  return [...revocations].sort((a, b) => (until(a) < until(b) ? -1 : until(a) > until(b) ? 1 : 0))[0];
}
