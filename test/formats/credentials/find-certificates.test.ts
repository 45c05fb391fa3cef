import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { kindOfBytes, kindOfLabel } from '../../../src/formats/credentials/credential-kind.ts';
import { findCertificates } from '../../../src/formats/credentials/find-certificates.ts';
import { parseCrls } from '../../../src/formats/crl/crl.ts';
import { TAG } from '../../../src/formats/der/cursor.ts';
import { formatPem } from '../../../src/formats/pem.ts';
import { concat, equalBytes } from '../../../src/kit/bytes.ts';
import { makeAuthority, makeCertificate } from '../../factory/certificates.ts';
import { withIndefiniteLengths } from '../../factory/cms.ts';
import { makeCrlDer } from '../../factory/crls.ts';
import { der, hex } from '../../factory/der.ts';
import { makePkcs7, utf16 } from '../../factory/pkcs7.ts';

const ca = await makeAuthority({ subject: 'CN=Acme Root,O=Acme' });
const leaf = await makeCertificate({ subject: 'CN=Acme Release,O=Acme', issuer: ca });
const A = ca.certificate.raw;
const B = leaf.certificate.raw;
const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const find = (bytes: Uint8Array, name = 'ca.file') => findCertificates({ name, bytes });

/** Which of the two certificates were found, and how they were written; or what is said in their place. */
function seen(bytes: Uint8Array, name?: string): readonly string[] {
  const found = find(bytes, name);
  if (found.kind === 'none') return [found.message];
  const names = found.blocks.map((block) =>
    equalBytes(block.bytes, A) ? 'ca' : equalBytes(block.bytes, B) ? 'leaf' : '?',
  );
  return [found.form, ...names];
}

const both = makePkcs7([A, B]);
const bothPem = formatPem('PKCS7', both);

describe('[pub.21] certificates are found in what authorities and Windows hand out', () => {
  test.each<[string, Uint8Array, readonly string[]]>([
    ['DER', A, ['DER', 'ca']],
    ['PEM', text(ca.pem), ['PEM', 'ca']],
    ['PEM of two', text(`${leaf.pem}${ca.pem}`), ['PEM', 'leaf', 'ca']],
    ['the label of before', text(formatPem('X509 CERTIFICATE', A)), ['PEM', 'ca']],
    ['PKCS#7 in DER', both, ['PKCS#7', 'ca', 'leaf']],
    ['PKCS#7 in BER', withIndefiniteLengths(both), ['PKCS#7', 'ca', 'leaf']],
    ['PKCS#7 with an empty content', makePkcs7([A], { content: hex('') }), ['PKCS#7', 'ca']],
    ['PKCS#7 in PEM', text(bothPem), ['PKCS#7', 'ca', 'leaf']],
    ['PKCS#7 as CMS', text(formatPem('CMS', both)), ['PKCS#7', 'ca', 'leaf']],
    ['PKCS#7 labelled as a certificate', text(formatPem('CERTIFICATE', both)), ['PKCS#7', 'ca', 'leaf']],
    ['both in one file', text(`${formatPem('PKCS7', makePkcs7([A]))}${leaf.pem}`), ['PKCS#7', 'ca', 'leaf']],
    ['UTF-16 of PowerShell', utf16(ca.pem.replaceAll('\n', '\r\n')), ['UTF-16', 'ca']],
    ['UTF-16, the other order', utf16(ca.pem, 'big'), ['UTF-16', 'ca']],
    ['UTF-16 without a mark', utf16(ca.pem, 'little', false), ['UTF-16', 'ca']],
    ['UTF-16, the other order without a mark', utf16(ca.pem, 'big', false), ['UTF-16', 'ca']],
    ['UTF-16 of PKCS#7', utf16(bothPem), ['UTF-16', 'ca', 'leaf']],
    ['UTF-8 with a mark', text(`\uFEFF${ca.pem}`), ['PEM', 'ca']],
    ['CRLF', text(ca.pem.replaceAll('\n', '\r\n')), ['PEM', 'ca']],
    ['CR alone', text(ca.pem.replaceAll('\n', '\r')), ['PEM', 'ca']],
    ['a note in Latin-1', concat([Uint8Array.of(0x5a, 0xfc, 0x0a), text(ca.pem)]), ['PEM', 'ca']],
    [
      'bag attributes',
      text(`Bag Attributes\n    localKeyID: 01 00\nsubject=CN = Acme\nissuer=CN = Acme\n${ca.pem}`),
      ['PEM', 'ca'],
    ],
    ['a key before it', text(`${leaf.privateKeyPem}${leaf.pem}`), ['PEM', 'leaf']],
  ])('%s', (_, bytes, expected) => {
    expect(seen(bytes)).toEqual(expected);
  });
});

describe('[pub.21] what is not certificates alone is named', () => {
  const list = makeCrlDer({ issuer: ca });
  const signer = der(TAG.sequence, der(TAG.integer, Uint8Array.of(1)));
  const SIGNATURE = 'this is a signature (PKCS#7, CMS), and no file of certificates';

  test.each<[string, Uint8Array, string | RegExp]>([
    ['PKCS#7 with a signer', makePkcs7([A], { signers: [signer] }), SIGNATURE],
    ['PKCS#7 with content', makePkcs7([A], { content: text('web.mf') }), SIGNATURE],
    [
      'a signature beside a certificate',
      text(`${ca.pem}${formatPem('CMS', makePkcs7([A], { signers: [signer] }))}`),
      SIGNATURE,
    ],
    ['PKCS#7 with a list', makePkcs7([A], { lists: [list] }), /revocation lists beside its certificates/],
    ['PKCS#7 with nothing', makePkcs7([]), 'the PKCS#7 file holds no certificate'],
    ['PKCS#7 with a byte more', concat([both, Uint8Array.of(0)]), /unexpected bytes at its end/],
    ['PKCS#7 that is cut off', both.slice(0, -1), /malformed/],
    [
      'UTF-16 that is cut off',
      utf16(ca.pem).slice(0, -1),
      'this is UTF-16 text that ends within a character',
    ],
    ['UTF-16 of an archive', utf16(`\0${ca.pem}`), /no text file/],
    ['UTF-16 of a page', utf16(`<html>\n${ca.pem}`), /XML or HTML/],
    ['a list', list, 'this is a revocation list, and no certificate'],
    ['a list in PEM', text(formatPem('X509 CRL', list)), 'this is a revocation list, and no certificate'],
    ['a key in PEM', text(leaf.privateKeyPem), 'this is a private key, and no certificate'],
    ['a Java keystore', hex('feedfeed00000002'), 'this is a Java keystore, which is not read here'],
    ['base64 alone', text(Buffer.from(A).toString('base64')), 'this is base64 without the lines around it'],
    ['notes', text('notes'), 'the file holds no certificate'],
    ['nothing', text(''), 'the file holds no certificate'],
  ])('%s', (_, bytes, message) => {
    const found = find(bytes);
    expect(found).toMatchObject({
      kind: 'none',
      message: typeof message === 'string' ? message : expect.stringMatching(message),
    });
  });

  test('with the command that converts it, for the file as it is called', () => {
    const pfx = der(
      TAG.sequence,
      der(TAG.integer, Uint8Array.of(3)),
      der(TAG.sequence, der(TAG.octetString, hex('00'))),
    );
    const rc2 = der(
      TAG.sequence,
      der(TAG.integer, Uint8Array.of(3)),
      der(TAG.sequence, hex('060b2a864886f70d010c0106')),
    );
    const fix = (bytes: Uint8Array, name: string): string => {
      const found = find(bytes, name);
      return found.kind === 'none' ? (found.fix ?? '') : '';
    };
    expect(fix(pfx, 's.pfx')).toContain('openssl pkcs12 -in s.pfx -nodes -out all.pem (');
    expect(fix(rc2, 's.pfx')).toContain('-out all.pem -legacy (');
    expect(fix(pfx, "it's.pfx")).toContain(`-in 'it'"'"'s.pfx' -nodes`);
    expect(fix(pfx, '-s.pfx')).toContain('-in ./-s.pfx -nodes');
    expect(fix(pfx, 'a\nb.pfx')).toContain('-in FILE -nodes');
    expect(fix(makePkcs7([A], { lists: [list] }), 'a.p7b')).toContain(
      'openssl pkcs7 -inform DER -in a.p7b -print_certs -out all.pem',
    );
    expect(fix(text(formatPem('PKCS7', makePkcs7([A], { lists: [list] }))), 'a.p7b')).toContain(
      'openssl pkcs7 -in a.p7b -print_certs',
    );
  });
});

test('[pub.21] [pub.22] a structure is told by its first elements', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
  const lock = { cipher: 'aes-256-cbc', passphrase: 'mice' } as const;
  const cases: readonly (readonly [Uint8Array, string | undefined])[] = [
    [A, 'certificate'],
    [B, 'certificate'],
    [makeCrlDer({ issuer: ca }), 'crl'],
    [privateKey.export({ type: 'pkcs8', format: 'der' }), 'pkcs8'],
    [privateKey.export({ type: 'pkcs8', format: 'der', ...lock }), 'encrypted pkcs8'],
    [privateKey.export({ type: 'sec1', format: 'der' }), 'sec1'],
    [rsa.export({ type: 'pkcs1', format: 'der' }), 'pkcs1'],
    [publicKey.export({ type: 'spki', format: 'der' }), 'public key'],
    [generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'der' }), 'pkcs8'],
    [both, 'pkcs7'],
    [withIndefiniteLengths(both), 'pkcs7'],
    [text('0w00 is no key'), undefined],
    [text('plain text'), undefined],
    [hex(''), undefined],
    [hex('30'), undefined],
    [hex('3000'), undefined],
  ];
  for (const [bytes, kind] of cases)
    expect(kindOfBytes(bytes), Buffer.from(bytes).toString('hex').slice(0, 40)).toBe(kind);
  expect(['CERTIFICATE', 'PGP PRIVATE KEY BLOCK', 'constructor'].map(kindOfLabel)).toEqual([
    'certificate',
    'pgp',
    undefined,
  ]);
});

test('[pub.21] no beginning of anything makes a reader fail', () => {
  for (const bytes of [A, both, withIndefiniteLengths(both), text(bothPem), utf16(ca.pem)]) {
    for (let length = 0; length < Math.min(bytes.byteLength, 80); length++) {
      expect(() => find(bytes.slice(0, length))).not.toThrow();
    }
  }
});

test('[pub.21] a private key in the place of a certificate says what is to be given', () => {
  const { privateKey } = generateKeyPairSync('ed25519');
  const found = find(privateKey.export({ format: 'der', type: 'pkcs8' }), 'signer.key');
  expect(found).toMatchObject({
    fix: expect.stringContaining('the certificate that was issued for this key'),
  });
});

test('what is nested deeply is taken for nothing that it is not', () => {
  let nested = hex('0500');
  for (let i = 0; i < 100; i++) nested = der(TAG.sequence, nested);
  expect(kindOfBytes(nested)).toBeUndefined();
});

test('[crl.2] revocation lists are read in UTF-16, too, but not out of a bundle', () => {
  const list = utf16(formatPem('X509 CRL', makeCrlDer({ issuer: ca })));
  expect(parseCrls(list, 'acme.crl')).toHaveLength(1);
  expect(() => parseCrls(list, 'acme.crl', { alone: true })).toThrow('no revocation list');
  expect(() => parseCrls(list.subarray(0, -1), 'acme.crl')).toThrow('ends within a character');
});
