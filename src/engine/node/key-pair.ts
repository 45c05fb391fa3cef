import { generateKeyPair, sign } from 'node:crypto';
import { promisify } from 'node:util';

/** A key that has just been made. */
export interface KeyPair {
  /** SubjectPublicKeyInfo, DER */
  readonly spki: Uint8Array;
  /** the private key: PKCS#8, not encrypted */
  readonly pem: string;
  /** RSA PKCS#1 v1.5 with SHA-256 */
  readonly sign: (data: Uint8Array) => Uint8Array;
}

/** Makes an RSA key; `bits` of its modulus. */
export async function makeRsaKey(bits: number): Promise<KeyPair> {
  const { publicKey, privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: bits });
  return {
    spki: Uint8Array.from(publicKey.export({ type: 'spki', format: 'der' })),
    pem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    sign: (data) => sign('sha256', data, privateKey),
  };
}
