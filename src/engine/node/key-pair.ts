import { generateKeyPair, randomBytes, sign } from 'node:crypto';
import { promisify } from 'node:util';
import { derElement, derOctets, derSequence, derUnsigned } from '../../formats/der/writer.ts';
import { formatPem } from '../../formats/pem.ts';
import type { CertificateTemplate } from '../../formats/x509/certificate-template.ts';
import { type MlDsa, mlDsaIdentifier, mlDsaSpki } from '../../formats/x509/ml-dsa.ts';
import { packaged } from './ml-dsa.ts';

/** A key that has just been made. */
export interface KeyPair {
  /** SubjectPublicKeyInfo, DER */
  readonly spki: Uint8Array;
  /** the private key: PKCS#8, not encrypted */
  readonly pem: string;
  /** of what `sign` makes */
  readonly signature: CertificateTemplate['signature'];
  readonly sign: (data: Uint8Array) => Uint8Array;
}

/** RSASSA-PKCS1-v1_5 with SHA-256. */
export const SHA256_WITH_RSA: CertificateTemplate['signature'] = {
  oid: '1.2.840.113549.1.1.11',
  nullParameters: true,
};

/** Makes an RSA key, for signatures of PKCS#1 v1.5 with SHA-256; `bits` of its modulus. */
export async function makeRsaKey(bits: number): Promise<KeyPair> {
  const { publicKey, privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: bits });
  return {
    spki: Uint8Array.from(publicKey.export({ type: 'spki', format: 'der' })),
    pem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    signature: SHA256_WITH_RSA,
    sign: (data) => sign('sha256', data, privateKey),
  };
}

/** Makes a key of ML-DSA; the private key is written as its seed, which every program that knows the algorithm reads (RFC 9881 section 6). */
export function makeMlDsaKey(set: MlDsa, seed: Uint8Array = Uint8Array.from(randomBytes(32))): KeyPair {
  const { keygen, sign: signWith } = packaged(set);
  const { publicKey, secretKey } = keygen(seed);
  const pkcs8 = derSequence(
    derUnsigned(Uint8Array.of(0)),
    mlDsaIdentifier(set),
    derOctets(derElement(0x80, seed)),
  );
  return {
    spki: mlDsaSpki(set, publicKey),
    pem: formatPem('PRIVATE KEY', pkcs8),
    signature: { oid: set.oid, nullParameters: false },
    sign: (data) => signWith(data, secretKey),
  };
}
