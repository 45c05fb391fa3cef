import { beforeAll, expect, test } from 'vitest';
import { certificatesInCms } from '../../../src/formats/cms/certificates.ts';
import { makeAuthority, makeCertificate } from '../../factory/certificates.ts';
import { der, hex } from '../../factory/der.ts';
import { codeOf } from '../../factory/errors.ts';

const SYNTAX = 'CERTIFICATE_FILE_SYNTAX';
const DATA = der(0x06, hex('2a 86 48 86 f7 0d 01 07 01'));
const SIGNED_DATA = der(0x06, hex('2a 86 48 86 f7 0d 01 07 02'));
let leaf: Uint8Array;
let ca: Uint8Array;

beforeAll(async () => {
  const authority = await makeAuthority();
  ca = authority.der;
  leaf = (await makeCertificate({ issuer: authority })).der;
});

const contentInfo = (type: Uint8Array, content: Uint8Array) => der(0x30, type, der(0xa0, content));
const signedData = (...certificates: readonly Uint8Array[]) =>
  der(0x30, hex('02 01 01'), der(0x31), der(0x30, DATA), ...certificates, der(0x31));

test('[cms.1] the certificates come out byte for byte, in their order', () => {
  const cms = contentInfo(SIGNED_DATA, signedData(der(0xa0, leaf, ca)));
  expect(certificatesInCms(cms)).toEqual([leaf, ca]);
});

test('[cms.1] attribute certificates and revocation lists are left out', () => {
  const attributeCertificate = der(0xa2, hex('02 01 01'));
  const cms = contentInfo(SIGNED_DATA, signedData(der(0xa0, attributeCertificate, ca), der(0xa1, der(0x30))));
  expect(certificatesInCms(cms)).toEqual([ca]);
});

test('[cms.1] without certificates the list is empty', () => {
  expect(certificatesInCms(contentInfo(SIGNED_DATA, signedData()))).toEqual([]);
});

test('[cms.2] what is no SignedData is refused', () => {
  const good = contentInfo(SIGNED_DATA, signedData(der(0xa0, ca)));
  expect(codeOf(() => certificatesInCms(contentInfo(DATA, der(0x04, ca))))).toBe(SYNTAX);
  expect(codeOf(() => certificatesInCms(contentInfo(SIGNED_DATA, der(0x30))))).toBe(SYNTAX);
  expect(codeOf(() => certificatesInCms(Uint8Array.of(...good, 0)))).toBe(SYNTAX);
  expect(codeOf(() => certificatesInCms(good.subarray(0, -1)))).toBe(SYNTAX);
  expect(codeOf(() => certificatesInCms(ca))).toBe(SYNTAX);
  expect(codeOf(() => certificatesInCms(new Uint8Array()))).toBe(SYNTAX);
});

test('[cms.2] BER with indefinite lengths is refused, and the message says so', () => {
  const streamed = hex('30 80 06 09 2a 86 48 86 f7 0d 01 07 02 a0 80 30 80 00 00 00 00 00 00');
  expect(() => certificatesInCms(streamed)).toThrow(/indefinite lengths \(BER\); only DER is read/);
  expect(codeOf(() => certificatesInCms(streamed))).toBe(SYNTAX);
});
