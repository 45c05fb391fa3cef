import { formatHex } from '../../kit/encoding.ts';
import { malformed } from '../der/cursor.ts';

interface Edwards {
  readonly label: string;
  readonly bytes: number;
  readonly prime: bigint;
  /** the second coordinates of the points of small order */
  readonly small: ReadonlySet<bigint>;
}

const P25519 = 2n ** 255n - 19n;
const P448 = 2n ** 448n - 2n ** 224n - 1n;

const CURVES: Readonly<Record<'ed25519' | 'ed448', Edwards>> = {
  ed25519: {
    label: 'Ed25519',
    bytes: 32,
    prime: P25519,
    // orders 4, 1, 2, and twice 8
    small: new Set([
      0n,
      1n,
      P25519 - 1n,
      0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n,
      0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n,
    ]),
  },
  // orders 4, 1, 2: the cofactor is 4
  ed448: { label: 'Ed448', bytes: 57, prime: P448, small: new Set([0n, 1n, P448 - 1n]) },
};

/**
 * Refuses what is no public key of anybody (RFC 8032 sections 5.1.3 and 5.2.3), though some libraries verify with it: a coordinate that is not
 * less than the prime, and a point of small order, to which one signature fits many messages.
 *
 * @throws `CERTIFICATE_MALFORMED` [x509.17]
 */
export function checkEdwardsKey(type: 'ed25519' | 'ed448', key: Uint8Array, what: string): void {
  const { label, bytes, prime, small } = CURVES[type];
  if (key.byteLength !== bytes)
    throw malformed(what, `its ${label} key has ${key.byteLength} bytes, not ${bytes}`);
  const ordinate = ordinateOf(key);
  if (ordinate >= prime) throw malformed(what, `its ${label} key is not in canonical form`);
  if (small.has(ordinate))
    throw malformed(what, `its ${label} key is a point of small order, which is nobody's key`);
}

/** Little-endian, its last bit the sign of the other coordinate (RFC 8032 section 3.1). */
export function ordinateOf(key: Uint8Array): bigint {
  const number = BigInt(`0x0${formatHex(Uint8Array.from(key).reverse())}`);
  return number & (2n ** BigInt(8 * key.byteLength - 1) - 1n);
}
