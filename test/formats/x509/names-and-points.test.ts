import { describe, expect, test } from 'vitest';
import { derElement, derSequence } from '../../../src/formats/der/writer.ts';
import { parseDistributionPoints } from '../../../src/formats/x509/distribution-point.ts';
import { parseGeneralNames, parseSubjectAltName } from '../../../src/formats/x509/general-name.ts';
import { hex } from '../../factory/der.ts';
import { codeOf } from '../../factory/errors.ts';
import { NAME } from '../../factory/extensions.ts';

const MALFORMED = 'CERTIFICATE_MALFORMED';
const joined = (...names: readonly Uint8Array[]) => Uint8Array.from(names.flatMap((name) => [...name]));

describe('names of subjects', () => {
  const names = (...all: readonly Uint8Array[]) =>
    codeOf(() => parseSubjectAltName(derSequence(...all), 'test'));

  test('[x509.10] are read by their kinds', () => {
    const all = [
      NAME.email('a@b'),
      NAME.dns('b'),
      NAME.uri('c:d'),
      NAME.ip(1, 2, 3, 4),
      NAME.organisation('e'),
    ];
    const read = parseSubjectAltName(derSequence(...all, NAME.other('1.2.3')), 'test');
    expect(read.map(({ kind }) => kind)).toEqual(['email', 'dns', 'uri', 'ip', 'directory', 'other']);
  });

  test.each([
    ['none at all', []],
    ['a kind that does not exist', [derElement(0x89, hex('61'))]],
    ['an empty one', [NAME.dns('')]],
    ['a NUL inside', [NAME.dns('good.example\0.evil.example')]],
    ['a line end', [NAME.email('a@b\n')]],
    ['letters beyond ASCII', [NAME.dns('b\u00fccher.example')]],
    ['an address of five octets', [NAME.ip(1, 2, 3, 4, 5)]],
    ['a directory name that is none', [derElement(0xa4, hex('05 00'))]],
    ['one of ten thousand bytes', [NAME.dns('a'.repeat(10_000))]],
  ])('[x509.10] are refused with %s', (_, all) => {
    expect(names(...all)).toBe(MALFORMED);
  });

  test('[der.7] are not more than any certificate has', () => {
    const many = (count: number) => joined(...Array.from({ length: count }, () => NAME.dns('a')));
    expect(parseGeneralNames(many(2048), 'test')).toHaveLength(2048);
    expect(codeOf(() => parseGeneralNames(many(70_000), 'test'))).toBe(MALFORMED);
  });
});

describe('distribution points', () => {
  const name = derElement(0xa0, derElement(0xa0, NAME.uri('http://x.example/')));
  const points = (...all: readonly Uint8Array[]) =>
    codeOf(() => parseDistributionPoints(derSequence(...all), 'test'));

  test('[x509.11] have a name, reasons and an issuer', () => {
    const issuer = derElement(0xa2, NAME.organisation('Lists'));
    const [point] = parseDistributionPoints(
      derSequence(derSequence(name, derElement(0x81, hex('06 40')), issuer)),
      'test',
    );
    expect(point?.name?.full?.map(({ kind }) => kind)).toEqual(['uri']);
    expect([...(point?.reasons ?? [])]).toEqual(['keyCompromise']);
    expect(point?.crlIssuer).toHaveLength(1);
    const relative = derElement(
      0xa0,
      derElement(0xa1, derSequence(hex('06 03 55 04 03'), derElement(0x0c, hex('61')))),
    );
    expect(parseDistributionPoints(derSequence(derSequence(relative)), 'test')[0]?.name?.relative).toBe(
      'CN=a',
    );
  });

  test.each([
    ['none at all', []],
    ['neither name nor issuer', [derSequence(derElement(0x81, hex('06 40')))]],
    ['an issuer without a name', [derSequence(name, derElement(0xa2))]],
    ['a name of another kind', [derSequence(derElement(0xa0, derElement(0xa2, NAME.uri('x'))))]],
    ['reasons with bits that are not zero', [derSequence(name, derElement(0x81, hex('06 41')))]],
    ['something behind', [derSequence(name, hex('05 00'))]],
    ['something else', [hex('05 00')]],
  ])('[x509.11] are refused with %s', (_, all) => {
    expect(points(...all)).toBe(MALFORMED);
  });

  test('[x509.11] are at most 64, of 64 names each: each is compared with each list', () => {
    const many = (count: number) => Array.from({ length: count }, () => derSequence(name));
    expect(points(...many(64))).toBeUndefined();
    expect(points(...many(65))).toBe(MALFORMED);
    const wide = (count: number) => Array.from({ length: count }, () => NAME.uri('x'));
    expect(points(derSequence(derElement(0xa0, derElement(0xa0, ...wide(64)))))).toBeUndefined();
    expect(points(derSequence(derElement(0xa0, derElement(0xa0, ...wide(65)))))).toBe(MALFORMED);
  });
});
