import { createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { type Certificate, parseCertificate } from '../../src/crypto/certificate.ts';
import { type KeyPair, makeMlDsaKey } from '../../src/engine/node/key-pair.ts';
import { keySigner } from '../../src/engine/node/key-signer.ts';
import { parsePrivateKey } from '../../src/engine/node/private-key.ts';
import { type Crl, parseCrl } from '../../src/formats/crl/crl.ts';
import { TAG } from '../../src/formats/der/cursor.ts';
import { derElement, derOid, derSequence, derUnsigned } from '../../src/formats/der/writer.ts';
import { formatPem } from '../../src/formats/pem.ts';
import { formatCertificate } from '../../src/formats/x509/certificate-template.ts';
import type { KeyUsage } from '../../src/formats/x509/extensions.ts';
import { type MlDsa, mlDsaOfKey } from '../../src/formats/x509/ml-dsa.ts';
import { parseNamePattern } from '../../src/formats/x509/name.ts';
import { encodeUtf8 } from '../../src/kit/encoding.ts';
import type { SigningIdentity } from '../../src/operations/sign/signing.ts';
import { certificateTemplate } from '../../src/operations/trust/issue-certificate.ts';
import { extension, utcTime } from './asn1.ts';
import { NOON, type TestCertificate } from './certificates.ts';

/** A certificate with an ML-DSA key, or under one. */
export interface PqCertificate {
  readonly pem: string;
  readonly der: Uint8Array;
  readonly certificate: Certificate;
  readonly keys: KeyPair;
}

export interface PqCertificateOptions {
  readonly subject?: string;
  /** self-signed when left out */
  readonly issuer?: PqCertificate | TestCertificate;
  /** a fresh key of ML-DSA-87 when left out */
  readonly keys?: KeyPair;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  readonly ca?: boolean;
  readonly keyUsage?: readonly KeyUsage[];
  readonly eku?: readonly string[];
  /** other bytes than the issuer's signature */
  readonly signature?: (real: Uint8Array) => Uint8Array;
}

/** The parameter set by its number. */
export function mlDsa(name: 44 | 65 | 87): MlDsa {
  const set = mlDsaOfKey({ type: `ml-dsa-${name}` });
  if (!set) throw new Error('no such set');
  return set;
}

/** A key of ML-DSA. */
export function pqKey(name: 44 | 65 | 87 = 87): KeyPair {
  return makeMlDsaKey(mlDsa(name));
}

/** A key on P-256 in the same form. */
export function classicalKey(): KeyPair {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    spki: Uint8Array.from(publicKey.export({ type: 'spki', format: 'der' })),
    pem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    signature: { oid: '1.2.840.10045.4.3.2', nullParameters: false },
    sign: (data) => sign('sha256', data, privateKey),
  };
}

/** A certificate: a signer with ML-DSA-87 unless told otherwise, valid from 2026 to 2036. */
export async function makePqCertificate(options: PqCertificateOptions = {}): Promise<PqCertificate> {
  const { subject = 'CN=Test PQ Signer,O=Test', keys = pqKey(), issuer, ca, keyUsage, eku } = options;
  const by = issuer === undefined ? keys : pairOf(issuer);
  const template = await certificateTemplate({
    issuer: {
      name: issuer?.certificate.fields.subject.attributes ?? parseNamePattern(subject),
      spki: by.spki,
    },
    subject: { name: parseNamePattern(subject), spki: keys.spki },
    notBefore: options.notBefore ?? new Date('2026-01-01T00:00:00Z'),
    notAfter: options.notAfter ?? new Date('2036-01-01T00:00:00Z'),
    signature: by.signature,
    extensions: {
      ...(ca !== undefined && { basicConstraints: { ca } }),
      ...(keyUsage !== undefined && { keyUsage }),
      ...(eku !== undefined && { extendedKeyUsage: eku }),
    },
  });
  const { signature = (real) => real } = options;
  const der = await formatCertificate(template, (tbs) => signature(by.sign(tbs)));
  return { pem: formatPem('CERTIFICATE', der), der, certificate: parseCertificate(der), keys };
}

/** An authority: `makePqCertificate` with what an issuer needs. */
export function makePqAuthority(options: PqCertificateOptions = {}): Promise<PqCertificate> {
  return makePqCertificate({
    subject: 'CN=Test PQ CA,O=Test',
    ca: true,
    keyUsage: ['keyCertSign', 'cRLSign'],
    ...options,
  });
}

/** The signer, as operations take it. */
export async function pqIdentity(
  { certificate, keys }: PqCertificate,
  intermediates: readonly Pick<PqCertificate, 'certificate'>[] = [],
): Promise<SigningIdentity> {
  const key = await parsePrivateKey({ name: 'key.pem', bytes: encodeUtf8(keys.pem) }, async () => '');
  return {
    signer: keySigner(key, 'key.pem'),
    leaf: certificate,
    intermediates: intermediates.map((one) => one.certificate),
    warnings: [],
    files: [],
  };
}

function pairOf(issuer: PqCertificate | TestCertificate): KeyPair {
  if ('keys' in issuer) return issuer.keys;
  const { privateKey } = issuer;
  const isRsa = privateKey.asymmetricKeyType === 'rsa';
  return {
    spki: Uint8Array.from(createPublicKey(privateKey).export({ type: 'spki', format: 'der' })),
    pem: '',
    signature: {
      oid: isRsa ? '1.2.840.113549.1.1.11' : '1.2.840.10045.4.3.2',
      nullParameters: isRsa,
    },
    sign: (data) => sign('sha256', data, privateKey),
  };
}

/** A revocation list of the authority, one hour old at noon and good for a day. */
export function makePqCrl(issuer: PqCertificate, revoked: readonly PqCertificate[], signer = issuer): Crl {
  const { fields } = issuer.certificate;
  const key = Uint8Array.from(Buffer.from(fields.extensions.subjectKeyId ?? '', 'hex'));
  const algorithm = derSequence(derOid(signer.keys.signature.oid));
  const hour = 3_600_000;
  const entries = revoked.map(({ certificate }) =>
    derSequence(
      derElement(TAG.integer, Uint8Array.from(Buffer.from(certificate.fields.serial, 'hex'))),
      utcTime(new Date(+NOON - 24 * hour)),
    ),
  );
  const tbs = derSequence(
    derUnsigned(Uint8Array.of(1)),
    algorithm,
    fields.subject.raw,
    utcTime(new Date(+NOON - hour)),
    utcTime(new Date(+NOON + 23 * hour)),
    ...(entries.length > 0 ? [derSequence(...entries)] : []),
    derElement(
      0xa0,
      derSequence(
        extension('2.5.29.35', false, derSequence(derElement(0x80, key))),
        extension('2.5.29.20', false, derUnsigned(Uint8Array.of(1))),
      ),
    ),
  );
  const signature = derElement(TAG.bitString, Uint8Array.of(0), signer.keys.sign(tbs));
  return parseCrl(derSequence(tbs, algorithm, signature), 'the list');
}
