import { gzipSync } from 'node:zlib';
import { describe, expect, it, test } from 'vitest';
import { isGzip, openArchive } from '../../src/archive/open-archive.ts';
import { concat } from '../../src/kit/bytes.ts';
import { encodeUtf8 } from '../../src/kit/encoding.ts';
import { DEFAULT_LIMITS } from '../../src/kit/limits.ts';
import { asArchive, readEveryWay } from '../factory/archives.ts';
import { flipped } from '../factory/damage.ts';
import { chunked, sourceOf } from '../factory/streams.ts';
import { file, header, latin1, MAGIC, tar } from '../factory/tar.ts';
import { zip } from '../factory/zip.ts';

const TAR = tar(file('a.ovf', 'hello'), file('b', 'x'.repeat(600)));
const TGZ = Uint8Array.from(gzipSync(TAR));

describe('openArchive', () => {
  it('[arc.1] finds tar and gzip by content', async () => {
    expect((await openArchive(chunked(TAR, 100), DEFAULT_LIMITS)).format).toBe('tar');
    expect((await openArchive(chunked(TGZ, 100), DEFAULT_LIMITS)).format).toBe('tgz');
    expect([isGzip(TGZ), isGzip(TAR), isGzip(new Uint8Array(0))]).toEqual([true, false, false]);
  });

  it('[arc.2] reads the same members out of both, however the bytes arrive', async () => {
    const plain = await readEveryWay(TAR, asArchive);
    expect(plain.error).toBeUndefined();
    expect(plain.members.map(({ name, size, offset }) => [name, size, offset])).toEqual([
      ['a.ovf', 5, 0],
      ['b', 600, 1024],
    ]);
    expect(await readEveryWay(TGZ, asArchive)).toEqual(plain);
  });

  test.each<[string, Uint8Array]>([
    ['[arc.1] a member whose name begins like a zip', tar(file('PK\u0003', ''))],
    ['[arc.1] an old header, to name what is wrong', tar(header({ magic: MAGIC.v7 }))],
    ['[arc.1] a wrong checksum, to name what is wrong', tar(header({ checksum: '0' }))],
    ['[arc.1] zeros', new Uint8Array(1024)],
    ['[arc.1] a few zeros', new Uint8Array(100)],
  ])('%s is read as a tar', async (_, bytes) => {
    const { error } = await readEveryWay(bytes, asArchive);
    expect(error?.code).toMatch(/^ARCHIVE_/);
    expect(error?.offset).toBe(0);
  });

  test.each<[string, Uint8Array, RegExp]>([
    ['an xz file', latin1('\xfd7zXZ\0'), /an xz file/],
    ['a Zstandard file', latin1('\x28\xb5\x2f\xfd'), /a Zstandard file/],
    ['a bzip2 file', latin1('BZh91AY'), /a bzip2 file/],
    ['a 7z archive', latin1('7z\xbc\xaf\x27\x1c'), /a 7z archive/],
    ['a qcow2 image', latin1('QFI\xfb\0\0\0\x03'), /qcow2/],
    ['a VMDK image', latin1('KDMV\x03'), /VMDK/],
    ['a descriptor', encodeUtf8('<?xml version="1.0"?><Envelope/>'), /an XML file/],
    ['a text', encodeUtf8('hello, world\n'.repeat(100)), /plain text/],
    ['one byte', latin1('\x01'), /of no kind that bulla knows/],
    ['a tar behind junk', concat([latin1('#!/bin/sh\n'), TAR]), /a script/],
    ['a tar that is not on a block', TAR.subarray(1), /of no kind/],
    ['half a header', TAR.subarray(0, 300), /of no kind/],
    ['a zip in a gzip', Uint8Array.from(gzipSync('PK\x03\x04')), /the compressed file is a zip archive/],
    [
      'a disk image in a gzip',
      Uint8Array.from(gzipSync(latin1('KDMV'))),
      /the compressed file is a bare VMDK/,
    ],
  ])('[arc.1] refuses %s, and says what it is', async (_, bytes, message) => {
    const { error, members } = await readEveryWay(bytes, asArchive);
    expect(error).toMatchObject({ code: 'FORMAT_UNSUPPORTED', offset: 0 });
    expect(error?.message).toMatch(message);
    expect(members).toEqual([]);
  });

  it('[gz.5] refuses a gzip in a gzip', async () => {
    const { error } = await readEveryWay(Uint8Array.from(gzipSync(TGZ)), asArchive);
    expect(error).toMatchObject({
      code: 'FORMAT_UNSUPPORTED',
      offset: 0,
      message: 'the compressed file is gzip again',
    });
  });

  test.each([
    ['nothing', new Uint8Array(0), 'the input is empty'],
    ['a gzip of nothing', Uint8Array.from(gzipSync('')), 'the compressed file is empty'],
  ])('[arc.1] refuses %s as empty', async (_, bytes, message) => {
    const { error } = await readEveryWay(bytes, asArchive);
    expect(error).toMatchObject({ code: 'ARCHIVE_EMPTY', offset: 0, message });
  });

  test.each<[string, Uint8Array, string]>([
    ['[gz.3] a wrong checksum of the gzip', flipped(TGZ, TGZ.byteLength - 8), 'GZIP_MALFORMED'],
    ['[gz.3] a wrong size of the gzip', flipped(TGZ, TGZ.byteLength - 1), 'GZIP_MALFORMED'],
    ['[gz.3] a gzip without its trailer', TGZ.subarray(0, -8), 'ARCHIVE_TRUNCATED'],
    ['[gz.3] a second gzip member', concat([TGZ, TGZ]), 'GZIP_MALFORMED'],
    [
      '[gz.3] a second gzip member with members of its own',
      concat([
        Uint8Array.from(gzipSync(TAR.subarray(0, -1024))),
        Uint8Array.from(gzipSync(tar(file('EVIL')))),
      ]),
      'GZIP_MALFORMED',
    ],
    [
      '[tar.8] a byte behind the end mark in the gzip',
      Uint8Array.from(gzipSync(concat([TAR, latin1('x')]))),
      'ARCHIVE_TRAILING',
    ],
  ])('%s is refused although all members were read', async (_, bytes, code) => {
    const { error, members } = await readEveryWay(bytes, asArchive);
    expect(error?.code).toBe(code);
    expect(members.map(({ name }) => name)).toEqual(['a.ovf', 'b']);
  });

  test.each([
    ['a zip that is cut', latin1('PK\x03\x04'), 'ARCHIVE_TRUNCATED', 4],
    ['a zip without members', latin1(`PK\x05\x06${'\0'.repeat(18)}`), 'ARCHIVE_EMPTY', 0],
    ['a part of a split zip', latin1(`PK\x07\x08${'x'.repeat(50)}`), 'ARCHIVE_TRUNCATED', 54],
    ['a zip whose first header is gone', latin1(`PK\x01\x02${'x'.repeat(50)}`), 'ARCHIVE_TRUNCATED', 54],
  ] as const)('[arc.1] %s is read as a zip', async (_, bytes, code, offset) => {
    const { error } = await readEveryWay(bytes, asArchive);
    expect(error).toMatchObject({ code, offset });
  });

  it('[arc.1] refuses a zip from a stream that can be read only once', async () => {
    const source = chunked(zip([{ name: 'a', content: 'b' }]), 10);
    await expect(openArchive(source, DEFAULT_LIMITS)).rejects.toMatchObject({ code: 'FORMAT_UNSUPPORTED' });
    expect(source.seen.closed || source.seen.ended).toBe(true);
  });

  it('[arc.4] closes the source when it refuses, and when the loop is left', async () => {
    for (const bytes of [encodeUtf8('x'.repeat(5000)), Uint8Array.from(gzipSync('x'.repeat(5000)))]) {
      const source = chunked(bytes, bytes[0] === 0x78 ? 100 : 10);
      await expect(openArchive(source, DEFAULT_LIMITS)).rejects.toMatchObject({ code: 'FORMAT_UNSUPPORTED' });
      expect(source.seen.closed || source.seen.ended).toBe(true);
    }
    for (const bytes of [TAR, TGZ]) {
      const source = chunked(bytes, 10);
      const { entries } = await openArchive(source, DEFAULT_LIMITS);
      for await (const _ of entries) break;
      expect(source.seen.closed).toBe(true);
    }
  });

  it('[arc.4] passes an error of the source on as it is, wherever it happens', async () => {
    for (const bytes of [TAR, TGZ]) {
      for (const offset of [0, 1, 9, 20, bytes.byteLength - 9, bytes.byteLength - 1, bytes.byteLength]) {
        const error = new Error('broken');
        const source = sourceOf(bytes, { sizes: () => 7, failAt: { offset, error } });
        const reading = async () => {
          const { entries } = await openArchive(source, DEFAULT_LIMITS);
          for await (const _ of entries);
        };
        await expect(reading()).rejects.toBe(error);
      }
    }
  });
});
