import { type Certificate, isSignedBy } from '../../crypto/certificate.ts';

/** What may be used up in one run, each with a limit of its own. */
type Spending = 'steps' | 'names' | 'policies' | 'evidence';

/** What one run may cost, shared between its searches: a hostile set of certificates could keep a verifier busy for ever. */
export interface Budget {
  /** Whether the issuer's key made the child's signature; undefined when that is not known and no check is left. [path.3] */
  readonly isSigned: (child: Certificate, issuer: Certificate) => boolean | undefined;
  /** Takes from what is left; false when there is not enough. */
  readonly spend: (what: Spending, count?: number) => boolean;
  /** True when something was asked for that was not there any more. */
  readonly isSpent: (what: Spending) => boolean;
}

/** Signatures verified in one run. [path.3] */
export const MAX_SIGNATURE_CHECKS = 128;
/** Certificates tried in the search for paths [path.3]; names compared with name constraints [nc.6]; nodes of policy graphs [pol.6]; signatures of lists and responses verified [rev.8]. */
export const LIMITS: Readonly<Record<Spending, number>> = {
  steps: 4096,
  names: 20_000,
  policies: 20_000,
  evidence: 256,
};

/** A fresh budget; signatures that were verified once are remembered. */
export function openBudget(): Budget {
  const known = new Map<string, boolean>();
  const left = { ...LIMITS };
  return {
    isSigned: (child, issuer) => {
      const pair = `${child.fingerprint} ${issuer.fingerprint}`;
      let signed = known.get(pair);
      if (signed === undefined && known.size < MAX_SIGNATURE_CHECKS) {
        signed = isSignedBy(child, issuer);
        known.set(pair, signed);
      }
      return signed;
    },
    spend: (what, count = 1) => {
      left[what] -= count;
      return left[what] >= 0;
    },
    isSpent: (what) => left[what] < 0,
  };
}
