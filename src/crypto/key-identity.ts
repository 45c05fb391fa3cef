import { engine } from '#engine';
import { childrenOf, type DerElement, openDer, readBitString, readOnly, TAG } from '../formats/der/cursor.ts';
import { ordinateOf } from '../formats/x509/edwards-key.ts';
import type { PublicKey } from '../formats/x509/public-key.ts';
import { encodeUtf8, formatHex } from '../kit/encoding.ts';
import type { Certificate } from './certificate.ts';
import { digestHex } from './digest.ts';

const WHAT = 'a key';
const known = new WeakMap<Certificate, string>();

/**
 * Whose key it is, as a text that is the same for all spellings of one key: lower hex SHA-256 of what only the holder of
 * one private key can have.
 *
 * A key has many SubjectPublicKeyInfos: a point compressed or not, RSA for PSS alone or for anything, an exponent or a sign
 * of one's own choice. Pins compare the SubjectPublicKeyInfo; everything that counts or remembers keys compares this. [path.25]
 */
export function keyIdentity(certificate: Certificate): string {
  let identity = known.get(certificate);
  if (identity === undefined) {
    identity = digestHex('sha256', encodeUtf8(keyMaterial(certificate.publicKey)));
    known.set(certificate, identity);
  }
  return identity;
}

/** True when both are the same key, so that a signature fits one if it fits the other; how a point is spelled does not matter. */
export function sameKey(a: PublicKey, b: PublicKey): boolean {
  return engine.isSameKey(a, b);
}

/** Numbers and points, so that nothing of how the certificate spells them is left. */
function keyMaterial({ spki, key: { type, curve } }: PublicKey): string {
  const [algorithm, keyBits] = childrenOf(readOnly(spki, TAG.sequence, WHAT), WHAT);
  const bits = keyBits ? readBitString(keyBits, WHAT).bytes : new Uint8Array();
  switch (type) {
    case 'rsa':
    case 'rsa-pss': {
      // the modulus alone: who knows its factors has the private key to every exponent
      const [modulus] = childrenOf(readOnly(bits, TAG.sequence, WHAT), WHAT);
      return `rsa ${unsigned(modulus)}`;
    }
    case 'ec':
      return `ec ${curve} ${formatHex(abscissaOf(bits))}`;
    case 'dsa': {
      const [, parameters] = algorithm ? childrenOf(algorithm, WHAT) : [];
      const [p] = parameters ? childrenOf(parameters, WHAT) : [];
      return `dsa ${unsigned(p)} ${unsigned(openDer(bits, WHAT).next())}`;
    }
    case 'ed25519':
      return `ed25519 ${ordinateOf(bits).toString(16)}`;
    case 'ed448':
      return `ed448 ${ordinateOf(bits).toString(16)}`;
    default:
      return `${type} ${formatHex(spki)}`;
  }
}

function unsigned(element: DerElement | undefined): string {
  return BigInt(`0x0${formatHex(element?.value ?? new Uint8Array())}`).toString(16);
}

/** The point without its other coordinate, of which there are two: the private key to one is the negative of the other's. */
function abscissaOf(point: Uint8Array): Uint8Array {
  const isCompressed = point[0] === 0x02 || point[0] === 0x03;
  return point.subarray(1, isCompressed ? point.length : 1 + (point.length - 1) / 2);
}
