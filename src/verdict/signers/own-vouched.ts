import { type Certificate, isSignedBy } from '../../crypto/certificate.ts';
import { nameKey } from '../../formats/x509/name.ts';
import { NOTHING_VOUCHED, type Vouched } from '../../trust/vouched.ts';
import type { FoundSignature } from './found-signature.ts';

/**
 * What signatures answer for to who trusts their signers as such: those whose signatures fit, and the certificates above
 * them that came along. What timestamps and evidence are worth, nobody can say who trusts no authority.
 *
 * For operations that know nobody to trust. [pack.10]
 */
export function ownVouched(found: readonly FoundSignature[]): Vouched {
  const signers = found.flatMap(({ signer, fault }) => (signer && !fault ? [signer] : []));
  const beside = found.flatMap(({ intermediates }) => intermediates);
  const path = above(signers, beside);
  return {
    ...NOTHING_VOUCHED,
    certificates: new Set(path.map(({ fingerprint }) => fingerprint)),
    signers: new Set(signers.map(({ fingerprint }) => fingerprint)),
  };
}

/** The certificates and those that have signed them, as far up as they are there. */
function above(certificates: readonly Certificate[], others: readonly Certificate[]): readonly Certificate[] {
  const distinct = new Map(others.map((one) => [one.fingerprint, one]));
  const kept = new Map(certificates.map((one) => [one.fingerprint, one]));
  for (const child of kept.values()) {
    for (const issuer of distinct.values()) {
      if (kept.has(issuer.fingerprint) || nameKey(issuer.fields.subject) !== nameKey(child.fields.issuer))
        continue;
      if (isSignedBy(child, issuer)) kept.set(issuer.fingerprint, issuer); // the loop comes to it later
    }
  }
  return [...kept.values()];
}
