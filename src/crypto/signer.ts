import { constants, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { promisify } from 'node:util';
import type { DigestName } from '../kit/digest-name.ts';
import { BundleError } from '../kit/errors/errors.ts';
import { isEdwards } from './signature.ts';

/** Something that signs bytes: a key in memory now, later a token or a service. */
export interface Signer {
  readonly publicKey: KeyObject;
  /**
   * The signature over the raw `data`; RSA PKCS#1 v1.5, ECDSA in DER, Ed25519 and Ed448 without a digest.
   * @throws {BundleError} `USAGE` for a key that is bound to another digest
   */
  sign(algorithm: DigestName, data: Uint8Array): Promise<Uint8Array>;
}

const signAsync = promisify(sign);

/** Signs with a private key in memory. */
export function keySigner(privateKey: KeyObject): Signer {
  return {
    publicKey: createPublicKey(privateKey),
    sign: async (algorithm, data) => {
      const { hashAlgorithm } = privateKey.asymmetricKeyDetails ?? {};
      if (hashAlgorithm !== undefined && hashAlgorithm !== algorithm) {
        throw new BundleError('USAGE', `this key signs with ${hashAlgorithm} only, not with ${algorithm}`, {
          fix: `give --digest ${hashAlgorithm}, if that is one of sha256, sha384, sha512; else make another key`,
        });
      }
      const key = privateKey.asymmetricKeyType === 'rsa-pss' ? withSalt(privateKey, algorithm) : privateKey;
      return (await signAsync(isEdwards(privateKey) ? null : algorithm, data, key)) as Uint8Array;
    },
  };
}

/** Bytes of salt in the RSA-PSS signatures of a key: as long as the digest, unless the key demands more (RFC 4055 section 3.1). */
export function pssSaltLength(key: KeyObject, algorithm: DigestName): number {
  return Math.max(key.asymmetricKeyDetails?.saltLength ?? 0, DIGEST_BYTES[algorithm]);
}

const DIGEST_BYTES: Readonly<Record<DigestName, number>> = { sha1: 20, sha256: 32, sha384: 48, sha512: 64 };

function withSalt(
  key: KeyObject,
  algorithm: DigestName,
): { key: KeyObject; padding: number; saltLength: number } {
  return { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: pssSaltLength(key, algorithm) };
}
