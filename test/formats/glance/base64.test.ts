import { describe, expect, test } from 'vitest';
import { decodeLenientBase64, decodeStrictBase64 } from '../../../src/formats/glance/base64.ts';
import { readSignatureText } from '../../../src/formats/glance/signature-text.ts';

/** Hex of the bytes, or the fault. */
function lenient(text: string): string {
  const read = decodeLenientBase64(text);
  return read.kind === 'bytes' ? Buffer.from(read.bytes).toString('hex') : read.fault;
}

describe('[glance.10] base64 as CPython reads it', () => {
  // each was given to b64decode of CPython 3.11
  test.each([
    ['', ''],
    ['AAEC', '000102'],
    ['AAE=', '0001'],
    ['AA==', '00'],
    ['A A\r\n=\t=', '00'],
    ['AA==AAAA', '00'],
    ['AAE=x', '0001'],
    ['AA=A', 'length'],
    ['AA=A=', '0000'],
    ['=AAEC', '000102'],
    ['AAEC=', '000102'],
    ["b'AAEC'", 'length'],
    ["b'AAE='", '6c0004'],
    ['AA-EC_', '000102'],
    ['A', 'length'],
    ['AA', 'length'],
    ['AA=', 'length'],
    ['AAE', 'length'],
    ['AAECA', 'length'],
    ['AAé=', 'not-ascii'],
  ])('%j is %s', (text, expected) => expect(lenient(text)).toBe(expected));
});

describe('[glance.9] base64 as bulla reads it', () => {
  test.each([
    ['AAEC', '000102'],
    [' AA\nE=\r\n', '0001'],
  ])('%j is %s', (text, expected) =>
    expect(Buffer.from(decodeStrictBase64(text) ?? []).toString('hex')).toBe(expected),
  );

  test.each(['AA', 'AAE', 'AA==AAAA', 'AA=A', 'AB==', 'AA-_', 'AA.=', 'é'])('%j is nothing', (text) =>
    expect(decodeStrictBase64(text)).toBeUndefined(),
  );
});

describe('[glance.13] mistakes in the text of a signature are told by name', () => {
  const good = Buffer.alloc(256, 0xfb).toString('base64');
  test.each([
    [' \n', /is empty/],
    [`b'${good}'`, /as Python writes bytes.*--sign-key-path/],
    [`b"${good}"`, /as Python writes bytes/],
    [good.replaceAll('+', '-').replaceAll('/', '_'), /url-safe/],
    [Buffer.alloc(256, 0xab).toString('hex'), /hexadecimal/],
    [`-----BEGIN PUBLIC KEY-----\n${good}`, /PEM/],
    [good.replace(/=+$/, ''), /without its padding/],
    [good.slice(0, 101), /cut short/],
    [`${good}AAAA`, /goes on behind its padding/],
    [`${good.slice(0, 10)}é${good.slice(10)}`, /no ASCII/],
    [`${good.slice(0, 8)}....${good.slice(8)}`, /not base64/],
  ])('%j', (text, problem) => {
    const read = readSignatureText(text);
    expect('problem' in read ? read.problem : 'none').toMatch(problem);
  });

  test('wrapped base64 is none', () => {
    expect(readSignatureText(good.replace(/.{64}/g, '$&\r\n'))).toEqual(new Uint8Array(256).fill(0xfb));
  });
});
