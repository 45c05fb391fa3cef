import { keyIdentity } from '../crypto/key-identity.ts';
import { BundleError } from '../kit/errors/errors.ts';
import { type ClaimJudgement, type ClaimPolicy, judgeClaim, type SignerClaim } from './judge-claim.ts';
import { pinnedAmong } from './pinned.ts';
import type { Finding } from './policy.ts';
import type { Publisher } from './publisher.ts';
import { unrelatedIn } from './revocation/unrelated.ts';
import { joinVouched, NOTHING_VOUCHED, type Vouched } from './vouched.ts';

/** The answer about all signers of one thing together. */
export interface ClaimsJudgement {
  /** one for each certificate that signed, in the order of the claims */
  readonly judgements: readonly ClaimJudgement[];
  /** those that vouch and whose threshold is met; none for trust without a publisher */
  readonly publishers: readonly Publisher[];
  /** what the trusted signers answer for besides the content [cert.11] */
  readonly vouched: Vouched;
  /** empty exactly when the signers are trusted */
  readonly errors: readonly BundleError[];
  readonly warnings: readonly Finding[];
  /** why others who know the signers refuse them; to be told when those that accept refuse the whole [pub.10] [pub.15] */
  readonly held: readonly BundleError[];
}

/**
 * Whether the signers together are to be believed: one that is trusted, or as many as a publisher's threshold asks.
 *
 * Claims by one certificate are one signer. [sig.7] [pub.8]
 */
export function judgeClaims(made: readonly SignerClaim[], asked: ClaimPolicy): ClaimsJudgement {
  const { claims, policy } = withGiven(made, asked);
  const judgements = oneForEachSigner(claims).map((claim) => judgeClaim(claim, policy));
  const unrelated = unrelatedIn(policy.evidence, {
    paths: judgements.flatMap(({ paths }) => paths),
    given: [...policy.trust.anchors, ...policy.timestamping].map(({ certificate }) => certificate),
    beside: claims.flatMap(({ intermediates }) => intermediates),
  });
  const trusted = judgements.filter(({ errors }) => errors.length === 0);
  const [first] = trusted;
  if (!first) {
    const errors = judgements.flatMap((judgement) => judgement.errors);
    if (errors.length === 0) errors.push(new BundleError('SIGNER_UNKNOWN', 'nobody is known to have signed')); // nothing to judge is no trust
    const warnings = [...judgements.flatMap((judgement) => judgement.warnings), ...unrelated];
    return { judgements, publishers: [], vouched: NOTHING_VOUCHED, errors, warnings, held: [] };
  }
  const unbound = trusted.some(({ signer }) => signer.trustedBy?.publishers.length === 0); // [pub.7]
  const vouching = unbound ? [] : [...new Set(trusted.flatMap(({ publishers }) => publishers))];
  const publishers = vouching.filter((publisher) => signersOf(publisher, trusted) >= publisher.threshold);
  const others = judgements.filter(({ errors }) => errors.length > 0).flatMap(({ errors }) => errors);
  const held = trusted.flatMap((judgement) => judgement.held);
  const isRefused = !unbound && publishers.length === 0;
  return {
    judgements,
    publishers,
    held,
    vouched: joinVouched(trusted.map(({ vouched }) => vouched)),
    errors: isRefused ? [...vouching.map((one) => belowThreshold(one, trusted)), ...held] : [],
    warnings: [
      ...trusted.flatMap(({ warnings }) => warnings),
      ...others.map((error): Finding => ({ error, allowed: 'lenient' })),
      ...unrelated,
    ],
  };
}

/** With what the caller gives beside what came with the signers, and the anchors that pins make of either. [path.26] [path.27] */
function withGiven(
  made: readonly SignerClaim[],
  { untrusted = [], trust, ...policy }: ClaimPolicy,
): { readonly claims: readonly SignerClaim[]; readonly policy: ClaimPolicy } {
  const claims = made.map((claim) => ({ ...claim, intermediates: [...claim.intermediates, ...untrusted] }));
  const atHand = claims.flatMap(({ leaf, intermediates }) => [leaf, ...intermediates]);
  const anchors = [...trust.anchors, ...pinnedAmong(atHand, trust.pins)];
  return { claims, policy: { ...policy, trust: { ...trust, anchors } } };
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

/** Two certificates for one key are one signer, however each spells it. [path.25] */
function signersOf(publisher: Publisher, trusted: readonly ClaimJudgement[]): number {
  const own = trusted.filter(({ publishers }) => publishers.includes(publisher));
  return new Set(own.map(({ leaf }) => keyIdentity(leaf))).size;
}

function belowThreshold(publisher: Publisher, trusted: readonly ClaimJudgement[]): BundleError {
  const { name, threshold } = publisher;
  const problem = `publisher "${name}" needs ${threshold} signers; ${signersOf(publisher, trusted)} of those here may sign for it`;
  return new BundleError('THRESHOLD_NOT_MET', problem);
}
