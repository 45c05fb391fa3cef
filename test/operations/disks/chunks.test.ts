import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { pack } from '../../../src/operations/pack/pack.ts';
import { sign } from '../../../src/operations/sign/sign.ts';
import {
  descriptorFor,
  makeBundle,
  type NamedBytes,
  NOTES,
  noiseFile,
  textFile,
} from '../../factory/bundles.ts';
import { qcow2 } from '../../factory/disk-images.ts';
import { importHere, left } from '../../factory/importing.ts';
import { identityOf, namesIn, verdictOn } from '../../factory/packing.ts';
import { codesOf } from '../../factory/reports.ts';
import { makeSandbox } from '../../factory/sandbox.ts';
import { chunked } from '../../factory/streams.ts';

const MIB = 1024 * 1024;
const IMAGE = noiseFile('disk.img', 5 * 512 * 1024);

/** The parts of a file as members of a bundle. */
function cut({ name, bytes }: NamedBytes, size: number): readonly NamedBytes[] {
  return Array.from({ length: Math.ceil(bytes.byteLength / size) }, (_, i) => ({
    name: `${name}.${String(i).padStart(9, '0')}`,
    bytes: bytes.subarray(i * size, (i + 1) * size),
  }));
}

/** A bundle whose disk is stored in parts or compressed, as `attributes` say. */
function stored(name: string, parts: readonly NamedBytes[], attributes: string): Promise<Uint8Array> {
  return makeBundle({ files: [descriptorFor('app.ovf', [name], { attributes }), ...parts] });
}

describe('packing in chunks', () => {
  test.each([
    ['leading', MIB, [MIB, MIB, MIB / 2]],
    ['trailing', 512 * 1024, [1, 1, 1, 1, 1].map((n) => n * 512 * 1024)],
    ['leading', 2 * MIB + 1, [2 * MIB + 1, MIB / 2 - 1]],
  ] as const)(
    '[pack.11] %s, %d bytes each: an importer trusts it, and has the image again',
    async (order, chunkSize, sizes) => {
      using sandbox = makeSandbox();
      const output = sandbox.path('out.ova');
      const inputs = [
        sandbox.write('disk.img', IMAGE.bytes),
        sandbox.write('small.img', new Uint8Array(1024)),
      ];
      await pack(inputs, {
        output,
        format: 'tar',
        name: 'app',
        order,
        chunkSize,
        identity: await identityOf(sandbox),
      });
      const bytes = readFileSync(output);
      expect(await verdictOn(sandbox, bytes)).toEqual(['trusted']);
      const chunks = sizes.map((_, i) => `disk.img.00000000${i}`);
      expect((await namesIn(bytes)).filter((name) => name.endsWith('.img') || /\d{9}$/.test(name))).toEqual([
        ...chunks,
        'small.img',
      ]);
      expect(bytes.toString('latin1')).toContain(
        `ovf:href="disk.img" ovf:size="${IMAGE.bytes.byteLength}" ovf:chunkSize="${chunkSize}"`,
      );
      const { files } = await importHere(sandbox, output, { imagesOnly: true });
      expect(files?.map(({ name, size }) => [name, size])).toEqual([
        ['small.img', 1024],
        ['disk.img', IMAGE.bytes.byteLength],
      ]);
      expect(Buffer.compare(readFileSync(sandbox.path('home/here/disk.img')), IMAGE.bytes)).toBe(0);
      expect(left(sandbox)).toEqual(['home/here/', 'home/here/disk.img', 'home/here/small.img']);
      const kept = await importHere(sandbox, output, {
        destination: sandbox.path('home/kept'),
        keepChunks: true,
      });
      expect(kept.files?.map(({ name }) => name)).toEqual(expect.arrayContaining(chunks));
      expect(chunks.map((name) => statSync(sandbox.path(`home/kept/${name}`)).size)).toEqual(sizes);
    },
  );

  test('[pack.11] is for images that are larger, and not for a descriptor that is given', async () => {
    using sandbox = makeSandbox();
    const image = sandbox.write('disk.img', new Uint8Array(MIB));
    const options = { output: sandbox.path('out.ova'), format: 'tar', name: 'app' } as const;
    await pack([image], { ...options, chunkSize: MIB });
    expect(await namesIn(readFileSync(options.output))).toEqual(['app.ovf', 'app.mf', 'disk.img']);
    const descriptor = sandbox.write('web.ovf', descriptorFor('web.ovf', ['disk.img']).bytes);
    for (const [inputs, plain] of [
      [[descriptor], false],
      [[image], true],
    ] as const) {
      const packing = pack(inputs, { ...options, output: sandbox.path('other.ova'), plain, chunkSize: 1 });
      await expect(packing).rejects.toMatchObject({ code: 'USAGE' });
    }
    const tooMany = pack([image], { ...options, output: sandbox.path('other.ova'), chunkSize: 4000 });
    await expect(tooMany).rejects.toMatchObject({ code: 'ARCHIVE_LIMIT' });
  });

  test('[pack.3] a file that grows or shrinks meanwhile is noticed in its last chunk', async () => {
    for (const size of [3 * MIB, 2 * MIB]) {
      using sandbox = makeSandbox();
      const image = sandbox.write('disk.img', IMAGE.bytes);
      const packing = pack([image], {
        output: sandbox.path('out.ova'),
        format: 'tar',
        name: 'app',
        chunkSize: MIB,
        order: 'trailing',
        onProgress: () => writeFileSync(image, new Uint8Array(size)),
      });
      await expect(packing).rejects.toMatchObject({ code: 'FILE_CHANGED' });
    }
  });
});

describe('a file that is stored otherwise than it is meant', () => {
  const zipped = gzipSync(IMAGE.bytes);
  const gz = (bytes: Uint8Array): NamedBytes => ({ name: 'disk.img.gz', bytes });
  const COMPRESSED = 'ovf:compression="gzip"';

  test('[whole.1] [whole.6] in chunks: joined, and the chunks are gone', async () => {
    using sandbox = makeSandbox();
    const parts = cut(IMAGE, MIB);
    const size = IMAGE.bytes.byteLength;
    const bundle = await stored('disk.img', parts, `ovf:chunkSize="${MIB}" ovf:size="${size}"`);
    const { report, files } = await importHere(sandbox, chunked(bundle));
    expect([report.exitCode, report.verdict]).toEqual([0, 'trusted']);
    expect(files?.map(({ name }) => name)).toEqual(['app.ovf', 'app.mf', 'app.cert', 'disk.img']);
    expect(report.result).toMatchObject({ files: ['app.ovf', 'app.mf', 'app.cert', 'disk.img'] });
    const more = parts.length - 1;
    expect(report.warnings).toEqual([
      expect.stringContaining(
        `"disk.img" was made of "disk.img.000000000" and ${more} more: the .mf still names`,
      ),
    ]);
    expect(left(sandbox)).toEqual(
      ['', 'app.cert', 'app.mf', 'app.ovf', 'disk.img'].map((name) => `home/here/${name}`),
    );
    expect(Buffer.compare(readFileSync(sandbox.path('home/here/disk.img')), IMAGE.bytes)).toBe(0);
  });

  test('[whole.1] compressed: left alone, or decompressed when that is asked for', async () => {
    using sandbox = makeSandbox();
    const bundle = await stored('disk.img.gz', [gz(zipped)], COMPRESSED);
    await importHere(sandbox, chunked(bundle));
    expect(Buffer.compare(readFileSync(sandbox.path('home/here/disk.img.gz')), zipped)).toBe(0);
    const { files, report } = await importHere(sandbox, chunked(bundle), {
      destination: sandbox.path('home/raw'),
      decompress: true,
      imagesOnly: true,
    });
    expect(files?.map(({ name, size }) => [name, size])).toEqual([['disk.img', IMAGE.bytes.byteLength]]);
    expect(report.warnings.join()).not.toContain('was made of'); // no manifest is there that names something else
    expect(left(sandbox).filter((name) => name.startsWith('home/raw/'))).toEqual([
      'home/raw/',
      'home/raw/disk.img',
    ]);
    expect(Buffer.compare(readFileSync(sandbox.path('home/raw/disk.img')), IMAGE.bytes)).toBe(0);
    expect(statSync(sandbox.path('home/raw/disk.img')).mode & 0o777).toBe(0o600);
  });

  test('[whole.1] compressed, then cut, and without .gz in its name', async () => {
    using sandbox = makeSandbox();
    const parts = cut({ name: 'disk.img', bytes: zipped }, 1000);
    const bundle = await stored(
      'disk.img',
      parts,
      `${COMPRESSED} ovf:chunkSize="1000" ovf:size="${zipped.byteLength}"`,
    );
    await importHere(sandbox, chunked(bundle), { decompress: true });
    expect(Buffer.compare(readFileSync(sandbox.path('home/here/disk.img')), IMAGE.bytes)).toBe(0);
    const whole = await stored('disk.img', [{ name: 'disk.img', bytes: zipped }], COMPRESSED);
    await importHere(sandbox, chunked(whole), { decompress: true, destination: sandbox.path('home/whole') });
    expect(Buffer.compare(readFileSync(sandbox.path('home/whole/disk.img')), IMAGE.bytes)).toBe(0);
    const kept = await importHere(sandbox, chunked(bundle), {
      decompress: true,
      keepChunks: true,
      destination: sandbox.path('home/kept'),
    });
    expect([kept.report.exitCode, codesOf(kept.report)]).toEqual([2, ['USAGE']]);
  });

  test('in a dry run is named as it would be', async () => {
    using sandbox = makeSandbox();
    const bundle = await stored('disk.img.gz', [gz(zipped)], COMPRESSED);
    const { files } = await importHere(sandbox, chunked(bundle), {
      decompress: true,
      dryRun: true,
      imagesOnly: true,
    });
    expect(files?.map(({ name }) => name)).toEqual(['disk.img']);
    expect(left(sandbox)).toEqual([]);
  });

  test.each<[string, Uint8Array, string]>([
    [
      'whose checksum is wrong',
      zipped.subarray(0, -8).length ? Buffer.concat([zipped.subarray(0, -8), Buffer.alloc(8)]) : zipped,
      'GZIP_MALFORMED',
    ],
    ['that is cut', zipped.subarray(0, -100), 'ARCHIVE_TRUNCATED'],
    ['with a second member', Buffer.concat([zipped, zipped]), 'GZIP_MALFORMED'],
    ['that is no gzip', IMAGE.bytes, 'GZIP_MALFORMED'],
    ['that inflates a thousandfold', gzipSync(Buffer.alloc(80 * MIB, 'a')), 'ARCHIVE_LIMIT'],
  ])('[whole.4] %s: refused, and nothing is published', async (_, bytes, code) => {
    using sandbox = makeSandbox();
    const { imported, report } = await importHere(
      sandbox,
      chunked(await stored('disk.img.gz', [gz(bytes)], COMPRESSED)),
      { decompress: true },
    );
    expect([imported, codesOf(report), left(sandbox)]).toEqual([false, [code], []]);
  });

  test('[whole.4] bzip2 is imported, and not decompressed; the limit of a member counts', async () => {
    using sandbox = makeSandbox();
    const bundle = await stored(
      'disk.img.bz2',
      [{ name: 'disk.img.bz2', bytes: zipped }],
      'ovf:compression="bzip2"',
    );
    const refused = await importHere(sandbox, chunked(bundle), { decompress: true });
    expect([codesOf(refused.report), left(sandbox)]).toEqual([['FORMAT_UNSUPPORTED'], []]);
    expect((await importHere(sandbox, chunked(bundle))).imported).toBe(true);
    const large = await stored('disk.img.gz', [gz(zipped)], COMPRESSED);
    const options = {
      decompress: true,
      limits: { memberBytes: MIB },
      destination: sandbox.path('home/other'),
    };
    expect(codesOf((await importHere(sandbox, chunked(large), options)).report)).toEqual(['ARCHIVE_LIMIT']);
  });

  test('[whole.3] a name that is none without the number of its chunk is refused', async () => {
    using sandbox = makeSandbox();
    const bundle = await stored(
      'disk.',
      [{ name: 'disk..000000000', bytes: NOTES.bytes }],
      'ovf:chunkSize="1000"',
    );
    const { imported, report } = await importHere(sandbox, chunked(bundle));
    expect([imported, codesOf(report), left(sandbox)]).toEqual([false, ['ARCHIVE_NAME'], []]);
  });

  const part = (name: string): readonly NamedBytes[] => [{ name: `${name}.000000000`, bytes: NOTES.bytes }];
  test.each([
    ['another descriptor', 'evil.ovf', 'PACKAGE_AMBIGUOUS'],
    ['another certificate file', 'evil.cert', 'PACKAGE_AMBIGUOUS'],
    ['revocation information', 'revocation/x.crl', 'PACKAGE_AMBIGUOUS'],
    ['block digests', 'x.img.blocks', 'PACKAGE_AMBIGUOUS'],
    ['the descriptor', 'app.ovf', 'ARCHIVE_DUPLICATE'],
    ['the manifest', 'app.mf', 'ARCHIVE_DUPLICATE'],
    ['the certificate file, in another case', 'APP.cert', 'ARCHIVE_DUPLICATE'],
  ])('[whole.3] chunks of %s are not joined', async (_, name, code) => {
    using sandbox = makeSandbox();
    const bundle = await stored(name, part(name), 'ovf:chunkSize="1000"');
    const { imported, report } = await importHere(sandbox, chunked(bundle));
    expect([imported, codesOf(report), left(sandbox)]).toEqual([false, [code], []]);
  });

  test.each([
    ['evil.ovf', 'PACKAGE_AMBIGUOUS'],
    ['x.img.blocks', 'PACKAGE_AMBIGUOUS'],
    ['app.mf', 'ARCHIVE_DUPLICATE'],
    ['APP.cert', 'ARCHIVE_DUPLICATE'],
    ['NOTES.TXT', 'ARCHIVE_DUPLICATE'],
    ['disk.', 'ARCHIVE_NAME'],
  ])('[whole.3] [pack.5] chunks of %s are neither signed nor packed: %s', async (name, code) => {
    using sandbox = makeSandbox();
    const identity = await identityOf(sandbox);
    const plain = descriptorFor('app.ovf', [name, NOTES]);
    const attributes = `ovf:size="${NOTES.bytes.byteLength}" ovf:chunkSize="1000"`;
    const text = new TextDecoder().decode(plain.bytes);
    const descriptor = textFile('app.ovf', text.replace(`"${name}"`, `"${name}" ${attributes}`));
    const bundle = await makeBundle({ files: [descriptor, ...part(name), NOTES] });
    const output = sandbox.path('signed.ova');
    const report = await sign(sandbox.write('in.ova', bundle), { output, format: 'tar', identity });
    expect([codesOf(report), existsSync(output)]).toEqual([[code], false]);
    for (const file of [descriptor, ...part(name), NOTES]) sandbox.write(file.name, file.bytes);
    const packed = pack([sandbox.path('app.ovf')], { output, format: 'tar', name: 'app', identity });
    await expect(packed).rejects.toMatchObject({ code });
    expect(existsSync(output)).toBe(false);
  });

  test.each(['evil.mf', 'evil.img.blocks'])('[whole.3] [pack.11] %s is not cut', async (name) => {
    using sandbox = makeSandbox();
    const options = { output: sandbox.path('out.ova'), format: 'tar', name: 'app', chunkSize: MIB } as const;
    await expect(pack([sandbox.write(name, IMAGE.bytes)], options)).rejects.toMatchObject({
      code: 'PACKAGE_AMBIGUOUS',
    });
  });

  test.each(['evil.ovf', 'app.mf', 'revocation/x.crl'])('[whole.3] %s is not decompressed', async (name) => {
    using sandbox = makeSandbox();
    const bundle = await stored(
      `${name}.gz`,
      [{ name: `${name}.gz`, bytes: gzipSync(NOTES.bytes) }],
      COMPRESSED,
    );
    const { imported, report } = await importHere(sandbox, chunked(bundle), { decompress: true });
    expect([imported, left(sandbox)]).toEqual([false, []]);
    expect(codesOf(report)).toEqual([name === 'app.mf' ? 'ARCHIVE_DUPLICATE' : 'PACKAGE_AMBIGUOUS']);
  });

  test('[whole.5] an image of another size than its disk is told', async () => {
    using sandbox = makeSandbox();
    const image = qcow2({ size: 1n << 30n });
    const bundle = await stored(
      'disk.qcow2.gz',
      [{ name: 'disk.qcow2.gz', bytes: gzipSync(image) }],
      COMPRESSED,
    );
    const { imported, report } = await importHere(sandbox, chunked(bundle), { decompress: true });
    expect([imported, report.warnings]).toEqual([
      true,
      [
        expect.stringContaining('was made of "disk.qcow2.gz"'),
        'the descriptor gives the disk in "disk.qcow2" 1 byte; its image has 1073741824',
      ],
    ]);
    expect(textFile('x', '').bytes.byteLength).toBe(0);
  });
});
