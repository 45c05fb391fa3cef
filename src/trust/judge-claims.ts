import type { Certificate } from '../crypto/certificate.ts';
import type { TimestampToken } from '../formats/tsp/token.ts';
import { BundleError, isBundleError } from '../kit/errors.ts';
import { type Anchor, judgeSigner, type SignerJudgement, type TrustStore } from './judge-signer.ts';
import type { Budget } from './path/budget.ts';
import { nameOf } from './path/findings.ts';
import type { TimeWindow } from './path/judge-options.ts';
import type { Allowances, Finding } from './policy.ts';
import type { Publisher, RevocationMode, TimestampMode } from './publisher.ts';
import type { HighWaterMarks, RevocationEvidence, RevocationOptions } from './revocation/evidence.ts';
import { judgeRevocation, type RevocationJudgement } from './revocation/judge-revocation.ts';
import { judgeTimestamp, type TimestampJudgement } from './timestamp.ts';

/** A signature that fits, and so a signer: its certificate, what came with it, and the timestamps over the signature. */
export interface SignerClaim {
  readonly leaf: Certificate;
  readonly intermediates: readonly Certificate[];
  readonly timestamps: readonly TimestampClaim[];
}

/** A timestamp, and the bytes that it is said to be over. */
export interface TimestampClaim {
  readonly token: TimestampToken;
  readonly over: Uint8Array;
}

/** What signers are judged by. Modes that are left out are the defaults, which a publisher may tighten. */
export interface ClaimPolicy {
  readonly trust: TrustStore;
  readonly timestamping: readonly Anchor[];
  readonly allowances: Allowances;
  /** now */
  readonly at: Date;
  readonly revocation?: RevocationMode;
  readonly timestamp?: TimestampMode;
  readonly evidence: RevocationEvidence;
  readonly seen: HighWaterMarks;
  /** what all signers, timestamps and revocation together may cost in this run */
  readonly budget: Budget;
}

/** The answer about one signer; it is trusted exactly when `errors` is empty. */
export interface ClaimJudgement {
  readonly leaf: Certificate;
  readonly signer: SignerJudgement;
  /** those that vouch, with their say about timestamps */
  readonly publishers: readonly Publisher[];
  readonly timestamps: readonly TimestampJudgement[];
  /** when the signature was certainly there, if a timestamp proves it */
  readonly proven?: TimeWindow;
  readonly revocation: RevocationJudgement;
  readonly errors: readonly BundleError[];
  readonly warnings: readonly Finding[];
}

/** The answer about all signers of one thing together. */
export interface ClaimsJudgement {
  /** one for each certificate that signed, in the order of the claims */
  readonly judgements: readonly ClaimJudgement[];
  /** those that vouch and whose threshold is met; none for trust without a publisher */
  readonly publishers: readonly Publisher[];
  /** empty exactly when the signers are trusted */
  readonly errors: readonly BundleError[];
  readonly warnings: readonly Finding[];
}

/** Tokens looked at for one signer: each costs a search for a path. */
const MAX_TOKENS = 8;
const STRICTNESS: readonly RevocationMode[] = ['off', 'if-present', 'require'];

/**
 * Whether the signers together are to be believed: one that is trusted, or as many as a publisher's threshold asks.
 *
 * Claims by one certificate are one signer. [sig.7] [pub.8]
 */
export function judgeClaims(claims: readonly SignerClaim[], policy: ClaimPolicy): ClaimsJudgement {
  const judgements = oneForEachSigner(claims).map((claim) => judgeClaim(claim, policy));
  const trusted = judgements.filter(({ errors }) => errors.length === 0);
  const [first] = trusted;
  if (!first) {
    const errors = judgements.flatMap((judgement) => judgement.errors);
    if (errors.length === 0) errors.push(new BundleError('SIGNER_UNKNOWN', 'nobody is known to have signed')); // nothing to judge is no trust
    return { judgements, publishers: [], errors, warnings: judgements.flatMap(({ warnings }) => warnings) };
  }
  const unbound = trusted.some(({ signer }) => signer.trustedBy?.publishers.length === 0); // [pub.7]
  const vouching = unbound ? [] : [...new Set(trusted.flatMap(({ publishers }) => publishers))];
  const publishers = vouching.filter((publisher) => signersOf(publisher, trusted) >= publisher.threshold);
  const others = judgements.filter(({ errors }) => errors.length > 0).flatMap(({ errors }) => errors);
  return {
    judgements,
    publishers,
    errors: unbound || publishers.length > 0 ? [] : vouching.map((one) => belowThreshold(one, trusted)),
    warnings: [
      ...trusted.flatMap(({ warnings }) => warnings),
      ...others.map((error): Finding => ({ error, allowed: 'lenient' })),
    ],
  };
}

function oneForEachSigner(claims: readonly SignerClaim[]): readonly SignerClaim[] {
  const bySigner = new Map<string, SignerClaim>();
  for (const claim of claims) {
    const same = bySigner.get(claim.leaf.fingerprint);
    const intermediates = [...(same?.intermediates ?? []), ...claim.intermediates];
    const timestamps = [...(same?.timestamps ?? []), ...claim.timestamps];
    bySigner.set(claim.leaf.fingerprint, { leaf: claim.leaf, intermediates, timestamps });
  }
  return [...bySigner.values()];
}

/** Two certificates for one key are one signer. */
function signersOf(publisher: Publisher, trusted: readonly ClaimJudgement[]): number {
  const own = trusted.filter(({ publishers }) => publishers.includes(publisher));
  return new Set(own.map(({ signer }) => signer.path[0]?.spkiSha256)).size;
}

function belowThreshold(publisher: Publisher, trusted: readonly ClaimJudgement[]): BundleError {
  const { name, threshold } = publisher;
  const problem = `publisher "${name}" needs ${threshold} signers; ${signersOf(publisher, trusted)} of those here may sign for it`;
  return new BundleError('THRESHOLD_NOT_MET', problem);
}

/** Whether one signer may be believed, at the time that a timestamp proves or else now. [tst.1] [rev.1] [pub.14] */
function judgeClaim(claim: SignerClaim, policy: ClaimPolicy): ClaimJudgement {
  const mode = policy.timestamp ?? 'prefer';
  const tokens = mode === 'ignore' ? [] : claim.timestamps.slice(0, MAX_TOKENS);
  const timestamps = tokens
    .filter(() => policy.budget.spend('timestamps')) // [tst.13]
    .map((timestamp) => judgeToken(timestamp, claim, policy));
  const { signer, proven } = judgeBest(claim, policy, timestamps);

  const offered = signer.trustedBy?.publishers ?? [];
  const withoutProof =
    proven && offered.some(({ timestamp }) => timestamp === 'ignore') && judgeAt(claim, policy, undefined);
  const publishers = offered.filter((publisher) => {
    if (publisher.timestamp === 'require') return proven !== undefined;
    return (
      publisher.timestamp !== 'ignore' ||
      !withoutProof ||
      withoutProof.trustedBy?.publishers.includes(publisher)
    );
  });
  const allRefuse = offered.length > 0 && publishers.length === 0;
  const missing =
    !proven && (mode === 'require' || allRefuse) ? [missingTimestamp(timestamps, claim.leaf)] : [];
  const untimely = proven && allRefuse && withoutProof ? withoutProof.errors : [];
  return {
    leaf: claim.leaf,
    signer,
    publishers,
    timestamps,
    ...(proven && { proven }),
    revocation: reachesAnchor(signer.path, policy)
      ? judgeRevocation(signer.path, policy.evidence, revocationOptions(claim, policy, signer.path, proven))
      : { findings: [], statuses: [], seen: new Map() }, // what nobody vouches for must not cost, nor be remembered
    errors: [...signer.errors.map((error) => advised(error, timestamps)), ...missing, ...untimely],
    warnings: [...signer.warnings, ...(missing.length > 0 ? [] : timestamps.flatMap(unproven))],
  };
}

/**
 * [tst.12] The signer at the earliest proven time at which all is well, else at the earliest, else now. Each timestamp by
 * itself is enough, so that a later one must not undo what an earlier one proves.
 */
function judgeBest(
  claim: SignerClaim,
  policy: ClaimPolicy,
  timestamps: readonly TimestampJudgement[],
): { readonly signer: SignerJudgement; readonly proven?: TimeWindow } {
  const windows = timestamps.flatMap(({ proven }) => proven ?? []).sort((a, b) => +a.to - +b.to);
  const judged = windows.map((proven) => ({ proven, signer: judgeAt(claim, policy, proven) }));
  return (
    judged.find(({ signer }) => signer.errors.length === 0) ??
    judged[0] ?? { signer: judgeAt(claim, policy, undefined) }
  );
}

function reachesAnchor(path: readonly Certificate[], { trust }: ClaimPolicy): boolean {
  const end = path.at(-1)?.fingerprint;
  return trust.anchors.some(({ certificate }) => certificate.fingerprint === end);
}

/** The signer's path at a proven time, or now. */
function judgeAt(claim: SignerClaim, policy: ClaimPolicy, proven: TimeWindow | undefined): SignerJudgement {
  const { leaf, intermediates } = claim;
  return judgeSigner({ leaf, intermediates }, policy.trust, {
    at: policy.at,
    window: proven ?? { from: policy.at, to: policy.at },
    allowances: policy.allowances,
    budget: policy.budget,
    judgeMore: (path) =>
      judgeRevocation(path, policy.evidence, revocationOptions(claim, policy, path, proven)).findings,
  });
}

function judgeToken(
  { token, over }: TimestampClaim,
  claim: SignerClaim,
  policy: ClaimPolicy,
): TimestampJudgement {
  return judgeTimestamp(token, over, {
    anchors: policy.timestamping.map(({ certificate }) => certificate),
    intermediates: claim.intermediates,
    at: policy.at,
    allowances: policy.allowances,
    budget: policy.budget,
    judgeMore: (path) =>
      judgeRevocation(path, policy.evidence, revocationOptions(claim, policy, path, undefined)).findings,
  });
}

/** [pub.14] The stricter of what the caller asks and what the publishers at the end of the path ask. */
function revocationOptions(
  claim: SignerClaim,
  policy: ClaimPolicy,
  path: readonly Certificate[],
  proven: TimeWindow | undefined,
): RevocationOptions {
  const end = path.at(-1)?.fingerprint;
  const anchors = [...policy.trust.anchors, ...policy.timestamping];
  const asked = anchors
    .filter(({ certificate }) => certificate.fingerprint === end)
    .flatMap(({ publisher }) => publisher?.revocation ?? []);
  const modes = [
    ...asked,
    ...(policy.revocation || asked.length === 0 ? [policy.revocation ?? 'if-present'] : []),
  ];
  const certificates = anchors.map(({ certificate }) => certificate);
  return {
    mode: STRICTNESS.findLast((mode) => modes.includes(mode)) ?? 'if-present',
    at: policy.at,
    ...(proven && { proven }),
    seen: policy.seen,
    allowances: policy.allowances,
    issuers: [...claim.intermediates, ...certificates],
    anchors: certificates,
    budget: policy.budget,
  };
}

/** Where a timestamp of somebody unknown is there, trusting its authority may be all that is missing. */
function advised(error: BundleError, timestamps: readonly TimestampJudgement[]): BundleError {
  const { code, message, where, why, cause } = error;
  const byStranger = timestamps.some(({ errors }) =>
    errors.some((reason) => isBundleError(reason.cause) && reason.cause.code === 'SIGNER_UNKNOWN'),
  );
  if (code !== 'CERTIFICATE_EXPIRED' || !byStranger) return error;
  const fix =
    'if you trust the authority of its timestamp, give its CA certificate: --trust-tsa tsa-ca.pem, or once and for all bulla trust add NAME tsa-ca.pem --timestamping; otherwise ask the publisher for a bundle that is signed anew';
  return new BundleError(code, message, { where, why, fix, cause });
}

function missingTimestamp(timestamps: readonly TimestampJudgement[], leaf: Certificate): BundleError {
  const [bad] = timestamps.flatMap(({ errors }) => errors);
  if (bad) return bad;
  return new BundleError('TIMESTAMP_MISSING', `the signature of ${nameOf(leaf)} has no timestamp`);
}

/** A timestamp that proves nothing is as good as none, and somebody should know. */
function unproven({ errors }: TimestampJudgement): readonly Finding[] {
  return errors.map((error) => ({ error, allowed: 'lenient' }));
}
