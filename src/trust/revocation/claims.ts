import type { Certificate } from '../../crypto/certificate.ts';
import { digestBytes } from '../../crypto/digest.ts';
import { keyIdentity } from '../../crypto/key-identity.ts';
import type { CertificateId } from '../../formats/ocsp/response.ts';
import { nameKey } from '../../formats/x509/name.ts';
import { equalBytes } from '../../kit/bytes.ts';
import type { Budget } from '../path/budget.ts';
import { reasonsOf } from './crl-scope.ts';
import { entryOf } from './crl-status.ts';
import type { RevocationEvidence, RevocationOptions } from './evidence.ts';

/** What evidence says of a certificate before any signature on it is looked at. */
export interface Claims {
  /** what speaks of it, in words for messages */
  readonly sources: readonly string[];
  /** the first that says that it is revoked */
  readonly revoking?: string;
}

/** What is said about a certificate by whatever bears the name of its issuer, genuine or not. [rev.11] */
export function claimsAbout(certificate: Certificate, { crls, ocsps }: RevocationEvidence): Claims {
  const lists = crls.flatMap((crl) => {
    const entry = entryOf(crl, certificate);
    const revokes = entry !== undefined && entry.reason !== 'removeFromCRL';
    // [rev.14] one that is not for such certificates, and names this one all the same, is not nothing
    if (reasonsOf(crl, certificate).length === 0 && !revokes) return [];
    return [{ source: `the revocation list of ${crl.source}`, revokes }];
  });
  const answers = ocsps.flatMap(({ source, responses }) =>
    responses
      .filter(({ id }) => isNamedBy(id, certificate))
      .map(({ status }) => ({ source: `the OCSP response of ${source}`, revokes: status === 'revoked' })),
  );
  const all = [...lists, ...answers];
  const revoking = all.find(({ revokes }) => revokes)?.source;
  return { sources: all.map(({ source }) => source), ...(revoking !== undefined && { revoking }) };
}

/** By serial number and the issuer's name; the issuer's key is not known. */
function isNamedBy({ digest, issuerNameHash, serial }: CertificateId, { fields }: Certificate): boolean {
  if (digest === undefined || serial !== fields.serial) return false;
  return equalBytes(issuerNameHash, digestBytes(digest, fields.issuer.raw));
}

/** The certificates at hand whose key made the signature on this one, the user's own first. */
export function issuersAtHand(
  certificate: Certificate,
  { issuers, anchors, budget }: RevocationOptions,
): readonly Certificate[] {
  const name = nameKey(certificate.fields.issuer);
  const distinct = new Map([...anchors, ...issuers].map((one) => [one.fingerprint, one]));
  return [...distinct.values()].filter(
    (one) => nameKey(one.fields.subject) === name && budget.isSigned(certificate, one),
  );
}

/**
 * Those of the user's certificates that have issued this one for sure; none is its own key, by which it would vouch for itself. Another's leaf that
 * is trusted as such issues nothing. [path.7] [path.17]
 */
export function givenIssuersOf(
  certificate: Certificate,
  given: readonly Certificate[],
  budget: Budget,
): readonly Certificate[] {
  const own = keyIdentity(certificate);
  const name = nameKey(certificate.fields.issuer);
  return given.filter((one) => {
    const { basicConstraints, keyUsage } = one.fields.extensions;
    const mayIssue = basicConstraints?.ca === true && (keyUsage?.has('keyCertSign') ?? true);
    const isOther = keyIdentity(one) !== own && nameKey(one.fields.subject) === name;
    return mayIssue && isOther && budget.isSigned(certificate, one) === true;
  });
}
