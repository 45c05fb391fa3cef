import type { Certificate } from '../crypto/certificate.ts';
import type { TimestampToken } from '../formats/tsp/token.ts';
import { BundleError } from '../kit/errors/errors.ts';
import { type Asked, type Demand, demandsOf, strictnessOf } from './demands.ts';
import { type Anchor, judgeSigner, type SignerJudgement, type TrustStore } from './judge-signer.ts';
import { judgeToken, type TokenJudgement, windowsOf } from './judge-token.ts';
import type { Budget } from './path/budget.ts';
import type { TimeWindow } from './path/judge-options.ts';
import type { Allowances, Finding } from './policy.ts';
import type { Publisher, RevocationMode } from './publisher.ts';
import type {
  Attested,
  HighWaterMarks,
  RevocationEvidence,
  RevocationOptions,
} from './revocation/evidence.ts';
import { judgeRevocation, type RevocationJudgement } from './revocation/judge-revocation.ts';
import { joinSeen, ofAnchor } from './revocation/marks.ts';
import { advised, missingTimestamp, outlasting, type TimestampJudgement, unproven } from './timestamp.ts';
import { NOTHING_VOUCHED, type Vouched, vouchedIn } from './vouched.ts';

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
export interface ClaimPolicy extends Asked {
  readonly trust: TrustStore;
  readonly timestamping: readonly Anchor[];
  readonly untrusted?: readonly Certificate[]; // [path.27]
  readonly allowances: Allowances;
  /** now */
  readonly at: Date;
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
  /** what was asked about revocation, and found */
  readonly mode: RevocationMode;
  readonly revocation: RevocationJudgement;
  /** every path of the signer, and of authorities, that those who know it have looked at */
  readonly paths: readonly (readonly Certificate[])[];
  /** what the signer answers for; nothing when it is not trusted */
  readonly vouched: Vouched;
  readonly errors: readonly BundleError[];
  readonly warnings: readonly Finding[];
  /** why others who know the signer refuse it, though one accepts it; to be told when that one refuses the whole [pub.10] [pub.15] */
  readonly held: readonly BundleError[];
}

/** Tokens looked at for one signer: each costs a search for a path. */
const MAX_TOKENS = 8;
const NOT_JUDGED: RevocationJudgement = { findings: [], statuses: [], seen: new Map(), attested: [] };

/**
 * Whether one signer may be believed: by the demands of one of those that vouch for it, every one of them. [pub.15]
 *
 * Scopes are left to `judgeScope`, which is told only of publishers whose demands are met.
 */
export function judgeClaim(claim: SignerClaim, policy: ClaimPolicy): ClaimJudgement {
  const context = openContext(claim, policy);
  const answers = demandsOf(policy.trust, policy).map((demand) => judgeBy(demand, context));
  const accepting = answers.filter(({ errors }) => errors.length === 0).sort(bySay);
  const [first] = accepting;
  const seen = joinSeen(answers.map(({ revocation }) => revocation.seen)); // whoever looked: what exists, exists
  const paths = answers.filter(({ isKnown }) => isKnown).flatMap((answer) => answer.paths);
  if (first) {
    const vouched = vouchedIn(accepting, attestedBy(context));
    const found = answers.filter(({ isKnown }) => isKnown).flatMap(({ errors }) => errors);
    const held = distinct([...found, ...accepting.flatMap(({ signer }) => signer.others)]);
    const revocation = { ...first.revocation, seen };
    return { ...first, ...vouching(accepting), revocation, paths, vouched, held };
  }
  // [pub.10] where nobody accepts it, those who know it say why
  const knowing = answers.filter(({ isKnown }) => isKnown);
  const telling =
    knowing.length > 0
      ? knowing
      : answers.sort((a, b) => b.signer.path.length - a.signer.path.length).slice(0, 1);
  const [worst] = [...telling].sort(byFindings);
  if (!worst) throw new BundleError('INTERNAL', 'a signer was judged by nobody');
  return {
    ...worst,
    paths,
    revocation: { ...worst.revocation, seen },
    errors: distinct(telling.flatMap(({ errors }) => errors)),
  };
}

/** What one signer is judged with, by whatever demand. */
interface Context {
  readonly claim: SignerClaim;
  readonly policy: ClaimPolicy;
  readonly timestamps: (mode: RevocationMode) => readonly TokenJudgement[];
}

/** Timestamps are judged once for each way in which their authorities are, and counted once. [tst.13] */
function openContext(claim: SignerClaim, policy: ClaimPolicy): Context {
  let tokens: readonly TimestampClaim[] | undefined;
  const known = new Map<RevocationMode, readonly TokenJudgement[]>();
  return {
    claim,
    policy,
    timestamps: (mode) => {
      tokens ??= claim.timestamps.slice(0, MAX_TOKENS).filter(() => policy.budget.spend('timestamps'));
      const judged = known.get(mode) ?? tokens.map((token) => judgeStamp(token, claim, policy, mode));
      known.set(mode, judged);
      return judged;
    },
  };
}

/** The answer by one demand. */
interface Answer extends ClaimJudgement {
  /** the signer's certificate leads to an anchor of those who have this demand, or is pinned */
  readonly isKnown: boolean;
}

/** Whether the signer may be believed at the time that a timestamp proves, or else now. [tst.1] [rev.1] [pub.14] */
function judgeBy(demand: Demand, context: Context): Answer {
  const { claim, policy } = context;
  const ignored = policy.timestamp === 'ignore' || !(demand.proof || demand.provenTime);
  const timestamps = ignored ? [] : context.timestamps(demand.authorities);
  const windows = windowsOf(timestamps);
  const { signer, proven } = demand.provenTime
    ? judgeBest(windowsOf(outlasting(timestamps, claim.leaf)), demand, context)
    : { signer: judgeAt(undefined, demand, context), proven: windows[0] };
  const missing = demand.proof && windows.length === 0 ? [missingTimestamp(timestamps, claim.leaf)] : [];
  const errors = [...signer.errors.map((error) => advised(error, timestamps, claim.leaf)), ...missing];
  const isKnown = isVouchedFor(signer.path, demand);
  const time = demand.provenTime ? proven : undefined;
  const { seen, ...revocation } = isKnown
    ? judgeRevocation(signer.path, policy.evidence, revocationOptions(demand, context, time))
    : NOT_JUDGED; // what nobody vouches for must not cost, nor be remembered
  const ofAuthorities = isKnown ? timestamps.map((timestamp) => timestamp.seen) : [];
  // [rev.9] What else refuses it, of other publishers, makes a revocation no less known.
  const isJudged =
    isKnown && (errors.length === 0 || errors.some(({ code }) => code === 'CERTIFICATE_REVOKED'));
  return {
    leaf: claim.leaf,
    signer,
    publishers: errors.length === 0 ? (signer.trustedBy?.publishers ?? []) : [],
    timestamps,
    ...(proven !== undefined && { proven }),
    mode: demand.revocation,
    revocation: {
      ...revocation,
      seen: joinSeen([...(isJudged ? [ofAnchor(seen, signer.path)] : []), ...ofAuthorities]), // [rev.9]
    },
    paths: [signer.path, ...signer.paths, ...timestamps.map(({ path }) => path)],
    vouched: NOTHING_VOUCHED,
    held: [],
    errors,
    warnings: [
      ...signer.warnings,
      ...timestamps.flatMap((timestamp) => timestamp.warnings),
      ...(missing.length > 0 ? [] : timestamps.flatMap(unproven)),
    ],
    isKnown,
  };
}

/** [bundle.6] Whose evidence it is does not depend on whether anybody asks about revocation. */
function attestedBy({ claim, policy }: Context): (path: readonly Certificate[]) => readonly Attested[] {
  const { evidence, trust, timestamping } = policy;
  if (evidence.crls.length + evidence.ocsps.length === 0) return () => [];
  const anchors = certificatesOf([...trust.anchors, ...timestamping]);
  const options = evidenceOptions('if-present', anchors, claim, policy);
  return (path) => judgeRevocation(path, evidence, options).attested;
}

/** Who is bound to no publisher first, then who asked for more: of them most is known. */
function bySay(a: Answer, b: Answer): number {
  const isBound = ({ publishers }: Answer): number => (publishers.length === 0 ? 0 : 1);
  return isBound(a) - isBound(b) || strictnessOf(b.mode) - strictnessOf(a.mode);
}

/** [pub.15] Who found it revoked first, then who asked for more: who did not look has nothing to say. */
function byFindings(a: Answer, b: Answer): number {
  const isClear = ({ errors }: Answer): number =>
    errors.some(({ code }) => code === 'CERTIFICATE_REVOKED') ? 0 : 1;
  return isClear(a) - isClear(b) || strictnessOf(b.mode) - strictnessOf(a.mode);
}

/** [pub.7] Trust without a publisher frees from those of all others; else each publisher whose demands are met has its say. */
function vouching(accepting: readonly Answer[]): Pick<ClaimJudgement, 'publishers' | 'signer'> {
  const [first] = accepting;
  if (!first) throw new BundleError('INTERNAL', 'nobody vouches');
  const all = [...new Set(accepting.flatMap(({ publishers }) => publishers))];
  const publishers = first.publishers.length === 0 ? [] : all;
  const { trustedBy } = first.signer;
  return {
    publishers,
    signer: { ...first.signer, ...(trustedBy !== undefined && { trustedBy: { ...trustedBy, publishers } }) },
  };
}

function distinct(errors: readonly BundleError[]): readonly BundleError[] {
  return [...new Map(errors.map((error) => [`${error.code} ${error.message}`, error])).values()];
}

/**
 * [tst.12] The signer at the earliest proven time at which all is well, else at the earliest, else now. Each timestamp by
 * itself is enough, so that a later one must not undo what an earlier one proves.
 */
function judgeBest(
  windows: readonly TimeWindow[],
  demand: Demand,
  context: Context,
): { readonly signer: SignerJudgement; readonly proven?: TimeWindow } {
  const judged = windows.map((proven) => ({ proven, signer: judgeAt(proven, demand, context) }));
  return (
    judged.find(({ signer }) => signer.errors.length === 0) ??
    judged[0] ?? { signer: judgeAt(undefined, demand, context) }
  );
}

function isVouchedFor(path: readonly Certificate[], { trust }: Demand): boolean {
  const [leaf] = path;
  const end = path.at(-1)?.fingerprint;
  return (
    trust.anchors.some(({ certificate }) => certificate.fingerprint === end) ||
    trust.pins.some((pin) => pin === leaf?.spkiSha256)
  );
}

/** The signer's path at a proven time, or now. */
function judgeAt(proven: TimeWindow | undefined, demand: Demand, context: Context): SignerJudgement {
  const { claim, policy } = context;
  const { leaf } = claim;
  // anchors of others may stand in the middle, where they prove no more than any other certificate
  const intermediates = [...claim.intermediates, ...certificatesOf(policy.trust.anchors)];
  return judgeSigner({ leaf, intermediates }, demand.trust, {
    at: policy.at,
    given: certificatesOf(policy.trust.anchors),
    window: proven ?? { from: policy.at, to: policy.at },
    allowances: policy.allowances,
    budget: policy.budget,
    judgeMore: (path) =>
      judgeRevocation(path, policy.evidence, revocationOptions(demand, context, proven)).findings,
  });
}

/** [rev.9] Authorities are looked up like signers, and what was seen of them is remembered like what was of these. */
function judgeStamp(
  { token, over }: TimestampClaim,
  claim: SignerClaim,
  policy: ClaimPolicy,
  mode: RevocationMode,
): TokenJudgement {
  const { at, allowances, budget, evidence } = policy;
  const anchors = certificatesOf(policy.timestamping);
  const { intermediates } = claim;
  const revocation = evidenceOptions(mode, anchors, claim, policy);
  return judgeToken(token, over, { anchors, intermediates, at, allowances, budget, evidence, revocation });
}

function revocationOptions(
  { revocation }: Demand,
  { claim, policy }: Context,
  proven: TimeWindow | undefined,
): RevocationOptions {
  const anchors = certificatesOf(policy.trust.anchors);
  return { ...evidenceOptions(revocation, anchors, claim, policy), ...(proven !== undefined && { proven }) };
}

function evidenceOptions(
  mode: RevocationMode,
  anchors: readonly Certificate[],
  claim: SignerClaim,
  policy: ClaimPolicy,
): RevocationOptions {
  const { at, seen, allowances, budget, trust, timestamping } = policy;
  const given = certificatesOf([...trust.anchors, ...timestamping]);
  return { mode, at, seen, allowances, issuers: [...claim.intermediates, ...given], anchors, budget };
}

function certificatesOf(anchors: readonly Anchor[]): readonly Certificate[] {
  return anchors.map(({ certificate }) => certificate);
}
