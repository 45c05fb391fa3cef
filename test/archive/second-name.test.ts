import { describe, expect, it, test } from 'vitest';
import { openArchive } from '../../src/archive/open-archive.ts';
import { Relaxed } from '../../src/archive/relaxed.ts';
import { writeTar } from '../../src/archive/tar/tar-writer.ts';
import { playsPart } from '../../src/formats/bundle-part.ts';
import { once } from '../../src/kit/bytes.ts';
import { isBundleError } from '../../src/kit/errors/errors.ts';
import { DEFAULT_LIMITS } from '../../src/kit/limits.ts';
import { RELAXATIONS } from '../../src/kit/relaxation.ts';
import { read, readEveryWay } from '../factory/archives.ts';
import { chunked } from '../factory/streams.ts';
import { file, header, latin1, MAGIC, padded, pax, record, tar } from '../factory/tar.ts';

/** A member that a pax header calls `path` and its own header `name`, or what `fields` say. */
const named = (path: string, name: string | Uint8Array, prefix = ''): Uint8Array[] => [
  pax([record('path', path)]),
  typeof name === 'string' ? file(name, 'x', { prefix }) : file('', 'x', { name, prefix }),
];
/** The same with a GNU long name. */
const long = (path: string, name: string): Uint8Array[] => [
  header({ name: '././@LongLink', type: 'L', size: Buffer.byteLength(path) + 1, magic: MAGIC.gnu }),
  padded(`${path}\0`),
  file(name, 'x', { magic: MAGIC.gnu }),
];
/** `length` letters, and what follows. */
const n = (length: number, rest = ''): string => 'n'.repeat(length) + rest;

/** Reads with every habit allowed: names are not among them. */
async function relaxed(bytes: Uint8Array): Promise<readonly string[] | string> {
  const names: string[] = [];
  try {
    const { entries } = await openArchive(chunked(bytes), DEFAULT_LIMITS, new Relaxed(RELAXATIONS));
    for await (const { name } of entries) names.push(name);
    return names;
  } catch (error) {
    if (isBundleError(error)) return error.code;
    throw error;
  }
}

describe('a second name that is read', () => {
  test.each<[string, string, readonly Uint8Array[]]>([
    ['[name.4] the same', 'a/b.img', named('a/b.img', 'a/b.img')],
    ['[name.4] the same, from prefix and name', 'a/b.img', named('a/b.img', 'b.img', 'a')],
    ['[name.4] the same, not in ASCII', 'größe.img', named('größe.img', 'größe.img')],
    ['[name.7] the first 100 bytes, as GNU tar and Python leave', n(150), named(n(150), n(100))],
    ['[name.7] the first 99', n(150), named(n(150), n(99))],
    ['[name.7] the first 98, as bsdtar leaves', n(101), named(n(101), n(98))],
    ['[name.7] a prefix and 98 bytes, as bsdtar leaves', `d/${n(150)}`, named(`d/${n(150)}`, n(98), 'd')],
    ['[name.7] a prefix and 99 bytes, as node-tar leaves', `d/${n(150)}`, named(`d/${n(150)}`, n(99), 'd')],
    ['[name.7] letters of two bytes', 'ü'.repeat(60), named('ü'.repeat(60), 'ü'.repeat(50))],
  ])('%s', async (_, name, parts) => {
    const { members, error } = await readEveryWay(tar(...parts));
    expect(error).toBeUndefined();
    expect(members.map((member) => member.name)).toEqual([name]);
  });

  test('[name.7] the first 100 bytes of a GNU long name, where those are allowed', async () => {
    expect(await relaxed(tar(...long(n(150), n(100))))).toEqual([n(150)]);
  });
});

describe('a second name that is another', () => {
  const REFUSED = 'ARCHIVE_NAME';
  test.each<[string, readonly Uint8Array[]]>([
    ['[name.4] another', named('data.img', 'system.img')],
    ['[name.4] none', named('data.img', '')],
    ['[name.4] another case', named('data.img', 'Data.img')],
    ['[name.4] not composed', named('é.img', 'e\u0301.img')],
    ['[name.4] bytes of Latin-1', named('ü.img', latin1('\xfc.img'))],
    ['[name.4] question marks, as Python leaves', named('ü.img', '?.img')],
    ['[name.4] letters left out, as Go leaves', named('ü.img', '.img')],
    ['[name.4] a folder left out, as bsdtar leaves', named(`${n(160)}/f`, 'f')],
    ['[name.4] a folder more', named('a.img', 'a.img', 'd')],
    ['[name.4] a folder less', named('d/a.img', 'a.img')],
    ['[name.4] the beginning of a short name', named('a.img.bak', 'a.img')],
    ['[name.4] the beginning of a name of 100 bytes', named(n(100), n(99))],
    ['[name.4] a slash more', named('a.img', 'a.img/')],
    ['[name.4] a name that tar-stream leaves', named('ü.img', 'PaxHeader')],
    ['[name.4] this folder in front', named('a.img', './a.img')],
    ['[name.7] less than fits', named(n(150), n(97))],
    ['[name.7] less than fits behind a prefix', named(`${n(90)}/${n(50)}`, n(40), n(90))],
    ['[name.7] not the beginning', named(n(150), n(99, 'm'))],
    ['[name.7] cut inside of a letter', named(n(99, 'ü'.repeat(5)), latin1(n(99, '\xc3')))],
    ['[name.7] cut to a name that ends in a dot', named(n(99, '.img'), n(99, '.'))],
    ['[name.7] cut at a slash', named(n(99, '/x'), n(99, '/'))],
    ['[name.4] another one behind a GNU long name', long('data.img', 'system.img')],
    ['[name.7] less than fits behind a GNU long name', long(n(150), n(97))],
    ['[name.10] cut to a descriptor', named(n(96, '.ovf.bak'), n(96, '.ovf'))],
    ['[name.10] cut to a manifest', named(n(97, '.mf.bak'), n(97, '.MF'))],
    ['[name.10] cut to a certificate file', named(n(95, '.cert.bak'), n(95, '.cert'))],
    ['[name.10] cut to a timestamp', named(n(96, '.tst.bak'), n(96, '.tst'))],
    ['[name.10] cut to a revocation list', named(`revocation/${n(85)}.crl.x`, `revocation/${n(85)}.crl`)],
    ['[name.10] cut to block digests', named(n(93, '.blocks.bak'), n(93, '.blocks'))],
    ['[name.10] a descriptor behind a prefix', [file('web.ovf', 'x', { prefix: 'd' })]],
    ['[name.8] a device behind a prefix', [file('nul', 'x', { prefix: 'd' })]],
    ['[name.9] a pax header of the name of a member to be', [pax([record('mtime', '1')], { name: 'a' })]],
    [
      '[name.9] a pax header of the name of a descriptor',
      [pax([record('mtime', '1')], { name: 'PaxHeader.ovf' })],
    ],
    ['[name.9] a pax header without a name', [pax([record('mtime', '1')], { name: '' })]],
    [
      '[name.9] a pax header that leaves its folder',
      [pax([record('mtime', '1')], { name: 'PaxHeaders/../a' })],
    ],
    [
      '[name.9] a pax header whose name ends in a slash',
      [pax([record('mtime', '1')], { name: 'PaxHeaders/' })],
    ],
    ['[name.9] a pax header of an absolute name', [pax([record('mtime', '1')], { name: '/PaxHeaders/a' })]],
    [
      '[name.9] a pax header with another name by its prefix',
      [pax([record('mtime', '1')], { name: '../x', prefix: 'PaxHeaders' })],
    ],
    [
      '[name.9] a pax global header of the name of a member',
      [pax([record('comment', 'x')], { type: 'g', name: 'a' })],
    ],
    [
      '[name.9] a GNU long name of another name',
      [header({ name: 'a', type: 'L', size: 4, magic: MAGIC.gnu }), padded('abc\0')],
    ],
  ])('%s', async (_, parts) => {
    const archive = tar(file('first'), ...parts, file('last'));
    const { error, members } = await readEveryWay(archive);
    expect(members.map(({ name }) => name)).toEqual(['first']);
    // Where an entry of its kind is refused anyway, the habit is allowed for the reading below.
    if (error?.code !== 'ARCHIVE_TYPE') expect(error?.code, error?.message).toBe(REFUSED);
    expect(await relaxed(tar(...parts, file('last')))).toBe(REFUSED);
  });

  it('[name.4] says both names and what to do', async () => {
    const { error } = await read(chunked(tar(...named('data.img', 'system.img'))));
    expect(error?.message).toBe('the member "data.img" has another name in its tar header: "system.img"');
  });

  test.each<[string, readonly Uint8Array[]]>([
    ['[name.7] two that are cut to one', [...named(n(150, 'a'), n(100)), ...named(n(150, 'b'), n(100))]],
    [
      '[name.7] two cut to one but for the case',
      [...named(n(150), n(100)), ...named(n(150).toUpperCase(), n(100).toUpperCase())],
    ],
    ['[name.7] cut to another member', [...named(n(150), n(100)), file(n(100))]],
    ['[name.7] cut to an earlier member', [file(n(100)), ...named(n(150), n(100))]],
    [
      '[name.7] cut to a folder of another',
      [...named(n(150), n(98)), file(`x/y`), ...named(n(98, '/y'), n(98, '/y'))],
    ],
    ['[name.7] cut to its own folder', named(n(100, '/y'), n(100))],
    ['[name.8] a member of the part behind the prefix', [file('b', 'x', { prefix: 'a' }), file('b')]],
    ['[name.8] a member before it', [file('B'), file('b', 'x', { prefix: 'a' })]],
    ['[name.8] a member cut to it', [file(n(100), 'x', { prefix: 'a' }), ...named(n(150), n(100))]],
    ['[name.9] a member of the name of a pax header', [...named('a', 'a'), file('PaxHeaders/file')]],
    ['[name.9] a pax header of the name of a member', [file('paxheaders/FILE'), ...named('a', 'a')]],
    ['[name.9] a member that is a folder of a pax header', [...named('a', 'a'), file('PaxHeaders')]],
    ['[name.9] a member below a pax header', [...named('a', 'a'), file('PaxHeaders/file/x')]],
  ])('%s collides', async (_, parts) => {
    expect((await readEveryWay(tar(...parts))).error?.code).toBe('ARCHIVE_DUPLICATE');
  });

  test('[name.8] [name.9] two may have one name that no member has', async () => {
    const parts = [
      ...named('a', 'a'),
      ...named('b', 'b'),
      file('x', '', { prefix: 'd' }),
      file('x', '', { prefix: 'e' }),
    ];
    expect((await read(chunked(tar(...parts)))).members.map(({ name }) => name)).toEqual([
      'a',
      'b',
      'd/x',
      'e/x',
    ]);
  });

  test.each([
    './PaxHeaders/a',
    './PaxHeaders.12/a',
    'PaxHeader',
    '././@PaxHeader',
    'd/PaxHeaders.0/a',
    'PaxHeader/a',
  ])('[name.9] a pax header that a tar writer calls "%s" is read', async (name) => {
    const { error } = await read(chunked(tar(pax([record('mtime', '1')], { name }), file('a'))));
    expect(error).toBeUndefined();
  });
});

test.each([
  ['a.ovf', true],
  ['A.MF', true],
  ['x/a.ovf', false],
  ['a.cert', true],
  ['a.tst', true],
  ['revocation/a.crl', true],
  ['REVOCATION/A.OCSP', true],
  ['revocation/a/b.crl', false],
  ['x/a.img.blocks', true],
  ['a.crl', false],
  ['ovf', false],
  ['.ovf', false],
  ['a.ovfx', false],
])('[name.10] whether a name is that of a part of a bundle: %s, %s', (name, isPart) => {
  expect(playsPart(name)).toBe(isPart);
});

describe('what is written', () => {
  const write = async (...names: readonly string[]): Promise<void> => {
    const files = names.map((name) => ({ name, size: 1, body: once(latin1('x')) }));
    for await (const _ of writeTar(files, { mtime: 0 }));
  };
  const folder = n(95);

  test('[tar.10] [name.8] names that need a prefix and collide behind it are not', async () => {
    await expect(write(`${folder}/disk.img`, 'disk.img')).rejects.toMatchObject({
      code: 'ARCHIVE_DUPLICATE',
    });
    await expect(write('disk.img', `${folder}/disk.img`)).rejects.toMatchObject({
      code: 'ARCHIVE_DUPLICATE',
    });
    await expect(write(`${folder}/web.ovf`)).rejects.toMatchObject({ code: 'ARCHIVE_NAME' });
  });

  test('[tar.10] [name.8] others are', async () => {
    await write(`${folder}/disk.img`, `${folder}/other.img`, `x${folder}/disk.img`, 'a/disk.img');
  });
});
