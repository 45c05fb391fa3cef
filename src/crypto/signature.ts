import { type KeyObject, verify } from 'node:crypto';
import type { DigestName } from '../formats/ovf/digest-name.ts';

/**
 * True when `signature` over the raw `data` was made with the private half of `publicKey`.
 *
 * RSA is PKCS#1 v1.5 as every OVF tool writes it (PSS for a key that allows only that), ECDSA is DER. Ed25519 and
 * Ed448 sign the data itself; the digest named beside such a signature says nothing. It never throws.
 */
export function isSignatureValid(
  algorithm: DigestName,
  data: Uint8Array,
  publicKey: KeyObject,
  signature: Uint8Array,
): boolean {
  try {
    return verify(isEdwards(publicKey) ? null : algorithm, data, publicKey, signature);
  } catch {
    return false; // OpenSSL throws for keys that cannot sign at all; such a signature is not valid either
  }
}

/** True for keys whose signatures take no separate digest. */
export function isEdwards(key: KeyObject): boolean {
  return key.asymmetricKeyType === 'ed25519' || key.asymmetricKeyType === 'ed448';
}
