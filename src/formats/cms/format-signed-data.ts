import { childrenOf, openDer, readOnly, TAG } from '../der/cursor.ts';
import { derElement, derNull, derOctets, derOid, derSequence, derSetOf, derUnsigned } from '../der/writer.ts';
import { digestOid } from '../x509/signature-algorithm.ts';
import { CONTENT } from './signed-data.ts';
import { ATTRIBUTE } from './signer-info.ts';

/** What a signer says about a content, to be signed; digests are named as node:crypto does. */
export interface AttributesTemplate {
  /** over the content */
  readonly messageDigest: Uint8Array;
  /** of the signer's certificate */
  readonly certificateDigest: { readonly digest: 'sha256' | 'sha512'; readonly value: Uint8Array };
}

/**
 * The signed attributes as the SET OF that is signed: content type, message digest, signing certificate.
 *
 * No signing time: it would prove nothing, and make another signature of the same content every second. [cms.10]
 */
export function formatSignedAttributes({ messageDigest, certificateDigest }: AttributesTemplate): Uint8Array {
  const attribute = (oid: string, value: Uint8Array): Uint8Array => derSequence(derOid(oid), derSetOf(value));
  const { digest, value } = certificateDigest;
  const algorithm = digest === 'sha256' ? [] : [derSequence(derOid(digestOid(digest) ?? ''))]; // SHA-256 is the default (RFC 5035 section 4)
  const certificateId = derSequence(...algorithm, derOctets(value));
  return derSetOf(
    attribute(ATTRIBUTE.contentType, derOid(CONTENT.data)),
    attribute(ATTRIBUTE.messageDigest, derOctets(messageDigest)),
    attribute(ATTRIBUTE.signingCertificateV2, derSequence(derSequence(certificateId))),
  );
}

/** A detached signature by one signer. Byte arrays are DER. */
export interface SignedDataTemplate {
  readonly digest: string;
  /** of the signature */
  readonly algorithm: Uint8Array;
  /** as they were signed */
  readonly attributes: Uint8Array;
  readonly signature: Uint8Array;
  /** issuer name and serial number of the signer's certificate, as they stand in it */
  readonly issuer: Uint8Array;
  readonly serial: Uint8Array;
  readonly certificates: readonly Uint8Array[];
}

/** A ContentInfo with a SignedData of version 1 (RFC 5652 section 5.1), DER. [cms.10] */
export function formatSignedData(template: SignedDataTemplate): Uint8Array {
  const one = derUnsigned(Uint8Array.of(1));
  const digest = digestIdentifier(template.digest);
  const signer = derSequence(
    one,
    derSequence(template.issuer, derElement(TAG.integer, template.serial)),
    digest,
    derElement(0xa0, readOnly(template.attributes, TAG.set, 'attributes').value),
    template.algorithm,
    derOctets(template.signature),
  );
  const certificates = readOnly(derSetOf(...template.certificates), TAG.set, 'certificates').value;
  const signedData = derSequence(
    one,
    derSetOf(digest),
    derSequence(derOid(CONTENT.data)),
    derElement(0xa0, certificates),
    derSetOf(signer),
  );
  return derSequence(derOid(CONTENT.signedData), derElement(0xa0, signedData));
}

/** The AlgorithmIdentifier of a digest; NULL parameters are what the peers write for the SHA families (RFC 5754 section 2). */
export function digestIdentifier(digest: string): Uint8Array {
  const oid = derOid(digestOid(digest) ?? '');
  return /^sha\d/.test(digest) && !digest.startsWith('sha3') ? derSequence(oid, derNull()) : derSequence(oid);
}

/**
 * A SignedData with one more unsigned attribute at one of its signers; every other element stays, byte for byte.
 *
 * @param cms DER of a ContentInfo that `parseSignedData` reads
 */
export function withUnsignedAttribute(
  cms: Uint8Array,
  signerIndex: number,
  oid: string,
  value: Uint8Array,
): Uint8Array {
  const what = 'the CMS signature';
  const contentInfo = openDer(readOnly(cms, TAG.sequence, what).value, what);
  const type = contentInfo.next();
  const signedData = childrenOf(readOnly(contentInfo.next(0xa0).value, TAG.sequence, what), what);
  const signers = signedData.at(-1);
  if (!signers) return cms;
  const changed = childrenOf(signers, what).map((signer, i) => {
    if (i !== signerIndex) return signer.raw;
    const fields = childrenOf(signer, what);
    const old = fields.at(-1)?.tag === 0xa1 ? fields.at(-1) : undefined;
    const attributes = old ? childrenOf(old, what).map(({ raw }) => raw) : [];
    const set = derSetOf(...attributes, derSequence(derOid(oid), derSetOf(value)));
    const kept = (old ? fields.slice(0, -1) : fields).map(({ raw }) => raw);
    return derSequence(...kept, derElement(0xa1, readOnly(set, TAG.set, what).value));
  });
  const rest = signedData.slice(0, -1).map(({ raw }) => raw);
  const body = derSequence(...rest, derElement(TAG.set, ...changed));
  return derSequence(type.raw, derElement(0xa0, body));
}
