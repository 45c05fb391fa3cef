import { generateKeyPairSync, sign, verify } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { ecdsaFromRaw } from '../../../src/formats/keys/raw-ecdsa.ts';

describe('[key.6] r and s', () => {
  test.each([
    ['P-256', 'prime256v1'],
    ['P-384', 'secp384r1'],
    ['P-521', 'secp521r1'],
  ])('of %s become what everybody verifies', (namedCurve, curve) => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve });
    for (let i = 0; i < 20; i++) {
      const data = Buffer.from(`${i}`);
      const raw = sign('sha256', data, { key: privateKey, dsaEncoding: 'ieee-p1363' });
      const der = ecdsaFromRaw(raw, curve);
      expect(der && verify('sha256', data, publicKey, der)).toBe(true);
    }
  });

  test('have no zeros in front, and no sign', () => {
    const raw = new Uint8Array(64);
    raw[31] = 0x7f;
    raw[32] = 0x80;
    const der = ecdsaFromRaw(raw, 'prime256v1');
    expect(der?.subarray(0, 7)).toEqual(Uint8Array.of(0x30, 0x26, 0x02, 0x01, 0x7f, 0x02, 0x21));
  });

  test.each([
    [0, 'prime256v1'],
    [63, 'prime256v1'],
    [65, 'prime256v1'],
    [70, 'prime256v1'],
    [96, 'prime256v1'],
    [64, 'secp384r1'],
    [128, 'secp521r1'],
    [131, undefined],
    [0, undefined],
  ])('are as long as the curve makes them: %i bytes, %s', (length, curve) => {
    expect(ecdsaFromRaw(new Uint8Array(length).fill(1), curve)).toBeUndefined();
  });
});
