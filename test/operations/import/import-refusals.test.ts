import { execFileSync } from 'node:child_process';
import { mkdirSync, utimesSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  appliance,
  archiveOf,
  type BundleOptions,
  DISK,
  descriptorFor,
  makeBundle,
  makeMembers,
  type NamedBytes,
  noiseFile,
  textFile,
} from '../../factory/bundles.ts';
import { withFlipped } from '../../factory/damage.ts';
import { expectFiles, importHere, left } from '../../factory/importing.ts';
import { codesOf } from '../../factory/reports.ts';
import { makeSandbox, type Sandbox } from '../../factory/sandbox.ts';
import { chunked, irregular, sourceOf } from '../../factory/streams.ts';

const MIB = 1024 * 1024;
const LARGE = noiseFile('large.img', 4 * MIB);

describe('nothing is left', () => {
  const changedDisk: BundleOptions = {
    members: (members) => withFlipped(members, 'disk.img', 9),
  };

  test.each<[string, BundleOptions, readonly string[]]>([
    ['a changed disk', changedDisk, ['DIGEST_MISMATCH']],
    ['a changed disk, files first', { ...changedDisk, order: 'trailing' }, ['DIGEST_MISMATCH']],
    ['no signature', { signed: false }, ['SIGNATURE_MISSING']],
    ['an unlisted file', { members: (members) => [...members, textFile('x', 'x')] }, ['FILE_UNLISTED']],
    ['a missing file', { members: (members) => members.slice(0, -1) }, ['FILE_MISSING']],
    [
      'a file that the descriptor does not know',
      { files: [...appliance(), textFile('sub/x', 'x')] },
      ['FILE_UNREFERENCED'],
    ],
    [
      'a second manifest that is signed',
      { members: (members) => [textFile('b.mf', ''), textFile('b.cert', ''), ...members] },
      ['CERTIFICATE_FILE_SYNTAX', 'MANIFEST_MISSING'],
    ],
  ])('[import.3] after a refusal: %s', async (_, options, codes) => {
    for (const existing of [false, true]) {
      using sandbox = makeSandbox();
      if (existing) mkdirSync(sandbox.path('home/here'), { recursive: true });
      const { kind, imported, files, report } = await importHere(
        sandbox,
        chunked(await makeBundle(options), 512),
      );
      expect([kind, imported, files, codesOf(report)]).toEqual(['refused', false, undefined, codes]);
      expect(left(sandbox)).toEqual(existing ? ['home/here/'] : []);
    }
  });

  test('[import.3] when the archive is cut anywhere', async () => {
    const bytes = await makeBundle();
    for (let at = 0; at < bytes.byteLength; at += 1500) {
      using sandbox = makeSandbox();
      const { imported } = await importHere(sandbox, chunked(bytes.subarray(0, at)));
      expect([imported, left(sandbox)], `cut at ${at}`).toEqual([false, []]);
    }
  });

  test('[import.3] when the input fails', async () => {
    using sandbox = makeSandbox();
    const bytes = await makeBundle({ files: [LARGE] });
    const failAt = { offset: 2 * MIB, error: new Error('the line is cut') };
    const { report } = await importHere(sandbox, sourceOf(bytes, { sizes: irregular(1, 100_000), failAt }));
    expect([codesOf(report), report.exitCode, left(sandbox)]).toEqual([['FILE_UNREADABLE'], 3, []]);
    expect(report.errors[0]?.message).toContain('the line is cut');
  });

  test('[import.3] when the input stalls', async () => {
    using sandbox = makeSandbox();
    async function* stalling(): AsyncGenerator<Uint8Array, void> {
      yield (await makeBundle({ files: [LARGE] })).subarray(0, MIB);
      await new Promise(() => {});
    }
    const { report } = await importHere(sandbox, stalling(), { limits: { idleMs: 50 } });
    expect([codesOf(report), report.exitCode, left(sandbox)]).toEqual([['INPUT_STALLED'], 3, []]);
  });

  test.each([
    ['a file', async (sandbox: Sandbox, bytes: Uint8Array) => sandbox.write('app.ova', bytes)],
    ['a stream', async (_: Sandbox, bytes: Uint8Array) => chunked(bytes, 4096)],
  ])('[import.3] when it is interrupted: %s', async (_, place) => {
    using sandbox = makeSandbox();
    const stop = new AbortController();
    const input = await place(sandbox, await makeBundle({ files: [LARGE] }));
    const onProgress = ({ bytes }: { bytes: number }): void => {
      if (bytes > 2 * MIB) stop.abort();
    };
    const { report } = await importHere(sandbox, input, { signal: stop.signal, onProgress });
    expect([codesOf(report), report.exitCode, left(sandbox)]).toEqual([['INTERRUPTED'], 130, []]);
  });

  test('[import.3] when it is interrupted between the last byte and the rename', async () => {
    using sandbox = makeSandbox();
    const stop = new AbortController();
    const bytes = await makeBundle();
    const onProgress = (event: { bytes: number }): void => {
      if (event.bytes === bytes.byteLength) stop.abort();
    };
    const { report } = await importHere(sandbox, sandbox.write('app.ova', bytes), {
      signal: stop.signal,
      onProgress,
    });
    expect([codesOf(report), left(sandbox)]).toEqual([['INTERRUPTED'], []]);
  });

  test('[import.3] when the file changes', async () => {
    using sandbox = makeSandbox();
    const path = sandbox.write('app.ova', await makeBundle({ files: [LARGE] }));
    const onProgress = (): void => utimesSync(path, new Date(0), new Date(0));
    const { report } = await importHere(sandbox, path, { onProgress });
    expect([codesOf(report), left(sandbox)]).toEqual([['FILE_CHANGED'], []]);
  });

  test('[import.3] when the trust settings cannot be read', async () => {
    using sandbox = makeSandbox();
    const importing = importHere(sandbox, chunked(await makeBundle()), {
      trust: { anchors: ['nowhere.pem'] },
    });
    await expect(importing).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
    expect(left(sandbox)).toEqual([]);
  });

  test('[import.3] when there is no input', async () => {
    using sandbox = makeSandbox();
    await expect(importHere(sandbox, sandbox.path('nowhere.ova'))).rejects.toMatchObject({
      code: 'FILE_NOT_FOUND',
    });
    expect(left(sandbox)).toEqual([]);
  });
});

/** A file system of 1 MiB at `folder`; undefined where this user may not make one. */
function mountTiny(folder: string): Disposable | undefined {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'bulla-test', folder], { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  return { [Symbol.dispose]: () => execFileSync('umount', [folder]) };
}

test('[import.3] a full disk is told, and nothing is left on it', async ({ skip }) => {
  using sandbox = makeSandbox();
  mkdirSync(sandbox.path('home'));
  using mounted = mountTiny(sandbox.path('home'));
  if (!mounted) {
    console.warn('SKIPPED: this user may not mount, so no disk runs full');
    skip();
  }
  for (const bytes of [
    await makeBundle({ files: [LARGE] }),
    await makeBundle({ files: Array.from({ length: 100 }, (_, i) => noiseFile(`${i}/disk.img`, 20_000)) }),
  ]) {
    const { imported, report } = await importHere(sandbox, chunked(bytes, MIB));
    expect([imported, codesOf(report), report.exitCode]).toEqual([false, ['STORAGE_FULL'], 3]);
    expect(report.errors[0]?.where.file).toContain(sandbox.path('home/here/'));
    expect(left(sandbox)).toEqual([]);
  }
  const mountPoint = importHere(sandbox, chunked(await makeBundle()), { destination: sandbox.path('home') });
  await expect(mountPoint).rejects.toThrow('a file system of its own');
});

/** Any byte of a signature but the one that is there, which may be zero. */
function otherByte(_: string, hex: string): string {
  return `= ${hex === '00' ? '01' : '00'}`;
}

describe('an early end', () => {
  const wrong: BundleOptions = {
    files: [descriptorFor('app.ovf', [DISK, LARGE]), DISK, LARGE],
    members: (members) => withFlipped(members, 'disk.img', 9),
  };

  test.each<[string, BundleOptions, string]>([
    ['a changed file', wrong, 'DIGEST_MISMATCH'],
    ['a file of a plain bundle', { ...wrong, files: [DISK, LARGE] }, 'DIGEST_MISMATCH'],
    [
      'an unlisted file',
      { files: [LARGE], members: ([mf, cert, ...rest]) => [mf, cert, DISK, ...rest] as NamedBytes[] },
      'FILE_UNLISTED',
    ],
    [
      'a signature that does not fit',
      {
        ...wrong,
        members: (all) => all,
        certificate: (bytes) =>
          textFile('', new TextDecoder().decode(bytes).replace(/= (..)/, otherByte)).bytes,
      },
      'SIGNATURE_INVALID',
    ],
    [
      'a manifest that is not understood',
      { files: [LARGE], manifest: () => textFile('', 'junk').bytes },
      'MANIFEST_SYNTAX',
    ],
  ])('[import.5] comes with the first thing wrong: %s', async (_, options, code) => {
    using sandbox = makeSandbox();
    const stream = chunked(await makeBundle(options), 4096);
    const { report } = await importHere(sandbox, stream);
    expect(codesOf(report)).toEqual([code]);
    expect(report.checks.find(({ id }) => id === 'archive.safety')?.status).toBe('skip');
    expect(stream.seen.pulls * 4096).toBeLessThan(64 * 1024);
    expect(stream.seen.closed).toBe(true);
    expect(left(sandbox)).toEqual([]);
  });

  test('[import.5] does not come while the signature has not been seen', async () => {
    using sandbox = makeSandbox();
    const stream = chunked(await makeBundle({ ...wrong, order: 'split' }), 4096);
    expect(codesOf((await importHere(sandbox, stream)).report)).toEqual(['DIGEST_MISMATCH']);
    expect(stream.seen.ended).toBe(true);
  });

  test('[import.5] does not come when another manifest stands before the one that counts', async () => {
    using sandbox = makeSandbox();
    const stray = textFile('other.mf', `SHA256(disk.img)= ${'0'.repeat(64)}\n`);
    const members = await makeMembers({ files: [descriptorFor('app.ovf', [stray, DISK]), stray, DISK] });
    const order = [stray, ...members.filter(({ name }) => name !== stray.name)];
    expect((await importHere(sandbox, chunked(await archiveOf(order)))).imported).toBe(true);
    expectFiles(sandbox, order);
  });
});
