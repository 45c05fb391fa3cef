import type { Certificate } from '../../crypto/certificate.ts';
import { nameKey } from '../../formats/x509/name.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import { isSelfIssued, showTime } from '../path/certificate-rules.ts';
import { nameOf, refused } from '../path/findings.ts';
import type { Finding } from '../policy.ts';
import { claimsAbout, givenIssuersOf, issuersAtHand } from './claims.ts';
import type { IssuerJudging } from './crl-issuer.ts';
import { pointsOf } from './crl-scope.ts';
import { hearCrls } from './crl-status.ts';
import { judgeRevoking } from './decide.ts';
import type {
  Attested,
  Hearing,
  HighWaterMarks,
  Mark,
  RevocationEvidence,
  RevocationOptions,
} from './evidence.ts';
import { joinSeen, missedOf, note, revokedKey } from './marks.ts';
import { hearResponses, isOfIssuer, type ResponderStatus } from './ocsp-status.ts';
import { recall, recallKey } from './remembered.ts';
import {
  isClearing,
  isRevoking,
  type OneJudgement,
  type RevocationStatus,
  standingDoubt,
  verdict,
} from './verdict.ts';

/** The answer about a path. */
export interface RevocationJudgement {
  readonly findings: readonly Finding[];
  /** one for each certificate below the anchor */
  readonly statuses: readonly RevocationStatus[];
  /** genuine and fresh evidence that is newer than what had been seen */
  readonly seen: HighWaterMarks;
  /** all that is genuine, and about this path [bundle.6] */
  readonly attested: readonly Attested[];
}

/** Evidence is signed by certificates that may be revoked themselves, by evidence that is signed …: so far and no further. [rev.8] */
const MAX_DEPTH = 3;

/**
 * Whether a certificate of the path is revoked, by evidence at hand and by nothing else.
 *
 * Errors are values: `CERTIFICATE_REVOKED`, `REVOCATION_UNKNOWN` where proof is demanded, `PATH_LIMIT` when the evidence
 * would cost too much.
 *
 * @param path leaf first, anchor last; alone, a leaf that is believed by itself
 * @see spec/trust.md, clauses rev.1 to rev.16
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
  if (options.mode === 'off') return { findings: [], statuses: [], seen: new Map(), attested: [] };
  const all = path.map((certificate, i) => {
    const above = path.slice(i + 1);
    return above.length > 0
      ? judgeOne(certificate, above, evidence, options, pending)
      : judgeTop(certificate, path.length === 1, evidence, options, pending);
  });
  const limit = 'the revocation lists and OCSP responses would take too many signatures to verify';
  return {
    findings: [
      ...all.flatMap(({ findings }) => findings),
      ...(options.budget.isSpent('evidence') ? [refused('PATH_LIMIT', limit)] : []), // [rev.8]
    ],
    statuses: all.flatMap(({ status }) => status ?? []),
    seen: joinSeen(all.map(({ seen }) => seen)),
    attested: all.flatMap(({ attested }) => attested),
  };
}

function judgeOne(
  certificate: Certificate,
  above: readonly Certificate[],
  evidence: RevocationEvidence,
  options: RevocationOptions,
  pending: readonly Certificate[],
): OneJudgement {
  const hearing = hear(certificate, above, evidence, options, pending);
  const isSilent = !above.some((issuer) => isIssuerHeard(certificate, issuer, evidence));
  const missed = missedOf(certificate, above.slice(0, 1), options.seen);
  return verdict(certificate, hearing.words, { ...hearing, isSilent, missed }, options);
}

/** All that is said of a certificate; the first above it is its issuer. */
function hear(
  certificate: Certificate,
  above: readonly Certificate[],
  evidence: RevocationEvidence,
  options: RevocationOptions,
  pending: readonly Certificate[],
): Hearing {
  const judging: IssuerJudging = {
    isPending: (signer) => pending.includes(signer),
    judge: (signer, path) =>
      pending.length >= MAX_DEPTH
        ? [refused('REVOCATION_UNKNOWN', 'evidence about evidence goes on too far')]
        : judgeAll(path, evidence, options, [...pending, signer]).findings,
  };
  const hearBoth = (one: Certificate, statusOf: ResponderStatus): Hearing => {
    const crls = hearCrls(one, above, evidence.crls, options, judging);
    const [issuer] = above;
    if (!issuer) return crls;
    const ocsps = hearResponses(one, issuer, evidence.ocsps, options, statusOf);
    return recall(joinHearings([crls, ocsps]), one, issuer, options.seen);
  };
  // [ocsp.5] whoever answers for a responder is looked up as well, in lists and in what the issuer itself has signed
  const byIssuer: ResponderStatus = (responder) => statusIn(hearBoth(responder, () => 'revoked'));
  return hearBoth(certificate, (responder) => statusIn(hearBoth(responder, byIssuer)));
}

function statusIn(hearing: Hearing): ReturnType<ResponderStatus> {
  const { words } = hearing;
  if (words.some(isRevoking)) return 'revoked';
  if (standingDoubt(hearing)) return 'doubted';
  return words.some(isClearing) ? 'good' : 'unknown';
}

function joinHearings(all: readonly Hearing[]): Hearing {
  return {
    words: all.flatMap(({ words }) => words),
    doubts: all.flatMap(({ doubts }) => doubts),
    warnings: all.flatMap(({ warnings }) => warnings),
    seen: joinSeen(all.map(({ seen }) => seen)),
    attested: all.flatMap(({ attested }) => attested),
  };
}

/**
 * What ends a path: believed for itself, and revoked all the same when its issuer says so. [rev.10]
 *
 * Only an issuer that the user gave may clear it: nothing that is trusted vouches for any other.
 */
function judgeTop(
  certificate: Certificate,
  isLeaf: boolean,
  evidence: RevocationEvidence,
  options: RevocationOptions,
  pending: readonly Certificate[],
): OneJudgement {
  const nothing: OneJudgement = { findings: [], seen: new Map(), attested: [] };
  if (!isLeaf && isSelfIssued(certificate)) return nothing; // a root has no issuer to ask
  const claims = claimsAbout(certificate, evidence);
  const isSilent = claims.sources.length === 0;
  const issuers = isSilent && options.seen.size === 0 ? [] : issuersAtHand(certificate, options);
  const given = givenIssuersOf(certificate, options.anchors, options.budget); // not itself, which would clear itself
  const isGiven = ({ fingerprint }: Certificate): boolean =>
    given.some((one) => one.fingerprint === fingerprint);
  const known = options.seen.get(revokedKey(certificate));
  let isTakenBack = false;
  const hearOne = (issuer: Certificate): Hearing => {
    const hearing = hear(certificate, [issuer], evidence, options, pending);
    isTakenBack ||= hearing.words.some(
      (one) => isClearing(one) && known && one.thisUpdate > known.thisUpdate,
    );
    return hearing;
  };
  const byGiven = joinHearings(issuers.filter(isGiven).map(hearOne));
  const byOthers = issuers
    .filter((issuer) => !isGiven(issuer))
    .map((issuer) => {
      const hearing = hearOne(issuer);
      const words = hearing.words.filter(isRevoking);
      const seen = new Map<string, Mark>();
      for (const one of words) note(seen, revokedKey(certificate), one); // [rev.13]
      return { ...hearing, words, seen, attested: [] }; // [bundle.6] nobody who is trusted answers for these
    });
  const recalled = isLeaf ? recallKey(byGiven, certificate, options.seen) : byGiven;
  const heard = joinHearings([recalled, ...byOthers]);
  const before =
    known && !isTakenBack
      ? `what revokes ${nameOf(certificate)}, of ${showTime(known.thisUpdate)}, has been seen before and is not here`
      : undefined;
  const { seen, attested } = heard;
  const words = heard.words.map((one) => (before && isClearing(one) ? { ...one, stale: before } : one));
  const settled = words.some((one) => isRevoking(one) || isClearing(one));
  // [rev.11] what revokes it and cannot be checked is not nothing
  if (!settled && claims.revoking !== undefined) {
    const problem = `${claims.revoking} says that ${nameOf(certificate)} is revoked, and cannot be checked`;
    const finding = refused('REVOCATION_UNKNOWN', `${problem}: its issuer is not known, or may not say so`);
    return {
      status: { certificate, status: 'unknown', detail: finding.error.message },
      findings: [finding],
      seen,
      attested,
    };
  }
  const isRevoked =
    judgeRevoking(certificate, words, options.proven)?.allowed === undefined && words.some(isRevoking);
  const isItself = options.anchors.some(({ fingerprint }) => fingerprint === certificate.fingerprint);
  const { crls, ocsps, brought = 0 } = evidence;
  // [path.17] the true certificate of the key may be revoked in them, and this one be made up
  if (isLeaf && !isItself && given.length === 0 && !isRevoked && crls.length + ocsps.length > brought) {
    const problem = `nobody whom you trust has signed ${nameOf(certificate)}, so what you have given about revocation cannot tell whether its key is revoked`;
    const error = new BundleError('REVOCATION_UNKNOWN', problem, {
      fix: {
        text: 'trust the certificate itself, or that of its issuer, which you have from a source of your own; a pin is for a key of which there are no revocation lists',
        advice: 'trust-itself',
      },
    });
    return {
      status: { certificate, status: 'unknown', detail: problem },
      findings: [{ error }],
      seen,
      attested,
    };
  }
  const missed = before ?? missedOf(certificate, issuers, options.seen);
  const isHeard =
    words.some(isRevoking) ||
    standingDoubt({ words, doubts: heard.doubts }) !== undefined ||
    before !== undefined ||
    (isSilent && missed !== undefined);
  if (!isLeaf && !isHeard) return { ...nothing, seen, attested };
  const [source] = claims.sources;
  const unheard = `${source} is of an issuer whose certificate you have not given`;
  const warnings = words.length > 0 || source === undefined ? [] : [refused('REVOCATION_UNKNOWN', unheard)];
  return verdict(
    certificate,
    words,
    {
      warnings: [...heard.warnings, ...warnings],
      doubts: heard.doubts,
      seen,
      attested,
      isSilent,
      missed,
    },
    isLeaf ? options : { ...options, mode: 'if-present' }, // an anchor needs no proof
  );
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
