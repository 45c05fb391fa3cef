import { appendFileSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { openArchive } from '../../../src/archive/open-archive.ts';
import { parseBlockDigests } from '../../../src/formats/blocks/block-digests.ts';
import { parseDescriptor } from '../../../src/formats/ovf/descriptor.ts';
import { collect } from '../../../src/kit/bytes.ts';
import { BundleError } from '../../../src/kit/errors/errors.ts';
import { DEFAULT_LIMITS } from '../../../src/kit/limits.ts';
import type { PackOptions } from '../../../src/operations/pack/options.ts';
import { pack } from '../../../src/operations/pack/pack.ts';
import { blocksFor } from '../../factory/blocks.ts';
import { DISK, descriptorFor, NOTES, noiseFile } from '../../factory/bundles.ts';
import { identityOf, namesIn, verdictOn } from '../../factory/packing.ts';
import { makeSandbox, type Sandbox } from '../../factory/sandbox.ts';
import { chunked } from '../../factory/streams.ts';

const MIB = 1024 * 1024;
const IMAGE = noiseFile('web.img', 3 * MIB + 512);
const SMALL = noiseFile('small.img', 4096);

async function packed(
  sandbox: Sandbox,
  names: readonly string[],
  options: Partial<PackOptions> = {},
): Promise<Uint8Array> {
  const output = options.output ?? sandbox.path('out.ova');
  const identity = await identityOf(sandbox);
  const inputs = names.map((name) => sandbox.path(name));
  const common = {
    output,
    format: 'tar',
    name: 'app',
    identity,
    blockDigests: true,
    overwrite: true,
  } as const;
  const report = await pack(inputs, { ...common, ...options });
  expect([report.exitCode, report.files.every(({ actual }) => /^[0-9a-f]+$/.test(actual ?? ''))]).toEqual([
    0,
    true,
  ]);
  return readFileSync(String(output));
}

async function membersOf(bytes: Uint8Array): Promise<ReadonlyMap<string, Uint8Array>> {
  const members = new Map<string, Uint8Array>();
  for await (const { name, body } of (await openArchive(chunked(bytes), DEFAULT_LIMITS)).entries) {
    members.set(name, await collect(body, 100 * MIB, () => new BundleError('INTERNAL', 'large')));
  }
  return members;
}

function withDisks(): Sandbox {
  const sandbox = makeSandbox();
  for (const { name, bytes } of [IMAGE, SMALL]) sandbox.write(name, bytes);
  return sandbox;
}

describe('[blocks.9] block digests are packed', () => {
  test('before each disk image, with a reference in a descriptor that is made', async () => {
    using sandbox = withDisks();
    const bytes = await packed(sandbox, ['web.img', 'small.img']);
    expect(await namesIn(bytes)).toEqual([
      'app.ovf',
      'app.mf',
      'app.cert',
      'web.img.blocks',
      'web.img',
      'small.img.blocks',
      'small.img',
    ]);
    const members = await membersOf(bytes);
    for (const file of [IMAGE, SMALL])
      expect(members.get(`${file.name}.blocks`)).toEqual(new Uint8Array(blocksFor(file).bytes));
    const { references, disks } = parseDescriptor(
      members.get('app.ovf') ?? new Uint8Array(0),
      DEFAULT_LIMITS,
    );
    expect(references.map(({ id, href, size }) => [id, href, size])).toEqual([
      ['blocks1', 'web.img.blocks', blocksFor(IMAGE).bytes.byteLength],
      ['file1', 'web.img', IMAGE.bytes.byteLength],
      ['blocks2', 'small.img.blocks', blocksFor(SMALL).bytes.byteLength],
      ['file2', 'small.img', SMALL.bytes.byteLength],
    ]);
    expect(disks.map(({ fileId }) => fileId)).toEqual(['file1', 'file2']);
    expect(await verdictOn(sandbox, bytes)).toEqual(['trusted']);
  });

  test('the same in every container, and in one reading or two', async () => {
    using sandbox = withDisks();
    const names = ['web.img', 'small.img'];
    const once = await packed(sandbox, names);
    const expected = await membersOf(once);
    for (const format of ['tar', 'tgz', 'zip'] as const) {
      const output = sandbox.path(`again.${format}`);
      const bytes = await packed(sandbox, names, { format, output });
      expect(await verdictOn(sandbox, bytes)).toEqual(['trusted']);
      if (format === 'zip') continue;
      expect(await membersOf(bytes)).toEqual(expected);
    }
  });

  test('behind the image where manifest and signature come last, too', async () => {
    using sandbox = withDisks();
    const bytes = await packed(sandbox, ['web.img'], { order: 'trailing' });
    expect(await namesIn(bytes)).toEqual(['app.ovf', 'web.img', 'web.img.blocks', 'app.mf', 'app.cert']);
    expect(await verdictOn(sandbox, bytes)).toEqual(['trusted']);
  });

  test.each(['sha384', 'sha512'] as const)('by the algorithm of the manifest: %s', async (digest) => {
    using sandbox = withDisks();
    const bytes = await packed(sandbox, ['web.img'], { digest });
    const blocks = (await membersOf(bytes)).get('web.img.blocks') ?? new Uint8Array(0);
    expect(parseBlockDigests(blocks).algorithm).toBe(digest);
    expect(await verdictOn(sandbox, bytes)).toEqual(['trusted']);
  });

  test('[pack.7] beside the disks of a descriptor that is given, which stays as it is', async () => {
    using sandbox = makeSandbox();
    const descriptor = descriptorFor('web.ovf', [DISK, NOTES]);
    for (const { name, bytes } of [descriptor, DISK, NOTES]) sandbox.write(name, bytes);
    const identity = await identityOf(sandbox);
    const output = sandbox.path('out.ova');
    const options = { output, format: 'tar', name: 'web', identity, blockDigests: true } as const;
    const report = await pack([sandbox.path('web.ovf')], options);
    expect(report.warnings).toContainEqual(
      expect.stringContaining('does not name "disk.img.blocks" in References'),
    );
    const bytes = readFileSync(output);
    expect(await namesIn(bytes)).toEqual([
      'web.ovf',
      'web.mf',
      'web.cert',
      'disk.img.blocks',
      'disk.img',
      'notes.txt',
    ]);
    expect((await membersOf(bytes)).get('web.ovf')).toEqual(new Uint8Array(descriptor.bytes));
    expect(await verdictOn(sandbox, bytes)).toEqual(['trusted']);
  });

  test('beside what is named like a disk image in a plain bundle, and made anew where they are named', async () => {
    using sandbox = makeSandbox();
    const files = [DISK, NOTES];
    const descriptor = descriptorFor('web.ovf', [...files, 'disk.img.blocks']);
    for (const { name, bytes } of [descriptor, ...files]) sandbox.write(name, bytes);
    sandbox.write('disk.img.blocks', 'old');
    const plain = await packed(sandbox, ['disk.img', 'notes.txt'], { plain: true });
    expect(await namesIn(plain)).toEqual(['app.mf', 'app.cert', 'disk.img.blocks', 'disk.img', 'notes.txt']);
    expect(await verdictOn(sandbox, plain)).toEqual(['trusted']);
    const bytes = await packed(sandbox, ['web.ovf'], { name: 'web' });
    expect((await membersOf(bytes)).get('disk.img.blocks')).toEqual(new Uint8Array(blocksFor(DISK).bytes));
    expect(await verdictOn(sandbox, bytes)).toEqual(['trusted']);
  });

  test('not of chunks, nor where there is no disk, nor beside a file of their name', async () => {
    using sandbox = withDisks();
    sandbox.write('notes.txt', 'hello');
    sandbox.write('web.img.blocks', 'mine');
    const refused = async (names: readonly string[], options: Partial<PackOptions>): Promise<unknown> =>
      packed(sandbox, names, options).then(
        () => 'packed',
        ({ code }) => code,
      );
    expect(await refused(['web.img'], { chunkSize: MIB })).toBe('USAGE');
    expect(await refused(['notes.txt'], { plain: true })).toBe('USAGE');
    expect(await refused(['web.img', 'web.img.blocks'], { plain: true })).toBe('ARCHIVE_DUPLICATE');
    expect(await refused(['web.img'], { members: 4 })).toBe('ARCHIVE_LIMIT');
    expect(await refused(['web.img'], { members: 5 })).toBe('packed');
  });
});

test.each([
  ['longer', (path: string) => appendFileSync(path, new Uint8Array(4 * MIB))],
  ['shorter', (path: string) => truncateSync(path, MIB)],
  ['another', (path: string) => writeFileSync(path, noiseFile('other', IMAGE.bytes.byteLength).bytes)],
] as const)(
  '[pack.3] an image that becomes %s while its blocks are hashed ends the packing',
  async (_, change) => {
    for (const options of [{}, { format: 'tgz' as const }, { order: 'trailing' as const }]) {
      using sandbox = withDisks();
      let changed = false;
      const onProgress = (): void => {
        if (!changed) change(sandbox.path('web.img'));
        changed = true;
      };
      await expect(packed(sandbox, ['web.img'], { ...options, onProgress })).rejects.toMatchObject({
        code: 'FILE_CHANGED',
      });
      expect(sandbox.list().filter((name) => name.startsWith('out'))).toEqual([]);
    }
  },
);
