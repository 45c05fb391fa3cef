import { describe, expect, it, test } from 'vitest';
import {
  type CertificateFile,
  formatCertificateFile,
  parseCertificateFile,
} from '../../../src/formats/ovf/certificate-file.ts';
import { formatPem } from '../../../src/formats/pem.ts';
import { encodeUtf8 } from '../../../src/kit/encoding.ts';
import { isBundleError } from '../../../src/kit/errors/errors.ts';
import { DEFAULT_LIMITS, type Limits } from '../../../src/kit/limits.ts';
import { codeOf } from '../../factory/errors.ts';
import { soon } from '../../factory/growth.ts';

// Only the framing is read here, so any bytes do for certificates and signature.
const LEAF = Uint8Array.of(0x30, 1, 2);
const ISSUER = Uint8Array.of(0x30, 3, 4, 5);
const LINE = 'SHA256(a.mf)= 00ff10\n';
const PEM = formatPem('CERTIFICATE', LEAF);
const GOOD = LINE + PEM;
const FILE = {
  algorithm: 'sha256',
  manifestName: 'a.mf',
  signature: Uint8Array.of(0, 0xff, 0x10),
  line: 1,
  certificates: [LEAF],
  notes: [],
} as const satisfies Omit<CertificateFile, 'loose'>;

const parse = (text: string, limits: Partial<Limits> = {}) => {
  const { loose: _, ...file } = parseCertificateFile(encodeUtf8(text), { ...DEFAULT_LIMITS, ...limits });
  return file;
};

function refusal(text: string | Uint8Array): string {
  try {
    parseCertificateFile(typeof text === 'string' ? encodeUtf8(text) : text);
    return 'accepted';
  } catch (error) {
    if (!isBundleError(error)) throw error;
    return `${error.code} ${error.where.line ?? ''}`.trim();
  }
}

describe('parseCertificateFile', () => {
  it('[cert.1] reads the signature line and the certificate', () => {
    expect(parse(GOOD)).toEqual(FILE);
  });

  test.each([
    ['a blank in front of the parenthesis', 'SHA256 (a.mf)= 00ff10\n'],
    ['blanks around the equals sign', 'SHA256(a.mf) = 00ff10\n'],
    ['no blank at all', 'SHA256(a.mf)=00ff10\n'],
    ['the signature in upper case', 'SHA256(a.mf)= 00FF10\n'],
    ['blanks in front', ' \tSHA256(a.mf)= 00ff10\n'],
  ])('[cert.1] reads %s', (_, line) => {
    expect(parse(line + PEM)).toEqual(FILE);
  });

  test.each([
    ['nothing', 'SHA256(a.mf)= 00ff10\n', 0],
    ['one case of digits', 'SHA256(a.mf)= 00FF10\n', 0],
    ['less than the usual', 'SHA256(a.mf)=00ff10\n', 0],
    ['blanks everywhere', '\tSHA256 (a.mf)\t =  00ff10 \n', 6],
    ['both cases of digits', 'SHA256(a.mf)= 00fF10\n', 1],
    ['both cases of more digits', `SHA256(a.mf)= ${'aA'.repeat(256)}\n`, 64],
  ])('[cert.10] counts what could be anything in the signature line: %s', (_, line, loose) => {
    expect(parseCertificateFile(encodeUtf8(line + PEM)).loose).toBe(loose);
  });

  test.each([
    ['a blank', 'my appliance.mf'],
    ['a parenthesis', 'a (1).mf'],
    ['both that end a name', 'a)= b.mf'],
    ['a name of nobody', '../a.mf'],
  ])('[cert.1] gives the name of the manifest as it stands: %s', (_, name) => {
    expect(parse(`SHA512(${name})= 00\n${PEM}`)).toMatchObject({ manifestName: name, algorithm: 'sha512' });
  });

  test.each([
    ['base64', 'SHA256(a.mf)= AP8Q\n'],
    ['no signature', 'SHA256(a.mf)= \n'],
    ['no name', 'SHA256()= 00\n'],
    ['no algorithm', '(a.mf)= 00\n'],
    ['no equals sign', 'SHA256(a.mf) 00\n'],
    ['a digest behind the signature', 'SHA256(a.mf)= 00 11\n'],
    ['a colon between digits', 'SHA256(a.mf)= 00:11\n'],
    ['0x', 'SHA256(a.mf)= 0x00\n'],
  ])('[cert.1] refuses %s in the signature line', (_, line) => {
    expect(refusal(line + PEM)).toBe('CERTIFICATE_FILE_SYNTAX 1');
  });

  test.each([
    ['nothing', ''],
    ['blanks', ' \n\t\r\n'],
    ['a byte order mark', '\ufeff'],
    ['a byte order mark and blanks', '\ufeff \n'],
    ['a fill of blanks', ' '.repeat(102_400)],
    ['certificates alone', PEM],
  ])('[cert.2] refuses a file without a signature line: %s', (_, text) => {
    expect(refusal(text)).toBe('CERTIFICATE_FILE_SYNTAX');
  });

  it('[cert.3] refuses a file without a certificate', () => {
    expect(refusal(LINE)).toBe('CERTIFICATE_FILE_SYNTAX');
    expect(refusal(LINE + formatPem('CMS', LEAF))).toBe('CERTIFICATE_FILE_SYNTAX');
  });

  it('[cert.3] gives the certificates in the order of the file', () => {
    expect(parse(LINE + formatPem('CERTIFICATE', ISSUER) + PEM).certificates).toEqual([ISSUER, LEAF]);
  });

  it('[cert.3] refuses more certificates than the limit', () => {
    expect(parse(LINE + PEM.repeat(16)).certificates).toHaveLength(16);
    expect(refusal(LINE + PEM.repeat(17))).toBe('CERTIFICATE_FILE_SYNTAX');
    expect(() => parse(LINE + PEM.repeat(3), { certificates: 2 })).toThrow(
      '3 certificates, over the limit of 2',
    );
  });

  test.each([
    ['in front', `subject=CN = x\n${LINE}${PEM}`, 1],
    ['between', `${LINE}subject=CN = x\n${PEM}`, 2],
    ['at the end', `${GOOD}x`, 5],
    ['as a second signature', `${LINE}${LINE}${PEM}`, 2],
    ['as a second signature at the end', GOOD + LINE, 5],
    ['as a form feed', `${GOOD}\f\n`, 5],
    ['as a no-break space', `${GOOD}\u00a0\n`, 5],
    ['behind a long fill', `${GOOD}${' '.repeat(102_400)}x`, 5],
  ])('[cert.4] refuses other text %s', (_, text, line) => {
    expect(refusal(text)).toBe(`CERTIFICATE_FILE_SYNTAX ${line}`);
  });

  it('[cert.4] reads the parts in any order', () => {
    expect(parse(PEM + LINE)).toEqual({ ...FILE, line: 4 });
  });

  it('[cert.4] refuses bytes that are no text', () => {
    expect(refusal(`${GOOD}\0`)).toBe('CERTIFICATE_FILE_SYNTAX');
    expect(refusal(Uint8Array.of(...encodeUtf8(GOOD), 0xff))).toBe('CERTIFICATE_FILE_SYNTAX');
    expect(refusal(Uint8Array.of(0x30, 0x82, 1, 2))).toBe('CERTIFICATE_FILE_SYNTAX');
  });

  test.each(['CMS', 'PKCS7'])('[cert.5] keeps a %s block', (label) => {
    const text = LINE + PEM + formatPem(label, ISSUER);
    expect(parse(text)).toEqual({ ...FILE, cms: ISSUER });
  });

  test.each([
    ...[
      'PRIVATE KEY',
      'ENCRYPTED PRIVATE KEY',
      'PUBLIC KEY',
      'X509 CRL',
      'TRUSTED CERTIFICATE',
      'X509 CERTIFICATE',
    ],
  ])('[cert.5] refuses a %s block', (label) => {
    expect(refusal(GOOD + formatPem(label, LEAF))).toBe('CERTIFICATE_FILE_SYNTAX 5');
  });

  it('[cert.5] refuses a second CMS block', () => {
    const cms = formatPem('CMS', LEAF);
    expect(refusal(GOOD + cms + cms)).toBe('CERTIFICATE_FILE_SYNTAX 8');
    expect(refusal(GOOD + cms + formatPem('PKCS7', LEAF))).toBe('CERTIFICATE_FILE_SYNTAX 8');
  });

  it('[cert.5] refuses a block that is not ended, or not base64', () => {
    expect(refusal(GOOD.replace(/-----END.*\n/, ''))).toBe('CERTIFICATE_FILE_SYNTAX 2');
    expect(refusal(GOOD.replace('MAEC', 'MA*C'))).toBe('CERTIFICATE_FILE_SYNTAX 4');
  });

  it('[cert.6] reads the spellings of digests that manifests may use, and notes them', () => {
    expect(parse(`SHA2-256(a.mf)= 00ff10\n${PEM}`)).toEqual({
      ...FILE,
      notes: [expect.stringMatching(/OpenSSL 3/)],
    });
    expect(parse(`SHA1(a.mf)= 00ff10\n${PEM}`).algorithm).toBe('sha1');
  });

  test.each([
    ...['RSA-SHA2-256', 'EC-SHA2-256', 'RSA-SHA256', 'ECDSA-SHA256', 'RSA-SHA-256'],
    ...['RSA-SHA2-384', 'EC-SHA384', 'RSA-SHA2-512', 'ECDSA-SHA512', 'RSA-SHA1'],
  ])('[cert.6] reads %s, as openssl writes it with the kind of the key, and notes it', (word) => {
    const { algorithm, notes } = parse(`${word}(a.mf)= 00ff10\n${PEM}`);
    expect(algorithm).toBe(`sha${/\d+$/.exec(word)?.[0]}`);
    expect(notes).toEqual([expect.stringContaining(`"${word}" is how openssl dgst -sign -hex spells`)]);
  });

  test.each([
    ...[
      'MD5',
      'sha256',
      'SHA3-256',
      'RSA-MD5',
      'RSA-',
      'RSA',
      'RSA-RSA-SHA256',
      'rsa-sha2-256',
      'DSA-SHA256',
    ],
    ...['HMAC-SHA256', 'RSA-SHA3-256', 'RSA-SHA2-512-256', 'EC-SHA2-1'],
  ])('[cert.6] refuses the digest %s', (word) => {
    expect(refusal(`${word}(a.mf)= 00\n${PEM}`)).toBe('ALGORITHM_UNSUPPORTED 1');
  });

  it('[cert.6] refuses an odd number of hex digits', () => {
    expect(refusal(`SHA256(a.mf)= 00f\n${PEM}`)).toBe('CERTIFICATE_FILE_SYNTAX 1');
  });

  test.each([
    ['CRLF', GOOD.replaceAll('\n', '\r\n')],
    ['a fill of blanks at the end', `${GOOD}${' '.repeat(102_400)}\n`],
    ['a fill of blanks without a line end', GOOD + ' '.repeat(102_400)],
    ['blanks at line ends', GOOD.replaceAll('\n', ' \n')],
    ['empty lines', GOOD.replaceAll('\n', '\n\n')],
    ['no line end at the end', GOOD.trimEnd()],
    ['a byte order mark', `\ufeff${GOOD}`],
  ])('[cert.7] reads %s', (_, text) => {
    expect(parse(text)).toMatchObject({ signature: FILE.signature, certificates: [LEAF], notes: [] });
  });

  test.each(['(', ')', ')=', ' ', '\t', 'A', '0', '\n', '\r', 'SHA256(', '-----BEGIN CERTIFICATE-----\n'])(
    '[cert.4] answers at once for a file made of %j',
    (piece) => {
      const filler = piece.repeat(1_000_000 / piece.length);
      for (const text of [filler, `${filler}x`, `SHA256(${filler}`, `SHA256(a)= ${filler}`, GOOD + filler])
        soon(() => refusal(text));
    },
  );
});

describe('formatCertificateFile', () => {
  it('[cert.8] writes the line, the certificate of the signer, then the others', () => {
    const bytes = formatCertificateFile({ ...FILE, certificates: [LEAF, ISSUER] });
    expect(new TextDecoder().decode(bytes)).toBe(GOOD + formatPem('CERTIFICATE', ISSUER));
    expect(parseCertificateFile(bytes)).toEqual({ ...FILE, loose: 0, certificates: [LEAF, ISSUER] });
  });

  test.each([
    ['no certificate', { certificates: [] }],
    ['more certificates than are read', { certificates: Array.from({ length: 17 }, () => LEAF) }],
    ['no signature', { signature: new Uint8Array(0) }],
    ['a manifest name with a line end', { manifestName: 'a\nb.mf' }],
    ['no manifest name', { manifestName: '' }],
    ['a certificate without bytes', { certificates: [new Uint8Array(0)] }],
  ])('[cert.8] refuses %s', (_, change) => {
    expect(codeOf(() => formatCertificateFile({ ...FILE, ...change }))).toBe('CERTIFICATE_FILE_SYNTAX');
  });
});
