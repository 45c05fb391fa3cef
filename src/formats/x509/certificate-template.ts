import type { AlgorithmIdentifier, Certificate, Extension, RelativeDistinguishedNames } from 'pkijs';
import { attributeTypeOid } from './attribute-types.ts';
import { EXTENSION, KEY_USAGES, type KeyUsage, type X509Extension } from './extensions.ts';
import type { NameAttribute } from './name.ts';

/** What a certificate is to say; names begin with the most specific attribute. */
export interface CertificateTemplate {
  /** big-endian, positive */
  readonly serial: Uint8Array;
  readonly issuer: readonly NameAttribute[];
  readonly subject: readonly NameAttribute[];
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** SubjectPublicKeyInfo, DER */
  readonly spki: Uint8Array;
  readonly signature: { readonly oid: string; readonly nullParameters: boolean };
  /** none makes a version 1 certificate */
  readonly extensions: readonly X509Extension[];
}

/** Signs the bytes of a TBSCertificate as the template's `signature` says. */
export type SignBytes = (tbs: Uint8Array) => Uint8Array;

/**
 * A certificate in DER; it writes what it is told and judges nothing.
 *
 * Loads pkijs and asn1js on first use: a verifier never needs to write certificates.
 */
export async function formatCertificate(template: CertificateTemplate, sign: SignBytes): Promise<Uint8Array> {
  const pkijs = await import('pkijs');
  const asn1js = await import('asn1js');
  const name = (attributes: readonly NameAttribute[]): RelativeDistinguishedNames => {
    const rdns = attributes.toReversed().map(({ type, value }) => {
      const text = type === 'C' ? new asn1js.PrintableString({ value }) : new asn1js.Utf8String({ value });
      const oid = new asn1js.ObjectIdentifier({ value: attributeTypeOid(type) });
      return new asn1js.Set({ value: [new asn1js.Sequence({ value: [oid, text] })] });
    });
    // given attributes one by one, pkijs would write them all into a single RDN
    return pkijs.RelativeDistinguishedNames.fromBER(new asn1js.Sequence({ value: rdns }).toBER());
  };
  const algorithm = (): AlgorithmIdentifier =>
    new pkijs.AlgorithmIdentifier({
      algorithmId: template.signature.oid,
      ...(template.signature.nullParameters && { algorithmParams: new asn1js.Null() }),
    });
  const extension = ({ oid, critical, value }: X509Extension): Extension =>
    new pkijs.Extension({ extnID: oid, critical, extnValue: bufferOf(value) });

  const certificate: Certificate = new pkijs.Certificate({
    version: template.extensions.length > 0 ? 2 : 0,
    serialNumber: new asn1js.Integer({ valueHex: bufferOf(template.serial) }),
    signature: algorithm(),
    issuer: name(template.issuer),
    subject: name(template.subject),
    notBefore: new pkijs.Time({ value: template.notBefore, type: timeType(template.notBefore) }),
    notAfter: new pkijs.Time({ value: template.notAfter, type: timeType(template.notAfter) }),
    subjectPublicKeyInfo: pkijs.PublicKeyInfo.fromBER(bufferOf(template.spki)),
    signatureAlgorithm: algorithm(),
    ...(template.extensions.length > 0 && { extensions: template.extensions.map(extension) }),
  });
  const tbs = new Uint8Array(certificate.encodeTBS().toBER(false));
  certificate.signatureValue = new asn1js.BitString({ valueHex: bufferOf(sign(tbs)) });
  return new Uint8Array(certificate.toSchema(true).toBER(false));
}

/** Values of the extensions that a certificate commonly has; key identifiers as bytes. */
export interface CommonExtensions {
  readonly basicConstraints?: { readonly ca: boolean; readonly pathLen?: number };
  readonly keyUsage?: readonly KeyUsage[];
  readonly extendedKeyUsage?: readonly string[];
  readonly subjectKeyId?: Uint8Array;
  readonly authorityKeyId?: Uint8Array;
}

/** The extensions in DER, for a template; basicConstraints and keyUsage critical, as RFC 5280 section 4.2.1 wants them. */
export async function formatExtensions(values: CommonExtensions): Promise<readonly X509Extension[]> {
  const pkijs = await import('pkijs');
  const asn1js = await import('asn1js');
  const { basicConstraints, keyUsage, extendedKeyUsage, subjectKeyId, authorityKeyId } = values;
  const extensions: X509Extension[] = [];
  const add = (oid: string, critical: boolean, schema: { toBER(): ArrayBuffer }): void => {
    extensions.push({ oid, critical, value: new Uint8Array(schema.toBER()) });
  };
  if (basicConstraints) {
    const { ca, pathLen } = basicConstraints;
    const constraints = { cA: ca, ...(pathLen !== undefined && { pathLenConstraint: pathLen }) };
    add(EXTENSION.basicConstraints, true, new pkijs.BasicConstraints(constraints).toSchema());
  }
  if (keyUsage) {
    const { bytes, unused } = keyUsageBits(keyUsage);
    add(EXTENSION.keyUsage, true, new asn1js.BitString({ valueHex: bufferOf(bytes), unusedBits: unused }));
  }
  if (extendedKeyUsage) {
    const usages = new pkijs.ExtKeyUsage({ keyPurposes: [...extendedKeyUsage] });
    add(EXTENSION.extendedKeyUsage, false, usages.toSchema());
  }
  if (subjectKeyId) {
    const id = new asn1js.OctetString({ valueHex: bufferOf(subjectKeyId) });
    add(EXTENSION.subjectKeyIdentifier, false, id);
  }
  if (authorityKeyId) {
    const id = new asn1js.OctetString({ valueHex: bufferOf(authorityKeyId) });
    const authority = new pkijs.AuthorityKeyIdentifier({ keyIdentifier: id });
    add(EXTENSION.authorityKeyIdentifier, false, authority.toSchema());
  }
  return extensions;
}

/** A named bit list: DER leaves out the zero bits at its end. */
function keyUsageBits(usages: readonly KeyUsage[]): { bytes: Uint8Array; unused: number } {
  const last = KEY_USAGES.findLastIndex((usage) => usages.includes(usage));
  const bytes = new Uint8Array((last >> 3) + 1);
  KEY_USAGES.forEach((usage, bit) => {
    if (usages.includes(usage)) bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (0x80 >> (bit & 7));
  });
  return { bytes, unused: bytes.byteLength * 8 - last - 1 };
}

/** [der.5] UTCTime up to 2049, as RFC 5280 section 4.1.2.5 demands. */
function timeType(date: Date): 0 | 1 {
  return date.getUTCFullYear() < 2050 ? 0 : 1;
}

function bufferOf(bytes: Uint8Array): ArrayBuffer {
  const copy = new ArrayBuffer(bytes.byteLength);
  new Uint8Array(copy).set(bytes);
  return copy;
}
