import { engine } from '#engine';
import type { Reading, Verifying } from '../engine/engine.ts';
import { mlDsaOfKey } from '../formats/x509/ml-dsa.ts';
import type { PublicKey } from '../formats/x509/public-key.ts';
import type { SignatureAlgorithm, SignatureScheme } from '../formats/x509/signature-algorithm.ts';
import type { DigestName } from '../kit/digest-name.ts';

/**
 * True when `signature` over the raw `data` was made with the private half of `publicKey`.
 *
 * RSA is PKCS#1 v1.5 as every OVF tool writes it (PSS for a key that allows only that), ECDSA is DER. Ed25519 and
 * Ed448 sign the data itself; the digest named beside such a signature says nothing. ML-DSA makes none of these. [pq.5] It never throws.
 */
export function isSignatureValid(
  algorithm: DigestName,
  data: Uint8Array,
  key: PublicKey,
  signature: Uint8Array,
): boolean {
  return (
    mayBeAsked(key) &&
    !mlDsaOfKey(key.key) &&
    engine.verify({ key, signature, digest: isEdwards(key) ? null : algorithm }, data)
  );
}

/** True for keys of EdDSA, whose signatures take no separate digest. */
export function isEdwards({ key }: PublicKey): boolean {
  return key.type === 'ed25519' || key.type === 'ed448';
}

/** A signature as structures carry it: with its algorithm, and for some the digest that a field beside it names. */
export interface CarriedSignature {
  readonly algorithm: SignatureAlgorithm;
  readonly signature: Uint8Array;
  /** used where the algorithm leaves the digest open, as in CMS; elsewhere that of the algorithm counts */
  readonly digest?: string;
}

/** True when the key made the signature over `data`, by the algorithm it names and no other. It never throws. [sigalg.3] */
export function isSignedWith(carried: CarriedSignature, data: Uint8Array, key: PublicKey): boolean {
  const reading = readingOf(carried, key);
  return reading !== undefined && engine.verify({ ...reading, signature: carried.signature }, data);
}

/** `isSignedWith` for data of any size; undefined for Ed25519, Ed448 and ML-DSA, which need all of it at once, and for unusable keys. */
export function openSignature(
  carried: Omit<CarriedSignature, 'signature'>,
  key: PublicKey,
): Verifying | undefined {
  const reading = readingOf(carried, key);
  const digest = reading?.digest;
  return reading && digest ? engine.openVerifying({ ...reading, digest }) : undefined;
}

const KEY_TYPES: Readonly<Record<SignatureScheme, readonly string[]>> = {
  // OpenSSL 3.0 names plain RSA in a CMS that a key for RSA-PSS alone has signed; such a key verifies as PSS
  rsa: ['rsa', 'rsa-pss'],
  'rsa-pss': ['rsa', 'rsa-pss'],
  ecdsa: ['ec'],
  dsa: ['dsa'],
  eddsa: ['ed25519', 'ed448'],
  'ml-dsa': ['ml-dsa-44', 'ml-dsa-65', 'ml-dsa-87'],
};

/** The OIDs of RFC 8410 name the curve; a key on the other one would verify under a false name. */
const EDWARDS_OIDS: Readonly<Record<string, string>> = { ed25519: '1.3.101.112', ed448: '1.3.101.113' };

/** Whether a signature is of the whole content, in one piece, and brings its own digest. */
export function takesWhole({ scheme }: SignatureAlgorithm): boolean {
  return scheme === 'eddsa' || scheme === 'ml-dsa';
}

/** What the engine is to be asked; undefined when algorithm and key do not go together. [sigalg.3] */
function readingOf(
  { algorithm, digest }: Omit<CarriedSignature, 'signature'>,
  key: PublicKey,
): Reading | undefined {
  const { scheme, pss } = algorithm;
  const { type } = key.key;
  if (!scheme || !KEY_TYPES[scheme].includes(type) || !mayBeAsked(key)) return undefined;
  if (scheme === 'eddsa') return EDWARDS_OIDS[type] === algorithm.oid ? { key, digest: null } : undefined;
  if (scheme === 'ml-dsa')
    return mlDsaOfKey(key.key)?.oid === algorithm.oid ? { key, digest: null } : undefined; // [pq.1]
  const used = algorithm.digest ?? digest;
  if (used === undefined) return undefined;
  if (scheme === 'rsa' && type === 'rsa-pss' && algorithm.digest !== undefined) return undefined;
  if (scheme !== 'rsa-pss') return { key, digest: used };
  if (!pss?.mgfDigest || !isBoundTo(pss, key)) return undefined;
  return { key, digest: used, pss: { algorithm: algorithm.raw } };
}

/** [sigalg.4] A key that is bound to parameters makes no signatures with others (RFC 4055 section 3.3). */
function isBoundTo(pss: NonNullable<SignatureAlgorithm['pss']>, { bound }: PublicKey): boolean {
  if (bound === undefined) return true;
  return (
    bound.digest === pss.digest && bound.mgfDigest === pss.mgfDigest && pss.saltLength >= bound.saltLength
  );
}

/** [sigalg.5] What OpenSSL verifies with; others take long for keys beyond, and say yes where it says no. */
const LONG_MODULUS_BITS = 3072;
const EXPONENT_LIMIT_OF_LONG = 1n << 64n;

/**
 * Whether an engine may be asked about the key; no signature by another one fits.
 *
 * Not of a kind that is not known here, whatever an engine makes of it: no rule for its kind has been applied. [sigalg.3] [sigalg.5]
 */
export function mayBeAsked({ key: { type, bits = 0, exponent = 0n } }: PublicKey): boolean {
  return type !== 'other' && (bits <= LONG_MODULUS_BITS || exponent < EXPONENT_LIMIT_OF_LONG);
}
