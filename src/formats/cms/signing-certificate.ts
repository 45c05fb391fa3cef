import { formatHex } from '../../kit/encoding.ts';
import { type DerElement, malformed, openDer, readOnly, TAG } from '../der/cursor.ts';
import { parseDigestAlgorithm } from '../x509/signature-algorithm.ts';

/** The certificate that a signer meant: the digest of all of it, and the serial number when it is named. */
export interface SigningCertificate {
  /** as node:crypto names it; undefined when it is not known */
  readonly digest: string | undefined;
  readonly value: Uint8Array;
  /** lower hex */
  readonly serial?: string;
}

/**
 * The first certificate of a signing-certificate attribute: SigningCertificate (SHA-1) or SigningCertificateV2.
 *
 * Those behind the first are issuers, which the path finds by itself (RFC 5035 section 5.4).
 * @throws `CERTIFICATE_MALFORMED` [cms.8]
 */
export function parseSigningCertificate(element: DerElement, v2: boolean, what: string): SigningCertificate {
  const cursor = openDer(readOnly(element.raw, TAG.sequence, what).value, what);
  const ids = openDer(cursor.next(TAG.sequence).value, what);
  cursor.optional(TAG.sequence); // policies that nobody asks about
  cursor.end();
  const id = openDer(ids.next(TAG.sequence).value, what);
  const algorithm = v2 ? id.optional(TAG.sequence) : undefined;
  const { value } = id.next(TAG.octetString);
  const issuerSerial = id.optional(TAG.sequence);
  id.end();
  const serial = issuerSerial && readSerial(issuerSerial, what);
  const digest = algorithm ? parseDigestAlgorithm(algorithm, what).name : v2 ? 'sha256' : 'sha1';
  return { digest, value, ...(serial !== undefined && { serial }) };
}

function readSerial(element: DerElement, what: string): string {
  const cursor = openDer(element.value, what);
  cursor.next(TAG.sequence); // the issuer's name, which the digest covers
  const serial = cursor.next(TAG.integer);
  if (!cursor.done()) throw malformed(what, 'a signing certificate with more than issuer and serial number');
  return formatHex(serial.value);
}
