import type { KeyObject } from 'node:crypto';
import { childrenOf, type DerElement, openDer, readBitString, readOnly, TAG } from '../formats/der/cursor.ts';
import { formatHex } from '../kit/encoding.ts';
import { type Certificate, describeKey } from './certificate.ts';
import { digestBytes } from './digest.ts';

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
    identity = formatHex(digestBytes('sha256', Buffer.from(keyMaterial(certificate.publicKey))));
    known.set(certificate, identity);
  }
  return identity;
}

/** Read from what OpenSSL writes, so that nothing of how the certificate spells it is left. */
function keyMaterial(key: KeyObject): string {
  const spki = Uint8Array.from(key.export({ type: 'spki', format: 'der' }));
  const [algorithm, keyBits] = childrenOf(readOnly(spki, TAG.sequence, WHAT), WHAT);
  const bits = keyBits ? readBitString(keyBits, WHAT).bytes : new Uint8Array();
  const { type, curve } = describeKey(key);
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
      return `ed25519 ${edwards(bits, 32, 2n ** 255n - 19n)}`;
    case 'ed448':
      return `ed448 ${edwards(bits, 57, 2n ** 448n - 2n ** 224n - 1n)}`;
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

/** The same of an Edwards point (RFC 8032): little-endian, its last bit the sign of the other coordinate. */
function edwards(bytes: Uint8Array, length: number, prime: bigint): string {
  const ordinate =
    BigInt(`0x0${formatHex(Uint8Array.from(bytes).reverse())}`) & (2n ** BigInt(8 * length - 1) - 1n);
  return (ordinate % prime).toString(16);
}
