import { describe, expect, test } from 'vitest';
import { TAR_BLOCK } from '../../../src/formats/tar/header.ts';
import { concat } from '../../../src/kit/bytes.ts';
import { encodeUtf8 } from '../../../src/kit/encoding.ts';
import { asArchive, read } from '../../factory/archives.ts';
import { chunked } from '../../factory/streams.ts';
import { file, header, latin1, MAGIC, pax, record, tar, withChecksum } from '../../factory/tar.ts';
import { extra, zip } from '../../factory/zip.ts';

async function outcome(bytes: Uint8Array): Promise<string> {
  const { error, members } = await read(chunked(bytes), asArchive);
  return error?.code ?? members.map(({ name }) => name).join();
}

/** A header with the names of owner and group set. */
function owned(
  user: Uint8Array,
  group: Uint8Array = new Uint8Array(0),
  magic: string = MAGIC.posix,
): Uint8Array {
  const block = header({ name: 'a', magic });
  block.set(user, 265);
  block.set(group, 297);
  return tar(withChecksum(block));
}

describe('the names of owner and group', () => {
  test.each<[string, Uint8Array]>([
    ['none', latin1('')],
    ['a usual one', latin1('root')],
    ['one that fills its field', latin1('u'.repeat(32))],
    ['one of a domain', latin1('DOMAIN\\first last')],
    ['letters in UTF-8', encodeUtf8('jürgen')],
    ['letters in Latin-1', latin1('j\xfcrgen')],
  ])('[tar.12] %s is read', async (_, name) => {
    expect(await outcome(owned(name))).toBe('a');
    expect(await outcome(owned(latin1('u'), name, MAGIC.gnu))).toBe('a');
  });

  test.each<[string, Uint8Array]>([
    ['bytes behind a NUL', latin1('root\0#!/bin/sh')],
    ['bytes behind nothing', latin1('\0x')],
    ['an escape', latin1('\x1b[2J')],
    ['a line end', latin1('a\nb')],
    ['a DEL', latin1('a\x7f')],
  ])('[tar.12] %s is refused', async (_, name) => {
    expect(await outcome(owned(name))).toBe('ARCHIVE_HEADER');
    expect(await outcome(owned(latin1('u'), name, MAGIC.gnu))).toBe('ARCHIVE_HEADER');
  });
});

/** Members, each with a pax header that holds `length` bytes of a record, the last with some more. */
function withRecords(key: string, count: number, length: number, more = 0): Uint8Array {
  const members = Array.from({ length: count }, (_, i) => {
    const bytes = length + (i === count - 1 ? more : 0);
    const body = record(
      key,
      'x'.repeat(bytes - record(key, '').byteLength - (bytes > 99 ? 1 : 0) - (bytes > 999 ? 1 : 0)),
    );
    expect(body.byteLength).toBe(bytes);
    return concat([pax(body, { name: `PaxHeaders/${i}` }), file(`f${i}`)]);
  });
  return tar(...members);
}

describe('comments and attributes of pax headers', () => {
  test.each(['comment', 'SCHILY.xattr.user.a', 'LIBARCHIVE.xattr.com.apple.metadata:x'])(
    '[pax.8] %s may take 16 KiB in one archive, in whatever headers',
    async (key) => {
      for (const count of [2, 16]) {
        const each = (16 * 1024) / count;
        expect(await outcome(withRecords(key, count, each))).toContain('f0,f1');
        expect(await outcome(withRecords(key, count, each, 1))).toBe('ARCHIVE_PAX');
      }
    },
  );

  test('[pax.8] what is no more than a number or an owner does not count', async () => {
    const body = concat([
      record('mtime', '1700000000.123456789'),
      record('SCHILY.ino', '1234567890123'),
      record('uname', 'u'.repeat(64)),
    ]);
    const members = Array.from({ length: 200 }, (_, i) =>
      concat([pax(body, { name: `PaxHeaders/${i}` }), file(`f${i}`)]),
    );
    expect(members.length * body.byteLength).toBeGreaterThan(16 * 1024);
    expect(await outcome(tar(...members))).toContain('f199');
  });
});

describe('the end of a tar', () => {
  test('[tar.8] is zeros, so that nothing but their number is free', async () => {
    const room = new Uint8Array(1024 * 1024);
    expect(await outcome(tar(file('a'), room))).toBe('a');
    expect(await outcome(tar(file('a'), room, new Uint8Array(TAR_BLOCK)))).toBe('ARCHIVE_LIMIT');
    room[room.byteLength - 1] = 1;
    expect(await outcome(tar(file('a'), new Uint8Array(1024), room))).toBe('ARCHIVE_TRAILING');
  });
});

describe('the extra fields of a zip', () => {
  const owners = (user: number, group: number): Uint8Array =>
    extra(0x7875, Uint8Array.of(1, user, ...Array(user).fill(0x41), group, ...Array(group).fill(0x41)));
  const times = (reserved: number): Uint8Array =>
    extra(0x000a, Uint8Array.of(0, 0, 0, reserved, 1, 0, 24, 0, ...new Uint8Array(24)));
  test.each<[string, Uint8Array, string]>([
    ['owners of four bytes', owners(4, 4), 'a'],
    ['owners of eight bytes', owners(8, 8), 'a'],
    ['a user of nine bytes', owners(9, 4), 'ZIP_MALFORMED'],
    ['a group of 255 bytes', owners(4, 255), 'ZIP_MALFORMED'],
    ['times of Windows', times(0), 'a'],
    ['bytes in the reserved field of times', times(1), 'ZIP_MALFORMED'],
  ])('[zip.8] hold numbers alone: %s', async (_, field, expected) => {
    const item = { name: 'a', content: encodeUtf8('content') };
    expect(await outcome(zip([{ ...item, central: { extra: field } }]))).toBe(expected);
    expect(await outcome(zip([{ ...item, local: { extra: field } }]))).toBe(expected);
  });
});
