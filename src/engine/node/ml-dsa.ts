import { verify as verifyAt } from 'node:crypto';
import { createRequire } from 'node:module';
import { childrenOf, readBitString, readOnly, TAG } from '../../formats/der/cursor.ts';
import { type MlDsa, type MlDsaType, mlDsaOfKey, mlDsaSpki } from '../../formats/x509/ml-dsa.ts';
import type { PublicKey } from '../../formats/x509/public-key.ts';
import { concat } from '../../kit/bytes.ts';
import { keyObject } from './public-key.ts';

type Package = typeof import('@noble/post-quantum/ml-dsa.js');

const require = createRequire(import.meta.url);
let loaded: Package | undefined;

/** The implementation in JavaScript, loaded when it is first needed: most runs see no ML-DSA, and newer Nodes bring one. [pq.2] */
export function packaged({ type }: MlDsa): Package['ml_dsa87'] {
  // Whoever verifies cannot wait: an engine answers at once. Every Node that bulla runs on can `require` a module.
  loaded ??= require('@noble/post-quantum/ml-dsa.js') as Package;
  const { ml_dsa44, ml_dsa65, ml_dsa87 } = loaded;
  return { 'ml-dsa-44': ml_dsa44, 'ml-dsa-65': ml_dsa65, 'ml-dsa-87': ml_dsa87 }[type];
}

/** Whether the key of ML-DSA made the signature: pure, with an empty context (RFC 9881 section 3). Never throws. [pq.2] */
export function verifyMlDsa(key: PublicKey, data: Uint8Array, signature: Uint8Array): boolean {
  const set = mlDsaOfKey(key.key);
  if (set?.signatureBytes !== signature.byteLength) return false;
  return isNative(set) ? verifyNatively(key, data, signature) : verifyByPackage(key, data, signature);
}

/** By OpenSSL; false for every signature where it does not know the algorithm. */
function verifyNatively(key: PublicKey, data: Uint8Array, signature: Uint8Array): boolean {
  try {
    return verifyAt(null, data, keyObject(key), signature);
  } catch {
    return false;
  }
}

/** By the implementation in JavaScript. */
export function verifyByPackage(key: PublicKey, data: Uint8Array, signature: Uint8Array): boolean {
  const set = mlDsaOfKey(key.key);
  try {
    return set !== undefined && packaged(set).verify(signature, data, mlDsaBytes(key));
  } catch {
    return false;
  }
}

/** The bytes of a public key, out of its SubjectPublicKeyInfo. */
export function mlDsaBytes({ spki }: PublicKey): Uint8Array {
  const [, bits] = childrenOf(readOnly(spki, TAG.sequence, 'a key'), 'a key');
  return bits ? readBitString(bits, 'a key').bytes : new Uint8Array();
}

const native = new Map<MlDsa, boolean>();

/**
 * Whether the running Node verifies by this parameter set: found out by a signature whose answer is known, and by another that
 * does not fit. What Node calls its keys does not tell, nor does its version: it depends on the OpenSSL that it was built with.
 */
export function isNative(set: MlDsa): boolean {
  let answer = native.get(set);
  if (answer === undefined) {
    const { key, signature } = knownAnswer(set);
    answer = verifyNatively(key, KNOWN_DATA, signature) && !verifyNatively(key, new Uint8Array(), signature);
    native.set(set, answer);
  }
  return answer;
}

/** What the known answers are over. */
export const KNOWN_DATA = Uint8Array.of(0x62, 0x75, 0x6c, 0x6c, 0x61);

/** Of the known answers: the challenge, one period of the packed response, and how many bytes of hints there are. */
const KNOWN: Readonly<Record<MlDsaType, readonly [challenge: string, period: string, hintBytes: number]>> = {
  'ml-dsa-44': ['ec750ae279207a02fb71e52784220f8be5f9a8ccc7538b03b6025574f6fa5841', 'fffffdfff7ffdfff7f', 84],
  'ml-dsa-65': [
    '45d99f115c3f552447d47e34111797a3a8e00a731a1bab2d5461f185f276f7ca47695ce285d16682b6247cc8e5639fc9',
    'fffff7ff7f',
    61,
  ],
  'ml-dsa-87': [
    '674134d6d84ca23a4562367b7597fe73a81937a9d554e374dba0d4be44241eeb271fcba02325b00020d03250954df46c74312f67edac2abacd059d61c27ced12',
    'fffff7ff7f',
    83,
  ],
};

/**
 * A signature that fits, of which little must be written down: under a key of nothing but zeros, with a response of nothing but ones
 * and no hints, so that only the challenge is left to compute (FIPS 204 algorithm 8). Everybody can make one for such a key.
 */
export function knownAnswer(set: MlDsa): { readonly key: PublicKey; readonly signature: Uint8Array } {
  const { type, label, publicBytes, signatureBytes } = set;
  const [challenge, period, hintBytes] = KNOWN[type];
  const [head, one] = [Buffer.from(challenge, 'hex'), Buffer.from(period, 'hex')];
  const hints = new Uint8Array(hintBytes);
  const response = Buffer.alloc(signatureBytes - head.byteLength - hintBytes, one);
  return {
    key: { spki: mlDsaSpki(set, new Uint8Array(publicBytes)), key: { type, label } },
    signature: concat([head, response, hints]),
  };
}
