import { describe, expect, test } from 'vitest';
import {
  childrenOf,
  openDer,
  readBitString,
  readBoolean,
  readInteger,
  readOid,
  readOnly,
  readTime,
  TAG,
} from '../../../src/formats/der/cursor.ts';
import { encodeUtf8 } from '../../../src/kit/encoding.ts';
import { der, hex } from '../../factory/der.ts';
import { codeOf } from '../../factory/errors.ts';

const MALFORMED = 'CERTIFICATE_MALFORMED';
const element = (bytes: Uint8Array) => openDer(bytes, 'test').next();
const text = (tag: number, value: string) => element(der(tag, new TextEncoder().encode(value)));

describe('elements', () => {
  test('give exact slices of the input', () => {
    const bytes = hex('30 06 02 01 05 04 01 ff');
    const sequence = readOnly(bytes, 0x30, 'test');
    expect(sequence.raw).toEqual(bytes);
    const children = childrenOf(sequence, 'test');
    expect(children.map(({ tag }) => tag)).toEqual([2, 4]);
    expect(children[1]?.raw).toEqual(hex('04 01 ff'));
    expect(children[1]?.value.buffer).toBe(bytes.buffer);
  });

  test.each([
    ['indefinite length', '30 80 00 00'],
    ['long form of a short length', '04 81 01 00'],
    ['leading zero in the length', `04 82 00 80${' 00'.repeat(128)}`],
    ['five length bytes', '04 85 00 00 00 00 01 00'],
    ['reserved length byte', '04 ff'],
  ])('[der.1] only definite, minimal lengths: %s', (_, bytes) => {
    expect(codeOf(() => element(hex(bytes)))).toBe(MALFORMED);
  });

  test.each(['', '30', '30 02 01', '04 82 01', '04 84 ff ff ff ff 00'])(
    '[der.1] an early end: "%s"',
    (bytes) => {
      expect(codeOf(() => element(hex(bytes)))).toBe(MALFORMED);
    },
  );

  test('[der.1] lengths of one to three bytes are read', () => {
    for (const size of [0, 127, 128, 255, 256, 65_535, 65_536]) {
      expect(element(der(0x04, new Uint8Array(size))).value.byteLength).toBe(size);
    }
  });

  test('[der.2] tags of the long form are refused', () => {
    expect(codeOf(() => element(hex('1f 02 00')))).toBe(MALFORMED);
    expect(codeOf(() => element(hex('bf 81 00 00')))).toBe(MALFORMED);
  });

  test('[der.3] nothing may follow where one element is expected', () => {
    expect(codeOf(() => readOnly(hex('05 00 00'), 0x05, 'test'))).toBe(MALFORMED);
    const cursor = openDer(hex('05 00 05 00'), 'test');
    cursor.next();
    expect(codeOf(cursor.end)).toBe(MALFORMED);
    cursor.next();
    expect(codeOf(cursor.end)).toBeUndefined();
  });

  test('another tag than the expected one is refused and not consumed when optional', () => {
    const cursor = openDer(hex('02 01 05'), 'test');
    expect(cursor.optional(0x04)).toBeUndefined();
    expect(codeOf(() => cursor.next(0x04))).toBe(MALFORMED);
    expect(cursor.next(0x02).value).toEqual(hex('05'));
    expect(cursor.done()).toBe(true);
    expect(cursor.optional(0x02)).toBeUndefined();
  });
});

describe('values', () => {
  test.each([
    ['02 01 00', 0n],
    ['02 01 7f', 127n],
    ['02 02 00 80', 128n],
    ['02 01 80', -128n],
    ['02 02 ff 7f', -129n],
    ['02 09 00 ff ff ff ff ff ff ff ff', 2n ** 64n - 1n],
  ])('INTEGER %s', (bytes, value) => {
    expect(readInteger(element(hex(bytes)), 'test')).toBe(value);
  });

  test.each([
    ['INTEGER without contents', '02 00', readInteger],
    ['INTEGER with a leading zero', '02 02 00 7f', readInteger],
    ['negative INTEGER with a leading FF', '02 02 ff 80', readInteger],
    ['BOOLEAN 01', '01 01 01', readBoolean],
    ['BOOLEAN of two bytes', '01 02 ff ff', readBoolean],
    ['BOOLEAN without contents', '01 00', readBoolean],
    ['OID without contents', '06 00', readOid],
    ['OID with a leading 80', '06 03 55 80 03', readOid],
    ['OID that ends early', '06 02 55 9d', readOid],
    ['BIT STRING without contents', '03 00', readBitString],
    ['BIT STRING with 8 unused bits', '03 02 08 00', readBitString],
    ['BIT STRING with unused bits of nothing', '03 01 01', readBitString],
    ['BIT STRING with unused bits that are set', '03 02 01 81', readBitString],
    ['a value of another type', '05 00', readInteger],
    ['an OID of another type', '05 00', readOid],
  ])(
    '[der.4] values have one spelling: %s',
    (_, bytes, read: (e: ReturnType<typeof element>, what: string) => unknown) => {
      expect(codeOf(() => read(element(hex(bytes)), 'test'))).toBe(MALFORMED);
    },
  );

  test('[der.4] INTEGER and OBJECT IDENTIFIER are bounded', () => {
    expect(codeOf(() => readInteger(element(der(0x02, new Uint8Array(65).fill(1))), 'test'))).toBe(MALFORMED);
    expect(codeOf(() => readOid(element(der(0x06, new Uint8Array(129).fill(1))), 'test'))).toBe(MALFORMED);
  });

  test.each([
    ['06 03 55 1d 13', '2.5.29.19'],
    ['06 09 2a 86 48 86 f7 0d 01 01 0b', '1.2.840.113549.1.1.11'],
    ['06 01 27', '0.39'],
    ['06 03 88 37 03', '2.999.3'],
    [`06 14 69 83 ${'ff '.repeat(17)}7f`, '2.25.340282366920938463463374607431768211455'],
  ])('OBJECT IDENTIFIER %s', (bytes, dotted) => {
    expect(readOid(element(hex(bytes)), 'test')).toBe(dotted);
  });

  test('BOOLEAN and BIT STRING', () => {
    expect(readBoolean(element(hex('01 01 ff')), 'test')).toBe(true);
    expect(readBoolean(element(hex('01 01 00')), 'test')).toBe(false);
    expect(readBitString(element(hex('03 02 01 06')), 'test')).toEqual({ bytes: hex('06'), unused: 1 });
  });

  test.each([
    [0x17, '491231235959Z', '2049-12-31T23:59:59.000Z'],
    [0x17, '500101000000Z', '1950-01-01T00:00:00.000Z'],
    [0x18, '20500101000000Z', '2050-01-01T00:00:00.000Z'],
    [0x18, '99991231235959Z', '9999-12-31T23:59:59.000Z'],
    [0x18, '20240229120000Z', '2024-02-29T12:00:00.000Z'],
  ])('[der.5] time %i %s', (tag, written, iso) => {
    expect(readTime(text(tag, written), 'test').toISOString()).toBe(iso);
  });

  test.each([
    [0x17, '2601010000Z'],
    [0x17, '260101000000'],
    [0x17, '260101000000+0000'],
    [0x17, '20260101000000Z'],
    [0x18, '20260101000000.5Z'],
    [0x18, '20260229000000Z'],
    [0x18, '20260101240000Z'],
    [0x18, '20260101000060Z'],
    [0x18, '00000000000000Z'],
    [0x04, '260101000000Z'],
  ])('[der.5] no such time: %i %s', (tag, written) => {
    expect(codeOf(() => readTime(text(tag, written), 'test'))).toBe(MALFORMED);
  });
});

test('[der.5] a time is read as the calendar has it, from the year 0 to 9999', () => {
  const read = (text: string) =>
    readTime(
      { tag: TAG.generalizedTime, value: encodeUtf8(text), raw: new Uint8Array() },
      'a test',
    ).toISOString();
  for (let day = Date.parse('0000-01-01T00:00:00Z'); day < 253_402_300_799_000; day += 86_400_000 * 377.7) {
    const iso = new Date(Math.floor(day / 1000) * 1000).toISOString();
    expect(read(iso.replace(/[-:T]|\.000/g, ''))).toBe(iso);
  }
  for (const text of [
    '20230229000000Z',
    '21000229000000Z',
    '20230431000000Z',
    '20230100000000Z',
    '20231301000000Z',
  ])
    expect(() => read(text), text).toThrow(/no such time/);
  for (const text of ['20230101240000Z', '20230101006000Z', '20230101000060Z', '20230001000000Z'])
    expect(() => read(text), text).toThrow(/no such time/);
});
