import { type Certificate, isSignedBy } from '../../crypto/certificate.ts';
import { mlDsaOfKey } from '../../formats/x509/ml-dsa.ts';
import type { KeyDescription } from '../../formats/x509/public-key.ts';

/** What may be used up in one run, each with a limit of its own. */
type Spending = 'signatures' | 'steps' | 'names' | 'policies' | 'evidence' | 'timestamps';

/** What one run may cost, shared between its searches: a hostile set of certificates could keep a verifier busy for ever. */
export interface Budget {
  /** Whether the issuer's key made the child's signature; undefined when that is not known and no check is left. [path.3] */
  readonly isSigned: (child: Certificate, issuer: Certificate) => boolean | undefined;
  /** Takes from what is left; false when there is not enough. */
  readonly spend: (what: Spending, count?: number) => boolean;
  /** True when something was asked for that was not there any more. */
  readonly isSpent: (what: Spending) => boolean;
}

/**
 * Signatures verified and certificates tried in the search for paths [path.3]; names compared with name constraints
 * [nc.6]; nodes of policy graphs [pol.6]; signatures of lists and responses verified [rev.8]; timestamps judged [tst.13].
 */
export const LIMITS: Readonly<Record<Spending, number>> = {
  signatures: 128,
  steps: 4096,
  names: 20_000,
  policies: 20_000,
  evidence: 256,
  timestamps: 16,
};

/** A fresh budget; signatures that were verified once are remembered. */
export function openBudget(): Budget {
  const known = new Map<string, boolean>();
  const left = { ...LIMITS };
  const spend = (what: Spending, count = 1): boolean => {
    left[what] -= count;
    return left[what] >= 0;
  };
  return {
    isSigned: (child, issuer) => {
      const pair = `${child.fingerprint} ${issuer.fingerprint}`;
      let signed = known.get(pair);
      if (signed === undefined && spend('signatures', costOf(issuer.key))) {
        signed = isSignedBy(child, issuer);
        known.set(pair, signed);
      }
      return signed;
    },
    spend,
    isSpent: (what) => left[what] < 0,
  };
}

const LONG_RSA_BITS = 4096;
const LONG_DSA_BITS = 2048;
const LONG_EXPONENT = 1n << 32n;

/**
 * For how many checks one with this key counts: those that take some hundred times longer than usual might have been
 * chosen for that. [path.3]
 */
export function costOf({ type, bits = 0, exponent = 0n, curve = '' }: KeyDescription): number {
  if (mlDsaOfKey({ type })) return 4; // in JavaScript, where the platform has none
  if (type === 'dsa') return bits > LONG_DSA_BITS ? 4 : 1;
  if (type === 'ec') return curve.startsWith('sect') ? 4 : 1;
  return bits > LONG_RSA_BITS || exponent > LONG_EXPONENT ? 8 : 1;
}
