import { derSequence, derUnsigned } from '../der/writer.ts';

/** Bytes of each half of a raw signature, by curve. */
const HALVES: Readonly<Record<string, number>> = {
  prime256v1: 32,
  secp384r1: 48,
  secp521r1: 66,
  secp224r1: 28,
  prime192v1: 24,
};

/**
 * The DER form (Ecdsa-Sig-Value, RFC 3279 section 2.2.3) of a signature that is r and s one behind the other, as PKCS#11 and the
 * plugins of Notary give it; undefined for what is not as long as the curve makes it. [key.6]
 */
export function ecdsaFromRaw(raw: Uint8Array, curve: string | undefined): Uint8Array | undefined {
  const half = (curve !== undefined && HALVES[curve]) || raw.byteLength >> 1;
  if (raw.byteLength === 0 || raw.byteLength !== 2 * half) return undefined;
  return derSequence(derUnsigned(raw.subarray(0, half)), derUnsigned(raw.subarray(half)));
}
