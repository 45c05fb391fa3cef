import { CONTENT } from '../cms/signed-data.ts';
import { toDefiniteLengths } from '../der/ber.ts';
import { childrenOf, malformed, openDer, readInteger, readOid, readOnly, TAG } from '../der/cursor.ts';

const WHAT = 'the PKCS#7 file';
/** A whole trust store has some hundred. */
const MAX_CERTIFICATES = 1024;

/** What a PKCS#7 file holds: certificates alone, or the word for what is in it beside them. */
export type CertificatesOnly =
  | { readonly kind: 'certificates'; readonly certificates: readonly Uint8Array[] }
  | { readonly kind: 'signature' }
  | { readonly kind: 'lists' };

/**
 * The certificates of a PKCS#7 file (`.p7b`, `.p7c`, `.spc`): a SignedData that carries them and is signed by nobody, in DER or BER
 * (RFC 5652 section 5.1, RFC 8551 section 3.8). Their order says nothing: they are a set.
 *
 * One that has signers or content is a signature, whose maker chose the certificates; one that has revocation lists is told
 * apart, since lists that are passed over revoke nothing. [pub.21]
 *
 * @throws `CERTIFICATE_MALFORMED` for what cannot be read
 */
export function parseCertificatesOnly(bytes: Uint8Array): CertificatesOnly {
  const der = toDefiniteLengths(bytes, WHAT);
  const contentInfo = openDer(readOnly(der, TAG.sequence, WHAT).value, WHAT);
  if (readOid(contentInfo.next(), WHAT) !== CONTENT.signedData) throw malformed(WHAT, 'it is no SignedData');
  const explicit = contentInfo.next(0xa0);
  contentInfo.end();
  const cursor = openDer(readOnly(explicit.value, TAG.sequence, WHAT).value, WHAT);
  readInteger(cursor.next(), WHAT);
  cursor.next(TAG.set); // the digests of nobody's signature
  const content = openDer(cursor.next(TAG.sequence).value, WHAT);
  readOid(content.next(), WHAT);
  const inside = content.optional(0xa0);
  content.end();
  const certificates = cursor.optional(0xa0);
  const lists = cursor.optional(0xa1);
  const signers = cursor.next(TAG.set);
  cursor.end();
  if (signers.value.byteLength > 0 || (inside && !isEmpty(inside.value))) return { kind: 'signature' };
  if (lists && lists.value.byteLength > 0) return { kind: 'lists' };
  const all = certificates ? childrenOf(certificates, WHAT, MAX_CERTIFICATES, 'certificates') : [];
  // [cms.2] attribute certificates and other kinds are no X.509, and vouch for nobody
  return {
    kind: 'certificates',
    certificates: all.filter(({ tag }) => tag === TAG.sequence).map(({ raw }) => raw),
  };
}

/** Some programs put an octet string of no bytes in the place of no content. */
function isEmpty(value: Uint8Array): boolean {
  return value.byteLength === 2 && value[0] === TAG.octetString && value[1] === 0;
}
