import { derElement, derOid, derSequence, derUnsigned } from '../../src/formats/der/writer.ts';
import type { X509Extension } from '../../src/formats/x509/extensions.ts';
import type { TestCertificate } from './certificates.ts';
import { oneName } from './der.ts';

const ascii = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));

/** GeneralNames as tests write them, one each. */
export const NAME = {
  email: (text: string): Uint8Array => derElement(0x81, ascii(text)),
  dns: (text: string): Uint8Array => derElement(0x82, ascii(text)),
  uri: (text: string): Uint8Array => derElement(0x86, ascii(text)),
  ip: (...octets: readonly number[]): Uint8Array => derElement(0x87, Uint8Array.from(octets)),
  /** the subject of a certificate */
  directory: ({ certificate }: TestCertificate): Uint8Array =>
    derElement(0xa4, certificate.fields.subject.raw),
  organisation: (text: string): Uint8Array => derElement(0xa4, oneName('55 04 0a', 0x0c, ascii(text))),
  other: (oid: string): Uint8Array => derElement(0xa0, derOid(oid), derElement(0xa0, Uint8Array.of(5, 0))),
} as const;

/** A subjectAltName. */
export function alternatives(...names: readonly Uint8Array[]): X509Extension {
  return { oid: '2.5.29.17', critical: false, value: derSequence(...names) };
}

/** Name constraints, critical. */
export function nameConstraints(
  permitted: readonly Uint8Array[],
  excluded: readonly Uint8Array[] = [],
  critical = true,
): X509Extension {
  const trees = (tag: number, names: readonly Uint8Array[]): Uint8Array[] =>
    names.length > 0 ? [derElement(tag, ...names.map((name) => derSequence(name)))] : [];
  return {
    oid: '2.5.29.30',
    critical,
    value: derSequence(...trees(0xa0, permitted), ...trees(0xa1, excluded)),
  };
}

/** Certificate policies. */
export function policies(...oids: readonly string[]): X509Extension {
  return {
    oid: '2.5.29.32',
    critical: false,
    value: derSequence(...oids.map((oid) => derSequence(derOid(oid)))),
  };
}

/** Policy mappings, `issuer` to `subject`. */
export function mappings(...pairs: readonly (readonly [issuer: string, subject: string])[]): X509Extension {
  const value = derSequence(
    ...pairs.map(([issuer, subject]) => derSequence(derOid(issuer), derOid(subject))),
  );
  return { oid: '2.5.29.33', critical: true, value };
}

/** Policy constraints; what is left out is not there. */
export function policyConstraints(explicit?: number, mapping?: number): X509Extension {
  const field = (tag: number, value?: number): Uint8Array[] =>
    value === undefined ? [] : [derElement(tag, Uint8Array.of(value))];
  return {
    oid: '2.5.29.36',
    critical: true,
    value: derSequence(...field(0x80, explicit), ...field(0x81, mapping)),
  };
}

/** inhibitAnyPolicy. */
export function inhibitAny(skip: number): X509Extension {
  return { oid: '2.5.29.54', critical: true, value: derUnsigned(Uint8Array.of(skip)) };
}

/** cRLDistributionPoints, see `pointsValue`. */
export function distributionPoints(value: Uint8Array): X509Extension {
  return { oid: '2.5.29.31', critical: false, value };
}
