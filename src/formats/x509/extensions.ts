import { formatHex } from '../../kit/encoding.ts';
import {
  childrenOf,
  type DerElement,
  malformed,
  openDer,
  readBitString,
  readBoolean,
  readInteger,
  readOid,
  readOnly,
  TAG,
} from '../der/cursor.ts';
import { type DistributionPoint, parseDistributionPoints } from './distribution-point.ts';
import {
  type GeneralName,
  type NameConstraints,
  parseNameConstraints,
  parseSubjectAltName,
} from './general-name.ts';
import {
  type PolicyConstraints,
  type PolicyMapping,
  parseCertificatePolicies,
  parseInhibitAnyPolicy,
  parsePolicyConstraints,
  parsePolicyMappings,
} from './policy-extensions.ts';

/** OIDs of the extensions this program knows by name. */
export const EXTENSION = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  issuerAltName: '2.5.29.18',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  crlDistributionPoints: '2.5.29.31',
  certificatePolicies: '2.5.29.32',
  policyMappings: '2.5.29.33',
  authorityKeyIdentifier: '2.5.29.35',
  policyConstraints: '2.5.29.36',
  extendedKeyUsage: '2.5.29.37',
  freshestCrl: '2.5.29.46',
  inhibitAnyPolicy: '2.5.29.54',
  authorityInfoAccess: '1.3.6.1.5.5.7.1.1',
  subjectInfoAccess: '1.3.6.1.5.5.7.1.11',
  ocspNoCheck: '1.3.6.1.5.5.7.48.1.5',
} as const;

const KNOWN: ReadonlySet<string> = new Set(Object.values(EXTENSION));

/** The bits of the keyUsage extension in their order (RFC 5280 section 4.2.1.3). */
export const KEY_USAGES = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
] as const;

/** A bit of the keyUsage extension. */
export type KeyUsage = (typeof KEY_USAGES)[number];

/** One extension as it stands: `value` is the DER inside its OCTET STRING. */
export interface X509Extension {
  readonly oid: string;
  readonly critical: boolean;
  readonly value: Uint8Array;
}

/** The extensions of a certificate: those read here as values, all of them as they stand. */
export interface X509Extensions {
  readonly byOid: ReadonlyMap<string, X509Extension>;
  readonly basicConstraints?: { readonly ca: boolean; readonly pathLen?: number };
  readonly keyUsage?: ReadonlySet<KeyUsage>;
  readonly extendedKeyUsage?: readonly string[];
  /** lower hex */
  readonly subjectKeyId?: string;
  readonly authorityKeyId?: string;
  readonly subjectAltName?: readonly GeneralName[];
  readonly nameConstraints?: NameConstraints;
  /** OIDs */
  readonly certificatePolicies?: readonly string[];
  readonly policyMappings?: readonly PolicyMapping[];
  readonly policyConstraints?: PolicyConstraints;
  readonly inhibitAnyPolicy?: number;
  readonly crlDistributionPoints?: readonly DistributionPoint[];
  readonly freshestCrl?: readonly DistributionPoint[];
  /** OIDs of critical extensions that this program does not know even by name */
  readonly unknownCritical: readonly string[];
}

/** What a certificate without extensions has. */
export const NO_EXTENSIONS: X509Extensions = { byOid: new Map(), unknownCritical: [] };

/**
 * The contents of the extensions field: a SEQUENCE OF Extension, not empty.
 *
 * What a critical one means for trust is decided in `trust/`; here it is only named.
 * @throws `CERTIFICATE_MALFORMED`, also for an extension that occurs twice [x509.5]
 */
export function parseExtensions(bytes: Uint8Array, what: string): X509Extensions {
  const list = readOnly(bytes, TAG.sequence, what);
  const byOid = new Map<string, X509Extension>();
  for (const child of childrenOf(list, what)) {
    const extension = parseExtension(child, what);
    // [x509.5] some programs obey the first of two basicConstraints, some the last
    if (byOid.has(extension.oid)) throw malformed(what, `its extension ${extension.oid} occurs twice`);
    byOid.set(extension.oid, extension);
  }
  if (byOid.size === 0) throw malformed(what, 'an empty list of extensions');

  const parsed = Object.fromEntries(
    Object.entries(PARSERS).flatMap(([name, parse]) => {
      const extension = byOid.get(EXTENSION[name as keyof typeof PARSERS]);
      const value = extension && parse(extension.value, what);
      return value === undefined ? [] : [[FIELDS[name] ?? name, value]];
    }),
  );
  return {
    byOid,
    ...parsed,
    unknownCritical: [...byOid.values()].filter((e) => e.critical && !KNOWN.has(e.oid)).map((e) => e.oid),
  };
}

/** What is read as a value, by the name of the extension. */
const PARSERS = {
  basicConstraints: parseBasicConstraints,
  keyUsage: parseKeyUsage,
  extendedKeyUsage: parseExtendedKeyUsage,
  subjectKeyIdentifier: parseSubjectKeyId,
  authorityKeyIdentifier: parseAuthorityKeyId,
  subjectAltName: parseSubjectAltName,
  nameConstraints: parseNameConstraints,
  certificatePolicies: parseCertificatePolicies,
  policyMappings: parsePolicyMappings,
  policyConstraints: parsePolicyConstraints,
  inhibitAnyPolicy: parseInhibitAnyPolicy,
  crlDistributionPoints: parseDistributionPoints,
  freshestCrl: parseDistributionPoints,
} as const;

/** Fields that are not called like their extension. */
const FIELDS: Readonly<Record<string, string>> = {
  subjectKeyIdentifier: 'subjectKeyId',
  authorityKeyIdentifier: 'authorityKeyId',
};

function parseExtension(element: DerElement, what: string): X509Extension {
  if (element.tag !== TAG.sequence) throw malformed(what, 'an extension that is not a SEQUENCE');
  const cursor = openDer(element.value, what);
  const oid = readOid(cursor.next(), what);
  // [x509.6] DER leaves the default FALSE out; issuers write it, and it can be read in one way only
  const critical = cursor.optional(TAG.boolean);
  const { value } = cursor.next(TAG.octetString);
  cursor.end();
  return { oid, critical: critical !== undefined && readBoolean(critical, what), value };
}

function parseBasicConstraints(value: Uint8Array, what: string): { ca: boolean; pathLen?: number } {
  const cursor = openDer(readOnly(value, TAG.sequence, what).value, what);
  const flag = cursor.optional(TAG.boolean);
  const ca = flag !== undefined && readBoolean(flag, what);
  const length = cursor.optional(TAG.integer);
  cursor.end();
  if (!length) return { ca };
  const pathLen = readInteger(length, what);
  if (pathLen < 0n) throw malformed(what, 'a negative path length');
  // longer than any path that is followed, so the cut changes no decision
  return { ca, pathLen: Number(pathLen > 1000n ? 1000n : pathLen) };
}

function parseKeyUsage(value: Uint8Array, what: string): ReadonlySet<KeyUsage> {
  const { bytes } = readBitString(readOnly(value, TAG.bitString, what), what);
  return new Set(KEY_USAGES.filter((_, bit) => ((bytes[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0));
}

function parseExtendedKeyUsage(value: Uint8Array, what: string): readonly string[] {
  const purposes = childrenOf(readOnly(value, TAG.sequence, what), what);
  if (purposes.length === 0) throw malformed(what, 'an empty extended key usage');
  return purposes.map((purpose) => readOid(purpose, what));
}

function parseSubjectKeyId(value: Uint8Array, what: string): string {
  return formatHex(readOnly(value, TAG.octetString, what).value);
}

function parseAuthorityKeyId(value: Uint8Array, what: string): string | undefined {
  const cursor = openDer(readOnly(value, TAG.sequence, what).value, what);
  const keyId = cursor.optional(0x80);
  const issuer = cursor.optional(0xa1); // with the serial number a hint that nothing here follows
  const serial = cursor.optional(0x82);
  cursor.end();
  if ((issuer === undefined) !== (serial === undefined)) {
    throw malformed(what, 'an authority key identifier with half of issuer and serial number');
  }
  return keyId && formatHex(keyId.value);
}
