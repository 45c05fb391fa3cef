import { describe, expect, it, test } from 'vitest';
import { parseDigestName } from '../../../src/formats/ovf/digest-name.ts';
import { formatManifest, type ManifestEntry, parseManifest } from '../../../src/formats/ovf/manifest.ts';
import { encodeUtf8 } from '../../../src/kit/encoding.ts';
import { BundleError, isBundleError } from '../../../src/kit/errors/errors.ts';
import { codeOf } from '../../factory/errors.ts';
import { soon } from '../../factory/growth.ts';

const HEX = {
  sha1: 'a1'.repeat(20),
  sha256: 'b2'.repeat(32),
  sha384: 'c3'.repeat(48),
  sha512: 'd4'.repeat(64),
} as const;
const LINE = `SHA256(a.ovf)= ${HEX.sha256}`;
const ENTRY = { name: 'a.ovf', algorithm: 'sha256', digest: HEX.sha256, line: 1 } as const;

function parse(text: string) {
  const { entries, byName, notes } = parseManifest(encodeUtf8(text));
  expect([...byName]).toEqual(entries.map((entry) => [entry.name, entry]));
  return { entries, notes };
}

function refusal(text: string | Uint8Array): string {
  try {
    parseManifest(typeof text === 'string' ? encodeUtf8(text) : text);
    return 'accepted';
  } catch (error) {
    if (!isBundleError(error)) throw error;
    return `${error.code} ${error.where.line ?? ''}`.trim();
  }
}

describe('parseManifest', () => {
  it('[mf.1] reads lines in order', () => {
    const text = `SHA1(b.vmdk)= ${HEX.sha1}\nSHA256(a.ovf)= ${HEX.sha256}\nSHA384(c)= ${HEX.sha384}\nSHA512(d)= ${HEX.sha512}\n`;
    expect(parse(text)).toEqual({
      entries: [
        { name: 'b.vmdk', algorithm: 'sha1', digest: HEX.sha1, line: 1 },
        { name: 'a.ovf', algorithm: 'sha256', digest: HEX.sha256, line: 2 },
        { name: 'c', algorithm: 'sha384', digest: HEX.sha384, line: 3 },
        { name: 'd', algorithm: 'sha512', digest: HEX.sha512, line: 4 },
      ],
      notes: [],
    });
  });

  it('[mf.1] reads a manifest that lists nothing; whether that is enough is decided elsewhere', () => {
    expect(parse('')).toEqual({ entries: [], notes: [] });
    expect(parse(' '.repeat(68))).toEqual({ entries: [], notes: [] });
  });

  test.each([
    ['the output of sha256sum', `${HEX.sha256}  a.ovf`],
    ['a comment', '# comment'],
    ['a line of JSON', '{"a.ovf": "x"}'],
    ['no parentheses', `SHA256 a.ovf = ${HEX.sha256}`],
    ['no equals sign', `SHA256(a.ovf) ${HEX.sha256}`],
    ['two equals signs', `SHA256(a.ovf)== ${HEX.sha256}`],
    ['a colon', `SHA256(a.ovf): ${HEX.sha256}`],
    ['no digest', 'SHA256(a.ovf)= '],
    ['no name', `SHA256()= ${HEX.sha256}`],
    ['no algorithm', `(a.ovf)= ${HEX.sha256}`],
    ['blanks in front', ` ${LINE}`],
    ['text behind the digest', `${LINE} a.ovf`],
    ['0x in front of the digest', `SHA256(a.ovf)= 0x${HEX.sha256}`],
    ['a carriage return inside', `SHA256(a.ovf)=\r ${HEX.sha256}`],
    ['two carriage returns at the end', `${LINE}\r\r`],
    ['a no-break space', `SHA256(a.ovf)=\u00a0${HEX.sha256}`],
    ['a form feed at the end', `${LINE}\f`],
    ['a NUL at the end', `${LINE}\0`],
    ['NULs alone', '\0\0'],
    ['the line separator of Unicode', `SHA256(a\u2028b)= ${HEX.sha256}`],
    ['a line that is cut', LINE.slice(0, 20)],
  ])('[mf.1] refuses %s, with the line', (_, text) => {
    expect(refusal(`SHA1(first)= ${HEX.sha1}\n${text}\n`)).toBe('MANIFEST_SYNTAX 2');
  });

  it('[mf.1] refuses bytes that are not UTF-8', () => {
    expect(refusal(Uint8Array.of(...encodeUtf8('SHA256('), 0xff, ...encodeUtf8(`)= ${HEX.sha256}`)))).toBe(
      'MANIFEST_SYNTAX',
    );
    expect(refusal(Uint8Array.of(0xff, 0xfe, 0x53, 0))).toBe('MANIFEST_SYNTAX');
  });

  it('[mf.1] says what is wrong with a line', () => {
    expect(() => parse(`${LINE}\nx`)).toThrow('line 2 of the manifest is not ALGORITHM(name)= hex');
  });

  test.each([
    ['a closing parenthesis', 'disk (1).vmdk'],
    ['an equals sign', 'a=b.vmdk'],
    ['both together', 'a)= b.vmdk'],
    ['a whole line', `x)= ${HEX.sha1} (y`],
    ['blanks inside', 'my disk.vmdk'],
    ['letters of any script', 'größe-磁碟.vmdk'],
    ['folders', 'images/disk.vmdk'],
  ])('[mf.2] reads a name with %s', (_, name) => {
    expect(parse(`SHA256(${name})= ${HEX.sha256}`).entries).toEqual([{ ...ENTRY, name }]);
  });

  test.each([
    ['a blank in front of the parenthesis', `SHA256 (a.ovf)= ${HEX.sha256}`],
    ['blanks around the equals sign', `SHA256(a.ovf) = ${HEX.sha256}`],
    ['the form of BSD', `SHA256 (a.ovf) = ${HEX.sha256}`],
    ['no blank behind the equals sign', `SHA256(a.ovf)=${HEX.sha256}`],
    ['two blanks', `SHA256(a.ovf)=  ${HEX.sha256}`],
    ['a tab', `SHA256(a.ovf)=\t${HEX.sha256}`],
  ])('[mf.2] reads %s, and notes it', (_, text) => {
    const { entries, notes } = parse(text);
    expect(entries).toEqual([ENTRY]);
    expect(notes).toEqual([expect.stringMatching(/spaces its lines/)]);
  });

  it('[mf.2] notes each oddity once', () => {
    expect(parse(`SHA256 (a)= ${HEX.sha256}\nSHA256 (b)= ${HEX.sha256}\n`).notes).toHaveLength(1);
  });

  it('[mf.3] reads the two other spellings in use, and notes them', () => {
    expect(parse(`SHA2-256(a.ovf)= ${HEX.sha256}`)).toEqual({
      entries: [ENTRY],
      notes: [expect.stringMatching(/OpenSSL 3/)],
    });
    expect(parse(`SHA-512(a.ovf)= ${HEX.sha512}`)).toEqual({
      entries: [{ ...ENTRY, algorithm: 'sha512', digest: HEX.sha512 }],
      notes: [expect.stringMatching(/SHA512/)],
    });
    expect(parseDigestName('SHA-1')?.name).toBe('sha1');
    expect(parseDigestName('SHA2-384')?.name).toBe('sha384');
  });

  test.each([
    ...[
      'MD5',
      'sha256',
      'Sha256',
      'SHA',
      'SHA224',
      'SHA2',
      'SHA2-1',
      'SHA2-512-256',
      'SHA3-256',
      'SHA512-256',
    ],
    ...['SHA--256', 'SHA2--256', 'SHA-2-256', 'SHA-SHA256', 'SIZE', 'constructor', '-'],
  ])('[mf.3] refuses the digest %s', (word) => {
    expect(parseDigestName(word)).toBeUndefined();
    expect(refusal(`${LINE}\n${word}(b)= ${HEX.sha256}`)).toBe('ALGORITHM_UNSUPPORTED 2');
  });

  test.each([
    ['CRLF', `${LINE}\r\n`],
    ['no line end at the end', LINE],
    ['a carriage return at the end', `${LINE}\r`],
    ['mixed line ends', `\r\n${LINE}\n\n`],
  ])('[mf.4] reads %s', (_, text) => {
    const { entries, notes } = parse(text);
    expect(entries.map(({ name, digest }) => [name, digest])).toEqual([['a.ovf', HEX.sha256]]);
    expect(notes).toEqual([]);
  });

  it('[mf.4] reads one byte order mark, and notes it', () => {
    expect(parse(`\ufeff${LINE}`)).toEqual({
      entries: [ENTRY],
      notes: [expect.stringMatching(/byte order mark/)],
    });
    expect(refusal(`\ufeff\ufeff${LINE}`)).toBe('MANIFEST_SYNTAX 1');
    expect(refusal(`${LINE}\n\ufeff\n`)).toBe('MANIFEST_SYNTAX 2');
  });

  test.each([
    ['blanks at the end of a line', `${LINE}  \t`],
    ['empty lines', `${LINE}\n\n\n`],
    ['lines of blanks', `${LINE}\n \t \r\n`],
    ['a fill of blanks without line end', `${LINE}\n${' '.repeat(5000)}`],
  ])('[mf.5] reads %s', (_, text) => {
    expect(parse(text)).toEqual({ entries: [ENTRY], notes: [] });
  });

  test.each([
    ['with the same digest', `SHA256(a.ovf)= ${HEX.sha256}`],
    ['with another digest', `SHA256(a.ovf)= ${'0'.repeat(64)}`],
    ['with another algorithm', `SHA1(a.ovf)= ${HEX.sha1}`],
    ['spelled otherwise', `SHA2-256 (a.ovf) = ${HEX.sha256}`],
  ])('[mf.6] refuses a name that is listed twice, %s', (_, second) => {
    expect(refusal(`${LINE}\nSHA1(b)= ${HEX.sha1}\n${second}\n`)).toBe('MANIFEST_DUPLICATE 3');
  });

  it('[mf.6] compares names byte for byte', () => {
    expect(parse(`${LINE}\nSHA256(A.OVF)= ${HEX.sha256}`).entries).toHaveLength(2);
  });

  test.each([
    ['up', '../a'],
    ['up inside', 'a/../b'],
    ['an absolute name', '/etc/hostname'],
    ['this folder', './a'],
    ['a backslash', 'a\\b'],
    ['quotes', '"a.ovf"'],
    ['a control character', 'a\x1bb'],
    ['a carriage return', 'a\rb'],
    ['blanks in front', ' a'],
    ['blanks at the end', 'a '],
    ['a folder', 'a/'],
    ['an address', 'https://example.org/a'],
    ['a name that is not composed', 'e\u0301'],
    ['a long name', 'x'.repeat(513)],
  ])('[mf.7] refuses a name that no member can have: %s', (_, name) => {
    expect(refusal(`${LINE}\nSHA256(${name})= ${HEX.sha256}`)).toBe('MANIFEST_SYNTAX 2');
  });

  it('[mf.8] reads hex of either case as lower case', () => {
    expect(parse(`SHA256(a.ovf)= ${HEX.sha256.toUpperCase()}`).entries).toEqual([ENTRY]);
  });

  test.each([
    ['one digit less', `SHA256(b)= ${HEX.sha256.slice(1)}`],
    ['one digit more', `SHA256(b)= ${HEX.sha256}0`],
    ['a SHA-1 digest for SHA-256', `SHA256(b)= ${HEX.sha1}`],
    ['a SHA-256 digest for SHA-1', `SHA1(b)= ${HEX.sha256}`],
    ['a SHA-256 digest for SHA-512', `SHA512(b)= ${HEX.sha256}`],
    ['other letters', `SHA256(b)= ${'g'.repeat(64)}`],
    ['base64', `SHA256(b)= ${'A'.repeat(43)}=`],
    ['a blank inside', `SHA256(b)= ${HEX.sha256.slice(0, 32)} ${HEX.sha256.slice(32)}`],
  ])('[mf.8] refuses %s', (_, text) => {
    expect(refusal(`${LINE}\n${text}`)).toBe('MANIFEST_SYNTAX 2');
  });

  test.each([
    '(',
    ')',
    ')=',
    ') = ',
    '= ',
    'A',
    'A(',
    ' ',
    '\t',
    '(a)= 0',
    '\n',
    '\r',
    `SHA256(a)= ${HEX.sha256} `,
  ])('[mf.1] answers at once for a manifest made of %j', (piece) => {
    const filler = piece.repeat(1_000_000 / piece.length);
    for (const text of [filler, `SHA256(${filler}`, `SHA256(a)= ${filler}`, `SHA256${filler}x`])
      soon(() => refusal(text));
  });
});

describe('formatManifest', () => {
  const entry = (
    name: string,
    digest: string = HEX.sha256,
  ): Pick<ManifestEntry, 'name' | 'algorithm' | 'digest'> => ({
    name,
    algorithm: 'sha256',
    digest,
  });

  it('[mf.9] writes the one form that every tool reads', () => {
    const bytes = formatManifest([entry('a.ovf'), { name: 'b', algorithm: 'sha512', digest: HEX.sha512 }]);
    expect(new TextDecoder().decode(bytes)).toBe(`SHA256(a.ovf)= ${HEX.sha256}\nSHA512(b)= ${HEX.sha512}\n`);
    expect(formatManifest([])).toEqual(new Uint8Array(0));
  });

  test.each([
    ['a name with a line end', [entry(`a)= ${HEX.sha256}\nSHA256(b`)], 'MANIFEST_SYNTAX'],
    ['a name that no member can have', [entry('../a')], 'MANIFEST_SYNTAX'],
    ['half a surrogate pair', [entry('a\ud800')], 'MANIFEST_SYNTAX'],
    ['a name twice', [entry('a'), entry('a')], 'MANIFEST_DUPLICATE'],
    ['no digest', [entry('a', '')], 'MANIFEST_SYNTAX'],
    ['a digest in upper case', [entry('a', HEX.sha256.toUpperCase())], 'MANIFEST_SYNTAX'],
    ['a digest of another length', [entry('a', HEX.sha1)], 'MANIFEST_SYNTAX'],
  ])('[mf.9] refuses %s', (_, entries, code) => {
    expect(codeOf(() => formatManifest(entries))).toBe(code);
  });

  it('[mf.9] is understood by its own reader or fails as a BundleError', () => {
    expect(() => formatManifest([entry('')])).toThrow(BundleError);
  });
});
