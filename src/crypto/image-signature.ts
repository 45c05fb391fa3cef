import { engine } from '#engine';
import type { Reading, Signer, Signing, Verifying } from '../engine/engine.ts';
import { HASH_METHODS, type HashMethod, type KeyTypeName, keyTypeFor } from '../formats/glance/names.ts';
import type { PublicKey } from '../formats/x509/public-key.ts';
import { DIGEST_BYTES } from '../kit/digest-name.ts';
import { BundleError } from '../kit/errors/errors.ts';
import { mayBeAsked } from './signature.ts';

/**
 * Bytes of the longest salt that an RSA-PSS signature of this key can have, which is the one that Glance demands;
 * undefined when the key is too short for the digest. [glance.7]
 */
export function maximalSalt({ key: { bits = 0 } }: PublicKey, hash: HashMethod): number | undefined {
  const salt = Math.ceil((bits - 1) / 8) - DIGEST_BYTES[HASH_METHODS[hash]] - 2;
  return salt >= 0 ? salt : undefined;
}

/** How a signature is to be read. */
export interface ImageSignatureForm {
  readonly hash: HashMethod;
  /** of RSA-PSS, in bytes; the longest when left out */
  readonly saltLength?: number;
  /** ECDSA and DSA as r||s, which Glance does not take */
  readonly raw?: boolean;
}

/** Starts to verify a signature with a key: RSA is always PSS, ECDSA and DSA are in DER. It never throws. [glance.7] */
export function openImageVerifying(key: PublicKey, form: ImageSignatureForm): Verifying {
  const reading = readingOf(key, form);
  const verifying = reading && engine.openVerifying(reading);
  return verifying ?? { update: () => undefined, finish: () => false };
}

/** The same for a message in memory. */
export function isMessageSigned(
  key: PublicKey,
  signature: Uint8Array,
  form: ImageSignatureForm,
  message: Uint8Array,
): boolean {
  const reading = readingOf(key, form);
  return reading !== undefined && engine.verify({ ...reading, signature }, message);
}

function readingOf(
  key: PublicKey,
  { hash, saltLength, raw = false }: ImageSignatureForm,
): (Reading & { readonly digest: string }) | undefined {
  if (!mayBeAsked(key)) return undefined;
  const asked = { key, digest: HASH_METHODS[hash] };
  if (key.key.type !== 'rsa' && key.key.type !== 'rsa-pss') return { ...asked, raw };
  const salt = imageSalt(key, hash, saltLength);
  return salt === undefined ? undefined : { ...asked, pss: { saltLength: salt } };
}

/** The salt of an RSA-PSS signature of an image, in bytes; undefined where there is none of that length. */
function imageSalt(key: PublicKey, hash: HashMethod, wanted?: number): number | undefined {
  const longest = maximalSalt(key, hash);
  const salt = wanted ?? longest;
  // a negative number would mean "whatever fits" to OpenSSL
  return longest === undefined || salt === undefined || salt < 0 || salt > longest ? undefined : salt;
}

/**
 * Starts to sign an image; an RSA-PSS signature gets the longest salt.
 *
 * @throws {BundleError} `KEY_WEAK`, and `USAGE` for a key that is bound to another digest, or is none of this name in Glance [glance.7]
 */
export function openImageSigning(
  signer: Signer,
  { hash, keyType }: { readonly hash: HashMethod; readonly keyType: KeyTypeName },
): Signing {
  const { key, bound } = signer.publicKey;
  const digest = HASH_METHODS[hash];
  if (keyTypeFor(key.type === 'rsa-pss' ? 'rsa' : key.type, key.curve) !== keyType) {
    throw new BundleError('USAGE', `the key is ${key.label}, and not what Glance calls ${keyType}`, {
      why: 'Glance and Nova would refuse each signature of it',
      fix: 'give another key, or its own name',
    });
  }
  if (bound !== undefined && bound.digest !== digest) {
    throw new BundleError('USAGE', `this key does not sign with ${hash}`, {
      why: 'a key may be bound to one digest, and makes no signatures with others',
      fix: { text: 'give another hash, or another key', advice: 'other-hash' },
    });
  }
  if (key.type !== 'rsa' && key.type !== 'rsa-pss') return signer.open({ digest });
  const saltLength = imageSalt(signer.publicKey, hash);
  if (saltLength !== undefined && saltLength >= (bound?.saltLength ?? 0))
    return signer.open({ digest, saltLength });
  throw new BundleError('KEY_WEAK', `an RSA key of ${key.bits ?? 0} bits is too short to sign with ${hash}`, {
    fix: 'make a new key, RSA of 3072 bits, say',
  });
}

/** Signs and, over the same bytes, verifies what was answered. Its `finish` throws `USAGE` for a signature that does not fit. [glance.37] */
export function verifiedSigning(
  signing: Signing,
  { publicKey, name }: Pick<Signer, 'publicKey' | 'name'>,
  hash: HashMethod,
): Signing {
  const verifying = openImageVerifying(publicKey, { hash });
  return {
    update: (chunk) => {
      verifying.update(chunk);
      signing.update(chunk);
    },
    finish: async (signal) => {
      const signature = await signing.finish(signal);
      if (verifying.finish(signature)) return signature;
      throw new BundleError('USAGE', 'the signer makes signatures that its public key does not verify', {
        ...(name !== undefined && { where: { file: name } }),
        why: 'Glance and Nova would refuse the image',
        fix: 'check that it signs with the key that it names, RSA as RSA-PSS with the salt that it is asked for, and ECDSA and DSA in DER',
      });
    },
  };
}

/** True when this engine can use the curve: some distributions and FIPS builds leave curves out. [glance.12] */
export function hasCurve(curve: string): boolean {
  return engine.hasCurve(curve);
}
