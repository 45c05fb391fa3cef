import type { TimestampToken } from '../formats/tsp/token.ts';
import { isBundleError } from '../kit/errors.ts';
import type { Finding } from './policy.ts';
import type { HighWaterMarks, RevocationEvidence, RevocationOptions } from './revocation/evidence.ts';
import { judgeRevocation } from './revocation/judge-revocation.ts';
import { ofAnchor } from './revocation/marks.ts';
import { judgeTimestamp, type TimestampJudgement, type TimestampOptions } from './timestamp.ts';

/** Whom to believe about times, and by what the certificates of authorities are looked up. */
export interface TokenOptions extends Omit<TimestampOptions, 'judgeMore'> {
  readonly evidence: RevocationEvidence;
  readonly revocation: RevocationOptions;
}

/** The answer about a timestamp, with what was found out about its authority. */
export interface TokenJudgement extends TimestampJudgement {
  /** evidence about an authority that is trusted, or revoked, newer than what had been seen [rev.9] */
  readonly seen: HighWaterMarks;
  /** what is not known about an authority that is trusted */
  readonly warnings: readonly Finding[];
}

/** Whether a timestamp proves a time, its authority being looked up like a signer. @see spec/trust.md, clauses tst.7 and rev.9 */
export function judgeToken(
  token: TimestampToken,
  over: Uint8Array,
  { evidence, revocation, ...options }: TokenOptions,
): TokenJudgement {
  const marks = new Map<string, HighWaterMarks>();
  const warnings = new Map<string, readonly Finding[]>();
  const judged = judgeTimestamp(token, over, {
    ...options,
    judgeMore: (path) => {
      const { findings, seen } = judgeRevocation(path, evidence, revocation);
      marks.set(keyOf(path), seen);
      warnings.set(keyOf(path), findings);
      return findings;
    },
  });
  const { path, proven, errors } = judged;
  const isRevoked = errors.some(({ cause }) => isRevocation(cause));
  const key = keyOf(path);
  return {
    ...judged,
    seen: proven || isRevoked ? ofAnchor(marks.get(key) ?? new Map(), path) : new Map(),
    warnings: proven ? (warnings.get(key) ?? []) : [],
  };
}

function keyOf(path: TimestampJudgement['path']): string {
  return path.map(({ fingerprint }) => fingerprint).join(' ');
}

function isRevocation(cause: unknown): boolean {
  return isBundleError(cause) && cause.code === 'CERTIFICATE_REVOKED';
}
