import { describe, expect, test } from 'vitest';
import { parseCertificateFile } from '../../../src/formats/ovf/certificate-file.ts';
import { parseManifest } from '../../../src/formats/ovf/manifest.ts';
import { formatPem } from '../../../src/formats/pem.ts';
import { encodeUtf8, formatBase64 } from '../../../src/kit/encoding.ts';

import { isBundleError } from '../../../src/kit/errors/errors.ts';
import { soon } from '../../factory/growth.ts';

const DIGEST = Uint8Array.from({ length: 32 }, (_, index) => (index * 7 + 160) & 255);
const HEX = Buffer.from(DIGEST).toString('hex');
const GOOD = `SHA256(a.ovf)= ${HEX}`;
const SIGNATURE = Uint8Array.from({ length: 256 }, (_, index) => (index * 31 + 65) & 255);
const SIGNED = Buffer.from(SIGNATURE).toString('hex');
const PEM = formatPem('CERTIFICATE', Uint8Array.of(0x30, 1, 2));

/** The message of the refusal, and what to do. */
function refused(parse: (bytes: Uint8Array) => unknown, text: string | Uint8Array): readonly string[] {
  try {
    parse(typeof text === 'string' ? encodeUtf8(text) : text);
  } catch (error) {
    if (!isBundleError(error)) throw error;
    return [error.message, error.fix];
  }
  return ['accepted'];
}

const wrap = (text: string, width = 60): string => text.replace(new RegExp(`.{${width}}(?=.)`, 'g'), '$&\n');

function wide(text: string, isLittle: boolean): Uint8Array {
  return Uint8Array.from(
    [...text].flatMap((char) => [char.charCodeAt(0), 0]).map((_, i, all) => all[isLittle ? i : i ^ 1] ?? 0),
  );
}

describe('a manifest that is refused is named', () => {
  test.each([
    ['sha256sum', `${HEX}  b.vmdk`, /is as sha256sum writes it/],
    ['sha256sum of bytes', `${HEX} *b.vmdk`, /is as sha256sum writes it/],
    ['md5sum', `${HEX.slice(0, 32)}  b.vmdk`, /is as md5sum writes it/],
    ['sha1sum', `${HEX.slice(0, 40)}  b.vmdk`, /is as sha1sum writes it/],
    ['sha512sum', `${HEX}${HEX}  b.vmdk`, /is as sha512sum writes it/],
    ['base64', `SHA256(b)= ${formatBase64(DIGEST)}`, /digest that is base64/],
    [
      'base64 without padding',
      `SHA256(b)= ${formatBase64(DIGEST).replace('=', '')}`,
      /digest that is base64/,
    ],
    ['colons', `SHA256(b)= ${HEX.replace(/..(?=.)/g, '$&:')}`, /hex with colons/],
    ['blanks', `SHA256(b)= ${HEX.replace(/.{8}(?=.)/g, '$& ')}`, /hex with blanks/],
    ['0x', `SHA256(b)= 0x${HEX}`, /hex with 0x/],
    ['wrapped hex', `SHA256(b)= ${wrap(HEX)}`, /wrapped: it goes on in the next line/],
    ['wrapped hex of 32', `SHA256(b)= ${wrap(HEX, 32)}`, /wrapped: it goes on in the next line/],
    ['hex in the next line', `SHA256(b)=\n${HEX}`, /wrapped: it goes on in the next line/],
    ['hex behind a whole line', `SHA256(b)= ${HEX}\n${HEX}`, /is hex alone/],
    ['no digest', 'SHA256(b)= ', /has no digest/],
    ['text behind', `SHA256(b)= ${HEX} b`, /more text behind the digest/],
    ['blanks in front', `  SHA256(b)= ${HEX}`, /begins with blanks/],
    ['a colon', `SHA256(b): ${HEX}`, /has ":", not "=",/],
    ['two equals signs', `SHA256(b)== ${HEX}`, /has "==", not "=",/],
    ['no equals sign', `SHA256(b) ${HEX}`, /no "="/],
    ['no parentheses', `SHA256 b = ${HEX}`, /no parentheses/],
    ['a slash', `SHA2-512/256(b)= ${HEX}`, /names the digest "SHA2-512\/256"/],
    ['a comment', '# made by hand', /is a comment/],
    ['JSON', `{"b":"${HEX}"}`, /is JSON/],
    ['HTML', '<!doctype html>', /is XML or HTML/],
    ['a Java manifest', 'Manifest-Version: 1.0', /Java archive/],
    ['OpenPGP', '-----BEGIN PGP SIGNED MESSAGE-----', /OpenPGP/],
    ['PEM', PEM, /is PEM/],
    ['Get-FileHash', 'Algorithm       Hash                     Path', /Get-FileHash/],
    ['certutil', 'SHA256 hash of b.vmdk:', /certutil/],
    ['small letters', `sha256(b)= ${HEX}`, /spells SHA256 "sha256"/],
    ['small letters with a dash', `sha2-256(b)= ${HEX}`, /spells SHA256 "sha2-256"/],
    ['a signature', `RSA-SHA2-256(b)= ${SIGNED}`, /is a signature \("RSA-SHA2-256"\), not a digest/],
    ['a keyed digest', `HMAC-SHA256(b)= ${HEX}`, /secret key/],
  ])('[mf.10] %s', (_, text, message) => {
    const [said, fix] = refused(parseManifest, `${GOOD}\n${text}\n`);
    expect(said).toMatch(message);
    expect(said).toMatch(/^line [23] of the manifest /);
    expect(fix).toMatch(/^ask the publisher /);
  });

  test.each([
    ['UTF-16LE', [0xff, 0xfe], true],
    ['UTF-16LE', [], true],
    ['UTF-16BE', [0xfe, 0xff], false],
    ['UTF-16BE', [], false],
  ])('[mf.10] %s text with the mark %j', (name, mark, isLittle) => {
    const bytes = Uint8Array.from([...mark, ...wide(GOOD, isLittle)]);
    const [said, fix] = refused(parseManifest, bytes);
    expect(said).toBe(`the manifest is ${name} text`);
    expect(fix).toContain('iconv -f UTF-16 -t UTF-8');
  });

  test('[mf.1] what is of no known kind is refused all the same', () => {
    expect(refused(parseManifest, 'hello')[0]).toBe('line 1 of the manifest is not ALGORITHM(name)= hex');
    expect(refused(parseManifest, `SHA256(b)= ${HEX.slice(1)}`)[0]).toBe(
      'line 1 of the manifest has a SHA256 digest of 63 hex digits, not 64',
    );
  });
});

describe('a certificate file that is refused is named', () => {
  const base64 = formatBase64(SIGNATURE);
  const line = `SHA256(a.mf)= ${SIGNED}\n`;
  const bag =
    'Bag Attributes\n    localKeyID: 01 00 00 00\n    friendlyName: web\nsubject=CN = web\n\nissuer=CN = ca\n';
  test.each([
    ['wrapped hex', `SHA256(a.mf)= ${wrap(SIGNED)}\n${PEM}`, /wrapped: its hex goes on in the next line/],
    ['hex in the next line', `SHA256(a.mf)=\n${SIGNED}\n${PEM}`, /wrapped: its hex/],
    ['wrapped hex below the certificate', `${PEM}SHA256(a.mf)= ${wrap(SIGNED)}\n`, /wrapped: its hex/],
    ['base64', `SHA256(a.mf)= ${base64}\n${PEM}`, /the signature is base64, not hex/],
    ['wrapped base64', `SHA256(a.mf)= ${wrap(base64, 64)}\n${PEM}`, /base64 over several lines/],
    ['base64 in the next line', `SHA256(a.mf)=\n${wrap(base64, 76)}\n${PEM}`, /base64 over several lines/],
    ['colons', `SHA256(a.mf)= ${SIGNED.replace(/..(?=.)/g, '$&:')}\n${PEM}`, /hex with colons/],
    ['blanks', `SHA256(a.mf)= ${SIGNED.replace(/..(?=.)/g, '$& ')}\n${PEM}`, /hex with blanks/],
    ['0x', `SHA256(a.mf)= 0x${SIGNED}\n${PEM}`, /hex with 0x/],
    ['bag attributes', `${line}${bag}${PEM}`, /^line 2 is what openssl pkcs12 writes/],
    ['bag attributes in front', `${bag}${PEM}${line}`, /^line 1 is what openssl pkcs12 writes/],
    [
      'subject and issuer',
      `${line}subject=CN = a\nissuer=CN = b\n${PEM}`,
      /writes of a certificate for people/,
    ],
    ['the text of a certificate', `${line}Certificate:\n    Data:\n${PEM}`, /openssl x509 -text/],
    ['a comment', `# signed by Acme\n${line}${PEM}`, /^line 1 is a comment/],
    ['a second signature', `${line}${line}${PEM}`, /^line 2 is a second signature line/],
    ['hex alone', `${SIGNED}\n${PEM}`, /value without ALGORITHM/],
    ['base64 alone', `${base64}\n${PEM}`, /value without ALGORITHM/],
    ['a key', `${line}${PEM}${formatPem('PRIVATE KEY', SIGNATURE)}`, /a PRIVATE KEY block does not belong/],
    [
      'OpenPGP',
      `${line}${PEM}-----BEGIN PGP SIGNATURE-----\nVersion: 1\n\nAA==\n=AAAA\n-----END PGP SIGNATURE-----\n`,
      /a PGP SIGNATURE block/,
    ],
    [
      'an encrypted key',
      `${line}${PEM}-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAA==\n-----END RSA PRIVATE KEY-----\n`,
      /a RSA PRIVATE KEY block/,
    ],
    [
      'a trusted certificate',
      `${line}${formatPem('TRUSTED CERTIFICATE', SIGNATURE)}`,
      /a TRUSTED CERTIFICATE block/,
    ],
    ['certificates alone', PEM, /no signature line, only PEM blocks/],
    ['small letters', `sha256(a.mf)= ${SIGNED}\n${PEM}`, /spells SHA256 "sha256"/],
    ['small letters with the key', `rsa-sha2-256(a.mf)= ${SIGNED}\n${PEM}`, /spells SHA256 "rsa-sha2-256"/],
  ])('[cert.12] %s', (_, text, message) => {
    const [said, fix] = refused(parseCertificateFile, text);
    expect(said).toMatch(message);
    expect(fix).toMatch(/publisher /);
    expect(fix).not.toBe('ask the publisher to sign the bundle again');
  });

  test('[cert.12] UTF-16 text, DER, an empty signature', () => {
    expect(refused(parseCertificateFile, wide(line, true))[0]).toBe('the certificate file is UTF-16LE text');
    expect(refused(parseCertificateFile, Uint8Array.of(0x30, 0x82, 0x01, 0x0a, 0x02))[0]).toMatch(/is DER/);
    expect(refused(parseCertificateFile, `SHA256(a.mf)= \n${PEM}`)[0]).toMatch(
      /no signature in the signature line/,
    );
  });

  test.each([
    'Bag Attributes\n',
    'SHA256(a)=\nA',
    'AA:',
    '00 ',
    'SHA256(a)= 0\n',
    'a\n',
    '(a)=',
    '-----BEGIN PGP ',
  ])('[cert.12] [mf.10] names at once what is made of %j', (piece) => {
    const filler = piece.repeat(1_000_000 / piece.length);
    for (const text of [
      filler,
      `SHA256(a.mf)= ${filler}`,
      `SHA256(${filler}`,
      `SHA256(a.mf)= 00\n${filler}`,
    ]) {
      soon(() => refused(parseCertificateFile, text));
      soon(() => refused(parseManifest, text));
    }
  });
});
