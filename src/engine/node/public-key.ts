import { createPublicKey, type KeyObject } from 'node:crypto';
import { childrenOf, readOnly, TAG } from '../../formats/der/cursor.ts';
import { derSequence } from '../../formats/der/writer.ts';
import { mlDsaOfKey } from '../../formats/x509/ml-dsa.ts';
import type { PublicKey } from '../../formats/x509/public-key.ts';
import { equalBytes } from '../../kit/bytes.ts';

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

/**
 * Takes what OpenSSL has read in a certificate for its key.
 *
 * OpenSSL has other names for some kinds (RSA as X.509 of 1988 has it, DSA as OIW): what it would verify with as one kind, and we judge
 * as another, or as none, is refused.
 *
 * @throws an error when it is another kind of key, or another length or curve
 */
export function rememberKey(key: PublicKey, object: KeyObject): void {
  const { type, bits, curve } = key.key;
  const kind = object.asymmetricKeyType ?? '';
  if (KINDS.has(kind) && kind !== type) throw new Error(`OpenSSL takes a key of kind ${type} for ${kind}`);
  if (kind !== type) return;
  const { modulusLength, namedCurve } = object.asymmetricKeyDetails ?? {};
  if (modulusLength !== bits)
    throw new Error(`OpenSSL takes a key of ${bits} bits for one of ${modulusLength}`);
  if (namedCurve !== curve && !/^[\d.]+$|^unnamed/.test(curve ?? '')) {
    throw new Error(`OpenSSL takes a key on ${curve} for one on ${namedCurve}`);
  }
  opened.set(key, object);
}

/** The kinds of keys that we judge. */
const KINDS: ReadonlySet<string> = new Set(['rsa', 'rsa-pss', 'ec', 'ed25519', 'ed448', 'dsa']);

/** False, too, for keys of kinds that OpenSSL cannot compare. */
export function isSameKey(a: PublicKey, b: PublicKey): boolean {
  if (mlDsaOfKey(a.key)) return equalBytes(a.spki, b.spki); // there is one way to write one
  try {
    const [one, other] = [keyObject(a), keyObject(b)];
    // OpenSSL keeps the error of keys that it cannot compare, and whoever reads a key next is told of it
    return one.asymmetricKeyType === other.asymmetricKeyType && one.equals(other);
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
