import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { type ByteStream, concat } from '../../../src/kit/bytes.ts';
import { archiveOf, descriptorFor, makeMembers, type NamedBytes, textFile } from '../../factory/bundles.ts';
import { makeAuthority } from '../../factory/certificates.ts';
import { flipIn, flipped } from '../../factory/damage.ts';
import { expectFiles, importHere, left } from '../../factory/importing.ts';
import { codesOf } from '../../factory/reports.ts';
import { blocksOf, resumable } from '../../factory/resuming.ts';
import { makeSandbox, type Sandbox } from '../../factory/sandbox.ts';
import { sourceOf as streamOf } from '../../factory/streams.ts';
import { zipOf } from '../../factory/zip.ts';

const MIB = 1024 * 1024;

let disk: NamedBytes;
let members: readonly NamedBytes[];
let bundle: Uint8Array;
/** as far as 3 MiB of the disk, and a bit */
let part: Uint8Array;

beforeAll(async () => {
  ({ disk, members } = await resumable(5 * MIB + 123));
  bundle = await archiveOf(members);
  part = bundle.subarray(0, bundle.byteLength - 2 * MIB + 600_000);
});

const resume = true;
const sourceOf = (bytes: Uint8Array, size = 300_000): ByteStream =>
  streamOf(bytes, { sizes: () => size, hostile: true });

/** An import that comes to its end too early, and leaves what it has; gives where that is. */
async function interrupt(sandbox: Sandbox, bytes = part): Promise<string> {
  const { report } = await importHere(sandbox, sourceOf(bytes), { resume });
  expect(codesOf(report)).toEqual(['ARCHIVE_TRUNCATED']);
  expect(report.warnings.join()).toContain('the same import goes on with it');
  const [name = ''] = readdirSync(sandbox.path('home'));
  expect(name).toContain('here.partial-');
  return join(sandbox.path('home'), name, 'content');
}

const goneOnWith = (warnings: readonly string[]): readonly string[] =>
  warnings.flatMap((text) => /was gone on with: (\d+) bytes/.exec(text)?.[1] ?? []);

describe('an import that is gone on with', () => {
  test('[resume.1] takes what is right of what was left, and is what it would have been', async () => {
    using sandbox = makeSandbox();
    const folder = await interrupt(sandbox);
    const inode = statSync(join(folder, disk.name)).ino;
    const { imported, report } = await importHere(sandbox, sandbox.write('app.ova', bundle), { resume });
    expect([imported, report.verdict]).toEqual([true, 'trusted']);
    expect(goneOnWith(report.warnings)).toEqual([String(3 * MIB)]);
    expectFiles(sandbox, members);
    expect(statSync(sandbox.path(`home/here/${disk.name}`)).ino).toBe(inode);
  });

  test('[resume.1] may be interrupted again, even before it has begun', async () => {
    using sandbox = makeSandbox();
    await interrupt(sandbox);
    await expect(importHere(sandbox, sandbox.path('not-there.ova'), { resume })).rejects.toThrow(
      /no such file/,
    );
    await interrupt(sandbox, part.subarray(0, 2000));
    await interrupt(sandbox, bundle.subarray(0, bundle.byteLength - MIB + 600_000));
    const { imported, report } = await importHere(sandbox, sourceOf(bundle), { resume });
    expect([imported, ...goneOnWith(report.warnings)]).toEqual([true, String(4 * MIB)]);
    expectFiles(sandbox, members);
  });

  test('[resume.4] without block digests: nothing is kept, and it says so', async () => {
    using sandbox = makeSandbox();
    const plain = await archiveOf(await makeMembers({ files: [descriptorFor('app.ovf', [disk]), disk] }));
    const cut = plain.subarray(0, plain.byteLength - 2 * MIB);
    const { report } = await importHere(sandbox, sourceOf(cut), { resume });
    expect(codesOf(report)).toEqual(['ARCHIVE_TRUNCATED']);
    expect(report.warnings.join()).toContain('no block digests have come, so that the next run begins anew');
    expect(report.warnings.join()).not.toContain('goes on with it');
    expect(left(sandbox)).toEqual([]);
    async function* broken(): AsyncGenerator<Uint8Array, void> {
      yield cut;
      throw new Error('the line is cut');
    }
    const thrown = await importHere(sandbox, broken(), { resume });
    expect([...thrown.report.warnings, ...thrown.report.errors.map(({ fix }) => fix)].join()).toContain(
      'the next run begins anew',
    );
    expect(left(sandbox)).toEqual([]);
  });

  test('[resume.4] says why nothing of what was left could be used, and that it was removed', async () => {
    const plain = await archiveOf(await makeMembers({ files: [descriptorFor('app.ovf', [disk]), disk] }));
    const another = await archiveOf((await resumable(4 * MIB)).members);
    for (const [bytes, reason] of [
      [plain, 'no block digests have come'],
      [another, 'no whole block of it is one of this bundle'],
    ] as const) {
      using sandbox = makeSandbox();
      await interrupt(sandbox);
      const { imported, report } = await importHere(sandbox, sourceOf(bytes), { resume });
      expect([imported, report.warnings.join()]).toEqual([
        true,
        expect.stringContaining(`could not be gone on with, and was removed: ${reason}`),
      ]);
    }
  });

  test('[resume.4] says so in the error that ends it, too', async () => {
    const plain = await archiveOf(await makeMembers({ files: [descriptorFor('app.ovf', [disk]), disk] }));
    using sandbox = makeSandbox();
    await interrupt(sandbox);
    async function* meanwhile(): AsyncGenerator<Uint8Array, void> {
      yield plain;
      for (const name of readdirSync(sandbox.path('home')))
        rmSync(sandbox.path(`home/${name}`), { recursive: true });
    }
    await expect(importHere(sandbox, meanwhile(), { resume })).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      fix: expect.stringContaining('could not be gone on with, and was removed: no block digests have come'),
    });
  });

  test('[resume.4] names the one of several disks that it begins anew', async () => {
    const other = { name: 'other.img', bytes: new Uint8Array(2 * MIB).fill(7) };
    const [first, second] = [blocksOf(disk), blocksOf(other)];
    const descriptor = descriptorFor('app.ovf', [disk, first, other, second]);
    const both = await makeMembers({ files: [descriptor, first, second, disk, other] });
    const all = await archiveOf(both);
    using sandbox = makeSandbox();
    const file = join(await interrupt(sandbox, all.subarray(0, all.byteLength - MIB / 2)), disk.name);
    flipIn(file, 0);
    const { imported, report } = await importHere(sandbox, sourceOf(all), { resume });
    expect(imported).toBe(true);
    expect(report.warnings.filter((text) => /gone on with/.test(text))).toEqual([
      expect.stringMatching(/^"other\.img" was gone on with/),
      expect.stringMatching(/left of "disk\.img" could not be gone on with, and was removed/),
    ]);
    expectFiles(sandbox, both);
  });

  test.each([
    ['a pipe', (bytes: Uint8Array) => sourceOf(bytes, 70_000)],
    ['a compressed archive', async () => sourceOf(await archiveOf(members, true))],
    ['a zip', async () => zipOf(members)],
  ])('[resume.1] from %s', async (_, make) => {
    using sandbox = makeSandbox();
    await interrupt(sandbox);
    const input = await make(bundle);
    const source = input instanceof Uint8Array ? sandbox.write('app.zip', input) : input;
    const { imported, report } = await importHere(sandbox, source, { resume });
    expect([imported, ...goneOnWith(report.warnings)]).toEqual([true, String(3 * MIB)]);
    expectFiles(sandbox, members);
  });

  test('[resume.2] reads again what is damaged, and all behind it', async () => {
    using sandbox = makeSandbox();
    const file = join(await interrupt(sandbox), disk.name);
    flipIn(file, MIB + 77);
    const { imported, report } = await importHere(sandbox, sourceOf(bundle), { resume });
    expect([imported, ...goneOnWith(report.warnings)]).toEqual([true, String(MIB)]);
    expectFiles(sandbox, members);
  });

  test.each([
    [
      'longer than the member',
      (file: string) => writeFileSync(file, concat([disk.bytes, new Uint8Array(9000)])),
    ],
    ['whole', (file: string) => writeFileSync(file, disk.bytes)],
  ])('[resume.2] whose file is %s', async (_, change) => {
    using sandbox = makeSandbox();
    change(join(await interrupt(sandbox), disk.name));
    const { imported } = await importHere(sandbox, sourceOf(bundle), { resume });
    expect(imported).toBe(true);
    expectFiles(sandbox, members);
  });

  test('[resume.2] does not follow a link, nor write to a file that has another name', async () => {
    using sandbox = makeSandbox();
    const file = join(await interrupt(sandbox), disk.name);
    const elsewhere = sandbox.write('elsewhere', readFileSync(file));
    rmSync(file);
    symlinkSync(elsewhere, file);
    const { imported, report } = await importHere(sandbox, sourceOf(bundle), { resume });
    expect([imported, ...goneOnWith(report.warnings)]).toEqual([true]);
    expect(readFileSync(elsewhere).byteLength).toBeLessThan(disk.bytes.byteLength);
    expectFiles(sandbox, members);
  });

  test('[resume.3] believes nothing because of block digests: what they say is right must be right', async () => {
    const other = { name: disk.name, bytes: Uint8Array.from(disk.bytes, (byte) => byte ^ 1) };
    const lying = blocksOf(other, disk);
    const files = [descriptorFor('app.ovf', [disk, lying]), lying, disk];
    using sandbox = makeSandbox();
    writeFileSync(join(await interrupt(sandbox), disk.name), other.bytes.subarray(0, 3 * MIB));
    const input = sourceOf(await archiveOf(await makeMembers({ files })));
    const { imported, report } = await importHere(sandbox, input, { resume });
    expect([imported, codesOf(report)]).toEqual([false, ['DIGEST_MISMATCH']]);
    expect(left(sandbox)).toEqual([]);
  });

  test('[resume.1] whose folder is taken away says what ended it, and promises nothing', async () => {
    using sandbox = makeSandbox();
    async function* thief(): AsyncGenerator<Uint8Array, void> {
      yield part.subarray(0, MIB);
      yield part.subarray(MIB, 2 * MIB);
      for (const name of readdirSync(sandbox.path('home')))
        rmSync(sandbox.path(`home/${name}`), { recursive: true });
    }
    const { report } = await importHere(sandbox, thief(), { resume });
    expect([codesOf(report), report.warnings.join()]).toEqual([
      ['ARCHIVE_TRUNCATED'],
      expect.not.stringContaining('is kept'),
    ]);
    expect(left(sandbox)).toEqual([]);
  });

  test('[resume.4] leaves nothing of a bundle that is refused', async () => {
    using sandbox = makeSandbox();
    await interrupt(sandbox);
    const damaged = flipped(bundle, -MIB);
    const { imported, report } = await importHere(sandbox, sourceOf(damaged), { resume });
    expect([imported, codesOf(report)]).toEqual([false, ['DIGEST_MISMATCH']]);
    expect(left(sandbox)).toEqual([]);
  });

  test('[resume.4] says that the refusal was why what was left is gone, where nothing was looked at', async () => {
    using sandbox = makeSandbox();
    await interrupt(sandbox);
    const trust = { anchors: [sandbox.write('other.pem', (await makeAuthority()).pem)] };
    const { report } = await importHere(sandbox, sourceOf(bundle), { resume, trust });
    expect([codesOf(report), report.warnings.join()]).toEqual([
      ['SIGNER_UNKNOWN'],
      expect.stringContaining('was removed: this import was refused'),
    ]);
    expect(report.warnings.join()).not.toContain('no block digests have come');
    expect(left(sandbox)).toEqual([]);
  });

  test.each(['disk.img', 'disk.img.gz'])(
    '[resume.1] stopped while %s is decompressed: keeps it',
    async (name) => {
      using sandbox = makeSandbox();
      const zipped = { name, bytes: Uint8Array.from(gzipSync(disk.bytes)) };
      const blocks = blocksOf(zipped);
      const plain = Buffer.from(descriptorFor('app.ovf', [zipped, blocks]).bytes).toString();
      const text = plain.replace('ovf:id="f0"', 'ovf:id="f0" ovf:compression="gzip"');
      const all = await makeMembers({ files: [textFile('app.ovf', text), blocks, zipped] });
      const input = await archiveOf(all);
      const options = { resume, decompress: true };
      const stop = new AbortController();
      let watch = true;
      const look = (): void => {
        const [unfinished] = existsSync(sandbox.path('home')) ? readdirSync(sandbox.path('home')) : [];
        const content = sandbox.path(`home/${unfinished}/content`);
        const names = unfinished !== undefined && existsSync(content) ? readdirSync(content) : [];
        // the compressed one is whole, and what is made of it stands beside it
        if (names.filter((one) => /disk\.img$|\.gz$|^stored/.test(one)).length === 2) stop.abort();
        else if (watch) setImmediate(look);
      };
      look();
      const { imported, report } = await importHere(sandbox, sourceOf(input), {
        ...options,
        signal: stop.signal,
      });
      watch = false;
      expect([imported, codesOf(report)]).toEqual([false, ['INTERRUPTED']]);
      expect(report.errors[0]?.fix).toContain('it goes on with what has come');
      const again = await importHere(sandbox, sourceOf(input), options);
      expect([again.imported, ...goneOnWith(again.report.warnings)]).toEqual([
        true,
        String(zipped.bytes.byteLength),
      ]);
      expectFiles(sandbox, [...all.filter((member) => member.name !== name), disk]);
    },
  );

  test('[resume.1] keeps all when the destination has appeared, the disk images alone asked for', async () => {
    using sandbox = makeSandbox();
    const options = { resume, imagesOnly: true };
    async function* slow(): AsyncGenerator<Uint8Array, void> {
      yield bundle;
      mkdirSync(sandbox.path('home/here'));
      writeFileSync(sandbox.path('home/here/another'), '');
    }
    await expect(importHere(sandbox, slow(), options)).rejects.toMatchObject({
      code: 'DESTINATION_EXISTS',
      fix: expect.stringContaining('what has come is kept'),
    });
    rmSync(sandbox.path('home/here'), { recursive: true });
    const { imported, report } = await importHere(sandbox, sourceOf(bundle), options);
    expect([imported, ...goneOnWith(report.warnings)]).toEqual([true, String(disk.bytes.byteLength)]);
    expectFiles(sandbox, [disk]);
  });

  test('[resume.1] keeps all when what was asked for is not in it', async () => {
    using sandbox = makeSandbox();
    const notes = { name: 'notes.dat', bytes: disk.bytes };
    const input = await archiveOf(await makeMembers({ files: [blocksOf(notes), notes] }));
    const { report } = await importHere(sandbox, sourceOf(input), { resume, imagesOnly: true });
    expect([codesOf(report), report.errors[0]?.fix]).toEqual([
      ['USAGE'],
      expect.stringContaining('what has come is kept, and the command goes on with it then'),
    ]);
    const again = await importHere(sandbox, sourceOf(input), { resume });
    expect(goneOnWith(again.report.warnings)).toEqual([String(notes.bytes.byteLength)]);
  });

  test('[resume.4] leaves nothing when it was not asked to', async () => {
    using sandbox = makeSandbox();
    const { report } = await importHere(sandbox, sourceOf(part));
    expect([codesOf(report), left(sandbox)]).toEqual([['ARCHIVE_TRUNCATED'], []]);
    await interrupt(sandbox);
    const again = await importHere(sandbox, sourceOf(bundle));
    expect(again.report.warnings.join()).toContain('an earlier run had left');
    expect(goneOnWith(again.report.warnings)).toEqual([]);
    expectFiles(sandbox, members);
  });

  test('[resume.1] takes nothing that another run is at work on, nor is that swept', async () => {
    using sandbox = makeSandbox();
    const [reached, isReached] = signalOf();
    const [over, isOver] = signalOf();
    async function* slow(): AsyncGenerator<Uint8Array, void> {
      yield part;
      isReached();
      await over;
      yield bundle.subarray(part.byteLength);
    }
    const first = importHere(sandbox, slow(), { resume });
    await reached;
    const second = await importHere(sandbox, sourceOf(bundle), { resume });
    expect([second.imported, second.report.warnings]).toEqual([true, []]);
    isOver();
    await expect(first).rejects.toMatchObject({
      code: 'DESTINATION_EXISTS',
      fix: expect.stringMatching(/what has come is kept.*once nothing is in the way, .* goes on with that/), // [resume.4]
    });
    rmSync(sandbox.path('home/here'), { recursive: true });
    const third = await importHere(sandbox, sourceOf(bundle), { resume });
    expect(goneOnWith(third.report.warnings)).toEqual([String(disk.bytes.byteLength)]);
    expectFiles(sandbox, members);
  });

  test.each([true, false])(
    '[import.8] belongs to its folder: an import beside it (resume: %s) leaves it as it is',
    async (resumes) => {
      using sandbox = makeSandbox();
      const file = join(await interrupt(sandbox), disk.name);
      const before = statSync(file).ino;
      const beside = { resume: resumes, destination: sandbox.path('home/there') };
      const other = await importHere(sandbox, sourceOf(bundle), beside);
      expect([other.imported, other.report.warnings, statSync(file).ino]).toEqual([true, [], before]);
      rmSync(sandbox.path('home/there'), { recursive: true });
      const same = await importHere(sandbox, sourceOf(bundle), { resume });
      expect(goneOnWith(same.report.warnings)).toEqual([String(3 * MIB)]);
      expectFiles(sandbox, members);
    },
  );

  test.each<[string, (sandbox: Sandbox, left: string) => void]>([
    ['whose marker is gone', (_, left) => rmSync(join(left, 'bulla.partial'))],
    ['whose marker is a link', (sandbox, left) => linkInstead(sandbox, join(left, 'bulla.partial'))],
    [
      'whose marker has two names',
      (sandbox, left) => linkSync(join(left, 'bulla.partial'), sandbox.path('twin')),
    ],
    ['whose marker others may write', (_, left) => chmodSync(join(left, 'bulla.partial'), 0o666)],
    ['that others may write to', (_, left) => chmodSync(left, 0o770)],
    ['that is a copy', (_, left) => copyInstead(left)],
    ['that is a copy in a copy', (sandbox) => copyInstead(sandbox.path('home'))],
  ])('[import.8] neither takes nor removes a folder %s', async (_, change) => {
    using sandbox = makeSandbox();
    const folder = dirname(await interrupt(sandbox));
    change(sandbox, folder);
    const { imported, report } = await importHere(sandbox, sourceOf(bundle), { resume });
    expect([imported, report.warnings]).toEqual([true, []]);
    expect(statSync(join(folder, 'content', disk.name)).size).toBeGreaterThan(3 * MIB);
  });

  test.each<[string, (sandbox: Sandbox, file: string) => void]>([
    ['has another name', (sandbox, file) => linkSync(file, sandbox.path('elsewhere'))],
    ['others may read', (_, file) => chmodSync(file, 0o644)],
    ['others may write', (_, file) => chmodSync(file, 0o660)],
    ['is a program', (_, file) => chmodSync(file, 0o4700)],
    ['lies behind a link', (sandbox, file) => linkInstead(sandbox, dirname(file))],
    ['lies where others may write', (_, file) => chmodSync(dirname(file), 0o777)],
  ])('[resume.2] does not take over a file that %s', async (_, change) => {
    using sandbox = makeSandbox();
    const file = join(await interrupt(sandbox), disk.name);
    change(sandbox, file);
    const { imported, report } = await importHere(sandbox, sourceOf(bundle), { resume });
    expect([imported, goneOnWith(report.warnings)]).toEqual([true, []]);
    const { mode, nlink } = statSync(sandbox.path(`home/here/${disk.name}`));
    expect([mode & 0o7777, nlink, statSync(sandbox.path('home/here')).mode & 0o7777]).toEqual([
      0o600, 1, 0o700,
    ]);
    expectFiles(sandbox, members);
  });

  test('[resume.4] [cli.9] that is stopped says what is kept, and nothing else', async () => {
    for (const resumes of [true, false]) {
      using sandbox = makeSandbox();
      const stop = new AbortController();
      async function* stopping(): AsyncGenerator<Uint8Array, void> {
        yield part;
        stop.abort();
        yield bundle.subarray(part.byteLength);
      }
      const { report } = await importHere(sandbox, stopping(), { resume: resumes, signal: stop.signal });
      const text = [report.errors[0]?.fix, ...report.warnings].join();
      expect([codesOf(report), text.includes('nothing was left behind'), text.includes('is kept')]).toEqual([
        ['INTERRUPTED'],
        !resumes,
        resumes,
      ]);
      expect(left(sandbox).length > 0).toBe(resumes);
    }
  });

  test('[resume.1] leaves nothing where nothing had come', async () => {
    using sandbox = makeSandbox();
    const missing = importHere(sandbox, sandbox.path('not-there.ova'), { resume });
    await expect(missing).rejects.toMatchObject({ fix: expect.not.stringContaining('kept') });
    expect(left(sandbox)).toEqual([]);
  });
});

function signalOf(): readonly [Promise<void>, () => void] {
  let raise = (): void => {};
  const raised = new Promise<void>((resolve) => {
    raise = resolve;
  });
  return [raised, () => raise()];
}

function linkInstead(sandbox: Sandbox, path: string): void {
  const elsewhere = sandbox.path('elsewhere');
  renameSync(path, elsewhere);
  symlinkSync(elsewhere, path);
}

function copyInstead(path: string): void {
  execFileSync('cp', ['-a', path, `${path}.copy`]);
  rmSync(path, { recursive: true });
  renameSync(`${path}.copy`, path);
}
