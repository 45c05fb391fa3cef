import { createHash, type KeyObject, sign } from 'node:crypto';
import { childrenOf, readOnly, TAG } from '../../src/formats/der/cursor.ts';
import {
  derElement,
  derNull,
  derOctets,
  derOid,
  derSequence,
  derSetOf,
  derUnsigned,
} from '../../src/formats/der/writer.ts';
import { digestOid } from '../../src/formats/x509/signature-algorithm.ts';
import { concat } from '../../src/kit/bytes.ts';
import type { TestCertificate } from './certificates.ts';

/** OIDs of contents and attributes. */
export const OID = {
  data: '1.2.840.113549.1.7.1',
  signedData: '1.2.840.113549.1.7.2',
  timestampInfo: '1.2.840.113549.1.9.16.1.4',
  contentType: '1.2.840.113549.1.9.3',
  messageDigest: '1.2.840.113549.1.9.4',
  signingTime: '1.2.840.113549.1.9.5',
  signingCertificate: '1.2.840.113549.1.9.16.2.12',
  signingCertificateV2: '1.2.840.113549.1.9.16.2.47',
  timestampToken: '1.2.840.113549.1.9.16.2.14',
} as const;

/** One signer of a CMS; what is left out is as RFC 5652 has it. Nonsense is made too. */
export interface TestSigner {
  readonly by: TestCertificate;
  readonly digest?: string;
  /** the signature's algorithm, when it is not ECDSA or RSA with `digest` */
  readonly algorithm?: Uint8Array;
  /** `false`: the content itself is signed; else attributes in the place of the usual ones */
  readonly attributes?: false | readonly Uint8Array[];
  readonly unsigned?: readonly Uint8Array[];
  readonly keyId?: Uint8Array;
  readonly version?: number;
  /** makes the signature of what is signed */
  readonly sign?: (data: Uint8Array, key: KeyObject) => Uint8Array;
}

export interface TestCmsOptions {
  readonly content: Uint8Array;
  readonly signers: readonly TestSigner[];
  /** the signers' when left out */
  readonly certificates?: readonly (TestCertificate | Uint8Array)[];
  readonly crls?: readonly Uint8Array[];
  readonly contentType?: string;
  readonly attached?: boolean;
  readonly version?: number;
}

/** A CMS signature in DER. */
export function makeCms(options: TestCmsOptions): Uint8Array {
  const { content, signers, contentType = OID.data, attached = false, crls = [] } = options;
  const certificates = (options.certificates ?? signers.map(({ by }) => by)).map((one) =>
    one instanceof Uint8Array ? one : one.der,
  );
  const infos = signers.map((signer) => signerInfo(signer, content, contentType));
  const digests = signers.map(({ digest = 'sha256' }) =>
    derSequence(derOid(digestOid(digest) ?? ''), derNull()),
  );
  const inside = attached ? [derElement(0xa0, derOctets(content))] : [];
  const signedData = derSequence(
    derUnsigned(Uint8Array.of(options.version ?? (contentType === OID.data ? 1 : 3))),
    derElement(TAG.set, ...digests),
    derSequence(derOid(contentType), ...inside),
    ...(certificates.length > 0 ? [derElement(0xa0, concat([new Uint8Array(), ...certificates]))] : []),
    ...(crls.length > 0 ? [derElement(0xa1, concat([new Uint8Array(), ...crls]))] : []),
    derElement(TAG.set, ...infos),
  );
  return derSequence(derOid(OID.signedData), derElement(0xa0, signedData));
}

/** An attribute with its values. */
export function attribute(oid: string, ...values: readonly Uint8Array[]): Uint8Array {
  return derSequence(derOid(oid), derElement(TAG.set, ...values));
}

/** The two attributes that there must be. */
export function usualAttributes(
  content: Uint8Array,
  digest = 'sha256',
  contentType: string = OID.data,
): Uint8Array[] {
  return [
    attribute(OID.contentType, derOid(contentType)),
    attribute(OID.messageDigest, derOctets(digestOf(digest, content))),
  ];
}

/** A signing-certificate attribute of version 2 (SHA-256) or 1 (SHA-1) for a certificate. */
export function signingCertificate({ der }: TestCertificate, version: 1 | 2 = 2): Uint8Array {
  const value = derOctets(digestOf(version === 2 ? 'sha256' : 'sha1', der));
  const oid = version === 2 ? OID.signingCertificateV2 : OID.signingCertificate;
  return attribute(oid, derSequence(derSequence(derSequence(value))));
}

/** The signed attributes as they are signed: a SET OF. */
export function signedForm(attributes: readonly Uint8Array[]): Uint8Array {
  return derSetOf(...attributes);
}

const ALGORITHMS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  ec: {
    md5: '1.2.840.10045.4.1',
    sha1: '1.2.840.10045.4.1',
    sha256: '1.2.840.10045.4.3.2',
    sha384: '1.2.840.10045.4.3.3',
    sha512: '1.2.840.10045.4.3.4',
  },
};

function signerInfo(signer: TestSigner, content: Uint8Array, contentType: string): Uint8Array {
  const { by, digest = 'sha256', unsigned = [], keyId } = signer;
  const attributes = signer.attributes ?? usualAttributes(content, digest, contentType);
  const over = attributes ? signedForm(attributes) : content;
  const key = by.privateKey;
  const make = signer.sign ?? ((data, privateKey) => Uint8Array.from(sign(digest, data, privateKey)));
  const type = key.asymmetricKeyType ?? '';
  const oid = ALGORITHMS[type]?.[digest];
  const algorithm =
    signer.algorithm ??
    (oid ? derSequence(derOid(oid)) : derSequence(derOid('1.2.840.113549.1.1.1'), derNull()));
  const { issuer, serial } = by.certificate.fields;
  const sid = keyId
    ? derElement(0x80, keyId)
    : derSequence(issuer.raw, derElement(TAG.integer, Uint8Array.from(Buffer.from(serial, 'hex'))));
  return derSequence(
    derUnsigned(Uint8Array.of(signer.version ?? (keyId ? 3 : 1))),
    sid,
    derSequence(derOid(digestOid(digest) ?? ''), derNull()),
    ...(attributes ? [derElement(0xa0, readOnly(over, TAG.set, 'test').value)] : []),
    algorithm,
    derOctets(make(over, key)),
    ...(unsigned.length > 0 ? [derElement(0xa1, ...unsigned)] : []),
  );
}

function digestOf(algorithm: string, bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(createHash(algorithm).update(bytes).digest());
}

/** The same CMS as programs write it that do not know lengths beforehand: every constructed element around the parts. */
export function withIndefiniteLengths(cms: Uint8Array): Uint8Array {
  const open = (tag: number, ...parts: readonly Uint8Array[]): Uint8Array =>
    concat([Uint8Array.of(tag, 0x80), ...parts, Uint8Array.of(0, 0)]);
  const [type, explicit] = childrenOf(readOnly(cms, TAG.sequence, 'test'), 'test');
  const data = explicit ? childrenOf(readOnly(explicit.value, TAG.sequence, 'test'), 'test') : [];
  return open(
    0x30,
    type?.raw ?? new Uint8Array(),
    open(0xa0, open(0x30, ...data.map(({ tag, value, raw }) => (tag === 0xa0 ? open(tag, value) : raw)))),
  );
}
