import { constants, createSign, createVerify, getCurves, type KeyObject, verify } from 'node:crypto';
import { HASH_METHODS, type HashMethod } from '../formats/glance/names.ts';
import { BundleError } from '../kit/errors/errors.ts';

const HASH_BYTES: Readonly<Record<HashMethod, number>> = {
  'SHA-224': 28,
  'SHA-256': 32,
  'SHA-384': 48,
  'SHA-512': 64,
};

/**
 * Bytes of the longest salt that an RSA-PSS signature of this key can have, which is the one that Glance demands;
 * undefined when the key is too short for the digest. [glance.7]
 */
export function maximalSalt(key: KeyObject, hash: HashMethod): number | undefined {
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  const salt = Math.ceil((bits - 1) / 8) - HASH_BYTES[hash] - 2;
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

/** Verifies a signature over bytes that come in pieces. */
export interface ImageVerifying {
  readonly update: (chunk: Uint8Array) => void;
  /** whether it fits; never throws */
  readonly finish: () => boolean;
}

/** Starts to verify a signature with a key: RSA is always PSS, ECDSA and DSA are in DER. It never throws. [glance.7] */
export function openImageVerifying(
  key: KeyObject,
  signature: Uint8Array,
  form: ImageSignatureForm,
): ImageVerifying {
  const options = optionsOf(key, form);
  const verifying = createVerify(HASH_METHODS[form.hash]);
  return {
    update: (chunk) => {
      verifying.update(chunk);
    },
    finish: () => {
      if (!options) return false;
      try {
        return verifying.verify({ key, ...options }, signature);
      } catch {
        return false; // what OpenSSL cannot use made no signature
      }
    },
  };
}

/** The same for a message in memory. */
export function isMessageSigned(
  key: KeyObject,
  signature: Uint8Array,
  form: ImageSignatureForm,
  message: Uint8Array,
): boolean {
  const options = optionsOf(key, form);
  if (!options) return false;
  try {
    return verify(HASH_METHODS[form.hash], message, { key, ...options }, signature);
  } catch {
    return false;
  }
}

/** Signs bytes that come in pieces. */
export interface ImageSigning {
  readonly update: (chunk: Uint8Array) => void;
  /** @throws {BundleError} `USAGE` for a key that may not be used so */
  readonly finish: () => Uint8Array;
}

/** Starts to sign with a private key in memory; an RSA-PSS signature gets the longest salt. @throws {BundleError} `KEY_WEAK` [glance.7] */
export function openImageSigning(key: KeyObject, hash: HashMethod): ImageSigning {
  const options = optionsOf(key, { hash });
  if (!options) {
    const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
    throw new BundleError('KEY_WEAK', `an RSA key of ${bits} bits is too short to sign with ${hash}`, {
      fix: 'make a new key, RSA of 3072 bits, say',
    });
  }
  const signing = createSign(HASH_METHODS[hash]);
  return {
    update: (chunk) => {
      signing.update(chunk);
    },
    finish: () => {
      try {
        return Uint8Array.from(signing.sign({ key, ...options }));
      } catch (cause) {
        throw new BundleError('USAGE', `this key does not sign with ${hash}`, {
          why: 'a key may be bound to one digest, and OpenSSL refuses it for others',
          fix: 'give another --hash, or another key',
          cause,
        });
      }
    },
  };
}

interface KeyOptions {
  readonly padding?: number;
  readonly saltLength?: number;
  readonly dsaEncoding?: 'der' | 'ieee-p1363';
}

function optionsOf(key: KeyObject, { hash, saltLength, raw }: ImageSignatureForm): KeyOptions | undefined {
  const type = key.asymmetricKeyType;
  if (type !== 'rsa' && type !== 'rsa-pss') return { dsaEncoding: raw ? 'ieee-p1363' : 'der' };
  const longest = maximalSalt(key, hash);
  const salt = saltLength ?? longest;
  // a negative number would mean "whatever fits" to OpenSSL
  if (longest === undefined || salt === undefined || salt < 0 || salt > longest) return undefined;
  return { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: salt };
}

/** True when this Node can use the curve: some distributions and FIPS builds leave curves out. [glance.12] */
export function hasCurve(curve: string): boolean {
  return getCurves().includes(curve);
}
