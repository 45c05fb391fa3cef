import { createPublicKey, type KeyObject } from 'node:crypto';
import { childrenOf, readOnly, TAG } from '../../formats/der/cursor.ts';
import { derSequence } from '../../formats/der/writer.ts';
import type { PublicKey } from '../../formats/x509/public-key.ts';

/** Keys as OpenSSL has read them: a search asks for the same one many times. */
const opened = new WeakMap<PublicKey, KeyObject>();

/** @throws what OpenSSL says of a key that it cannot use */
export function keyObject(key: PublicKey): KeyObject {
  let object = opened.get(key);
  if (object === undefined) {
    object = fromSpki(key.spki);
    opened.set(key, object);
  }
  return object;
}

/** False, too, for keys of kinds that OpenSSL cannot compare. */
export function isSameKey(a: PublicKey, b: PublicKey): boolean {
  try {
    return keyObject(a).equals(keyObject(b));
  } catch {
    return false;
  }
}

/** The same key under another AlgorithmIdentifier (DER), so that OpenSSL obeys its parameters, or is bound to none. */
export function keyUnder(algorithm: Uint8Array, { spki }: PublicKey): KeyObject {
  const [, bits] = childrenOf(readOnly(spki, TAG.sequence, 'a key'), 'a key');
  return fromSpki(derSequence(algorithm, bits?.raw ?? new Uint8Array()));
}

function fromSpki(spki: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
}
