import { constants, createHash, createPublicKey, type KeyObject, publicDecrypt } from 'node:crypto';
import { childrenOf, readOnly, TAG } from '../formats/der/cursor.ts';
import { derNull, derOid, derSequence } from '../formats/der/writer.ts';
import { HASH_METHODS, type HashMethod } from '../formats/glance/names.ts';
import { equalBytes } from '../kit/bytes.ts';

/**
 * What an RSA signature says about itself once the public key has opened it. It decides nothing: a form that fits shows
 * only that the key made this signature in this way, over data that is not known here.
 */
export type RsaEncoding =
  | {
      readonly kind: 'pss';
      readonly hash: HashMethod;
      readonly salt: Uint8Array;
      readonly digest: Uint8Array;
    }
  | { readonly kind: 'pkcs1' }
  /** the key did not make it, or not in a way that is known */
  | { readonly kind: 'unknown' };

const UNKNOWN: RsaEncoding = { kind: 'unknown' };
const RSA_ENCRYPTION = '1.2.840.113549.1.1.1';

/** Opens an RSA signature with the public key, for a diagnosis. It never throws. [glance.13] */
export function inspectRsaSignature(
  key: KeyObject,
  signature: Uint8Array,
  preferred: HashMethod,
): RsaEncoding {
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (signature.byteLength !== Math.ceil(bits / 8)) return UNKNOWN;
  let encoded: Uint8Array;
  try {
    encoded = Uint8Array.from(
      publicDecrypt({ key: plainRsa(key), padding: constants.RSA_NO_PADDING }, signature),
    );
  } catch {
    return UNKNOWN;
  }
  if (encoded[0] === 0 && encoded[1] === 1 && encoded[2] === 0xff && encoded[10] === 0xff) {
    return { kind: 'pkcs1' };
  }
  const others = (Object.keys(HASH_METHODS) as HashMethod[]).filter((hash) => hash !== preferred);
  for (const hash of [preferred, ...others]) {
    const found = readPss(encoded, bits - 1, hash);
    if (found) return { kind: 'pss', hash, ...found };
  }
  return UNKNOWN;
}

/** Whether the PSS signature was made over a message with this digest (RFC 8017 section 9.1.2, steps 11 to 14). */
export function isPssOver(
  { hash, salt, digest }: Extract<RsaEncoding, { kind: 'pss' }>,
  message: Uint8Array,
): boolean {
  const name = HASH_METHODS[hash];
  const inner = createHash(name).update(message).digest();
  const outer = createHash(name).update(new Uint8Array(8)).update(inner).update(salt).digest();
  return equalBytes(Uint8Array.from(outer), digest);
}

/** RFC 8017 section 9.1.2, steps 4 to 11, but for the digest of the message. */
function readPss(
  whole: Uint8Array,
  bits: number,
  hash: HashMethod,
): { readonly salt: Uint8Array; readonly digest: Uint8Array } | undefined {
  const length = Math.ceil(bits / 8);
  const encoded = whole.subarray(whole.byteLength - length);
  const hashBytes = createHash(HASH_METHODS[hash]).digest().byteLength;
  const maskedLength = length - hashBytes - 1;
  if (maskedLength < 1 || encoded.at(-1) !== 0xbc) return undefined;
  if (whole.byteLength > length && whole[0] !== 0) return undefined;
  const digest = encoded.subarray(maskedLength, -1);
  const mask = mgf1(digest, maskedLength, hash);
  const block = encoded.subarray(0, maskedLength).map((byte, i) => byte ^ (mask[i] ?? 0));
  block[0] = (block[0] ?? 0) & (0xff >> (8 * length - bits));
  const mark = block.findIndex((byte) => byte !== 0);
  return mark >= 0 && block[mark] === 1 ? { salt: block.subarray(mark + 1), digest } : undefined;
}

function mgf1(seed: Uint8Array, length: number, hash: HashMethod): Uint8Array {
  const mask: number[] = [];
  for (let counter = 0; mask.length < length; counter++) {
    const count = Uint8Array.of(counter >>> 24, counter >>> 16, counter >>> 8, counter);
    mask.push(...createHash(HASH_METHODS[hash]).update(seed).update(count).digest());
  }
  return Uint8Array.from(mask.slice(0, length));
}

/** The key without a binding to PSS, which would keep OpenSSL from opening the signature. */
function plainRsa(key: KeyObject): KeyObject {
  if (key.asymmetricKeyType !== 'rsa-pss') return key;
  const spki = Uint8Array.from(key.export({ type: 'spki', format: 'der' }));
  const [, bits] = childrenOf(readOnly(spki, TAG.sequence, 'a key'), 'a key');
  const algorithm = derSequence(derOid(RSA_ENCRYPTION), derNull());
  return createPublicKey({
    key: Buffer.from(derSequence(algorithm, bits?.raw ?? new Uint8Array())),
    format: 'der',
    type: 'spki',
  });
}
