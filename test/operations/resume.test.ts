import { readdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { type ByteStream, concat } from '../../src/kit/bytes.ts';
import { archiveOf, descriptorFor, makeMembers, type NamedBytes } from '../factory/bundles.ts';
import { expectFiles, importHere, left } from '../factory/importing.ts';
import { codesOf } from '../factory/reports.ts';
import { blocksOf, resumable } from '../factory/resuming.ts';
import { makeSandbox, type Sandbox } from '../factory/sandbox.ts';
import { sourceOf as streamOf } from '../factory/streams.ts';
import { zipOf } from '../factory/zip.ts';

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

/** An import that comes to its end too early, and leaves what it has. */
async function interrupt(sandbox: Sandbox, bytes = part): Promise<string> {
  const { report } = await importHere(sandbox, sourceOf(bytes), { resume });
  expect(codesOf(report)).toEqual(['ARCHIVE_TRUNCATED']);
  expect(report.warnings.join()).toContain('the same command goes on with it');
  const [name = ''] = readdirSync(sandbox.path('home'));
  expect(name).toContain('here.partial-');
  return join(sandbox.path('home'), name);
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
    const bytes = readFileSync(file);
    bytes[MIB + 77] = (bytes[MIB + 77] ?? 0) ^ 1;
    writeFileSync(file, bytes);
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
    const damaged = bundle.slice();
    damaged[damaged.byteLength - MIB] = (damaged[damaged.byteLength - MIB] ?? 0) ^ 1;
    const { imported, report } = await importHere(sandbox, sourceOf(damaged), { resume });
    expect([imported, codesOf(report)]).toEqual([false, ['DIGEST_MISMATCH']]);
    expect(left(sandbox)).toEqual([]);
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

  test('[resume.1] takes nothing that another run is at work on, or that is for another folder', async () => {
    using sandbox = makeSandbox();
    const folder = await interrupt(sandbox);
    const busy = folder.replace('-left-', `-${ticksOf(process.pid)}-`);
    renameSync(folder, busy);
    const other = await importHere(sandbox, sourceOf(bundle), {
      resume,
      destination: sandbox.path('home/there'),
    });
    const same = await importHere(sandbox, sourceOf(bundle), { resume });
    expect([...goneOnWith(other.report.warnings), ...goneOnWith(same.report.warnings)]).toEqual([]);
    expect(statSync(busy).isDirectory()).toBe(true);
  });
});

/** When a process began, as the names of unfinished folders have it. */
function ticksOf(pid: number): string {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  return Number(fields[19]).toString(36);
}
