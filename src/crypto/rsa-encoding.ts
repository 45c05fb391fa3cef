import { engine } from '#engine';
import { HASH_METHODS, type HashMethod } from '../formats/glance/names.ts';
import type { PublicKey } from '../formats/x509/public-key.ts';
import { equalBytes } from '../kit/bytes.ts';
import { digestBytes, openHash } from './digest.ts';

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

/** Opens an RSA signature with the public key, for a diagnosis. It never throws. [glance.13] */
export function inspectRsaSignature(
  key: PublicKey,
  signature: Uint8Array,
  preferred: HashMethod,
): RsaEncoding {
  const { bits = 0 } = key.key;
  if (signature.byteLength !== Math.ceil(bits / 8)) return UNKNOWN;
  const encoded = engine.openRsa(key, signature);
  if (!encoded) return UNKNOWN;
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
  const outer = digestBytes(name, new Uint8Array(8), digestBytes(name, message), salt);
  return equalBytes(outer, digest);
}

/** RFC 8017 section 9.1.2, steps 4 to 11, but for the digest of the message. */
function readPss(
  whole: Uint8Array,
  bits: number,
  hash: HashMethod,
): { readonly salt: Uint8Array; readonly digest: Uint8Array } | undefined {
  const length = Math.ceil(bits / 8);
  const encoded = whole.subarray(whole.byteLength - length);
  const hashBytes = openHash(HASH_METHODS[hash]).digest().byteLength;
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
    mask.push(...digestBytes(HASH_METHODS[hash], seed, count));
  }
  return Uint8Array.from(mask.slice(0, length));
}
