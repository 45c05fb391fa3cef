import type { TimestampToken } from '../formats/tsp/token.ts';
import type { TimeWindow } from './path/judge-options.ts';
import type { Finding } from './policy.ts';
import type { HighWaterMarks, RevocationEvidence, RevocationOptions } from './revocation/evidence.ts';
import { noteRevocation } from './revocation/noted.ts';
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
  const noted = noteRevocation(evidence, revocation);
  const judged = judgeTimestamp(token, over, { ...options, judgeMore: noted.judgeMore });
  const { path, proven, errors } = judged;
  return {
    ...judged,
    seen: noted.seen(
      path,
      errors.map(({ cause }) => cause),
    ),
    warnings: proven ? noted.findings(path) : [],
  };
}

/** The times that timestamps prove, the earliest first. */
export function windowsOf(timestamps: readonly TokenJudgement[]): readonly TimeWindow[] {
  return timestamps.flatMap(({ proven }) => proven ?? []).sort((a, b) => +a.to - +b.to);
}
