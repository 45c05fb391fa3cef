import type { Certificate } from '../../crypto/certificate.ts';
import { nameKey } from '../../formats/x509/name.ts';
import { nameOf, refused, shown } from '../path/findings.ts';
import type { Finding } from '../policy.ts';
import type { IssuerJudging } from './crl-issuer.ts';
import { pointsOf } from './crl-scope.ts';
import { hearCrls } from './crl-status.ts';
import { judgeRevoked } from './decide.ts';
import type { Hearing, HighWaterMarks, RevocationEvidence, RevocationOptions, Word } from './evidence.ts';
import { hearResponses, isOfIssuer } from './ocsp-status.ts';

/** What is known about the revocation of one certificate; `not-checked`: nothing speaks of it. */
export interface RevocationStatus {
  readonly certificate: Certificate;
  readonly status: 'good' | 'revoked' | 'unknown' | 'stale' | 'not-checked';
  readonly detail: string;
}

/** The answer about a path. */
export interface RevocationJudgement {
  readonly findings: readonly Finding[];
  /** one for each certificate below the anchor */
  readonly statuses: readonly RevocationStatus[];
  /** genuine and fresh evidence that is newer than what had been seen */
  readonly seen: HighWaterMarks;
}

/** Evidence is signed by certificates that may be revoked themselves, by evidence that is signed …: so far and no further. [rev.8] */
const MAX_DEPTH = 3;

/**
 * Whether a certificate of the path is revoked, by evidence at hand and by nothing else.
 *
 * Errors are values: `CERTIFICATE_REVOKED`, `REVOCATION_UNKNOWN` where proof is demanded, `PATH_LIMIT` when the evidence
 * would cost too much.
 *
 * @param path leaf first, anchor last; the anchor itself is not looked at
 * @see spec/trust.md, clauses rev.1 to rev.9
 */
export function judgeRevocation(
  path: readonly Certificate[],
  evidence: RevocationEvidence,
  options: RevocationOptions,
): RevocationJudgement {
  return judgeAll(path, evidence, options, []);
}

function judgeAll(
  path: readonly Certificate[],
  evidence: RevocationEvidence,
  options: RevocationOptions,
  pending: readonly Certificate[],
): RevocationJudgement {
  if (options.mode === 'off') return { findings: [], statuses: [], seen: new Map() };
  const all = path
    .slice(0, -1)
    .map((certificate, i) => judgeOne(certificate, path.slice(i + 1), evidence, options, pending));
  const limit = 'the revocation lists and OCSP responses would take too many signatures to verify';
  return {
    findings: [
      ...all.flatMap(({ findings }) => findings),
      ...(options.budget.isSpent('evidence') ? [refused('PATH_LIMIT', limit)] : []), // [rev.8]
    ],
    statuses: all.map(({ status }) => status),
    seen: new Map(all.flatMap(({ seen }) => [...seen])),
  };
}

interface OneJudgement {
  readonly status: RevocationStatus;
  readonly findings: readonly Finding[];
  readonly seen: HighWaterMarks;
}

function judgeOne(
  certificate: Certificate,
  above: readonly Certificate[],
  evidence: RevocationEvidence,
  options: RevocationOptions,
  pending: readonly Certificate[],
): OneJudgement {
  const [issuer] = above;
  if (!issuer) return verdict(certificate, [], { warnings: [], seen: new Map(), isSilent: true }, options);
  const judging: IssuerJudging = {
    isPending: (signer) => pending.includes(signer),
    judge: (signer, path) =>
      pending.length >= MAX_DEPTH
        ? [refused('REVOCATION_UNKNOWN', 'evidence about evidence goes on too far')]
        : judgeAll(path, evidence, options, [...pending, signer]).findings,
  };
  const crls = hearCrls(certificate, above, evidence.crls, options, judging);
  const isRevoked = (responder: Certificate): boolean =>
    hearCrls(responder, above, evidence.crls, options, judging).words.some(
      ({ status }) => status === 'revoked',
    );
  const ocsps = hearResponses(certificate, issuer, evidence.ocsps, options, isRevoked);
  const warnings = [...crls.warnings, ...ocsps.warnings];
  const seen = new Map([...crls.seen, ...ocsps.seen]);
  const isSilent = !isIssuerHeard(certificate, issuer, evidence);
  return verdict(certificate, [...crls.words, ...ocsps.words], { warnings, seen, isSilent }, options);
}

/** Whether any evidence claims to be of the certificate's issuer, whatever it is worth. [path.24] */
function isIssuerHeard(
  certificate: Certificate,
  issuer: Certificate,
  { crls, ocsps }: RevocationEvidence,
): boolean {
  const points = pointsOf(certificate).flatMap(({ crlIssuer = [] }) => crlIssuer);
  const names = [
    nameKey(certificate.fields.issuer),
    ...points.flatMap((name) => (name.kind === 'directory' ? [nameKey(name.value)] : [])),
  ];
  return (
    crls.some((crl) => names.includes(nameKey(crl.issuer))) ||
    ocsps.some(({ responses }) => responses.some(({ id }) => isOfIssuer(id, certificate, issuer)))
  );
}

/** [rev.3] One genuine word that revokes is enough, whatever others say; one fresh word that clears is enough otherwise. */
function verdict(
  certificate: Certificate,
  words: readonly Word[],
  { warnings, seen, isSilent }: Omit<Hearing, 'words'> & { readonly isSilent: boolean },
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
  });
  const name = nameOf(certificate);
  const revoked = words.find(({ status }) => status === 'revoked');
  if (revoked?.revocation) {
    const finding = judgeRevoked(certificate, revoked.revocation, revoked.source, options.proven);
    return answer('revoked', finding.error.message, [finding]);
  }
  const good = words.find(({ status, stale }) => status === 'good' && stale === undefined);
  if (good) return answer('good', `${name} is not revoked, says ${good.source}`, []);
  const stale = words.find((one) => one.stale !== undefined);
  const [useless] = warnings;
  const detail =
    stale?.stale ?? useless?.error.message ?? `no revocation information about ${name} is at hand`;
  const status = stale ? 'stale' : words.length > 0 || useless ? 'unknown' : 'not-checked';
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
