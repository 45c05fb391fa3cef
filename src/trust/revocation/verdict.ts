import type { Certificate } from '../../crypto/certificate.ts';
import { nameOf, refused, shown } from '../path/findings.ts';
import type { Finding } from '../policy.ts';
import { judgeRevoking } from './decide.ts';
import type { Attested, Doubt, Hearing, HighWaterMarks, RevocationOptions, Word } from './evidence.ts';

/** What is known about the revocation of one certificate; `not-checked`: nothing speaks of it. */
export interface RevocationStatus {
  readonly certificate: Certificate;
  readonly status: 'good' | 'revoked' | 'unknown' | 'stale' | 'not-checked';
  readonly detail: string;
}

/** The answer about one certificate. */
export interface OneJudgement {
  /** none for an anchor that nothing is held against */
  readonly status?: RevocationStatus;
  readonly findings: readonly Finding[];
  readonly seen: HighWaterMarks;
  readonly attested: readonly Attested[];
}

export function isRevoking({ status }: Word): boolean {
  return status === 'revoked';
}

export function isClearing({ status, stale }: Word): boolean {
  return status === 'good' && stale === undefined;
}

/** [rev.14] Only a clearing word of a later time answers a doubt, whichever of them it is. */
export function standingDoubt({ words, doubts }: Pick<Hearing, 'words' | 'doubts'>): Doubt | undefined {
  const clearing = words.filter(isClearing);
  return doubts.find((doubt) => !clearing.some(({ thisUpdate }) => thisUpdate > doubt.thisUpdate));
}

/** What was heard beside the words. */
interface Heard extends Omit<Hearing, 'words'> {
  readonly isSilent: boolean;
  /** what is known to exist */
  readonly missed: string | undefined;
}

/** [rev.3] One genuine word that revokes is enough, whatever others say; one fresh word that clears is enough otherwise. */
export function verdict(
  certificate: Certificate,
  words: readonly Word[],
  { warnings, doubts, seen, attested, isSilent, missed }: Heard,
  options: RevocationOptions,
): OneJudgement {
  const answer = (
    status: RevocationStatus['status'],
    detail: string,
    findings: readonly Finding[],
  ): OneJudgement => ({
    status: { certificate, status, detail },
    findings,
    seen,
    attested,
  });
  const name = nameOf(certificate);
  const revoked = judgeRevoking(certificate, words, options.proven);
  const doubt = standingDoubt({ words, doubts });
  // a revocation that is younger than the signature must not hide a doubt about an older one
  if (revoked && (revoked.allowed === undefined || !doubt))
    return answer('revoked', revoked.error.message, [revoked]);
  if (doubt) {
    const message = `${doubt.message}; yet it says that ${name} is revoked, and the issuer, or somebody whom the issuer named, has signed it`;
    const finding = refused('REVOCATION_UNKNOWN', message); // [rev.14]
    return answer('unknown', finding.error.message, [finding]);
  }
  const good = words.find(isClearing);
  if (good) return answer('good', `${name} is not revoked, says ${good.source}`, []);
  const stale = words.find((one) => one.stale !== undefined);
  const [useless] = warnings;
  const detail =
    stale?.stale ?? useless?.error.message ?? missed ?? `no revocation information about ${name} is at hand`;
  const status = stale ? 'stale' : words.length > 0 || useless || missed ? 'unknown' : 'not-checked';
  const { onlyWhereHeard = false } = options;
  if (options.mode === 'require' && !(onlyWhereHeard && isSilent)) {
    const issuer = shown(certificate.fields.issuer.text);
    const reason =
      status === 'not-checked' ? detail : `it is not known whether ${name} is revoked: ${detail}`;
    const { error } = refused('REVOCATION_UNKNOWN', `${reason} (its issuer is "${issuer}")`);
    return answer(status, detail, [{ error }]);
  }
  if (status === 'not-checked') return answer(status, detail, []);
  const warning = refused('REVOCATION_UNKNOWN', `it is not known whether ${name} is revoked: ${detail}`);
  return answer(status, detail, [{ ...warning, allowed: 'lenient' }]);
}
