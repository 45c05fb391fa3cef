import { createPublicKey, ECDH, generateKeyPairSync, getCurves, type KeyObject } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { childrenOf, readBitString, readOnly, TAG } from '../../../src/formats/der/cursor.ts';
import { derElement, derSequence } from '../../../src/formats/der/writer.ts';
import { parsePublicKey } from '../../../src/formats/x509/public-key.ts';
import { concat } from '../../../src/kit/bytes.ts';
import { codeOf } from '../../factory/errors.ts';

const spkiOf = (key: KeyObject): Uint8Array => Uint8Array.from(key.export({ type: 'spki', format: 'der' }));

/** The key with other bytes under the same algorithm. */
function withBits(key: KeyObject, change: (bits: Uint8Array) => Uint8Array): Uint8Array {
  const [algorithm, bits] = childrenOf(readOnly(spkiOf(key), TAG.sequence, 'a key'), 'a key');
  if (!algorithm || !bits) throw new Error('no key');
  const changed = change(readBitString(bits, 'a key').bytes.slice());
  return derSequence(algorithm.raw, derElement(TAG.bitString, concat([Uint8Array.of(0), changed])));
}

const faultOf = (spki: Uint8Array): string => {
  expect(codeOf(() => parsePublicKey(spki, 'a key'))).toBe('CERTIFICATE_MALFORMED');
  try {
    parsePublicKey(spki, 'a key');
  } catch (error) {
    return String(error);
  }
  return '';
};

describe('what a key is', () => {
  const curves = getCurves().filter((name) => /^(secp|sect|prime|brainpool)/.test(name));
  test('is the same to OpenSSL, for every curve of SEC 2, X9.62 and RFC 5639', () => {
    expect(curves.length).toBeGreaterThan(40);
    for (const namedCurve of curves) {
      const { publicKey } = generateKeyPairSync('ec', { namedCurve });
      expect(parsePublicKey(spkiOf(publicKey), 'a key').key.curve).toBe(namedCurve);
    }
  });

  test.each([1024, 2047, 2048])('is the size of an RSA modulus, %d bits', (modulusLength) => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength });
    const { key } = parsePublicKey(spkiOf(publicKey), 'a key');
    const { publicExponent } = publicKey.asymmetricKeyDetails ?? {};
    expect(key).toEqual({
      type: 'rsa',
      bits: modulusLength,
      exponent: publicExponent,
      label: `RSA-${modulusLength}`,
    });
  });

  test('is what an RSA-PSS key is bound to, or nothing', () => {
    const free = generateKeyPairSync('rsa-pss', { modulusLength: 1024 }).publicKey;
    expect(parsePublicKey(spkiOf(free), 'a key').bound).toBeUndefined();
    const binding = { hashAlgorithm: 'sha384', mgf1HashAlgorithm: 'sha256', saltLength: 12 };
    const { publicKey } = generateKeyPairSync('rsa-pss', { modulusLength: 1024, ...binding } as {
      modulusLength: 1024;
    });
    const { bound } = parsePublicKey(spkiOf(publicKey), 'a key');
    expect(bound).toEqual({ digest: 'sha384', mgfDigest: 'sha256', saltLength: 12 });
    expect(publicKey.asymmetricKeyDetails).toMatchObject({ hashAlgorithm: 'sha384', saltLength: 12 });
  });

  test('is nothing to us for a key that signs nothing', () => {
    const { publicKey } = generateKeyPairSync('x448');
    expect(parsePublicKey(spkiOf(publicKey), 'a key').key).toEqual({ type: 'other', label: 'x448' });
  });
});

describe('what only some libraries take for a key', () => {
  test.each(['P-256', 'sect283k1'])('[x509.16] a point of %s in hybrid form', (namedCurve) => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve });
    const curve = publicKey.asymmetricKeyDetails?.namedCurve ?? '';
    const spelled = (form: 'compressed' | 'hybrid') =>
      withBits(publicKey, (bits) =>
        Uint8Array.from(ECDH.convertKey(bits, curve, undefined, undefined, form) as Buffer),
      );
    const hybrid = spelled('hybrid');
    expect(createPublicKey({ key: Buffer.from(hybrid), format: 'der', type: 'spki' }).equals(publicKey)).toBe(
      true,
    );
    expect(faultOf(hybrid)).toContain('hybrid form');
    expect(parsePublicKey(spelled('compressed'), 'a key').key.type).toBe('ec');
  });

  const little = (value: bigint, bytes: number): Uint8Array =>
    Uint8Array.from({ length: bytes }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
  const [p25519, p448] = [2n ** 255n - 19n, 2n ** 448n - 2n ** 224n - 1n];
  const eighth = 0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n;
  test.each<['ed25519' | 'ed448', bigint, string]>([
    ['ed25519', 0n, 'small order'],
    ['ed25519', 1n, 'small order'],
    ['ed25519', p25519 - 1n, 'small order'],
    ['ed25519', eighth, 'small order'],
    ['ed25519', p25519 - eighth, 'small order'],
    ['ed25519', 1n | (1n << 255n), 'small order'],
    ['ed25519', p25519, 'canonical'],
    ['ed25519', p25519 + 1n, 'canonical'],
    ['ed25519', (p25519 + 4n) | (1n << 255n), 'canonical'],
    ['ed448', 0n, 'small order'],
    ['ed448', 1n, 'small order'],
    ['ed448', p448 - 1n, 'small order'],
    ['ed448', p448 + 2n, 'canonical'],
    ['ed448', 1n << 450n, 'canonical'],
  ])('[x509.17] of %s: %d', (type, ordinate, why) => {
    const { publicKey } = type === 'ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ed448');
    expect(faultOf(withBits(publicKey, (bits) => little(ordinate, bits.byteLength)))).toContain(why);
  });

  test('[x509.17] of another length', () => {
    const { publicKey } = generateKeyPairSync('ed25519');
    expect(faultOf(withBits(publicKey, (bits) => bits.subarray(1)))).toContain('31 bytes');
  });

  test('[x509.17] honest keys are none of these', () => {
    for (let i = 0; i < 200; i++) {
      const { publicKey } = i % 2 ? generateKeyPairSync('ed25519') : generateKeyPairSync('ed448');
      expect(parsePublicKey(spkiOf(publicKey), 'a key').key.type).toBe(publicKey.asymmetricKeyType);
    }
  });

  test('[x509.15] an RSA key with a number that is not positive', () => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const negative = withBits(publicKey, (bits) => {
      const at = bits.indexOf(0, 4); // the octet of the modulus's sign
      bits[at] = 0x80;
      return bits;
    });
    expect(faultOf(negative)).toContain('not positive');
  });
});
