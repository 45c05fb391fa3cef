import { expect, it, test } from 'vitest';
import {
  decodeLatin1,
  decodeUtf8,
  encodeUtf8,
  formatBase64,
  formatHex,
  parseBase64,
  parseHex,
  printable,
} from '../../src/kit/encoding.ts';

test.each([
  ['ASCII', [0x61], 'a'],
  ['two bytes', [0xc3, 0xbc], 'ü'],
  ['four bytes', [0xf0, 0x9f, 0x92, 0xbe], '💾'],
  ['a byte order mark, which stays', [0xef, 0xbb, 0xbf, 0x61], '\ufeffa'],
  ['NUL', [0], '\0'],
  ['nothing', [], ''],
])('decodes %s', (_, bytes, text) => {
  expect(decodeUtf8(Uint8Array.from(bytes))).toBe(text);
  expect([...encodeUtf8(text)]).toEqual(bytes);
});

test.each([
  ['a byte that begins nothing', [0x61, 0xff]],
  ['a byte that only goes on', [0x80]],
  ['a cut sequence', [0xc3]],
  ['an overlong slash', [0xc0, 0xaf]],
  ['an overlong NUL', [0xc0, 0x80]],
  ['a surrogate', [0xed, 0xa0, 0x80]],
  ['beyond Unicode', [0xf4, 0x90, 0x80, 0x80]],
  ['Latin-1', [0x67, 0x72, 0xf6]],
])('[name.6] does not decode %s, and the next text is not affected', (_, bytes) => {
  expect(decodeUtf8(Uint8Array.from(bytes))).toBeUndefined();
  expect(decodeUtf8(Uint8Array.of(0x61))).toBe('a');
});

it('writes and reads hex', () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
  expect(formatHex(Uint8Array.of(0, 10, 255))).toBe('000aff');
  expect(parseHex(formatHex(bytes))).toEqual(bytes);
  expect(parseHex(formatHex(bytes).toUpperCase())).toEqual(bytes);
  expect(parseHex('')).toEqual(new Uint8Array(0));
});

test.each(['0', '0g', ' 00', '00 ', '0x00', '00\n', '-1', '٠٠'])('does not read %j as hex', (text) => {
  expect(parseHex(text)).toBeUndefined();
});

it('writes and reads base64', () => {
  for (let length = 0; length < 70; length++) {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 97 + length) % 256);
    expect(formatBase64(bytes)).toBe(Buffer.from(bytes).toString('base64'));
    expect(parseBase64(formatBase64(bytes))).toEqual(bytes);
  }
});

test.each([
  ...['A', 'AA', 'AAA', 'AAA==', 'A===', '====', 'AA=A', 'AAAA====', 'AB==', 'AAB=', 'AA==AAAA'],
  ...['AA-_', ' AAAA', 'AAAA\n', 'AA A', 'AAA\u00e9'],
])('does not read %j as base64', (text) => {
  expect(parseBase64(text)).toBeUndefined();
});

test.each([
  ['a plain text', 'plain text – größe'],
  ['an escape', 'a\x1b[2J', 'a\\u{1b}[2J'],
  ['a line end', 'a\nb', 'a\\u{a}b'],
  ['a right-to-left override', '\u202ea', '\\u{202e}a'],
  ['a tag', '\u{e0041}', '\\u{e0041}'],
  ['half a surrogate pair', '\ud800', '\\u{d800}'],
  ['a line separator', '\u2028', '\\u{2028}'],
  ['private use', '\ue000', '\\u{e000}'],
  ['what looks like nothing', 'a\u3164\u2800 \u00a0b', 'a\\u{3164}\\u{2800} \\u{a0}b'],
])('[name.2] shows %s for one line of output', (_, text, shown = text) => {
  expect(printable(text)).toBe(shown);
});

test('gives one character for each byte, also where windows-1252 differs', () => {
  const bytes = Uint8Array.from({ length: 10_000 }, (_, i) => i % 256);
  expect(Array.from(decodeLatin1(bytes), (char) => char.charCodeAt(0))).toEqual([...bytes]);
});
