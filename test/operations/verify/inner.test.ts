import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { importBundle } from '../../../src/operations/import/import.ts';
import { sign } from '../../../src/operations/sign/sign.ts';
import { inspect } from '../../../src/operations/verify/inspect.ts';
import { openImage } from '../../../src/operations/verify/open-image.ts';
import { verify } from '../../../src/operations/verify/verify.ts';
import { verifyFile } from '../../../src/operations/verify/verify-file.ts';
import { verifyBundle } from '../../../src/verdict/verify-bundle.ts';
import {
  JUDGED_AT,
  makeBundle,
  makeMembers,
  noiseFile,
  testAuthority,
  textFile,
} from '../../factory/bundles.ts';
import { flipped } from '../../factory/damage.ts';
import { identityOf } from '../../factory/packing.ts';
import { valid } from '../../factory/reports.ts';
import { folderForTests, makeSandbox } from '../../factory/sandbox.ts';
import { chunked } from '../../factory/streams.ts';
import { file, pax, record, tar } from '../../factory/tar.ts';
import { zip } from '../../factory/zip.ts';

const FOLDER = folderForTests();
let count = 0;

function place(bytes: Uint8Array | string, name = `file-${count++}`): string {
  writeFileSync(join(FOLDER, name), bytes);
  return join(FOLDER, name);
}

const INNER = await makeBundle();
const README = 'how to start\n';
const [first = textFile('x', ''), ...others] = await makeMembers();
const FORGED = tar(
  ...[textFile(first.name, 'changed'), ...others].map(({ name, bytes }) => file(name, bytes)),
);
const trust = { anchors: [{ name: 'ca', bytes: (await testAuthority()).der }] };
const options = { trust, at: JUDGED_AT, inner: true };

const packed = (...members: readonly (readonly [string, Uint8Array | string])[]) => {
  const inTar = tar(...members.map(([name, content]) => file(name, content)));
  return {
    tar: inTar,
    tgz: Uint8Array.from(gzipSync(inTar)),
    zip: zip(members.map(([name, content]) => ({ name, content, deflate: true }))),
  };
};
type Format = keyof ReturnType<typeof packed>;
const FORMATS: readonly Format[] = ['tar', 'tgz', 'zip'];
const GOOD = packed(['web.ova', INNER], ['README.txt', README]);

describe.each(FORMATS)('an OVA in a %s', (format) => {
  const bytes = GOOD[format];

  test('[inner.1] is named where it was not asked for, and signed by nobody here', async () => {
    const path = place(bytes);
    const { report } = await verify(path, { trust, at: JUDGED_AT });
    expect(report).toMatchObject({ exitCode: 16, errors: [{ code: 'MANIFEST_MISSING' }] });
    expect(report.errors[0]?.message).toContain('"web.ova" is inside, and is what to verify');
    expect(report.errors[0]?.fix).toContain('verify "web.ova"');
    const looked = await inspect(path);
    expect(looked.report).toMatchObject({ exitCode: 16, errors: [{ code: 'PACKAGE_UNKNOWN' }] });
    expect(looked.report.errors[0]?.message).toContain('"web.ova" is inside');
    using sandbox = makeSandbox();
    const signed = await sign(path, {
      identity: await identityOf(sandbox),
      output: join(FOLDER, 'no'),
      format: 'tar',
    });
    expect(signed.errors[0]).toMatchObject({
      code: 'MANIFEST_MISSING',
      fix: expect.stringContaining('sign "web.ova"'),
    });
  });

  test.each([
    ['a file', () => place(bytes)],
    ['a pipe', () => chunked(bytes, 1000)],
    ['bytes one by one', () => chunked(bytes, 1)],
  ] as const)('[inner.1] [inner.4] is judged in its place from %s', async (_, source) => {
    const { verdict, report } = await verify(source(), options);
    expect(verdict).toBe('trusted');
    expect(valid(report).input).toMatchObject({
      format,
      inner: { name: 'web.ova', size: INNER.byteLength, format: 'tar' },
    });
    expect(report.warnings).toContainEqual(
      'only "web.ova" is judged: nothing speaks for the archive around it, nor for 1 other file in it',
    );
    expect(report.files.map(({ offset }) => offset)).toEqual(
      (await verifyBundle(INNER, { trust, at: JUDGED_AT })).report.files.map(({ offset }) => offset),
    );
  });

  test('[inner.1] is imported and looked into, and judged from memory', async () => {
    const destination = join(FOLDER, `to-${count++}`);
    const { imported } = await importBundle(chunked(bytes, 5000), { ...options, destination });
    expect(imported).toBe(true);
    for (const member of await makeMembers())
      expect(readFileSync(join(destination, member.name)), member.name).toEqual(Buffer.from(member.bytes));
    const looked = await inspect(place(bytes), { inner: true });
    expect(looked.inspection.kind).toBe('ovf');
    expect((await verifyBundle(bytes, options)).verdict).toBe('trusted');
  });

  test('[inner.1] that was changed is refused as it is by itself', async () => {
    const { report } = await verify(place(packed(['web.ova', FORGED])[format]), options);
    const alone = await verify(place(FORGED), { trust, at: JUDGED_AT });
    expect(report.errors.map(({ code }) => code)).toEqual(alone.report.errors.map(({ code }) => code));
    expect(report.exitCode).toBe(11);
  });

  test.each([
    ['[inner.2] none', [['README.txt', README]], 'PACKAGE_UNKNOWN', /no file that ends in \.ova/],
    [
      '[inner.2] several',
      [
        ['web.ova', INNER],
        ['b/DB.OVA', INNER],
      ],
      'PACKAGE_AMBIGUOUS',
      /"web\.ova" and "b\/DB\.OVA"/,
    ],
    [
      '[inner.3] a manifest beside it',
      [
        ['web.ova', INNER],
        ['web.mf', 'x'],
      ],
      'PACKAGE_AMBIGUOUS',
      /is a bundle itself: it holds "web\.mf"/,
    ],
    [
      '[inner.3] a descriptor before it',
      [
        ['a.ovf', 'x'],
        ['web.ova', INNER],
      ],
      'PACKAGE_AMBIGUOUS',
      /it holds "a\.ovf"/,
    ],
  ] as const)('%s is refused, and nothing imported', async (_, members, code, message) => {
    const path = place(packed(...members)[format]);
    const { report } = await verify(path, options);
    expect(report).toMatchObject({ exitCode: 16, errors: [{ code, where: { file: path } }] });
    expect(report.errors[0]?.message).toMatch(message);
    const destination = join(FOLDER, `to-${count++}`);
    expect((await importBundle(path, { ...options, destination })).imported).toBe(false);
    expect(readdirSync(FOLDER).filter((name) => name.includes(`to-${count - 1}`))).toEqual([]);
  });
});

describe('what is wrong around an OVA', () => {
  const end = (bytes: Uint8Array, cut: number) => bytes.subarray(0, bytes.byteLength - cut);
  test.each([
    ['a tar without its end mark', end(GOOD.tar, 1024), 'ARCHIVE_TRUNCATED'],
    [
      'a tar that goes on',
      tar(file('web.ova', INNER), new Uint8Array(1024), file('x', 'y')),
      'ARCHIVE_TRAILING',
    ],
    [
      'a tar with a link behind it',
      tar(file('web.ova', INNER), file('l', '', { type: '2', link: '/etc' })),
      'ARCHIVE_TYPE',
    ],
    ['a tar whose last name leads out', tar(file('web.ova', INNER), file('../x', 'y')), 'ARCHIVE_NAME'],
    ['a gzip without its checksum', end(GOOD.tgz, 8), 'ARCHIVE_TRUNCATED'],
    ['a gzip whose checksum is wrong', flipped(GOOD.tgz, GOOD.tgz.byteLength - 8), 'GZIP_MALFORMED'],
    ['a zip that is cut', end(GOOD.zip, 30), 'ARCHIVE_TRUNCATED'],
  ])('[inner.5] %s', async (_, bytes, code) => {
    for (const source of [place(bytes), chunked(bytes, 3000)]) {
      const { verdict, report } = await verify(source, options);
      expect(verdict).toBe('malformed');
      expect(report.errors[0]?.code).toBe(code);
      const destination = join(FOLDER, `to-${count++}`);
      const again = typeof source === 'string' ? source : chunked(bytes, 3000);
      expect((await importBundle(again, { ...options, destination })).imported).toBe(false);
    }
  });

  test('[inner.5] a wrong checksum of a member that does not matter', async () => {
    const bytes = zip([
      { name: 'web.ova', content: INNER },
      { name: 'README.txt', content: README, both: { crc: 1 } },
    ]);
    const { report } = await verify(place(bytes), options);
    expect(report.errors[0]).toMatchObject({ code: 'ZIP_MALFORMED', where: { member: 'README.txt' } });
  });

  test('[inner.5] relaxations are for both, and told', async () => {
    const bytes = tar(file('./web.ova', INNER));
    const strict = await verify(place(bytes), options);
    expect(strict.report.errors[0]?.code).toBe('ARCHIVE_NAME');
    const { verdict, report } = await verify(place(bytes), { ...options, relax: ['dot-prefix'] });
    expect(verdict).toBe('trusted');
    expect(report.warnings.join()).toContain('relax: dot-prefix');
  });

  test('[inner.4] a fault of the bundle is placed in both', async () => {
    const path = place(packed(['web.ova', INNER.subarray(0, 1500)]).zip);
    const { report } = await verify(path, options);
    expect(report.errors[0]).toMatchObject({
      code: 'ARCHIVE_TRUNCATED',
      where: { file: `web.ova in ${path}` },
    });
  });
});

test('[inner.1] the bytes that were hashed are those that are stored, to the last of them', async () => {
  const large = noiseFile('disk.img', 3 * 1024 * 1024 + 100);
  const behind = noiseFile('notes', 4 * 1024 * 1024);
  const bundle = await makeBundle({ files: [large] } as Parameters<typeof makeBundle>[0]);
  const path = place(packed(['web.ova', bundle], ['notes', behind.bytes]).tar);
  const destination = join(FOLDER, `to-${count++}`);
  const { imported } = await importBundle(path, { ...options, destination });
  expect(imported).toBe(true);
  for (const { name, bytes } of await makeMembers({ files: [large] } as Parameters<typeof makeMembers>[0]))
    expect(readFileSync(join(destination, name)).equals(bytes), name).toBe(true);
});

test('[inner.1] an OVA that is a zip is kept in a private file', async () => {
  const members = await makeMembers();
  const inner = zip(members.map(({ name, bytes }) => ({ name, content: bytes })));
  const { verdict, report } = await verify(place(packed(['web.ova', inner]).tgz), options);
  expect(verdict).toBe('trusted');
  expect(report.warnings.join()).toContain('kept in a private file');
});

test('[inner.1] is refused where there is no bundle to be read in order', async () => {
  const path = place(GOOD.tar);
  await expect(verifyFile(path, path, options)).rejects.toMatchObject({ code: 'USAGE' });
  await expect(openImage(path, 'disk.img', options)).rejects.toMatchObject({ code: 'USAGE' });
});

describe('[arc.7] archives of other programs', () => {
  test.each([
    ['a Vagrant box', tar(file('./box.ovf', 'x')), 'ARCHIVE_NAME', 'a Vagrant box is no bundle'],
    [
      'one that is sound',
      tar(file('metadata.json', '{}'), file('box-disk001.vmdk', 'x')),
      'MANIFEST_MISSING',
      'this is a Vagrant box',
    ],
    [
      'one with a descriptor',
      tar(file('box.ovf', 'x'), file('Vagrantfile', 'x')),
      'MANIFEST_MISSING',
      'this is a Vagrant box',
    ],
    [
      'a XenServer export',
      tar(file('ova.xml', 'x'), file('Ref:1/00000000', 'x')),
      'ARCHIVE_NAME',
      'a XenServer export (XVA) is no bundle',
    ],
    [
      'a container image',
      tar(file('blobs/', '', { type: '5' })),
      'ARCHIVE_TYPE',
      'a container image (OCI) is no bundle',
    ],
    [
      'one of docker save',
      tar(file(`${'a'.repeat(64)}/`, '', { type: '5' })),
      'ARCHIVE_TYPE',
      'as docker save writes it',
    ],
  ])('%s', async (_, bytes, code, message) => {
    for (const source of [place(bytes), chunked(bytes, 100)]) {
      const { report } = await verify(source, { trust, at: JUDGED_AT });
      expect(report.errors[0]).toMatchObject({ code, message: expect.stringContaining(message) });
      expect(report.errors[0]?.fix).not.toMatch(/ask the publisher|form that all readers share/);
    }
  });

  test('by the name of the file, where the members tell nothing yet', async () => {
    const { report } = await verify(place(tar(file('./', '', { type: '5' })), 'web.box'), {
      trust,
      at: JUDGED_AT,
    });
    expect(report.errors[0]?.message).toContain('a Vagrant box is no bundle');
    expect(report.errors[0]?.fix).toContain('detached signature');
  });

  test('a bundle with such a name in it stays one', async () => {
    const path = place(
      tar(file('web.mf', ''), file('Vagrantfile', 'x'), file('l', '', { type: '2', link: 'x' })),
    );
    const { report } = await verify(path, { trust, at: JUDGED_AT });
    expect(report.errors[0]?.message).toBe('the archive holds a symbolic link');
  });
});

describe('[pax.9] a sparse member', () => {
  const sparse = pax([record('GNU.sparse.major', '1'), record('GNU.sparse.name', 'disk.img')]);
  const blank = file('web.ovf', 'x', { size: '00000000001 ' });
  test.each([
    ['of bsdtar', tar(sparse, file('disk.img', 'x')), 'ARCHIVE_PAX'],
    [
      'of bsdtar behind a header that is refused',
      tar(blank, sparse, file('disk.img', 'x')),
      'ARCHIVE_HEADER',
    ],
    ['of GNU tar', tar(file('disk.img', 'x', { type: 'S' })), 'ARCHIVE_TYPE'],
  ])('%s is refused and named, with the way back to what was signed', async (_, bytes, code) => {
    for (const source of [place(bytes), place(gzipSync(bytes)), chunked(bytes, 4096)]) {
      const { report } = await verify(source, { trust, at: JUDGED_AT });
      expect(report.errors[0]).toMatchObject({ code, message: expect.stringContaining('sparse') });
      expect(report.errors[0]?.fix).toContain('tar --format=ustar');
    }
  });
});
