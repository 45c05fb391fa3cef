import { existsSync, mkdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { Settling } from '../../../src/storage/output/settling.ts';
import {
  archiveOf,
  DISK,
  descriptorFor,
  makeBundle,
  makeMembers,
  type NamedBytes,
  NOTES,
  noiseFile,
  textFile,
} from '../../factory/bundles.ts';
import { withFlipped } from '../../factory/damage.ts';
import { expectFiles, importHere, left } from '../../factory/importing.ts';
import { codesOf } from '../../factory/reports.ts';
import { makeSandbox } from '../../factory/sandbox.ts';
import { chunked, sourceOf } from '../../factory/streams.ts';

const MIB = 1024 * 1024;
const LARGE = noiseFile('large.img', 4 * MIB);

afterEach(() => vi.restoreAllMocks());

describe('a trusted bundle', () => {
  test('[import.7] is published byte for byte, however it comes', async () => {
    const members = await makeMembers({ files: [descriptorFor('app.ovf', [LARGE, NOTES]), LARGE, NOTES] });
    const bytes = await archiveOf(members);
    for (const size of [512, 70_000, MIB, Number.POSITIVE_INFINITY]) {
      using sandbox = makeSandbox();
      const { kind, files, report } = await importHere(
        sandbox,
        sourceOf(bytes, { sizes: () => size, hostile: true }),
      );
      expect([kind, report.verdict]).toEqual(['imported', 'trusted']);
      expect(files?.map(({ name }) => name)).toEqual(members.map(({ name }) => name));
      expectFiles(sandbox, members);
    }
  });

  test('[import.7] comes out of a compressed one, too', async () => {
    using sandbox = makeSandbox();
    const members = await makeMembers();
    expect(
      (await importHere(sandbox, sandbox.write('app.tgz', await archiveOf(members, true)))).imported,
    ).toBe(true);
    expectFiles(sandbox, members);
  });

  test('[import.7] has holes in place of zeros', async () => {
    using sandbox = makeSandbox();
    const zeros = new Uint8Array(8 * MIB);
    zeros.set(DISK.bytes, 3 * MIB);
    const files = [
      { name: 'sparse.img', bytes: zeros },
      { name: 'zeros.img', bytes: new Uint8Array(2 * MIB + 5) },
    ];
    const members = await makeMembers({ files });
    await importHere(sandbox, sandbox.write('app.tar', await archiveOf(members)));
    expectFiles(sandbox, members);
    expect(statSync(sandbox.path('home/here/sparse.img')).blocks * 512).toBeLessThan(3 * MIB);
    expect(statSync(sandbox.path('home/here/zeros.img')).blocks * 512).toBeLessThan(MIB);
  });

  test('[import.1] is for the user alone', async () => {
    using sandbox = makeSandbox();
    const files = [textFile('sub/deep/notes.txt', 'x'), DISK];
    await importHere(sandbox, chunked(await makeBundle({ files })));
    const modes = ['', '/sub', '/sub/deep', '/sub/deep/notes.txt', '/disk.img', '/app.mf'].map((name) => {
      return (statSync(sandbox.path(`home/here${name}`)).mode & 0o7777).toString(8);
    });
    expect(modes).toEqual(['700', '700', '700', '600', '600', '600']);
  });

  test('[import.1] waits beside the destination, and not in it', async () => {
    using sandbox = makeSandbox();
    const seen = new Set<string>();
    await importHere(sandbox, sandbox.write('app.ova', await makeBundle({ files: [LARGE] })), {
      onProgress: () => {
        for (const name of left(sandbox)) seen.add(name.replace(/partial-[\w-]+/, 'partial-*'));
      },
    });
    expect([...seen]).toContain('home/here.partial-*/content/large.img');
    expect([...seen].filter((name) => name.startsWith('home/here/'))).toEqual([]);
    expect(left(sandbox)).toEqual([
      'home/here/',
      'home/here/app.cert',
      'home/here/app.mf',
      'home/here/large.img',
    ]);
  });

  test('[import.4] is on the disk before the rename, and the rename before the report', async () => {
    using sandbox = makeSandbox();
    const bytes = await makeBundle({ files: [textFile('sub/a.txt', 'a'), DISK] });
    await using handle = await open(sandbox.write('any', ''));
    const synced: boolean[] = [];
    const prototype = Object.getPrototypeOf(handle) as { sync(): Promise<void> };
    const sync = prototype.sync;
    vi.spyOn(prototype, 'sync').mockImplementation(function (this: unknown) {
      synced.push(existsSync(sandbox.path('home/here')));
      return sync.call(this);
    });
    const add = vi.spyOn(Settling.prototype, 'add');
    vi.spyOn(Settling.prototype, 'settled').mockImplementationOnce(async () => {
      expect([add.mock.calls.length, existsSync(sandbox.path('home/here'))]).toEqual([4, false]);
    });
    await importHere(sandbox, chunked(bytes));
    // four small files by `Settling`; the folder below and the folder itself; then the parent
    expect(synced).toEqual([false, false, true]);
  });

  test('is accepted without a signature when that is allowed', async () => {
    using sandbox = makeSandbox();
    const result = await importHere(sandbox, chunked(await makeBundle({ signed: false })), {
      allow: { unsigned: true },
    });
    expect([result.imported, result.report.verdict, result.report.trusted]).toEqual([
      true,
      'unsigned',
      false,
    ]);
  });
});

function fill(folder: string): void {
  mkdirSync(folder);
  writeFileSync(join(folder, 'mine'), 'mine');
}

function linkToFolder(link: string): void {
  mkdirSync(`${link}-else`);
  symlinkSync(`${link}-else`, link);
}

describe('the destination', () => {
  const bundle = makeBundle();

  test('[import.2] may be an empty folder', async () => {
    using sandbox = makeSandbox();
    mkdirSync(sandbox.path('home/here'), { recursive: true });
    expect((await importHere(sandbox, chunked(await bundle))).imported).toBe(true);
  });

  test.each<[string, (here: string) => void]>([
    ['a folder with something in it', fill],
    ['a file', (here) => writeFileSync(here, 'mine')],
    ['a symbolic link to an empty folder', linkToFolder],
    ['a symbolic link to nothing', (here) => symlinkSync('nowhere', here)],
  ])('[import.2] may not be %s', async (_, occupy) => {
    using sandbox = makeSandbox();
    mkdirSync(sandbox.path('home'));
    occupy(sandbox.path('home/here'));
    const before = left(sandbox);
    const source = chunked(await bundle);
    await expect(importHere(sandbox, source)).rejects.toMatchObject({ code: 'DESTINATION_EXISTS' });
    expect(left(sandbox)).toEqual(before);
    expect(source.seen.pulls).toBe(0);
  });

  test.each<[string, (here: string) => void]>([
    ['a folder with something in it', fill],
    ['a file', (here) => writeFileSync(here, 'theirs')],
  ])('[import.2] may not become %s meanwhile', async (_, occupy) => {
    using sandbox = makeSandbox();
    let occupied = false;
    const onProgress = (): void => {
      if (!occupied) occupy(sandbox.path('home/here'));
      occupied = true;
    };
    const importing = importHere(sandbox, chunked(await bundle), { onProgress });
    await expect(importing).rejects.toMatchObject({ code: 'DESTINATION_EXISTS' });
    expect(left(sandbox).filter((name) => name.includes('partial'))).toEqual([]);
    expect(left(sandbox).length).toBeLessThanOrEqual(2);
  });

  test('needs a folder to be in', async () => {
    using sandbox = makeSandbox();
    const destination = sandbox.path('home/no/where');
    const importing = importHere(sandbox, chunked(await bundle), { destination });
    await expect(importing).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      where: { file: sandbox.path('home/no') },
    });
    expect(left(sandbox)).toEqual([]);
  });
});

describe('disk images only', () => {
  const imagesOnly = { imagesOnly: true };

  test('[import.6] are those of the DiskSection', async () => {
    using sandbox = makeSandbox();
    const files = [
      descriptorFor('app.ovf', [DISK, textFile('docs/notes.img', 'x')]),
      DISK,
      textFile('docs/notes.img', 'x'),
    ];
    const { report, files: published } = await importHere(
      sandbox,
      chunked(await makeBundle({ files })),
      imagesOnly,
    );
    expect(published?.map(({ name }) => name)).toEqual(['disk.img']);
    expect(report.result).toMatchObject({ published: true, files: ['disk.img'] });
    expect(left(sandbox)).toEqual(['home/here/', 'home/here/disk.img']);
  });

  test('[import.6] are those named like one in a plain bundle', async () => {
    using sandbox = makeSandbox();
    const names = ['a.qcow2', 'b.vmdk.gz', 'sub/c.raw', 'readme.txt', 'd.img.000000000', 'e.ISO', 'img'];
    await importHere(
      sandbox,
      chunked(await makeBundle({ files: names.map((name) => noiseFile(name, 100)) })),
      imagesOnly,
    );
    const published = left(sandbox).filter((name) => !name.endsWith('/'));
    expect(published.map((name) => name.slice('home/here/'.length))).toEqual([
      'a.qcow2',
      'b.vmdk.gz',
      'd.img.000000000',
      'e.ISO',
      'sub/c.raw',
    ]);
  });

  test('[import.6] are all verified with the rest', async () => {
    using sandbox = makeSandbox();
    const members = (all: readonly NamedBytes[]) => withFlipped(all, 'notes.txt', 2);
    const { imported, report } = await importHere(
      sandbox,
      chunked(await makeBundle({ members })),
      imagesOnly,
    );
    expect([imported, codesOf(report), left(sandbox)]).toEqual([false, ['DIGEST_MISMATCH'], []]);
  });

  test.each([
    ['a plain bundle', { files: [NOTES] }],
    ['an appliance without a disk', { files: [descriptorFor('app.ovf', [])] }],
  ])('[import.6] none at all is refused: %s', async (_, options) => {
    using sandbox = makeSandbox();
    const { imported, verdict, report, files } = await importHere(
      sandbox,
      chunked(await makeBundle(options)),
      imagesOnly,
    );
    expect([imported, files, codesOf(report), report.exitCode]).toEqual([false, undefined, ['USAGE'], 2]);
    expect([report.trusted, verdict]).toEqual([false, 'error']);
    expect(left(sandbox)).toEqual([]);
  });
});

describe('the verdict of the result', () => {
  test('is that of the report, and says by itself whether there are files', async () => {
    using sandbox = makeSandbox();
    const result = await importHere(sandbox, chunked(await makeBundle()), {});
    expect(result.verdict).toBe('trusted');
    if (result.verdict === 'trusted') expect(result.files.map(({ name }) => name)).toContain('app.ovf');
    using other = makeSandbox();
    const refused = await importHere(other, chunked(await makeBundle({ signed: false })), {});
    expect([refused.verdict, refused.report.verdict, refused.files]).toEqual([
      'unsigned',
      'unsigned',
      undefined,
    ]);
  });

  test('is unsigned for one that is accepted without a signature', async () => {
    using sandbox = makeSandbox();
    const bundle = chunked(await makeBundle({ signed: false }));
    const { kind, verdict } = await importHere(sandbox, bundle, { allow: { unsigned: true } });
    expect([kind, verdict]).toEqual(['imported', 'unsigned']);
  });
});

describe('a dry run', () => {
  test('stores nothing and says what would be published', async () => {
    using sandbox = makeSandbox();
    const { kind, imported, verdict, files, report } = await importHere(
      sandbox,
      chunked(await makeBundle()),
      { dryRun: true },
    );
    expect([kind, imported, verdict]).toEqual(['would-be-imported', false, 'trusted']);
    expect([files?.length, report.exitCode]).toEqual([5, 0]);
    expect(report.result).toMatchObject({ published: false });
    expect(left(sandbox)).toEqual([]);
  });

  test('refuses as the import would', async () => {
    using sandbox = makeSandbox();
    const { report } = await importHere(sandbox, chunked(await makeBundle({ signed: false })), {
      dryRun: true,
    });
    expect(codesOf(report)).toEqual(['SIGNATURE_MISSING']);
    rmSync(sandbox.path('home'), { recursive: true });
  });
});
