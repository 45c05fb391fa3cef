import { formatHex } from '../../kit/encoding.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import {
  childrenOf,
  type DerElement,
  malformed,
  openDer,
  readInteger,
  readOid,
  readOnly,
  readTime,
  TAG,
} from '../der/cursor.ts';
import { derElement } from '../der/writer.ts';
import { parseName, type X509Name } from '../x509/name.ts';
import {
  type DigestAlgorithm,
  parseDigestAlgorithm,
  parseSignatureAlgorithm,
  type SignatureAlgorithm,
} from '../x509/signature-algorithm.ts';
import { parseSigningCertificate, type SigningCertificate } from './signing-certificate.ts';

/** By what a signer's certificate is found. */
type SignerId =
  | { readonly kind: 'issuerAndSerial'; readonly issuer: X509Name /** lower hex */; readonly serial: string }
  | { readonly kind: 'keyId' /** lower hex */; readonly keyId: string };

/** What the signer signed besides the content (RFC 5652 section 5.3). */
interface SignedAttributes {
  /** what the signature is over: the attributes as a SET OF, in the order they have */
  readonly der: Uint8Array;
  /** OID */
  readonly contentType: string;
  readonly messageDigest: Uint8Array;
  /** what the signer says; nothing proves it */
  readonly signingTime?: Date;
  /** the certificate that the signer meant (RFC 5035), in each of the two ways to say it */
  readonly signingCertificates: readonly SigningCertificate[];
}

/** One signer of a SignedData, unjudged. Byte arrays are views into the input. */
export interface SignerInfo {
  readonly sid: SignerId;
  readonly digest: DigestAlgorithm;
  readonly signatureAlgorithm: SignatureAlgorithm;
  readonly signature: Uint8Array;
  readonly signedAttributes?: SignedAttributes;
  /** timestamp tokens over the signature, DER; they are not signed */
  readonly timestampTokens: readonly Uint8Array[];
  /** OIDs of unsigned attributes that are no timestamps */
  readonly unreadAttributes: readonly string[];
}

/** OIDs of attributes. */
export const ATTRIBUTE = {
  contentType: '1.2.840.113549.1.9.3',
  messageDigest: '1.2.840.113549.1.9.4',
  signingTime: '1.2.840.113549.1.9.5',
  signingCertificate: '1.2.840.113549.1.9.16.2.12',
  signingCertificateV2: '1.2.840.113549.1.9.16.2.47',
  timestampToken: '1.2.840.113549.1.9.16.2.14',
  microsoftTimestamp: '1.3.6.1.4.1.311.3.3.1',
} as const;

const MAX_ATTRIBUTES = 64;

/** One SignerInfo. @throws `CMS_SYNTAX`, `CERTIFICATE_MALFORMED` [cms.4] [cms.5] */
export function parseSignerInfo(element: DerElement, what: string): SignerInfo {
  if (element.tag !== TAG.sequence) throw malformed(what, 'a signer that is not a SEQUENCE');
  const cursor = openDer(element.value, what);
  const version = readInteger(cursor.next(), what);
  const sid = parseSignerId(cursor.next(), what);
  if (version !== (sid.kind === 'keyId' ? 3n : 1n)) {
    throw malformed(what, `a signer of version ${version} that names its certificate in the other way`);
  }
  const digest = parseDigestAlgorithm(cursor.next(), what);
  const signed = cursor.optional(0xa0);
  const signatureAlgorithm = parseSignatureAlgorithm(cursor.next(), what);
  const signature = cursor.next(TAG.octetString).value;
  const unsigned = cursor.optional(0xa1);
  cursor.end();
  const others = unsigned ? parseAttributes(unsigned, what) : [];
  return {
    sid,
    digest,
    signatureAlgorithm,
    signature,
    ...(signed !== undefined && { signedAttributes: parseSignedAttributes(signed, what) }),
    timestampTokens: others.filter(isTimestamp).flatMap(({ values }) => values.map(({ raw }) => raw)),
    unreadAttributes: others.filter((one) => !isTimestamp(one)).map(({ oid }) => oid),
  };
}

function parseSignerId(element: DerElement, what: string): SignerId {
  if (element.tag === 0x80) return { kind: 'keyId', keyId: formatHex(element.value) };
  if (element.tag !== TAG.sequence) throw malformed(what, 'a signer that is named in an unknown way');
  const cursor = openDer(element.value, what);
  const issuer = parseName(cursor.next(), what);
  const serial = cursor.next(TAG.integer);
  cursor.end();
  readInteger(serial, what);
  return { kind: 'issuerAndSerial', issuer, serial: formatHex(serial.value) };
}

type Attributes = readonly { readonly oid: string; readonly values: readonly DerElement[] }[];

function parseAttributes(element: DerElement, what: string): Attributes {
  const children = childrenOf(element, what, MAX_ATTRIBUTES, 'attributes');
  const attributes = children.map((child) => {
    if (child.tag !== TAG.sequence) throw malformed(what, 'an attribute that is not a SEQUENCE');
    const cursor = openDer(child.value, what);
    const oid = readOid(cursor.next(), what);
    const values = childrenOf(cursor.next(TAG.set), what, MAX_ATTRIBUTES, 'values of an attribute');
    cursor.end();
    return { oid, values };
  });
  // [cms.5] one reader takes the first of two message digests, another the last
  const twice = attributes.find(({ oid }, i) => attributes.findIndex((other) => other.oid === oid) < i);
  if (twice) throw new BundleError('CMS_SYNTAX', `${what} has the attribute ${twice.oid} twice`);
  return attributes;
}

/** [cms.5] Content type and message digest are what ties the attributes to the content. */
function parseSignedAttributes(element: DerElement, what: string): SignedAttributes {
  const attributes = parseAttributes(element, what);
  const single = (oid: string, name: string): DerElement | undefined => {
    const found = attributes.find((attribute) => attribute.oid === oid);
    if (found && found.values.length !== 1) throw malformed(what, `the attribute ${name} has not one value`);
    return found?.values[0];
  };
  const contentType = single(ATTRIBUTE.contentType, 'content type');
  const messageDigest = single(ATTRIBUTE.messageDigest, 'message digest');
  const time = single(ATTRIBUTE.signingTime, 'signing time');
  const certificate = single(ATTRIBUTE.signingCertificate, 'signing certificate');
  const certificateV2 = single(ATTRIBUTE.signingCertificateV2, 'signing certificate');
  if (!contentType) throw malformed(what, 'signed attributes without the content type');
  if (!messageDigest) throw malformed(what, 'signed attributes without the message digest');
  return {
    der: derElement(TAG.set, element.value),
    contentType: readOid(contentType, what),
    messageDigest: readOnly(messageDigest.raw, TAG.octetString, what).value,
    ...(time !== undefined && { signingTime: readTime(time, what) }),
    signingCertificates: [
      ...(certificate ? [parseSigningCertificate(certificate, false, what)] : []),
      ...(certificateV2 ? [parseSigningCertificate(certificateV2, true, what)] : []),
    ],
  };
}

/** Timestamps are in the standard's attribute and in Microsoft's. */
export function isTimestamp({ oid }: { readonly oid: string }): boolean {
  return oid === ATTRIBUTE.timestampToken || oid === ATTRIBUTE.microsoftTimestamp;
}
