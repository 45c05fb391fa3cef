import { DIGEST_BYTES, type DigestName } from '../../kit/digest-name.ts';
import {
  type DerElement,
  malformed,
  openDer,
  readBitString,
  readInteger,
  readOid,
  TAG,
} from '../der/cursor.ts';
import { curveName } from './curves.ts';
import { checkEdwardsKey } from './edwards-key.ts';
import { type MlDsaType, mlDsaOf } from './ml-dsa.ts';
import { type PssParameters, parsePssParameters } from './signature-algorithm.ts';

/** What a key is, for rules about its strength and for people (`label`: `RSA-2048`, `P-256`, `ML-DSA-87`, …). */
export interface KeyDescription {
  readonly type: 'rsa' | 'rsa-pss' | 'ec' | 'ed25519' | 'ed448' | 'dsa' | MlDsaType | 'other';
  /** of the RSA or DSA modulus */
  readonly bits?: number;
  /** RSA public exponent */
  readonly exponent?: bigint;
  /** OpenSSL's name of the curve (`prime256v1`); the OID of one that has none here */
  readonly curve?: string;
  readonly label: string;
}

/** A public key as its SubjectPublicKeyInfo says it; that the platform can use it is another matter. */
export interface PublicKey {
  /** SubjectPublicKeyInfo, DER */
  readonly spki: Uint8Array;
  readonly key: KeyDescription;
  /** what an RSA-PSS key is bound to; absent where it is free */
  readonly bound?: PssParameters;
}

const CURVE_LABELS: Readonly<Record<string, string>> = {
  prime256v1: 'P-256',
  secp384r1: 'P-384',
  secp521r1: 'P-521',
  secp224r1: 'P-224',
  prime192v1: 'P-192',
};

const RSA = '1.2.840.113549.1.1';

/** Keys that are no signers', by what they are for. */
const OTHER_KINDS: Readonly<Record<string, string>> = {
  '1.3.101.110': 'x25519',
  '1.3.101.111': 'x448',
  '1.2.840.113549.1.3.1': 'dh',
  '1.2.840.10046.2.1': 'dh',
};

/** More than any number in a key that a certificate has room for. */
const MAX_INTEGER_BYTES = 128 * 1024;
/** The largest DSA number that OpenSSL verifies with, in bytes, and the octet of the sign. */
const MAX_DSA_BYTES = 1251;

/**
 * What a SubjectPublicKeyInfo (DER) says its key is; whether it is strong enough is decided in `trust/policy.ts`.
 *
 * What one library takes for a key and another does not is refused here, for all of them: numbers that are not positive, points
 * in hybrid form, Edwards points that are not canonical or of small order, keys of ML-DSA that are not as long as they are.
 *
 * @throws `CERTIFICATE_MALFORMED` [x509.15] [x509.16] [x509.17] [pq.1]
 */
export function parsePublicKey(spki: Uint8Array, what: string): PublicKey {
  const info = openDer(openDer(spki, what).next(TAG.sequence).value, what);
  const algorithm = openDer(info.next(TAG.sequence).value, what);
  const oid = readOid(algorithm.next(), what);
  const parameters = algorithm.done() ? undefined : algorithm.next();
  const { bytes, unused } = readBitString(info.next(TAG.bitString), what);
  const mlDsa = mlDsaOf(oid);
  if (mlDsa) {
    if (parameters || unused !== 0 || bytes.byteLength !== mlDsa.publicBytes)
      throw malformed(what, `its ${mlDsa.label} key is not ${mlDsa.publicBytes} bytes without parameters`);
    return { spki, key: { type: mlDsa.type, label: mlDsa.label } };
  }
  switch (oid) {
    case `${RSA}.1`:
      return { spki, key: rsaKey('rsa', bytes, what) };
    case `${RSA}.10`:
      return {
        spki,
        key: rsaKey('rsa-pss', bytes, what),
        ...(parameters !== undefined && { bound: parsePssParameters(parameters, what) }),
      };
    case '1.2.840.10040.4.1':
      // it may inherit them from its issuer (RFC 3279 section 2.3.2): then it is none that anybody verifies with
      if (!parameters) return { spki, key: { type: 'other', label: 'DSA without parameters' } };
      return { spki, key: dsaKey(parameters, bytes, what) };
    case '1.2.840.10045.2.1':
      return { spki, key: ecKey(parameters, bytes, what) };
    case '1.3.101.112':
    case '1.3.101.113': {
      const type = oid === '1.3.101.112' ? 'ed25519' : 'ed448';
      checkEdwardsKey(type, bytes, what);
      return { spki, key: { type, label: type === 'ed25519' ? 'Ed25519' : 'Ed448' } };
    }
    default:
      return { spki, key: { type: 'other', label: OTHER_KINDS[oid] ?? oid } };
  }
}

function rsaKey(type: 'rsa' | 'rsa-pss', bytes: Uint8Array, what: string): KeyDescription {
  const key = openDer(openDer(bytes, what).next(TAG.sequence).value, what);
  const modulus = positive(key.next(), what, 'RSA');
  const exponent = positive(key.next(), what, 'RSA');
  const bits = modulus.toString(2).length;
  return { type, bits, exponent, label: `${type.toUpperCase()}-${bits}` };
}

function dsaKey(parameters: DerElement, bytes: Uint8Array, what: string): KeyDescription {
  const domain = openDer(parameters.value, what);
  const numbers = [domain.next(), domain.next(), domain.next(), openDer(bytes, what).next()];
  const [p = 0n] = numbers.map((number) => positive(number, what, 'DSA', MAX_DSA_BYTES));
  const bits = p.toString(2).length;
  return { type: 'dsa', bits, label: `DSA-${bits}` };
}

/** [x509.16] A point is as SEC 1 section 2.3.3 has it, compressed or not; the hybrid form says a thing twice. */
function ecKey(parameters: DerElement | undefined, point: Uint8Array, what: string): KeyDescription {
  const form = point[0];
  if (form === 6 || form === 7) throw malformed(what, 'its elliptic curve key is a point in hybrid form');
  if (parameters?.tag !== TAG.oid) return { type: 'ec', curve: 'unnamed curve', label: 'unnamed curve' };
  const curve = curveName(readOid(parameters, what));
  return { type: 'ec', curve, label: CURVE_LABELS[curve] ?? curve };
}

/** [x509.15] */
function positive(element: DerElement, what: string, kind: string, most = MAX_INTEGER_BYTES): bigint {
  const value = readInteger(element, what, most);
  if (value <= 0n) throw malformed(what, `its ${kind} key has a number that is not positive`);
  return value;
}

/** Bytes of salt in the RSA-PSS signatures of a key: as long as the digest, unless the key demands more (RFC 4055 section 3.1). */
export function pssSaltLength({ bound }: PublicKey, digest: DigestName | 'sha224'): number {
  return Math.max(bound?.saltLength ?? 0, DIGEST_BYTES[digest]);
}
