import { createPublicKey } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { parseX509 } from '../../../src/formats/x509/certificate.ts';
import { parseNamePattern } from '../../../src/formats/x509/name.ts';
import { EKU, makeAuthority, makeCertificate, type TestCertificate } from '../../factory/certificates.ts';
import { der, hex, oneName, withParts } from '../../factory/der.ts';
import { codeOf } from '../../factory/errors.ts';

const MALFORMED = 'CERTIFICATE_MALFORMED';
const CN = '55 04 03';
const utf8 = (text: string) => new TextEncoder().encode(text);
let leaf: TestCertificate;
let ca: TestCertificate;

beforeAll(async () => {
  ca = await makeAuthority({ pathLen: 3 });
  leaf = await makeCertificate({
    issuer: ca,
    subject: 'CN=Acme Release,OU=Images,O=Acme\\, Inc.,C=DE',
    eku: [EKU.codeSigning],
    keyUsage: ['digitalSignature', 'nonRepudiation'],
    serial: hex('0abc'),
  });
});

/** The extensions field with these extensions: OID in hex, critical, value. */
const extensions = (...list: readonly (readonly [oid: string, critical: Uint8Array, value: Uint8Array])[]) =>
  der(
    0xa3,
    der(
      0x30,
      ...list.map(([oid, critical, value]) => der(0x30, der(0x06, hex(oid)), critical, der(0x04, value))),
    ),
  );
const BASIC_CONSTRAINTS = '55 1d 13';
const CRITICAL = hex('01 01 ff');
const withExtensions = (field: Uint8Array) => withParts(leaf.der, (parts) => [...parts.slice(0, 7), field]);
const withSubject = (name: Uint8Array) =>
  withParts(leaf.der, ([version, serial, algorithm, issuer, validity, , spki, tail]) => [
    version,
    serial,
    algorithm,
    issuer,
    validity,
    name,
    spki,
    tail,
  ]);

describe('fields', () => {
  test('[x509.1] a certificate is read whole', () => {
    const fields = parseX509(leaf.der);
    expect(fields.version).toBe(3);
    expect(fields.serial).toBe('0abc');
    expect(fields.signature).toMatchObject({
      oid: '1.2.840.10045.4.3.2',
      name: 'ECDSA with SHA-256',
      digest: 'sha256',
    });
    expect(fields.subject.text).toBe('CN=Acme Release,OU=Images,O=Acme\\, Inc.,C=DE');
    expect(fields.subject.attributes).toContainEqual({ type: 'O', value: 'Acme, Inc.' });
    expect(fields.issuer.raw).toEqual(ca.certificate.fields.subject.raw);
    expect(fields.notBefore.toISOString()).toBe('2026-01-01T00:00:00.000Z');
    expect(fields.notAfter.toISOString()).toBe('2036-01-01T00:00:00.000Z');
    expect(fields.spki).toEqual(
      Uint8Array.from(createPublicKey(leaf.privateKey).export({ type: 'spki', format: 'der' })),
    );
    expect([...(fields.extensions.keyUsage ?? [])]).toEqual(['digitalSignature', 'nonRepudiation']);
    expect(fields.extensions.extendedKeyUsage).toEqual([EKU.codeSigning]);
    expect(fields.extensions.authorityKeyId).toBe(ca.certificate.fields.extensions.subjectKeyId);
    expect(fields.extensions.unknownCritical).toEqual([]);
    expect(ca.certificate.fields.extensions.basicConstraints).toEqual({ ca: true, pathLen: 3 });
  });

  test('[x509.1] bytes before, behind or between its parts are refused', () => {
    expect(codeOf(() => parseX509(Uint8Array.of(...leaf.der, 0)))).toBe(MALFORMED);
    expect(codeOf(() => parseX509(leaf.der.subarray(1)))).toBe(MALFORMED);
    expect(codeOf(() => parseX509(withParts(leaf.der, (parts) => [...parts, hex('05 00')])))).toBe(MALFORMED);
    expect(codeOf(() => parseX509(new Uint8Array()))).toBe(MALFORMED);
  });

  test('[x509.2] the two signature algorithms must be the same', () => {
    const other = der(0x30, der(0x06, hex('2a 86 48 ce 3d 04 03 03')));
    const swapped = withParts(leaf.der, ([version, serial, , ...rest]) => [version, serial, other, ...rest]);
    expect(codeOf(() => parseX509(swapped))).toBe(MALFORMED);
  });

  test('[x509.3] extensions belong to version 3, and version 1 is not spelled out', () => {
    for (const version of ['', 'a0 03 02 01 00', 'a0 03 02 01 01', 'a0 03 02 01 03']) {
      const changed = withParts(leaf.der, ([, ...rest]) => [hex(version), ...rest]);
      expect(
        codeOf(() => parseX509(changed)),
        version,
      ).toBe(MALFORMED);
    }
    expect(parseX509(withParts(leaf.der, ([, ...rest]) => rest.slice(0, 6))).version).toBe(1);
  });

  test('[x509.8] an elliptic curve is given by name', () => {
    const key = der(0x03, hex('00 04 01 02'));
    const explicit = der(
      0x30,
      der(0x30, der(0x06, hex('2a 86 48 ce 3d 02 01')), der(0x30, hex('02 01 01'))),
      key,
    );
    const absent = der(0x30, der(0x30, der(0x06, hex('2a 86 48 ce 3d 02 01'))), key);
    for (const spki of [explicit, absent]) {
      const changed = withParts(leaf.der, (parts) => [...parts.slice(0, 6), spki, parts[7]]);
      expect(codeOf(() => parseX509(changed))).toBe(MALFORMED);
    }
  });
});

describe('names', () => {
  test.each([
    ['NUL', 0x0c, utf8('good\0evil')],
    ['a line end', 0x0c, utf8('a\nb')],
    ['DEL', 0x13, utf8('a\x7f')],
    ['a C1 control in Latin-1', 0x14, hex('61 9b')],
    ['NUL in UTF-16', 0x1e, hex('00 61 00 00')],
    ['wrong UTF-8', 0x0c, hex('c3 28')],
    ['bytes above ASCII in a PrintableString', 0x13, hex('e4')],
    ['half a UTF-16 unit', 0x1e, hex('00 61 00')],
    ['a surrogate', 0x1e, hex('d8 00')],
    ['a character beyond Unicode', 0x1c, hex('00 11 00 00')],
    ['no text at all', 0x04, utf8('a')],
  ])('[x509.4] a name holds readable text: %s', (_, tag, value) => {
    expect(codeOf(() => parseX509(withSubject(oneName(CN, tag, value))))).toBe(MALFORMED);
  });

  test.each([
    ['PrintableString', 0x13, utf8('Acme'), 'Acme'],
    ['TeletexString as Latin-1', 0x14, hex('c4 63'), 'Äc'],
    ['BMPString', 0x1e, hex('20 14 00 61'), '—a'],
    ['UniversalString', 0x1c, hex('00 01 f6 00'), '😀'],
    ['IA5String', 0x16, utf8('a@b.example'), 'a@b.example'],
  ])('%s is read', (_, tag, value, text) => {
    expect(parseX509(withSubject(oneName(CN, tag, value))).subject.attributes).toEqual([
      { type: 'CN', value: text },
    ]);
  });

  test('an RDN that is empty, or a name that is too long, is refused', () => {
    expect(codeOf(() => parseX509(withSubject(der(0x30, der(0x31)))))).toBe(MALFORMED);
    expect(codeOf(() => parseX509(withSubject(oneName(CN, 0x0c, new Uint8Array(9000).fill(0x61)))))).toBe(
      MALFORMED,
    );
  });

  test('[x509.7] the issuer has a name, the subject may have none', () => {
    const nameless = withParts(leaf.der, ([version, serial, algorithm, , ...rest]) => [
      version,
      serial,
      algorithm,
      hex('30 00'),
      ...rest,
    ]);
    expect(codeOf(() => parseX509(nameless))).toBe(MALFORMED);
    expect(parseX509(withSubject(hex('30 00'))).subject.text).toBe('');
  });

  test('the text escapes what would read as structure, and gives unknown types in hex', () => {
    const odd = oneName(CN, 0x0c, utf8(' a,b+c"d\\e<f>g;h=i '));
    expect(parseX509(withSubject(odd)).subject.text).toBe('CN=\\ a\\,b\\+c\\"d\\\\e\\<f\\>g\\;h\\=i\\ ');
    expect(parseX509(withSubject(oneName(CN, 0x0c, utf8('#a')))).subject.text).toBe('CN=\\#a');
    expect(parseX509(withSubject(oneName('2a 03', 0x0c, utf8('ab')))).subject).toMatchObject({
      text: '1.2.3=#0c026162',
      attributes: [{ type: '1.2.3', value: 'ab' }],
    });
  });

  test('attributes of one RDN stay together', () => {
    const pair = (oid: string, text: string) => der(0x30, der(0x06, hex(oid)), der(0x0c, utf8(text)));
    const name = der(
      0x30,
      der(0x31, pair('55 04 0a', 'Acme')),
      der(0x31, pair(CN, 'a'), pair('55 04 05', '7')),
    );
    expect(parseX509(withSubject(name)).subject.text).toBe('CN=a+serialNumber=7,O=Acme');
  });
});

describe('extensions', () => {
  test('[x509.5] none may occur twice', () => {
    const ca = [BASIC_CONSTRAINTS, CRITICAL, hex('30 03 01 01 ff')] as const;
    const leaf = [BASIC_CONSTRAINTS, CRITICAL, hex('30 00')] as const;
    expect(codeOf(() => parseX509(withExtensions(extensions(ca, leaf))))).toBe(MALFORMED);
  });

  test('[x509.6] a default that is spelled out is read', () => {
    const explicit = extensions([BASIC_CONSTRAINTS, hex('01 01 00'), hex('30 03 01 01 00')]);
    const parsed = parseX509(withExtensions(explicit)).extensions;
    expect(parsed.basicConstraints).toEqual({ ca: false });
    expect(parsed.byOid.get('2.5.29.19')?.critical).toBe(false);
  });

  test.each([
    ['an empty list', der(0xa3, der(0x30))],
    ['two lists', der(0xa3, der(0x30), der(0x30))],
    ['BOOLEAN 01 as critical', extensions([BASIC_CONSTRAINTS, hex('01 01 01'), hex('30 00')])],
    ['bytes behind basicConstraints', extensions([BASIC_CONSTRAINTS, CRITICAL, hex('30 00 00')])],
    ['a negative path length', extensions([BASIC_CONSTRAINTS, CRITICAL, hex('30 06 01 01 ff 02 01 ff')])],
    ['keyUsage that is no BIT STRING', extensions(['55 1d 0f', CRITICAL, hex('04 01 80')])],
    ['an empty extended key usage', extensions(['55 1d 25', hex(''), hex('30 00')])],
    ['a key identifier of a wrong type', extensions(['55 1d 0e', hex(''), hex('02 01 01')])],
  ])('[x509.1] refused: %s', (_, field) => {
    expect(codeOf(() => parseX509(withExtensions(field)))).toBe(MALFORMED);
  });

  test('unknown critical extensions are listed, unknown others are not', () => {
    const field = extensions(['2a 03', CRITICAL, hex('05 00')], ['2a 04', hex(''), hex('05 00')]);
    expect(parseX509(withExtensions(field)).extensions.unknownCritical).toEqual(['1.2.3']);
  });

  test('keyUsage bits in two bytes', () => {
    const field = extensions(['55 1d 0f', CRITICAL, hex('03 03 07 06 80')]);
    const { keyUsage } = parseX509(withExtensions(field)).extensions;
    expect([...(keyUsage ?? [])]).toEqual(['keyCertSign', 'cRLSign', 'decipherOnly']);
  });
});

describe('signature algorithms', () => {
  const RSA = '2a 86 48 86 f7 0d 01 01';
  const withAlgorithm = (algorithm: Uint8Array) => {
    const signature = der(0x03, hex('00 00'));
    const inner = withParts(leaf.der, ([version, serial, , ...rest]) => [
      version,
      serial,
      algorithm,
      ...rest,
    ]);
    const tbs = inner.subarray(4, 4 + 4 + (((inner[6] ?? 0) << 8) | (inner[7] ?? 0)));
    return parseX509(der(0x30, tbs, algorithm, signature)).signature;
  };
  const oid = (text: string) => der(0x06, hex(text));

  test.each([
    ['RSA with SHA-1', 'sha1', der(0x30, oid(`${RSA} 05`), hex('05 00'))],
    ['RSA with MD5', 'md5', der(0x30, oid(`${RSA} 04`), hex('05 00'))],
    ['RSA with SHA-512', 'sha512', der(0x30, oid(`${RSA} 0d`), hex('05 00'))],
    ['Ed25519', 'sha512', der(0x30, oid('2b 65 70'))],
    ['RSA-PSS with SHA-1', 'sha1', der(0x30, oid(`${RSA} 0a`), der(0x30))],
    ['RSA-PSS with SHA-1', 'sha1', der(0x30, oid(`${RSA} 0a`))],
    [
      'RSA-PSS with SHA-256',
      'sha256',
      der(0x30, oid(`${RSA} 0a`), der(0x30, der(0xa0, der(0x30, oid('60 86 48 01 65 03 04 02 01'))))),
    ],
  ])('%s', (name, digest, algorithm) => {
    expect(withAlgorithm(algorithm)).toMatchObject({ name, digest });
  });

  test('an unknown one has no digest', () => {
    expect(withAlgorithm(der(0x30, oid('2a 03')))).toMatchObject({ oid: '1.2.3', name: '1.2.3' });
    const unknownPss = der(0x30, oid(`${RSA} 0a`), der(0x30, der(0xa0, der(0x30, oid('2a 03')))));
    expect(withAlgorithm(unknownPss).digest).toBeUndefined();
  });
});

describe('name patterns', () => {
  test('[pub.4] types in any case, blanks around separators, escapes', () => {
    expect(parseNamePattern('cn = Acme Release , O=Acme\\, Inc\\2e+ E=a@b')).toEqual([
      { type: 'CN', value: 'Acme Release' },
      { type: 'O', value: 'Acme, Inc.' },
      { type: 'emailAddress', value: 'a@b' },
    ]);
    expect(parseNamePattern('1.2.3=x,2.5.4.10=y\\ ,CN=\\C3\\84')).toEqual([
      { type: '1.2.3', value: 'x' },
      { type: 'O', value: 'y ' },
      { type: 'CN', value: 'Ä' },
    ]);
  });

  test.each([
    '',
    'CN',
    'CN=',
    'CN= ',
    'XX=a',
    'CN=a,',
    'CN=#0401',
    'CN=\\zz',
    'CN=a\\',
    'CN=\\ff',
    'CN=\\😀',
  ])('[pub.4] not a subject: "%s"', (text) => {
    expect(codeOf(() => parseNamePattern(text))).toBe('CONFIG_INVALID');
  });

  test('[pub.4] the text of a name reads back as its attributes', () => {
    const { text, attributes } = leaf.certificate.fields.subject;
    expect(parseNamePattern(text)).toEqual(attributes);
  });
});
