import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { isSignedBy, parseCertificate } from '../../src/crypto/certificate.ts';
import { sameKey } from '../../src/crypto/key-identity.ts';
import { copyKey, makeAuthority, makeCertificate, type TestCertificate } from '../factory/certificates.ts';
import { flipped } from '../factory/damage.ts';
import { der, hex, withParts } from '../factory/der.ts';
import { codeOf } from '../factory/errors.ts';
import { ownKey } from '../factory/keys.ts';

let ca: TestCertificate;
let leaf: TestCertificate;

beforeAll(async () => {
  ca = await makeAuthority({ key: 'rsa2048' });
  leaf = await makeCertificate({ issuer: ca });
});

describe('parseCertificate', () => {
  test('gives key, fingerprints and a copy of the bytes', () => {
    const bytes = leaf.der.slice();
    const certificate = parseCertificate(bytes);
    bytes.fill(0);
    expect(certificate.raw).toEqual(leaf.der);
    expect(certificate.fingerprint).toMatch(/^[0-9a-f]{64}$/);
    expect(certificate.spkiSha256).toMatch(/^[0-9a-f]{64}$/);
    expect(sameKey(certificate.publicKey, ownKey(createPublicKey(leaf.privateKey)))).toBe(true);
    expect(certificate.key).toEqual({ type: 'ec', curve: 'prime256v1', label: 'P-256' });
  });

  test('the same key in two certificates has one SPKI digest and two fingerprints', async () => {
    const again = await makeCertificate({ issuer: ca, key: leaf.privateKey });
    expect(again.certificate.spkiSha256).toBe(leaf.certificate.spkiSha256);
    expect(again.certificate.fingerprint).not.toBe(leaf.certificate.fingerprint);
  });

  test('[x509.1] what is no certificate is CERTIFICATE_MALFORMED', () => {
    expect(codeOf(() => parseCertificate(new TextEncoder().encode(leaf.pem)))).toBe('CERTIFICATE_MALFORMED');
    expect(codeOf(() => parseCertificate(new Uint8Array(3)))).toBe('CERTIFICATE_MALFORMED');
  });

  test('[x509.9] a key that cannot be used is ALGORITHM_UNSUPPORTED, naming the certificate', () => {
    const unknown = der(0x30, der(0x30, der(0x06, hex('2a 03'))), hex('03 02 00 01'));
    const offCurve = der(
      0x30,
      hex('30 13 06 07 2a 86 48 ce 3d 02 01 06 08 2a 86 48 ce 3d 03 01 07'),
      der(0x03, hex('00 04'), new Uint8Array(64).fill(1)),
    );
    for (const spki of [unknown, offCurve]) {
      const changed = withParts(leaf.der, (parts) => [...parts.slice(0, 6), spki, parts[7]]);
      expect(() => parseCertificate(changed)).toThrow(/certificate "CN=Test Signer,O=Test"/);
      expect(codeOf(() => parseCertificate(changed))).toBe('ALGORITHM_UNSUPPORTED');
    }
  });
});

describe('a DSA key', () => {
  const { publicKey } = generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 });
  const spki = Uint8Array.from(publicKey.export({ type: 'spki', format: 'der' }));
  const withKey = (key: Uint8Array): Uint8Array =>
    withParts(leaf.der, (parts) => [...parts.slice(0, 6), key, parts[7]]);

  test('is described by its size', () => {
    expect(parseCertificate(withKey(spki)).key).toEqual({ type: 'dsa', bits: 1024, label: 'DSA-1024' });
  });

  test('[x509.15] is CERTIFICATE_MALFORMED with a number that is not positive, and the process lives on', () => {
    const signOctets = [...spki.keys()].filter(
      (at) => spki[at] === 0 && spki[at - 1] === 0x81 && spki[at - 2] === 0x81 && spki[at - 3] === 0x02,
    );
    expect(signOctets).not.toEqual([]);
    for (const at of signOctets) {
      const negative = spki.slice();
      negative[at] = 0x80;
      expect(() => parseCertificate(withKey(negative))).toThrow(/not positive/);
      expect(codeOf(() => parseCertificate(withKey(negative)))).toBe('CERTIFICATE_MALFORMED');
    }
  });
});

describe('isSignedBy', () => {
  test('only the key that signed', async () => {
    const namesake = await makeAuthority({
      key: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
    });
    expect(isSignedBy(leaf.certificate, ca.certificate)).toBe(true);
    expect(isSignedBy(leaf.certificate, namesake.certificate)).toBe(false);
    expect(isSignedBy(ca.certificate, ca.certificate)).toBe(true);
  });

  test('a key of another kind is no signer, not an exception', async () => {
    const other = await makeAuthority({ key: 'ed25519' });
    expect(isSignedBy(leaf.certificate, other.certificate)).toBe(false);
    expect(isSignedBy(other.certificate, ca.certificate)).toBe(false);
  });

  test('a changed certificate is not signed', () => {
    expect(isSignedBy(parseCertificate(flipped(leaf.der, -1)), ca.certificate)).toBe(false);
  });
});

test('sameKey compares keys, not objects', () => {
  const copy = ownKey(createPublicKey(copyKey(leaf.privateKey)));
  expect(sameKey(copy, leaf.certificate.publicKey)).toBe(true);
  expect(sameKey(copy, ca.certificate.publicKey)).toBe(false);
});

test.each([
  [
    generateKeyPairSync('rsa', { modulusLength: 2048 }),
    { type: 'rsa', bits: 2048, exponent: 65_537n, label: 'RSA-2048' },
  ],
  [
    generateKeyPairSync('rsa-pss', { modulusLength: 1024 }),
    { type: 'rsa-pss', bits: 1024, label: 'RSA-PSS-1024' },
  ],
  [generateKeyPairSync('ec', { namedCurve: 'P-521' }), { type: 'ec', curve: 'secp521r1', label: 'P-521' }],
  [generateKeyPairSync('ec', { namedCurve: 'brainpoolP256r1' }), { type: 'ec', label: 'brainpoolP256r1' }],
  [generateKeyPairSync('ed25519'), { type: 'ed25519', label: 'Ed25519' }],
  [generateKeyPairSync('ed448'), { type: 'ed448', label: 'Ed448' }],
  [generateKeyPairSync('x25519'), { type: 'other', label: 'x25519' }],
  [
    generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 }),
    { type: 'dsa', bits: 1024, label: 'DSA-1024' },
  ],
])('a public key says what it is %#', ({ publicKey }, description) => {
  expect(ownKey(publicKey).key).toMatchObject(description);
});
