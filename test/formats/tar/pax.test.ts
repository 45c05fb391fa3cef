import { expect, test } from 'vitest';
import { parsePax } from '../../../src/formats/tar/pax.ts';
import { concat } from '../../../src/kit/bytes.ts';
import { codeOf } from '../../factory/errors.ts';
import { latin1, record } from '../../factory/tar.ts';

test.each<[string, Uint8Array, ReturnType<typeof parsePax>]>([
  ['[pax.2] reads a path', record('path', 'a'), { path: 'a' }],
  ['[pax.2] reads a path of any length', record('path', 'a'.repeat(95)), { path: 'a'.repeat(95) }],
  ['[pax.2] counts bytes, not characters', record('path', 'ü'), { path: 'ü' }],
  ['[pax.2] reads a value with an equals sign', record('path', 'a=b'), { path: 'a=b' }],
  ['[pax.2] reads an empty value of what is left out', record('comment', ''), { beside: 12 }],
  ['[pax.4] reads what it leaves out', leftOut(), { path: 'a', beside: 220 }],
  [
    '[pax.4] reads attributes that are binary',
    record('SCHILY.xattr.user.selinux', latin1('a\0\xff')),
    { beside: 33 },
  ],
  ['[pax.6] reads times and owners', record('mtime', '-1700000000.123456789'), {}],
  ['[pax.6] reads the largest user', record('uid', '4294967295'), {}],
  ['[pax.8] reads the longest names of owners', record('uname', 'ü'.repeat(32)), {}],
  ['[pax.8] reads numbers of a file system', record('SCHILY.ino', '18446744073709551615'), {}],
  ['[pax.8] reads a time to the attosecond', record('mtime', `1.${'1'.repeat(18)}`), {}],
  ['[pax.5] reads a size', record('size', '10'), { size: 10 }],
  ['[pax.5] reads a size of zero', record('size', '0'), { size: 0 }],
  ['[pax.5] reads 2^53 − 1', record('size', '9007199254740991'), { size: 9_007_199_254_740_991 }],
  ['[pax.5] reads path and size', concat([record('size', '1'), record('path', 'p')]), { path: 'p', size: 1 }],
])('%s', (_, body, expected) => {
  expect(parsePax(body)).toEqual(expected);
});

test.each<[string, Uint8Array | string]>([
  ['[pax.2] refuses a length that is too short', '8 path=a\n'],
  ['[pax.2] refuses a length that is too long', '11 path=a\n'],
  ['[pax.2] refuses a length beyond the header', '99 path=a\n'],
  ['[pax.2] refuses a length of seven digits beyond the header', '9999999 path=a\n'],
  ['[pax.2] refuses a length of eight digits', '00000009 path=a\n'],
  ['[pax.2] refuses a zero in front of the length', '010 path=a\n'],
  ['[pax.2] refuses a length of zero', '0 path=a\n'],
  ['[pax.2] refuses a negative length', '-9 path=a\n'],
  ['[pax.2] refuses a length in another base', '0x9 path=a\n'],
  ['[pax.2] refuses a length without a blank', '9path=a\n'],
  ['[pax.2] refuses a tab behind the length', '9\tpath=a\n'],
  ['[pax.2] refuses a blank in front of the length', ' 10 path=a\n'],
  ['[pax.2] refuses a length that covers itself only', '2 '],
  ['[pax.2] refuses a record of a length and a line end', '3 \n'],
  ['[pax.2] refuses a record without a line end', '9 path=ab'],
  ['[pax.2] refuses a record without an equals sign', '7 path\n'],
  ['[pax.2] refuses a record without a key', '5 =a\n'],
  ['[pax.2] refuses bytes behind the last record', '9 path=a\n\0'],
  ['[pax.2] refuses a line end behind the last record', '9 path=a\n\n'],
  ['[pax.2] refuses a line end in a path', record('path', 'a\nb')],
  ['[pax.2] refuses a record hidden in a comment', record('comment', 'x\n13 path=EVIL')],
  ['[pax.2] refuses a record hidden in an attribute', record('SCHILY.xattr.user.x', 'x\n13 path=EVIL')],
  ['[pax.2] refuses a record hidden in a key', latin1('32 SCHILY.xattr.\n13 path=EVIL\nx=y\n')],
  ['[pax.2] refuses a NUL in a path', record('path', 'a\0b')],
  ['[pax.2] refuses a NUL in a comment', record('comment', 'a\0b')],
  ['[pax.2] refuses a path that is not UTF-8', record('path', latin1('a\xff'))],
  ['[pax.2] refuses a key that is not UTF-8', '9 \xffath=a\n'],
  ['[pax.2] refuses an empty path', record('path', '')],
  ['[pax.2] refuses a NUL in the key of an attribute', record('SCHILY.xattr.null\0', 'a')],
  ['[pax.6] refuses a time that is no number', record('mtime', 'abc')],
  ['[pax.6] refuses an empty time', record('atime', '')],
  ['[pax.6] refuses a time in another form', record('ctime', '1e5')],
  ['[pax.6] refuses a user that is no number', record('uid', 'abc')],
  ['[pax.6] refuses an empty group', record('gid', '')],
  ['[pax.6] refuses a user beyond 32 bits', record('uid', '4294967296')],
  ['[pax.8] refuses more digits of a time', record('mtime', `1.${'1'.repeat(19)}`)],
  ['[pax.8] refuses a text for a time of creation', record('LIBARCHIVE.creationtime', '#!/bin/sh')],
  ['[pax.8] refuses a text for a device', record('SCHILY.dev', '#!/bin/sh')],
  ['[pax.8] refuses too many digits', record('SCHILY.ino', '1'.repeat(21))],
  ['[pax.8] refuses a long name of an owner', record('uname', 'a'.repeat(65))],
  ['[pax.8] refuses a name of a group that moves the cursor', record('gname', '\x1b[2J')],
  ['[pax.3] refuses a path twice', concat([record('path', 'a'), record('path', 'a')])],
  ['[pax.3] refuses a size twice', concat([record('size', '1'), record('size', '1')])],
  ['[pax.3] refuses a comment twice', concat([record('comment', 'a'), record('comment', 'b')])],
  ['[pax.4] refuses a link path', record('linkpath', 'a')],
  ['[pax.4] refuses another character set', record('hdrcharset', 'BINARY')],
  ['[pax.4] refuses a GNU sparse name', record('GNU.sparse.name', 'a')],
  ['[pax.4] refuses a GNU sparse size', record('GNU.sparse.realsize', '1')],
  ['[pax.4] refuses the real size of star', record('SCHILY.realsize', '1')],
  ['[pax.4] refuses a type of star', record('SCHILY.filetype', 'sparse')],
  ['[pax.4] refuses an attribute without a name', record('SCHILY.xattr.', 'a')],
  ['[pax.4] refuses a key in upper case', record('PATH', 'a')],
  ['[pax.4] refuses a key with a blank', record('path ', 'a')],
  ['[pax.4] refuses a key of an object', record('__proto__', 'a')],
  ['[pax.5] refuses an exponent', record('size', '1e3')],
  ['[pax.5] refuses hexadecimal', record('size', '0x200')],
  ['[pax.5] refuses letters behind the digits', record('size', '6abc')],
  ['[pax.5] refuses a plus', record('size', '+6')],
  ['[pax.5] refuses a minus', record('size', '-6')],
  ['[pax.5] refuses a blank', record('size', ' 6')],
  ['[pax.5] refuses a fraction', record('size', '6.5')],
  ['[pax.5] refuses a zero in front', record('size', '06')],
  ['[pax.5] refuses an empty size', record('size', '')],
  ['[pax.5] refuses 2^53', record('size', '9007199254740992')],
  ['[pax.5] refuses 2^64', record('size', '18446744073709551616')],
  ['[pax.5] refuses other digits', record('size', '\u{663}')],
])('%s', (_, body) => {
  const bytes = typeof body === 'string' ? latin1(body) : body;
  expect(codeOf(() => parsePax(bytes))).toBe('ARCHIVE_PAX');
});

test.each([
  'SCHILY.xattr.security.capability',
  'LIBARCHIVE.xattr.security.capability',
  'SCHILY.xattr.security.selinux',
  'SCHILY.xattr.security.ima',
  'SCHILY.xattr.security.evm',
  'SCHILY.xattr.system.posix_acl_access',
  'SCHILY.xattr.system.nfs4_acl',
  'SCHILY.xattr.trusted.overlay.redirect',
  'SCHILY.xattr.user.overlay.redirect',
  'LIBARCHIVE.xattr.user%2Eoverlay.redirect',
  'LIBARCHIVE.xattr.user.%6Fverlay.redirect',
  'SCHILY.xattr.com.apple.system.Security',
  'SCHILY.xattr.com.apple.ResourceFork',
  'SCHILY.xattr.user.',
  'SCHILY.xattr.userx',
  'SCHILY.fflags',
  'SCHILY.acl.access',
  'SCHILY.acl.default',
  'SCHILY.acl.ace',
  'RHT.security.selinux',
])('[pax.7] refuses %s, which some readers set on the file', (key) => {
  for (const value of ['a', latin1('\x01\0\0\x02\x80')]) {
    expect(codeOf(() => parsePax(record(key, value)))).toBe('ARCHIVE_PAX');
    expect(() => parsePax(record(key, value))).toThrow('sets more of a file than its content');
  }
});

test('[pax.4] names the key it does not know, without what steers a terminal', () => {
  expect(() => parsePax(record('a\x1bb', 'c'))).toThrow('the key "a\\u{1b}b" is not known');
});

function leftOut(): Uint8Array {
  const keys = [
    ...['mtime', 'atime', 'ctime', 'uid', 'gid', 'uname', 'gname', 'comment'],
    ...['SCHILY.dev', 'SCHILY.ino', 'SCHILY.nlink', 'SCHILY.xattr.user.a'],
    ...['LIBARCHIVE.creationtime', 'LIBARCHIVE.xattr.user.a', 'SCHILY.xattr.com.apple.quarantine'],
    ...['LIBARCHIVE.xattr.com.apple.provenance', 'LIBARCHIVE.xattr.com.apple.metadata:kMDItemWhereFroms'],
  ];
  return concat([
    ...keys.map((key) => record(key, /[ug]id|dev|ino|nlink/.test(key) ? '1' : '1.5')),
    record('path', 'a'),
  ]);
}
