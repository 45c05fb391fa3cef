import { createPublicKey, createVerify, type KeyObject, verify } from 'node:crypto';
import { childrenOf, readOnly, TAG } from '../formats/der/cursor.ts';
import { derSequence } from '../formats/der/writer.ts';
import type { SignatureAlgorithm, SignatureScheme } from '../formats/x509/signature-algorithm.ts';
import type { DigestName } from '../kit/digest-name.ts';

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

/** A signature as structures carry it: with its algorithm, and for some the digest that a field beside it names. */
export interface CarriedSignature {
  readonly algorithm: SignatureAlgorithm;
  readonly signature: Uint8Array;
  /** used where the algorithm leaves the digest open, as in CMS; elsewhere that of the algorithm counts */
  readonly digest?: string;
}

/** True when the key made the signature over `data`, by the algorithm it names and no other. It never throws. [sigalg.3] */
export function isSignedWith(carried: CarriedSignature, data: Uint8Array, key: KeyObject): boolean {
  try {
    const prepared = prepare(carried, key);
    return prepared !== undefined && verify(prepared.digest, data, prepared.key, carried.signature);
  } catch {
    return false; // what OpenSSL cannot use made no signature
  }
}

/** Verifies a signature over data that comes in pieces. */
export interface SignatureReading {
  readonly update: (chunk: Uint8Array) => void;
  /** whether it fits; never throws */
  readonly finish: () => boolean;
}

/** `isSignedWith` for data of any size; undefined for Ed25519 and Ed448, which need all of it at once, and for unusable keys. */
export function openSignature(carried: CarriedSignature, key: KeyObject): SignatureReading | undefined {
  try {
    const prepared = prepare(carried, key);
    if (!prepared?.digest) return undefined;
    const verifying = createVerify(prepared.digest);
    return {
      update: (chunk) => {
        verifying.update(chunk);
      },
      finish: () => {
        try {
          return verifying.verify(prepared.key, carried.signature);
        } catch {
          return false;
        }
      },
    };
  } catch {
    return undefined;
  }
}

const KEY_TYPES: Readonly<Record<SignatureScheme, readonly string[]>> = {
  // OpenSSL 3.0 names plain RSA in a CMS that a key for RSA-PSS alone has signed; such a key verifies as PSS
  rsa: ['rsa', 'rsa-pss'],
  'rsa-pss': ['rsa', 'rsa-pss'],
  ecdsa: ['ec'],
  dsa: ['dsa'],
  eddsa: ['ed25519', 'ed448'],
};

/** The OIDs of RFC 8410 name the curve; a key on the other one would verify under a false name. */
const EDWARDS_OIDS: Readonly<Record<string, string>> = { ed25519: '1.3.101.112', ed448: '1.3.101.113' };

/** What OpenSSL needs to verify; undefined when algorithm and key do not go together. [sigalg.3] */
function prepare(
  { algorithm, digest }: CarriedSignature,
  key: KeyObject,
): { readonly digest: string | null; readonly key: KeyObject } | undefined {
  const { scheme, pss } = algorithm;
  const type = key.asymmetricKeyType ?? '';
  if (!scheme || !KEY_TYPES[scheme].includes(type)) return undefined;
  if (scheme === 'eddsa') return EDWARDS_OIDS[type] === algorithm.oid ? { digest: null, key } : undefined;
  const used = algorithm.digest ?? digest;
  if (used === undefined) return undefined;
  if (scheme === 'rsa' && type === 'rsa-pss' && algorithm.digest !== undefined) return undefined;
  if (scheme !== 'rsa-pss') return { digest: used, key };
  if (!pss?.mgfDigest || !isWithinKeyLimits(pss, key)) return undefined;
  return { digest: used, key: withParameters(key, algorithm.raw) };
}

/** [sigalg.4] A key that is bound to parameters makes no signatures with others (RFC 4055 section 3.3). */
function isWithinKeyLimits(pss: NonNullable<SignatureAlgorithm['pss']>, key: KeyObject): boolean {
  const { hashAlgorithm, mgf1HashAlgorithm, saltLength } = key.asymmetricKeyDetails ?? {};
  if (hashAlgorithm === undefined) return true;
  return (
    hashAlgorithm === pss.digest && mgf1HashAlgorithm === pss.mgfDigest && pss.saltLength >= (saltLength ?? 0)
  );
}

/** [sigalg.4] The same key bound to the parameters of the signature, so that OpenSSL obeys digest, mask and salt. */
function withParameters(key: KeyObject, algorithm: Uint8Array): KeyObject {
  const spki = Uint8Array.from(key.export({ type: 'spki', format: 'der' }));
  const [, bits] = childrenOf(readOnly(spki, TAG.sequence, 'a key'), 'a key');
  return createPublicKey({
    key: Buffer.from(derSequence(algorithm, bits?.raw ?? new Uint8Array())),
    format: 'der',
    type: 'spki',
  });
}
