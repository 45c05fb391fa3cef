import { describe, expect, test } from 'vitest';
import { expectFingerprints, parseFingerprint } from '../../src/trust/fingerprint.ts';
import { makeAuthority, makeCertificate } from '../factory/certificates.ts';
import { codeOf } from '../factory/errors.ts';

const HEX = '0123456789abcdef'.repeat(4);
const pairs = (by: string): string => (HEX.match(/../g) ?? []).join(by).toUpperCase();

describe('[path.26] a fingerprint is taken as it is printed', () => {
  test.each([
    ['plain, as Chrome has it', HEX],
    ['openssl x509 -fingerprint -sha256, version 3', `sha256 Fingerprint=${pairs(':')}`],
    ['the same, version 1.1', `SHA256 Fingerprint=${pairs(':')}\n`],
    ['Firefox', pairs(':')],
    ['Firefox, copied with its row', `SHA-256\t${pairs(':')}`],
    ['macOS', `SHA-256 Fingerprint: ${pairs(' ')}`],
    ['keytool', `\t SHA256: ${pairs(':')}`],
    ['certutil of Windows', `Cert Hash(sha256): ${HEX}`],
    ['Windows, copied from the window', `\u200e${pairs(' ').toLowerCase()}`],
    ['openssl dgst of a key', `SHA2-256(stdin)= ${HEX}`],
    ['openssl dgst, older', `SHA256(key.der)= ${HEX}`],
    ['bulla', `sha256:${HEX}`],
    ['in groups', `sha256: ${(HEX.match(/.{4}/g) ?? []).join(' ')}`],
  ])('%s', (_, text) => {
    expect(parseFingerprint(text)).toBe(HEX);
  });

  const SHA1 = pairs(':').slice(0, 59);
  test.each([
    ['SHA-1', `SHA1 Fingerprint=${SHA1}`],
    ['SHA-1', SHA1],
    ['SHA-1', SHA1.replaceAll(':', '')],
    ['SHA-1', `sha1:${SHA1}`],
    ['MD5', SHA1.slice(0, 47)],
    ['MD5', `MD5 Fingerprint=${SHA1.slice(0, 47)}`],
    ['SHA-512', HEX + HEX],
    ['SHA512', `SHA512 Fingerprint=${HEX}${HEX}`],
    ['SHA3256', `sha3-256: ${HEX}`],
  ])('and one of %s is named: %s', (digest, text) => {
    expect(() => parseFingerprint(text)).toThrow(`is a fingerprint of ${digest}; SHA-256 is needed`);
    expect(codeOf(() => parseFingerprint(text))).toBe('USAGE');
  });

  test.each([
    '',
    'sha256:',
    HEX.slice(1),
    `${HEX}0`,
    `sha256:${HEX.replace('a', 'g')}`,
    'SHA256:AbCd/1234+xyz',
    '12:34:56',
  ])('and nothing else: %s', (text) => {
    expect(() => parseFingerprint(text)).toThrow('is no SHA-256 fingerprint');
  });
});

test('[pub.23] each certificate is what a fingerprint is of, and each fingerprint is of one', async () => {
  const ca = (await makeAuthority()).certificate;
  const leaf = (await makeCertificate()).certificate;
  const stated = (certificates: readonly (typeof ca)[], ...texts: readonly string[]) => [
    ...expectFingerprints(certificates, texts).values(),
  ];
  expect(stated([ca], ca.fingerprint)).toEqual(['certificate']);
  expect(stated([ca], `sha256:${ca.spkiSha256}`)).toEqual(['key']);
  expect(stated([ca, leaf], leaf.spkiSha256, ca.fingerprint)).toEqual(['certificate', 'key']);
  expect(stated([ca], ca.spkiSha256, ca.fingerprint)).toEqual(['certificate']);
  for (const [certificates, ...texts] of [
    [[ca, leaf], ca.fingerprint],
    [[ca], leaf.fingerprint],
    [[ca], ca.fingerprint, leaf.fingerprint],
  ] as const)
    expect(codeOf(() => expectFingerprints(certificates, texts))).toBe('CONFIG_INVALID');
});
