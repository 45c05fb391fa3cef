import type { Certificate } from '../crypto/certificate.ts';
import type { TimestampToken } from '../formats/tsp/token.ts';
import type { SignerJudgement } from './judge-signer.ts';
import type { Attested } from './revocation/evidence.ts';
import type { TimestampJudgement } from './timestamp.ts';

/** What trusted signers, and authorities of timestamps that are proven, answer for besides the content. */
export interface Vouched {
  /** fingerprints of the certificates on their paths, and of those that sign evidence about them */
  readonly certificates: ReadonlySet<string>;
  /** these paths, of signers and of the authorities of proven timestamps */
  readonly paths: readonly (readonly Certificate[])[];
  /** fingerprints of those that have signed the content */
  readonly signers: ReadonlySet<string>;
  /** timestamps that prove a time, each with the path of its authority */
  readonly tokens: ReadonlyMap<TimestampToken, readonly Certificate[]>;
  /** evidence, with those who have signed it, as far as somebody answers for them */
  readonly evidence: ReadonlyMap<Attested['evidence'], readonly Certificate[]>;
}

/** Where nobody is trusted, nobody answers for anything. */
export const NOTHING_VOUCHED: Vouched = {
  certificates: new Set(),
  paths: [],
  signers: new Set(),
  tokens: new Map(),
  evidence: new Map(),
};

/** What a signer answers for that is accepted in each of these ways; `attested` says what evidence a path answers for. */
export function vouchedIn(
  accepting: readonly {
    readonly leaf: Certificate;
    readonly signer: SignerJudgement;
    readonly timestamps: readonly TimestampJudgement[];
  }[],
  attested: (path: readonly Certificate[]) => readonly Attested[],
): Vouched {
  const timestamps = accepting.flatMap((answer) => answer.timestamps).filter(({ proven }) => proven);
  const paths = [...accepting.flatMap(({ signer }) => signer.paths), ...timestamps.map(({ path }) => path)];
  const evidence = paths.flatMap(attested);
  // a pin is for a key: anybody can put that into a certificate, with whatever else
  const pinned = new Set(accepting.flatMap(({ leaf, signer }) => (signer.trustedBy?.pin ? [leaf] : [])));
  const certificates = [...paths.flat(), ...evidence.flatMap(({ signers }) => signers)].filter(
    (certificate) => !pinned.has(certificate),
  );
  return {
    certificates: new Set(certificates.map(({ fingerprint }) => fingerprint)),
    paths,
    signers: new Set(accepting.map(({ leaf }) => leaf.fingerprint)),
    tokens: new Map(timestamps.map(({ token, path }) => [token, path])),
    evidence: byEvidence(evidence.map(({ evidence: one, signers }) => [one, signers])),
  };
}

/** What several signers answer for together. */
export function joinVouched(all: readonly Vouched[]): Vouched {
  return {
    certificates: new Set(all.flatMap(({ certificates }) => [...certificates])),
    paths: all.flatMap(({ paths }) => paths),
    signers: new Set(all.flatMap(({ signers }) => [...signers])),
    tokens: new Map(all.flatMap(({ tokens }) => [...tokens])),
    evidence: byEvidence(all.flatMap(({ evidence }) => [...evidence])),
  };
}

/** Of several paths that answer for one, that with more certificates counts, in whatever order: who holds any of them needs theirs. [bundle.6] */
function byEvidence(
  entries: readonly (readonly [Attested['evidence'], readonly Certificate[]])[],
): Vouched['evidence'] {
  const all = new Map<Attested['evidence'], readonly Certificate[]>();
  for (const [evidence, signers] of entries) {
    const known = all.get(evidence);
    if (!known || signers.length > known.length) all.set(evidence, signers);
  }
  return all;
}
