import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join as joinPath } from 'node:path';
import { describe, expect, test } from 'vitest';
import { join } from '../../../src/operations/volumes/join.ts';
import { type SplitOptions, split } from '../../../src/operations/volumes/split.ts';
import type { Report } from '../../../src/verdict/report/report.ts';
import { makeBundle, noiseFile } from '../../factory/bundles.ts';
import { flipped } from '../../factory/damage.ts';
import { verdictOn } from '../../factory/packing.ts';
import { valid } from '../../factory/reports.ts';
import { makeSandbox, type Sandbox } from '../../factory/sandbox.ts';

const HEADER = 4096;
const FILE = noiseFile('web.ova', 10_000).bytes;

/** Volumes of `web.ova` in `media`, and their paths. */
async function volumesOf(
  sandbox: Sandbox,
  options: Partial<SplitOptions> = {},
  bytes = FILE,
): Promise<readonly string[]> {
  const path = sandbox.write('web.ova', bytes);
  sandbox.write('media/keep.txt', '');
  const report = await split(path, {
    volumeSize: HEADER + 4000,
    folders: [sandbox.path('media')],
    ...options,
  });
  valid(report);
  const volumes = report.result?.volumes ?? [];
  return volumes.map(({ file }) => file);
}

async function joined(sandbox: Sandbox, paths: readonly string[]): Promise<Report> {
  const report = await join(paths, { output: sandbox.path('out.ova') });
  valid(report);
  return report;
}

describe('volumes', () => {
  test.each([
    [4000, [4000, 4000, 2000]],
    [5000, [5000, 5000]],
    [10_000, [10_000]],
    [20_000, [10_000]],
    [9_999, [9_999, 1]],
  ])('[vol.3] of %d bytes and a header', async (size, lengths) => {
    using sandbox = makeSandbox();
    const files = await volumesOf(sandbox, { volumeSize: HEADER + size });
    expect(files.map((file) => statSync(file).size - HEADER)).toEqual(lengths);
    expect(files).toEqual(lengths.map((_, i) => sandbox.path(`media/web.ova.00${i + 1}`)));
    expect(Buffer.concat(files.map((file) => readFileSync(file).subarray(HEADER)))).toEqual(
      Buffer.from(FILE),
    );
    const before = files.map((file) => readFileSync(file));
    await volumesOf(sandbox, { volumeSize: HEADER + size, overwrite: true });
    expect(files.map((file) => readFileSync(file))).toEqual(before);
  });

  test('[vol.6] [vol.8] are joined in any order, by any name, from folders and files', async () => {
    using sandbox = makeSandbox();
    const bundle = await makeBundle();
    const files = await volumesOf(sandbox, {}, bundle);
    const away = sandbox.write('elsewhere', readFileSync(files[0] ?? ''));
    rmSync(files[0] ?? '');
    const report = await joined(sandbox, [sandbox.path('media'), away]);
    expect(report).toMatchObject({ exitCode: 0, result: { bytes: bundle.byteLength } });
    expect(await verdictOn(sandbox, readFileSync(sandbox.path('out.ova')))).toEqual(['trusted']);
    await expect(joined(sandbox, files.slice(1))).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
  });

  test('go to one folder each when there are several', async () => {
    using sandbox = makeSandbox();
    for (const name of ['a', 'b', 'c']) sandbox.write(`${name}/x`, '');
    const folders = ['a', 'b', 'c'].map(sandbox.path);
    const files = await volumesOf(sandbox, { folders });
    expect(files).toEqual(['a', 'b', 'c'].map((name, i) => sandbox.path(`${name}/web.ova.00${i + 1}`)));
    expect((await joined(sandbox, folders)).exitCode).toBe(0);
    await expect(volumesOf(sandbox, { folders: folders.slice(1) })).rejects.toMatchObject({ code: 'USAGE' });
  });
});

describe('a volume that is damaged', () => {
  test.each([0, 1, 2])('[vol.7] number %d is named, and nothing is written', async (which) => {
    using sandbox = makeSandbox();
    const files = await volumesOf(sandbox);
    const file = files[which] ?? '';
    writeFileSync(file, flipped(readFileSync(file), HEADER + 77));
    const read: string[] = [];
    const joining = join(files, {
      output: sandbox.path('out.ova'),
      onProgress: ({ member = '' }) => read.push(member),
    });
    await expect(joining).rejects.toMatchObject({ code: 'DIGEST_MISMATCH', where: { file } });
    expect(new Set(read)).toEqual(new Set(files.slice(0, which + 1))); // those behind it were not read
    expect(sandbox.list()).not.toContain('out.ova');
    await expect(join([file], {})).rejects.toMatchObject({ code: 'DIGEST_MISMATCH', where: { file } });
    for (const other of files.filter((path) => path !== file))
      expect((await join([other], {})).exitCode).toBe(0);
  });

  test.each([HEADER + 3999, HEADER, 100, 0])(
    '[vol.5] cut to %d bytes is named before anything is read',
    async (length) => {
      using sandbox = makeSandbox();
      const files = await volumesOf(sandbox);
      const file = files[1] ?? '';
      writeFileSync(file, readFileSync(file).subarray(0, length));
      const code = length < HEADER ? 'VOLUME_SYNTAX' : 'DIGEST_MISMATCH';
      const joining = join(files, {
        output: sandbox.path('out.ova'),
        onProgress: () => {
          throw new Error('something was read');
        },
      });
      await expect(joining).rejects.toMatchObject({ code, where: { file } });
      writeFileSync(file, Buffer.concat([readFileSync(files[2] ?? ''), Buffer.alloc(1)]));
      await expect(join([file], {})).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
    },
  );

  test('[vol.7] in every way but its digests is found by that of the whole', async () => {
    using sandbox = makeSandbox();
    const files = await volumesOf(sandbox);
    const { createHash } = await import('node:crypto');
    const bytes = Buffer.from(flipped(readFileSync(files[1] ?? ''), HEADER + 1));
    const { length } = 'bulla-volume/1\n';
    const text = bytes.toString('utf8', length, bytes.indexOf('\n', length));
    const digest = createHash('sha256').update(bytes.subarray(HEADER)).digest('hex');
    bytes.write(JSON.stringify({ ...JSON.parse(text), digest }), length);
    writeFileSync(files[1] ?? '', bytes);
    await expect(joined(sandbox, files)).rejects.toMatchObject({
      code: 'DIGEST_MISMATCH',
      where: { file: sandbox.path('out.ova') },
    });
    expect(sandbox.list()).not.toContain('out.ova');
  });
});

describe('what does not belong together', () => {
  test('[vol.6] is refused before anything is read', async () => {
    using sandbox = makeSandbox();
    const files = await volumesOf(sandbox);
    const [first = '', second = '', third = ''] = files;
    const copy = sandbox.write('copy', readFileSync(second));
    using another = makeSandbox();
    const foreign = await volumesOf(another, {}, noiseFile('other', 10_000).bytes);
    const wrong: readonly (readonly [readonly string[], string])[] = [
      [[first, second, copy, third], 'USAGE'],
      [[first, foreign[1] ?? '', third], 'USAGE'],
      [[first, third], 'FILE_NOT_FOUND'],
      [[sandbox.write('text', 'no volume')], 'VOLUME_SYNTAX'],
      [[sandbox.path('nowhere')], 'FILE_NOT_FOUND'],
    ];
    for (const [paths, code] of wrong) await expect(joined(sandbox, paths)).rejects.toMatchObject({ code });
    const { warnings } = await join([first, third], {});
    expect(warnings).toEqual(['not checked: volume 2 of 3 of "web.ova"']);
  });

  test('[vol.6] volumes of another size of the same file do not follow one another', async () => {
    using sandbox = makeSandbox();
    const files = await volumesOf(sandbox);
    const before = files.map((file) => readFileSync(file));
    await volumesOf(sandbox, { volumeSize: HEADER + 3500, overwrite: true });
    writeFileSync(files[1] ?? '', before[1] ?? '');
    await expect(joined(sandbox, files)).rejects.toMatchObject({ code: 'VOLUME_SYNTAX' });
  });
});

describe('splitting that fails', () => {
  test('[vol.4] takes its volumes away again', async () => {
    using sandbox = makeSandbox();
    sandbox.write('media/web.ova.003', 'mine');
    await expect(volumesOf(sandbox)).rejects.toMatchObject({ code: 'DESTINATION_EXISTS' });
    expect(readdirSync(sandbox.path('media'))).toEqual(['keep.txt', 'web.ova.003']);
  });

  test('[vol.4] looks at every name before it replaces any', async () => {
    using sandbox = makeSandbox();
    sandbox.write('media/web.ova.001', 'of another day');
    mkdirSync(sandbox.path('media/web.ova.003'));
    let events = 0;
    const onProgress = (): unknown => events++;
    const failed = volumesOf(sandbox, { overwrite: true, onProgress });
    await expect(failed).rejects.toMatchObject({ code: 'DESTINATION_EXISTS' });
    expect(readFileSync(sandbox.path('media/web.ova.001'), 'utf8')).toBe('of another day');
    expect(events).toBe(0);
  });

  /** Splits over three older volumes, with something done when the last is being written. */
  async function overOlder(
    sandbox: Sandbox,
    { doing, signal }: { readonly doing: () => void; readonly signal?: AbortSignal },
  ): Promise<readonly string[]> {
    for (const volume of [1, 2, 3]) sandbox.write(`media/web.ova.00${volume}`, `old ${volume}`);
    let volumes = 0;
    return volumesOf(sandbox, {
      overwrite: true,
      ...(signal && { signal }),
      onProgress: ({ phase }) => {
        if (phase === 'write' && ++volumes === 3) doing();
      },
    });
  }
  const textsOf = (sandbox: Sandbox): readonly string[] =>
    [1, 2, 3].map((volume) => readFileSync(sandbox.path(`media/web.ova.00${volume}`), 'latin1').slice(0, 5));

  test('[vol.4] that is stopped has replaced no older volume', async () => {
    using sandbox = makeSandbox();
    const stop = new AbortController();
    const stopped = overOlder(sandbox, { doing: () => stop.abort(), signal: stop.signal });
    await expect(stopped).rejects.toMatchObject({ code: 'INTERRUPTED' });
    expect(textsOf(sandbox)).toEqual(['old 1', 'old 2', 'old 3']);
    expect(readdirSync(sandbox.path('media')).length).toBe(4);
  });

  test('[vol.4] puts older volumes back when one cannot have its name, whatever has it', async () => {
    using sandbox = makeSandbox();
    const failed = overOlder(sandbox, {
      doing: () => {
        rmSync(sandbox.path('media/web.ova.003'));
        mkdirSync(sandbox.path('media/web.ova.003/mine'), { recursive: true });
      },
    });
    await expect(failed).rejects.toMatchObject({ code: 'DESTINATION_EXISTS', message: 'this is a folder' });
    rmSync(sandbox.path('media/web.ova.003'), { recursive: true });
    sandbox.write('media/web.ova.003', 'old 3');
    expect(textsOf(sandbox)).toEqual(['old 1', 'old 2', 'old 3']);
    expect(readdirSync(sandbox.path('media')).length).toBe(4);
  });

  test('[vol.4] without --force takes away what had its name when another cannot have it', async () => {
    using sandbox = makeSandbox();
    let volumes = 0;
    const failed = volumesOf(sandbox, {
      onProgress: ({ phase }) => {
        if (phase === 'write' && ++volumes === 3) sandbox.write('media/web.ova.002', 'mine');
      },
    });
    await expect(failed).rejects.toMatchObject({ code: 'DESTINATION_EXISTS' });
    expect(readdirSync(sandbox.path('media')).sort()).toEqual(['keep.txt', 'web.ova.002']);
    expect(readFileSync(sandbox.path('media/web.ova.002'), 'utf8')).toBe('mine');
  });

  test('[vol.10] many volumes, into one folder or many, need few descriptors', async () => {
    using sandbox = makeSandbox();
    const path = sandbox.write('web.ova', FILE);
    const folders = Array.from({ length: 80 }, (_, i) => sandbox.path(`media${i}`));
    for (const folder of folders) mkdirSync(folder);
    for (const given of [folders.slice(0, 1), folders]) {
      let most = 0;
      const before = readdirSync('/proc/self/fd').length;
      const onProgress = (): void => {
        most = Math.max(most, readdirSync('/proc/self/fd').length);
      };
      for (const overwrite of [false, true])
        await split(path, { volumeSize: HEADER + 126, folders: given, overwrite, onProgress });
      expect(most).toBeLessThan(before + 10);
      expect(readdirSync('/proc/self/fd').length).toBeLessThan(before + 10);
      rmSync(sandbox.path('media0'), { recursive: true });
      mkdirSync(sandbox.path('media0'));
    }
  });

  test('[vol.4] of older volumes nothing is left once all stand', async () => {
    using sandbox = makeSandbox();
    const files = await volumesOf(sandbox);
    writeFileSync(files[0] ?? '', 'old');
    await volumesOf(sandbox, { overwrite: true });
    expect(readFileSync(files[0] ?? '', 'latin1')).not.toBe('old');
    expect(readdirSync(sandbox.path('media')).sort()).toEqual([
      'keep.txt',
      'web.ova.001',
      'web.ova.002',
      'web.ova.003',
    ]);
  });

  test('of what is no regular file is said what it is, and nothing of packing', async () => {
    using sandbox = makeSandbox();
    const pipe = sandbox.path('pipe');
    execFileSync('mkfifo', [pipe]);
    const failing = [split(pipe, { volumeSize: 5000, folders: [sandbox.folder] }), join([pipe], {})];
    for (const failed of failing) {
      await expect(failed).rejects.toMatchObject({
        code: 'FILE_UNREADABLE',
        message: 'this is no regular file; a regular file is needed here',
      });
    }
  });

  test('[vol.4] a file that changes is noticed', async () => {
    using sandbox = makeSandbox();
    const path = joinPath(sandbox.folder, 'web.ova');
    const changing = volumesOf(sandbox, {
      onProgress: ({ phase }) => {
        if (phase === 'write') writeFileSync(path, flipped(FILE, 9_999));
      },
    });
    await expect(changing).rejects.toMatchObject({ code: 'FILE_CHANGED' });
    expect(readdirSync(sandbox.path('media'))).toEqual(['keep.txt']);
  });

  test('[vol.4] is for files, which can be read twice', async () => {
    await expect(split('-', { volumeSize: 10_000, folders: ['.'] })).rejects.toMatchObject({ code: 'USAGE' });
  });

  test.each([
    [0, 100],
    [10_000, HEADER],
    [10_000, HEADER + 10],
  ])('[vol.3] of %d bytes into volumes of %d is refused', async (length, volumeSize) => {
    using sandbox = makeSandbox();
    await expect(volumesOf(sandbox, { volumeSize }, FILE.subarray(0, length))).rejects.toMatchObject({
      code: 'USAGE',
    });
  });
});
