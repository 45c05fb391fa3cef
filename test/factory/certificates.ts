import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  X509Certificate,
} from 'node:crypto';
import { type Certificate, parseCertificate } from '../../src/crypto/certificate.ts';
import { SHA256_WITH_RSA } from '../../src/engine/node/key-pair.ts';
import { childrenOf, readOnly, TAG } from '../../src/formats/der/cursor.ts';
import { derElement, derSequence } from '../../src/formats/der/writer.ts';
import { formatCertificate } from '../../src/formats/x509/certificate-template.ts';
import type { KeyUsage, X509Extension } from '../../src/formats/x509/extensions.ts';
import { parseNamePattern } from '../../src/formats/x509/name.ts';
import { certificateTemplate } from '../../src/operations/trust/issue-certificate.ts';
import { freshRsaKey } from './keys.ts';

type TestKey = 'p256' | 'p384' | 'p224' | 'ed25519' | 'rsa1024' | 'rsa2048' | 'rsa3072' | 'dsa';

/** A certificate made for a test, in every form that a test may want. */
export interface TestCertificate {
  readonly pem: string;
  readonly der: Uint8Array;
  readonly certificate: Certificate;
  readonly privateKey: KeyObject;
  readonly privateKeyPem: string;
}

export interface TestCertificateOptions {
  /** RFC 4514 text; `CN=Test Signer,O=Test` when absent */
  readonly subject?: string;
  /** self-signed when absent */
  readonly issuer?: TestCertificate;
  /** another name of the issuer than its subject */
  readonly issuerName?: string;
  readonly key?: TestKey | KeyObject;
  /** the public key as it is to be spelled */
  readonly spki?: Uint8Array;
  readonly serial?: Uint8Array;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  /** basicConstraints; absent: none for a leaf */
  readonly ca?: boolean;
  readonly pathLen?: number;
  readonly keyUsage?: readonly KeyUsage[];
  /** OIDs, see `EKU` */
  readonly eku?: readonly string[];
  readonly criticalUnknown?: boolean;
  /** added as they are */
  readonly extensions?: readonly X509Extension[];
  readonly digest?: 'sha1' | 'sha256' | 'sha384';
  /** version 1: no extensions at all */
  readonly v1?: boolean;
}

export const EKU = {
  serverAuth: '1.3.6.1.5.5.7.3.1',
  codeSigning: '1.3.6.1.5.5.7.3.3',
  emailProtection: '1.3.6.1.5.5.7.3.4',
  timeStamping: '1.3.6.1.5.5.7.3.8',
  any: '2.5.29.37.0',
} as const;

/** The time that test certificates surround: valid from 2026 to 2036 unless told otherwise. */
export const NOON = new Date('2026-11-21T12:00:00Z');

let serials = 0;

/** A certificate in DER and PEM with its key; P-256 and unlimited unless told otherwise. Not a verdict: nonsense is made too. */
export async function makeCertificate(options: TestCertificateOptions = {}): Promise<TestCertificate> {
  const subject = options.subject ?? 'CN=Test Signer,O=Test';
  const { privateKey, publicKey } = keyPair(options.key ?? 'p256', subject);
  const signingKey = options.issuer?.privateKey ?? privateKey;
  const issuerKey = options.issuer ? createPublicKey(options.issuer.privateKey) : publicKey;
  const issuerName =
    options.issuerName === undefined && options.issuer
      ? options.issuer.certificate.fields.subject.attributes
      : parseNamePattern(options.issuerName ?? subject);
  const { signature, digest } = signatureOf(signingKey, options.digest ?? 'sha256');
  const { ca, pathLen, keyUsage, eku } = options;
  const unknown = { oid: '1.3.6.1.4.1.99999.1', critical: true, value: Uint8Array.of(0x05, 0x00) };
  serials++;
  const good = await certificateTemplate({
    serial: options.serial ?? Uint8Array.of(0x40, serials >> 16, (serials >> 8) & 0xff, serials & 0xff),
    issuer: { name: issuerName, spki: spkiOf(issuerKey) },
    subject: { name: parseNamePattern(subject), spki: spkiOf(publicKey) },
    notBefore: options.notBefore ?? new Date('2026-01-01T00:00:00Z'),
    notAfter: options.notAfter ?? new Date('2036-01-01T00:00:00Z'),
    signature,
    extensions: {
      ...(ca !== undefined && { basicConstraints: { ca, ...(pathLen !== undefined && { pathLen }) } }),
      ...(keyUsage !== undefined && { keyUsage }),
      ...(eku !== undefined && { extendedKeyUsage: eku }),
    },
  });
  const more = [...(options.extensions ?? []), ...(options.criticalUnknown ? [unknown] : [])];
  const asked = {
    ...good,
    spki: options.spki ?? good.spki,
    extensions: options.v1 ? [] : [...good.extensions, ...more],
  };
  const der = await formatCertificate(asked, (tbs) => steadySignature(digest, tbs, signingKey));
  return {
    pem: new X509Certificate(der).toString(),
    der,
    certificate: parseCertificate(der),
    privateKey,
    privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

/** A signature; one of P-256 by no chance shorter than most, since transcripts show the sizes of what holds it. */
function steadySignature(digest: string | null | undefined, tbs: Uint8Array, key: KeyObject): Buffer {
  const signature = sign(digest, tbs, key);
  const isShort = signature[0] === 0x30 && signature.byteLength > 60 && signature.byteLength < 70;
  return isShort ? steadySignature(digest, tbs, key) : signature;
}

/** A CA certificate: `makeCertificate` with what an issuer needs. */
export function makeAuthority(options: TestCertificateOptions = {}): Promise<TestCertificate> {
  return makeCertificate({
    subject: 'CN=Test CA,O=Test',
    ca: true,
    keyUsage: ['keyCertSign', 'cRLSign'],
    ...options,
  });
}

const slowKeys = new Map<string, KeyObject>();

function keyPair(key: TestKey | KeyObject, subject: string): { privateKey: KeyObject; publicKey: KeyObject } {
  const privateKey = typeof key === 'string' ? generate(key, subject) : key;
  return { privateKey, publicKey: createPublicKey(privateKey) };
}

/** RSA and DSA keys take long to make: one for each subject serves all the certificates of that subject. */
function generate(key: TestKey, subject: string): KeyObject {
  const known = slowKeys.get(`${key} ${subject}`);
  if (known) return known;
  const { privateKey } = generateNow(key);
  if (key.startsWith('rsa') || key === 'dsa') slowKeys.set(`${key} ${subject}`, privateKey);
  return privateKey;
}

function generateNow(key: TestKey): { privateKey: KeyObject } {
  switch (key) {
    case 'p256':
      return generateKeyPairSync('ec', { namedCurve: 'P-256' });
    case 'p384':
      return generateKeyPairSync('ec', { namedCurve: 'P-384' });
    case 'p224':
      return generateKeyPairSync('ec', { namedCurve: 'secp224r1' });
    case 'ed25519':
      return generateKeyPairSync('ed25519');
    case 'dsa':
      return generateKeyPairSync('dsa', { modulusLength: 2048, divisorLength: 256 });
    default:
      return { privateKey: freshRsaKey(Number(key.slice(3))) };
  }
}

/** An RSA public key of another exponent than keys are made with; only its SubjectPublicKeyInfo is of use. */
export function rsaKeyWithExponent(modulus: KeyObject, exponent: Uint8Array): KeyObject {
  const { n } = createPublicKey(modulus).export({ format: 'jwk' });
  const e = Buffer.from(exponent).toString('base64url');
  return createPublicKey({ key: { kty: 'RSA', n: n ?? '', e }, format: 'jwk' });
}

/** The public key of a P-256 certificate with its point compressed. */
export function compressed({ certificate }: TestCertificate): Uint8Array {
  const [algorithm] = childrenOf(readOnly(certificate.fields.spki, TAG.sequence, 'a key'), 'a key');
  const key = createPublicKey({ key: Buffer.from(certificate.publicKey.spki), format: 'der', type: 'spki' });
  const { x = '', y = '' } = key.export({ format: 'jwk' });
  const sign = 2 + ((Buffer.from(y, 'base64url').at(-1) ?? 0) & 1);
  const point = Uint8Array.of(0, sign, ...Buffer.from(x, 'base64url'));
  return derSequence(algorithm?.raw ?? new Uint8Array(), derElement(TAG.bitString, point));
}

/** The key as a new object, as if read from a file. */
export function copyKey(key: KeyObject): KeyObject {
  return createPrivateKey(key.export({ type: 'pkcs8', format: 'pem' }));
}

type Signature = { signature: { oid: string; nullParameters: boolean }; digest: string | null };

function signatureOf(key: KeyObject, digest: 'sha1' | 'sha256' | 'sha384'): Signature {
  const pick = (oids: Record<typeof digest, string>, nullParameters: boolean): Signature => ({
    signature: { oid: oids[digest], nullParameters },
    digest,
  });
  switch (key.asymmetricKeyType) {
    case 'rsa': {
      const rsa = '1.2.840.113549.1.1';
      return pick({ sha1: `${rsa}.5`, sha256: SHA256_WITH_RSA.oid, sha384: `${rsa}.12` }, true);
    }
    case 'ec': {
      const ecdsa = '1.2.840.10045.4';
      return pick({ sha1: `${ecdsa}.1`, sha256: `${ecdsa}.3.2`, sha384: `${ecdsa}.3.3` }, false);
    }
    case 'dsa': {
      const dsa = '2.16.840.1.101.3.4.3';
      return pick({ sha1: '1.2.840.10040.4.3', sha256: `${dsa}.2`, sha384: `${dsa}.3` }, false);
    }
    default:
      return { signature: { oid: '1.3.101.112', nullParameters: false }, digest: null };
  }
}

function spkiOf(key: KeyObject): Uint8Array {
  return Uint8Array.from(key.export({ type: 'spki', format: 'der' }));
}
