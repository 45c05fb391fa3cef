import { describe, expect, it, test } from 'vitest';
import {
  formatTarHeader,
  hasTarChecksum,
  headerName,
  isZeroBlock,
  OCTAL_LIMIT,
  parseTarHeader,
} from '../../../src/formats/tar/header.ts';
import { decodeUtf8, encodeUtf8 } from '../../../src/kit/encoding.ts';
import { codeOf } from '../../factory/errors.ts';
import {
  base256,
  checksumOf,
  type HeaderFields,
  header,
  latin1,
  MAGIC,
  withChecksum,
} from '../../factory/tar.ts';

function parse(fields: HeaderFields): { kind: string; name: string | undefined; size: number } {
  const { kind, name, size } = parseTarHeader(header(fields));
  return { kind, name: decodeUtf8(name), size };
}

const refusal = (fields: HeaderFields) => codeOf(() => parseTarHeader(header(fields)));

test.each<[string, HeaderFields, Partial<ReturnType<typeof parse>>]>([
  ['[tar.1] reads POSIX ustar', { name: 'a', size: 5 }, { kind: 'file', name: 'a', size: 5 }],
  ['[tar.1] reads a GNU header', { name: 'a', magic: MAGIC.gnu }, { name: 'a' }],
  ['[tar.1] reads what ovftool writes', { name: 'a', magic: MAGIC.ovftool }, { name: 'a' }],
  ['[tar.1] joins prefix and name', { prefix: 'dir/sub', name: 'a' }, { name: 'dir/sub/a' }],
  ['[tar.1] reads a name of 100 bytes', { name: 'n'.repeat(100) }, { name: 'n'.repeat(100) }],
  [
    '[tar.1] reads a prefix of 155 bytes',
    { name: 'a', prefix: 'p'.repeat(155) },
    { name: `${'p'.repeat(155)}/a` },
  ],
  ['[tar.1] reads a name in UTF-8', { name: encodeUtf8('größe') }, { name: 'größe' }],
  ['[tar.1] gives a name that is not UTF-8 as it is', { name: 'a\xff' }, { name: undefined }],
  ['[tar.2] reads a checksum of blanks and digits', { checksum: `${sum({})}\0 ` }, {}],
  ['[tar.2] reads a checksum before a NUL', { checksum: `${sum({}).padStart(7)}\0` }, {}],
  ['[tar.3] reads eleven digits', { size: '77777777777\0' }, { size: OCTAL_LIMIT - 1 }],
  ['[tar.3] reads twelve digits', { size: '777777777777' }, { size: 8 ** 12 - 1 }],
  ['[tar.3] reads blanks before the digits', { size: '          7\0' }, { size: 7 }],
  ['[tar.3] reads blanks and NULs behind a NUL', { size: '7\0 \0 \0      ' }, { size: 7 }],
  [
    '[tar.11] reads owners and times that end in a blank',
    { uid: '000001 \0', gid: '0000001 ', mtime: '00000000001 ' },
    {},
  ],
  ['[tar.3] reads a size of zero', { size: '00000000000\0' }, { size: 0 }],
  ['[tar.3] reads base-256', { size: base256(9_000_000_000n) }, { size: 9_000_000_000 }],
  ['[tar.3] reads base-256 from 8 GiB on', { size: base256(BigInt(OCTAL_LIMIT)) }, { size: OCTAL_LIMIT }],
  [
    '[tar.3] reads base-256 up to 2^53 − 1',
    { size: base256(2n ** 53n - 1n) },
    { size: Number.MAX_SAFE_INTEGER },
  ],
  ['[tar.3] reads device numbers, and blanks in their place', { device: '0000000\0        ' }, {}],
  ['[tar.3] reads ids that are NUL', { uid: '\0'.repeat(8), gid: '\0'.repeat(8) }, {}],
  [
    '[tar.3] reads ids and times in base-256',
    { uid: '\x80\0\0\0\xff\xff\xff\xff', gid: '\x80', mtime: '\x80\0\0\0\0\x01' },
    {},
  ],
  ['[tar.4] reads the type 0', { type: '0' }, { kind: 'file' }],
  ['[tar.4] reads the type NUL as a file', { type: '\0' }, { kind: 'file' }],
  ['[tar.4] reads the type x', { type: 'x', size: 20 }, { kind: 'pax', size: 20 }],
  ['[tar.5] reads a mode with its file type bits', { mode: '0100644\0' }, {}],
])('%s', (_, fields, expected) => {
  expect(parse(fields)).toMatchObject(expected);
});

test.each<[string, HeaderFields]>([
  ['[tar.1] refuses a header without magic', { magic: MAGIC.v7 }],
  ['[tar.1] refuses another version', { magic: 'ustar\x0001' }],
  ['[tar.1] refuses letters in upper case', { magic: 'USTAR\x0000' }],
  ['[tar.1] refuses a GNU header with times', { magic: MAGIC.gnu, prefix: '00000000000\0' }],
  ['[tar.1] refuses a GNU header with a prefix', { magic: MAGIC.gnu, prefix: 'a' }],
  ['[tar.1] refuses a GNU header with its last byte set', { magic: MAGIC.gnu, tail: `${'\0'.repeat(11)}x` }],
  ['[tar.1] refuses an ovftool header with a prefix', { magic: MAGIC.ovftool, prefix: 'a' }],
  ['[tar.2] refuses a checksum that is one too high', { checksum: sum({}, 1) }],
  ['[tar.2] refuses a checksum that is one too low', { checksum: sum({}, -1) }],
  ['[tar.3] refuses a checksum without anything behind it', { checksum: sum({}).padStart(8) }],
  ['[tar.3] refuses a checksum of eight digits', { checksum: sum({}).padStart(8, '0') }],
  ['[tar.2] refuses a checksum of NULs', { checksum: '\0'.repeat(8) }],
  ['[tar.2] refuses a checksum of blanks', { checksum: ' '.repeat(8) }],
  ['[tar.2] refuses letters behind the checksum', { checksum: `${sum({})}x` }],
  ['[tar.2] refuses the signed sum', { name: '\xff\xff', checksum: sum({ name: '\xff\xff' }, -512) }],
  ['[tar.11] refuses a size before a blank', { size: '00000000007 ' }],
  ['[tar.11] refuses a size before a blank and a NUL', { size: '0000000007 \0' }],
  ['[tar.11] refuses a size behind and before blanks', { size: '          7 ' }],
  ['[tar.11] refuses a size of zero before a blank', { size: '00000000000 ' }],
  ['[tar.11] refuses a mode before a blank, which is setuid to cpio', { mode: '0000475 ' }],
  ['[tar.11] refuses a mode before a blank and a NUL', { mode: '000644 \0' }],
  ['[tar.11] refuses a checksum before a blank', { checksum: `${sum({}).padStart(7)} ` }],
  ['[tar.11] refuses a checksum before two blanks', { checksum: `${sum({})}  ` }],
  ['[tar.11] refuses a checksum before a blank and a NUL', { checksum: `${sum({})} \0` }],
  ['[tar.11] refuses the size of a pax header before a blank', { type: 'x', size: '00000000007 ' }],
  ['[tar.3] refuses letters behind the digits', { size: '6zz\0' }],
  ['[tar.3] refuses digits after a blank', { size: '6 0001\0' }],
  ['[tar.3] refuses digits after a NUL', { size: '6\x000001\0' }],
  ['[tar.3] refuses the digit 8', { size: '00000000008\0' }],
  ['[tar.3] refuses a sign', { size: '-1\0' }],
  ['[tar.3] refuses a plus', { size: '+6\0' }],
  ['[tar.3] refuses a tab', { size: '\t6\0' }],
  ['[tar.3] refuses an empty size', { size: '' }],
  ['[tar.3] refuses a size of blanks', { size: ' '.repeat(12) }],
  ['[tar.3] refuses base-256 below 8 GiB', { size: base256(BigInt(OCTAL_LIMIT - 1)) }],
  ['[tar.3] refuses zero in base-256', { size: base256(0n) }],
  ['[tar.3] refuses 0x81 in front of base-256', { size: base256(6n, 0x81) }],
  ['[tar.3] refuses 0xc0 in front of base-256', { size: base256(6n, 0xc0) }],
  ['[tar.3] refuses 0xfe in front of base-256', { size: base256(6n, 0xfe) }],
  ['[tar.3] refuses −1 in base-256', { size: new Uint8Array(12).fill(0xff) }],
  ['[tar.3] refuses −2^87 in base-256', { size: base256(0n, 0xff) }],
  ['[tar.3] refuses an empty mode', { mode: '' }],
  ['[tar.3] refuses a mode in base-256', { mode: '\x80\0\0\0\0\0\x01\xa4' }],
  ['[tar.3] refuses an id that is no number', { uid: '12x\0' }],
  ['[tar.3] refuses a group that is no number', { gid: '-1\0' }],
  ['[tar.3] refuses an id beyond 32 bits', { uid: '\x80\0\0\x01' }],
  ['[tar.3] refuses a time beyond 2^53', { mtime: '\x80\0\0\0\x7f' }],
  ['[tar.3] refuses a device number that is none', { device: '\x02' }],
  ['[tar.3] refuses a second device number that is none', { device: '\0\0\0\0\0\0\0\0x' }],
  ['[tar.3] refuses a negative id', { uid: '\xff'.repeat(8) }],
  ['[tar.3] refuses an empty time', { mtime: '' }],
  ['[tar.3] refuses a negative time', { mtime: '\xff'.repeat(12) }],
  ['[tar.3] refuses the numbers of a pax header alike', { type: 'x', mode: '9' }],
  ['[tar.5] refuses a link target', { link: 'target' }],
  ['[tar.5] refuses a link target behind a NUL', { link: '\0x' }],
  ['[tar.5] refuses the setuid bit', { mode: '0004755\0' }],
  ['[tar.5] refuses the setgid bit', { mode: '0002755\0' }],
  ['[tar.5] refuses the sticky bit', { mode: '0001755\0' }],
  ['[tar.5] refuses bytes behind the NUL of the name', { name: 'a\0b' }],
  ['[tar.5] refuses the last byte of the name behind a NUL', { name: `a${'\0'.repeat(98)}b` }],
  ['[tar.5] refuses bytes behind the NUL of the prefix', { prefix: 'a\0b' }],
  ['[tar.5] refuses the mark of star', { tail: `${'\0'.repeat(8)}tar\0` }],
  ['[tar.5] refuses any byte behind the prefix', { tail: 'x' }],
  ['[pax.1] refuses a pax header made as a GNU header', { type: 'x', magic: MAGIC.gnu, size: 20 }],
])('%s', (_, fields) => {
  expect(refusal(fields)).toBe('ARCHIVE_HEADER');
});

test.each([
  ['1', /hard link/],
  ['2', /symbolic link/],
  ['3', /character device/],
  ['4', /block device/],
  ['5', /folder/],
  ['6', /named pipe/],
  ['7', /contiguous/],
  ['g', /git archive/],
  ['L', /GNU long file name/],
  ['K', /GNU long link/],
  ['S', /sparse/],
  ['D', /GNU folder/],
  ['M', /continuation/],
  ['N', /old GNU/],
  ['V', /volume label/],
  ['X', /Solaris/],
  ['A', /unknown type "A"/],
  ['8', /unknown type "8"/],
  ['\x1b', /unknown type "\\u\{1b\}"/],
  ['\xff', /unknown type/],
])('[tar.4] refuses the type %j by name', (type, message) => {
  for (const size of [0, 512]) {
    for (const magic of [MAGIC.posix, MAGIC.gnu]) {
      const parse = () => parseTarHeader(header({ type, size, magic }));
      expect(codeOf(parse)).toBe('ARCHIVE_TYPE');
      expect(parse).toThrow(message);
    }
  }
});

it('[tar.9] refuses a size over 2^53 − 1 as a limit', () => {
  for (const size of [2n ** 53n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 88n - 1n]) {
    expect(refusal({ size: base256(size) })).toBe('ARCHIVE_LIMIT');
  }
});

it('[tar.2] refuses every header with one byte changed, or reads the same', () => {
  const good = header({ name: 'disk.vmdk', size: 1234 });
  const reference = parseTarHeader(good);
  for (let at = 0; at < 512; at++) {
    for (const mask of [0x01, 0x20, 0x80, 0xff]) {
      const block = good.slice();
      block[at] = (block[at] ?? 0) ^ mask;
      const code = codeOf(() => expect(parseTarHeader(block)).toEqual(reference));
      if (at < 148 || at > 155) expect(code, `byte ${at}`).toBe('ARCHIVE_HEADER');
    }
  }
});

it('[tar.2] knows a header by its checksum alone', () => {
  expect(hasTarChecksum(header({ magic: MAGIC.v7 }))).toBe(true);
  expect(hasTarChecksum(new Uint8Array(512))).toBe(false);
  expect(hasTarChecksum(header({ checksum: '0' }))).toBe(false);
});

it('[tar.8] knows a zero block', () => {
  expect(isZeroBlock(new Uint8Array(512))).toBe(true);
  expect(isZeroBlock(latin1(`${'\0'.repeat(511)}\x01`))).toBe(false);
});

it('[name.2] shows the name of a header that is refused without what steers a terminal', () => {
  expect(headerName(header({ name: 'a\x1b[2J' }))).toBe('a\\u{1b}[2J');
  expect(headerName(header({ name: 'n'.repeat(100) }))).toBe('n'.repeat(100));
});

describe('formatTarHeader', () => {
  test.each([
    ['a name', 'disk.vmdk', 0],
    ['a size', 'a', OCTAL_LIMIT - 1],
    ['a name of 100 bytes', 'n'.repeat(100), 1],
    ['a name in UTF-8', 'größe.ovf', 1],
    ['a long name below a folder', `${'d'.repeat(99)}/${'n'.repeat(99)}`, 1],
    ['the longest name', `${'d'.repeat(155)}/${'n'.repeat(100)}`, 1],
    ['a long name in many folders', 'folder/'.repeat(15).concat('name'), 1],
    ['a size of 8 GiB', 'a', OCTAL_LIMIT],
    ['a size over 8 GiB', 'a', 9_000_000_000],
    ['a size of 2^53 − 1', 'a', Number.MAX_SAFE_INTEGER],
    ['a name of 100 bytes with a size over 8 GiB', 'n'.repeat(100), OCTAL_LIMIT],
  ])('[tar.10] writes %s as it is read', (_, name, size) => {
    const block = formatTarHeader({ name, size, mtime: 1_795_302_481 });
    expect(block.byteLength).toBe(512);
    const read = parseTarHeader(block);
    expect([read.kind, decodeUtf8(read.name), read.size]).toEqual(['file', name, size]);
  });

  it('[tar.10] writes mode 0644, owner 0, octal sizes, and the rest zero', () => {
    const block = formatTarHeader({ name: 'a', size: 8, mtime: 9 });
    const expected = header({ name: 'a', size: 8, mtime: '00000000011\0' });
    expect(block).toEqual(expected);
  });

  it('[tar.10] writes sizes from 8 GiB on in base-256, in a GNU header', () => {
    const block = formatTarHeader({ name: 'a', size: 9_000_000_000, mtime: 0 });
    expect([...block.subarray(124, 136)]).toEqual([0x80, 0, 0, 0, 0, 0, 0, 2, 0x18, 0x71, 0x1a, 0]);
    expect(block.subarray(257, 265)).toEqual(latin1(MAGIC.gnu));
    expect(block).toEqual(withChecksum(block));
    expect(hasTarChecksum(block)).toBe(true);
    expect(checksumOf(block)).toBeGreaterThan(0);
  });

  test.each([
    ['101 bytes without a folder', 'n'.repeat(101), 1],
    ['a name part of 101 bytes', `d/${'n'.repeat(101)}`, 1],
    ['a prefix of 156 bytes', `${'d'.repeat(156)}/n`, 1],
    ['a name of more than 100 bytes with a size over 8 GiB', `${'d'.repeat(99)}/n`, OCTAL_LIMIT],
    ['101 bytes in 51 characters', 'ü'.repeat(50).concat('n'), 1],
  ])('[tar.10] refuses %s', (_, name, size) => {
    expect(codeOf(() => formatTarHeader({ name, size, mtime: 0 }))).toBe('ARCHIVE_NAME');
  });

  test.each([-1, 1.5, Number.NaN, OCTAL_LIMIT])('[tar.10] refuses the time %d', (mtime) => {
    expect(codeOf(() => formatTarHeader({ name: 'a', size: 1, mtime }))).toBe('USAGE');
  });
});

function sum(fields: HeaderFields, more = 0): string {
  return `${(checksumOf(header(fields)) + more).toString(8).padStart(6, '0')}\0 `.slice(0, 6);
}
