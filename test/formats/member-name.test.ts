import { describe, expect, it, test } from 'vitest';
import { memberNameFault, memberNameKey } from '../../src/formats/member-name.ts';
import { DEFAULT_LIMITS } from '../../src/kit/limits.ts';

const fault = (name: string, limits = {}) => memberNameFault(name, { ...DEFAULT_LIMITS, ...limits });

describe('memberNameFault', () => {
  test.each([
    ['a plain name', 'disk1.vmdk'],
    ['a folder', 'images/disk1.vmdk'],
    ['a dot in front', '.nvram'],
    ['blanks inside', 'my disk.vmdk'],
    ['parentheses, equals signs and commas', 'disk (1)=a,b;c.vmdk'],
    ['letters of any script', 'größe-образ-磁碟.img'],
    ['an emoji', 'disk-💾.img'],
    ['three dots and more inside', 'a...b'],
    ['a device as part of a word', 'console.log/null/aux1/com/com10'],
    ['a tilde inside', 'a~1'],
    ['a hyphen in front', '-rf'],
    ['a percent sign', '%2e%2e'],
  ])('[name.1] accepts %s', (_, name) => {
    expect(fault(name)).toBeUndefined();
  });

  test.each([...'\\:*?"<>|'])('[name.1] refuses the character %s', (char) => {
    expect(fault(`a${char}b`)).toBe(`the name holds the character "${char}"`);
  });

  test.each([
    ['a drive', 'C:\\windows'],
    ['a name on a drive', 'C:x'],
    ['a path of Windows', '..\\..\\x'],
    ['a network path', '\\\\host\\share'],
    ['a stream of a file', 'a.txt:ads'],
  ])('[name.1] refuses %s', (_, name) => {
    expect(fault(name)).toMatch(/holds the character/);
  });

  test.each([
    ['NUL', 'a\0b'],
    ['a line feed', 'a\nb'],
    ['a carriage return', 'a\rb'],
    ['an escape', 'a\x1b[2Jb'],
    ['DEL', 'a\x7f'],
    ['a control of Latin-1', 'a\x9bb'],
    ['a right-to-left override', 'a\u202evmdk'],
    ['an isolate', 'a\u2066b'],
    ['a zero-width joiner', 'a\u200db'],
    ['a byte order mark', '\ufeffa'],
    ['a soft hyphen', 'a\u00adb'],
    ['a tag', 'a\u{e0041}'],
    ['a line separator', 'a\u2028b'],
    ['a paragraph separator', 'a\u2029b'],
    ['half a surrogate pair', 'a\ud800b'],
    ['private use', 'a\ue000'],
    ['an unassigned code point', 'a\u0378'],
    ['a noncharacter', 'a\uffff'],
  ])('[name.2] refuses %s', (_, name) => {
    expect(fault(name)).toBe('the name holds a control, format or unassigned character');
  });

  test.each([
    ['the Hangul filler', '\u3164', 'U+3164'],
    ['the leading Hangul filler', '\u115f', 'U+115F'],
    ['the half-width Hangul filler', '\uffa0', 'U+FFA0'],
    ['the grapheme joiner', '\u034f', 'U+034F'],
    ['a variation selector', '\ufe0f', 'U+FE0F'],
    ['a variation selector beyond the first plane', '\u{e0100}', 'U+E0100'],
    ['a Mongolian variation selector', '\u180b', 'U+180B'],
    ['an inherent vowel of Khmer', '\u17b4', 'U+17B4'],
    ['the blank pattern of Braille', '\u2800', 'U+2800'],
    ['the null notehead', '\u{1d159}', 'U+1D159'],
    ['the Khitan filler', '\u{16fe4}', 'U+16FE4'],
    ['the Brahmi number joiner', '\u{1107f}', 'U+1107F'],
    ['the Tifinagh joiner', '\u2d7f', 'U+2D7F'],
    ['the object replacement character', '\ufffc', 'U+FFFC'],
    ['the replacement character', '\ufffd', 'U+FFFD'],
    ['a no-break space', '\u00a0', 'U+00A0'],
    ['an Ogham space', '\u1680', 'U+1680'],
    ['an ideographic space', '\u3000', 'U+3000'],
    ['a thin space', '\u2009', 'U+2009'],
  ])('[name.2] refuses what is not seen: %s', (_, char, code) => {
    const escaped = `\\u{${code.slice(2).replace(/^0+/, '').toLowerCase()}}`;
    for (const name of [`system${char}.img`, `${char}system.img`, `a/system.img${char}`, char]) {
      const why = `the name holds ${escaped}, which is not seen or looks like a blank`;
      expect(fault(name)).toBe(why);
    }
  });

  it('[name.2] takes no name for a good one that holds any character of a class that is not seen', () => {
    for (let code = 0x80; code < 0x11_0000; code++) {
      if (code >= 0xd800 && code < 0xe000) continue;
      const char = String.fromCodePoint(code);
      if (!/[\p{Default_Ignorable_Code_Point}\p{White_Space}\p{C}\p{Z}]/u.test(char)) continue;
      if (fault(`a${char}b`) === undefined) expect.fail(`U+${code.toString(16)}`);
    }
  });

  test.each(['\u0301a', 'a/\u20dd', '\u0345.img'])('[name.2] refuses a mark on nothing: %j', (name) => {
    expect(fault(name)).toMatch(/combining mark/);
  });

  test.each(['pax_global_header', 'a/pax_global_header', 'pax_global_header/a'])(
    '[name.11] refuses %s',
    (name) => {
      expect(fault(name)).toMatch(/some readers leave out/);
      expect(fault(name.replace('header', 'headers'))).toBeUndefined();
    },
  );

  test.each(['disk.raw;1', 'disk.raw;', 'disk.raw;007', 'a;12/b', 'a/b;3'])(
    '[name.12] refuses %s',
    (name) => {
      expect(fault(name)).toMatch(/some readers leave out/);
      expect(fault(name.replace(/;\d*/, ';x'))).toBeUndefined();
    },
  );

  test.each([
    ['a letter and an accent', 'gro\u0308\u00dfe'],
    ['the ångström sign', '\u212b'],
    ['Hangul in parts', '\u1112\u1161'],
  ])('[name.2] refuses what is not composed: %s', (_, name) => {
    expect(fault(name)).toMatch(/form C/);
    expect(fault(name.normalize('NFC'))).toBeUndefined();
  });

  test.each([
    ['nothing', '', /empty/],
    ['an absolute name', '/etc/passwd', /absolute/],
    ['two slashes in front', '//a', /absolute/],
    ['a part that goes up', '../a', /the part ".."/],
    ['a part inside that goes up', 'a/../../b', /the part ".."/],
    ['nothing but up', '..', /the part ".."/],
    ['up at the end', 'a/..', /the part ".."/],
    ['this folder', './a', /the part "."/],
    ['nothing but this folder', '.', /the part "."/],
    ['a slash at the end', 'a/', /empty part/],
    ['two slashes', 'a//b', /empty part/],
    ['a dot at the end', 'a.', /ends in a dot/],
    ['a blank at the end', 'a ', /blank/],
    ['a dot at the end of a folder', 'a./b', /ends in a dot/],
    ['three dots', '...', /ends in a dot/],
    ['a blank in front', ' a', /begins with/],
    ['a blank in front of a part', 'a/ b', /begins with/],
    ['a home folder', '~root', /begins with/],
    ['a home folder inside', 'a/~', /begins with/],
  ])('[name.3] refuses %s', (_, name, message) => {
    expect(fault(name)).toMatch(message);
  });

  test.each([
    ...['CON', 'con', 'PRN', 'aux', 'NUL', 'nul.txt', 'NUL.tar.gz', 'COM1', 'com0', 'lpt9.vmdk'],
    ...['COM¹', 'lpt³.img', 'CONIN$', 'conout$', 'con .txt', 'a/nul/b'],
  ])('[name.3] refuses the device %s', (name) => {
    expect(fault(name)).toMatch(/is a device/);
  });

  it('[name.6] counts the bytes of the name, of its parts, and the folders', () => {
    const long = Array.from({ length: 4 }, () => 'x'.repeat(127)).join('/');
    expect(fault(`${long}y`)).toBeUndefined();
    expect(fault(`${long}yz`)).toBe('the name is longer than 512 bytes');
    expect(fault('ü'.repeat(127))).toBeUndefined();
    expect(fault('ü'.repeat(128))).toBe('a part of the name is longer than 255 bytes');
    expect(fault('a/b/c/d/e/f/g/h/i')).toBeUndefined();
    expect(fault('a/b/c/d/e/f/g/h/i/j')).toBe('the name lies more than 8 folders deep');
    expect(fault('a', { nameDepth: 0 })).toBeUndefined();
    expect(fault('a/b', { nameDepth: 0 })).toMatch(/0 folders/);
  });

  it('[name.6] answers at once for a name of any length', () => {
    for (const part of ['a', '/', '.', ' ', '~', 'con.', '\u0301', 'ﷺ']) {
      expect(fault(part.repeat(1_000_000))).toBe('the name is longer than 512 bytes');
    }
  });
});

describe('memberNameKey', () => {
  test.each([
    ['case', 'Disk.VMDK', 'disk.vmdk'],
    ['sharp s', 'straße', 'STRASSE'],
    ['capital sharp s', 'STRAẞE', 'strasse'],
    ['long s', 'ſ', 's'],
    ['final sigma', 'ΟΔΟΣ', 'οδοσ'],
    ['both sigmas', 'ς', 'σ'],
    ['the Kelvin sign', '\u212a', 'k'],
    ['ligatures', 'ﬁle', 'file'],
    ['wide letters', 'ｄｉｓｋ', 'disk'],
    ['superscripts', 'disk²', 'disk2'],
    ['composition', 'é', 'e\u0301'],
    ['letters whose capital is decomposed', 'ΐ', '\u03b9\u0308\u0301'],
    ['dotless i, which some fold and some do not', 'ı', 'i'],
  ])('[name.5] folds %s', (_, a, b) => {
    expect(memberNameKey(a)).toBe(memberNameKey(b));
  });

  test.each([
    ['a', 'b'],
    ['a', 'a1'],
    ['é', 'e'],
    ['a b', 'ab'],
    ['а (Cyrillic)', 'a (Latin)'],
  ])('[name.5] keeps %s and %s apart', (a, b) => {
    expect(memberNameKey(a)).not.toBe(memberNameKey(b));
  });

  it('[name.5] gives a key that is its own key, for every character', () => {
    for (let code = 0; code < 0x3_0000; code++) {
      if (code >= 0xd800 && code < 0xe000) continue;
      const key = memberNameKey(String.fromCodePoint(code));
      if (memberNameKey(key) !== key) expect.fail(`U+${code.toString(16)}`);
    }
  });
});
