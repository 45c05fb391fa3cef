import { keyIdentity } from '../crypto/key-identity.ts';
import { BundleError } from '../kit/errors/errors.ts';
import { type ClaimJudgement, type ClaimPolicy, judgeClaim, type SignerClaim } from './judge-claim.ts';
import type { Anchor } from './judge-signer.ts';
import { kindOfPath } from './path/path-kind.ts';
import { pinnedAmong } from './pinned.ts';
import type { Finding } from './policy.ts';
import type { Publisher } from './publisher.ts';
import { unrelatedIn } from './revocation/unrelated.ts';
import { joinVouched, NOTHING_VOUCHED, type Vouched } from './vouched.ts';

/** The answer about all signers of one thing together. */
export interface ClaimsJudgement {
  /** one for each certificate that signed, in the order of the claims */
  readonly judgements: readonly ClaimJudgement[];
  /** those that vouch and whose threshold is met, and what else they require; none for trust without a publisher */
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
 * Whether the signers together are to be believed: one that is trusted, or as many as a publisher's threshold asks, of the kinds that it requires.
 *
 * Claims by one certificate are one signer. [sig.7] [pub.8] [pq.9]
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
  const lacks = (publisher: Publisher): readonly BundleError[] =>
    [belowThreshold(publisher, trusted), missingKind(publisher, trusted, policy.trust.anchors)].flatMap(
      (error) => error ?? [],
    );
  const publishers = vouching.filter((publisher) => lacks(publisher).length === 0);
  const others = judgements.filter(({ errors }) => errors.length > 0).flatMap(({ errors }) => errors);
  const held = trusted.flatMap((judgement) => judgement.held);
  const isRefused = !unbound && publishers.length === 0;
  return {
    judgements,
    publishers,
    held,
    vouched: joinVouched(trusted.map(({ vouched }) => vouched)),
    errors: isRefused ? [...vouching.flatMap(lacks), ...held] : [],
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

function belowThreshold(publisher: Publisher, trusted: readonly ClaimJudgement[]): BundleError | undefined {
  const { name, threshold } = publisher;
  const count = signersOf(publisher, trusted);
  if (count >= threshold) return undefined;
  const problem = `publisher "${name}" needs ${threshold} signers; ${count} of those here may sign for it`;
  return new BundleError('THRESHOLD_NOT_MET', problem);
}

/** Why a kind of signature that the publisher requires is missing: of signers that it accepts, and over paths to its own anchors. [pq.9] */
function missingKind(
  publisher: Publisher,
  trusted: readonly ClaimJudgement[],
  anchors: readonly Anchor[],
): BundleError | undefined {
  const own = anchors.filter((anchor) => anchor.publisher === publisher);
  const ends = new Set(own.map(({ certificate }) => certificate.fingerprint));
  const paths = trusted
    .filter(({ publishers }) => publishers.includes(publisher))
    .flatMap(({ leaf, vouched }) =>
      vouched.paths.filter(([first]) => first?.fingerprint === leaf.fingerprint),
    )
    .filter((path) => ends.has(path.at(-1)?.fingerprint ?? ''));
  const held = new Set<string>(paths.map(kindOfPath));
  const missing = publisher.require?.find((kind) => !held.has(kind));
  if (missing === undefined) return undefined;
  const problem = `publisher "${publisher.name}" requires a ${missing} signature, and none that it accepts is here`;
  return new BundleError('REQUIREMENT_NOT_MET', problem);
}
