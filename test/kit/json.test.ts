import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatJson } from '../../src/kit/json.ts';

/** One of every kind that nobody sees, or that steers what is seen. */
const UNSEEN = [
  0x00, 0x1b, 0x7f, 0x80, 0x85, 0x9b, 0xa0, 0xad, 0x034f, 0x061c, 0x115f, 0x1680, 0x17b4, 0x180e, 0x200b,
  0x200e, 0x2028, 0x2029, 0x202e, 0x2060, 0x2066, 0x2800, 0x3000, 0x3164, 0xd800, 0xdfff, 0xe000, 0xfdd0,
  0xfe0f, 0xfeff, 0xffa0, 0xfff9, 0xffff, 0x0378, 0x1d173, 0x1bca0, 0xe0001, 0xe0100, 0xf0000, 0x1fffe,
  0x10ffff,
].map((code) => String.fromCodePoint(code));

describe('[show.1] JSON', () => {
  test.each(UNSEEN.map((char) => [char.codePointAt(0)?.toString(16), char] as const))(
    'holds no U+%s',
    (_, char) => {
      for (const value of [{ name: `a${char}b` }, { [`k${char}`]: [char] }, char + char]) {
        for (const form of ['line', 'indented'] as const) {
          const text = formatJson(value, form);
          expect(text).toMatch(/^[\n\x20-\x7e]*$/);
          expect(JSON.parse(text)).toEqual(value);
        }
      }
    },
  );

  test('keeps what can be seen', () => {
    expect(formatJson('Ünïcode — 中 😀', 'line')).toBe('"Ünïcode — 中 😀"');
  });

  test('has the value that it was made of', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
        const text = formatJson(value);
        expect(text).not.toMatch(/[\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Cn}\p{DI}\x7f-\xa0\u2800]/u);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});
