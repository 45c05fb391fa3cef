import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { encodeUtf8 } from '../../../src/kit/encoding.ts';
import { sourceOptions } from '../../../src/kit/source.ts';
import { apartFrom } from '../../../src/storage/apart.ts';
import { readError, writeError } from '../../../src/storage/io-errors.ts';
import { openOutput } from '../../../src/storage/output/open-output.ts';
import { openStaging } from '../../../src/storage/output/staging.ts';
import { openInputFile } from '../../../src/storage/sources/input-file.ts';
import { certificateFilesIn, readSmallFile } from '../../../src/storage/trust/small-files.ts';
import { bytesOf } from '../../factory/bundles.ts';
import { codeOf } from '../../factory/errors.ts';
import { makeSandbox, type Sandbox } from '../../factory/sandbox.ts';

async function fill(staging: ReturnType<typeof openStaging>, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const file = await staging.create(name);
    await file.write(encodeUtf8(name));
    await file.finish();
  }
}

describe('staging', () => {
  test('[import.1] is entered by the user alone, and becomes the destination', async () => {
    using sandbox = makeSandbox();
    await using staging = openStaging(sandbox.path('to'));
    const waiting = sandbox.list();
    expect(waiting.map((name) => name.replace(/partial-[\w-]+/, '*'))).toEqual([
      'to.*/',
      'to.*/bulla.partial',
      'to.*/content/',
    ]);
    const modes = waiting.map((name) => statSync(sandbox.path(name)).mode & 0o777);
    expect(modes).toEqual([0o700, 0o600, 0o700]);
    await fill(staging, ['a', 'b/c']);
    await staging.publish();
    expect(sandbox.list()).toEqual(['to/', 'to/a', 'to/b/', 'to/b/c']);
  });

  test('[import.3] is gone without a trace, half-written files and all', async () => {
    using sandbox = makeSandbox();
    const staging = openStaging(sandbox.path('to'));
    await fill(staging, ['a', 'b/c']);
    const file = await staging.create('d');
    await file.write(new Uint8Array(1024 * 1024).fill(1));
    await file.discard();
    await staging[Symbol.asyncDispose]();
    expect(sandbox.list()).toEqual([]);
  });

  test('takes members out again, and the folders that are left empty', async () => {
    using sandbox = makeSandbox();
    await using staging = openStaging(sandbox.path('to'));
    await fill(staging, ['a', 'b/c/d', 'b/e', 'f/g/h']);
    for (const name of ['b/c/d', 'f/g/h']) await staging.remove(name);
    await staging.publish();
    expect(sandbox.list()).toEqual(['to/', 'to/a', 'to/b/', 'to/b/e']);
  });

  test('names the destination when something goes wrong', async () => {
    using sandbox = makeSandbox();
    await using staging = openStaging(sandbox.path('to'));
    await fill(staging, ['a']);
    const faults = [
      [() => staging.create('a/b'), 'DESTINATION_EXISTS'],
      [() => staging.create('a'), 'DESTINATION_EXISTS'],
      [() => staging.remove('nothing'), 'STORAGE_FAILED'],
      [() => staging.create('x'.repeat(300)), 'STORAGE_FAILED'],
    ] as const;
    for (const [attempt, code] of faults) {
      await expect(attempt()).rejects.toMatchObject({
        code,
        where: { file: expect.stringContaining(sandbox.path('to/')) },
      });
    }
  });

  test('[import.2] says of each thing that is in the way what to do, and never to remove what matters', () => {
    using sandbox = makeSandbox();
    sandbox.write('full/mine', 'mine');
    symlinkSync('full', sandbox.path('link'));
    for (const [destination, problem, fix] of [
      ['/', /the root of the file system/, /a new folder$/],
      [sandbox.path('link'), /a symbolic link/, /a new folder/],
      [sandbox.path('full'), /not empty/, /move away what is in it/],
      [sandbox.path('full/mine'), /is a file/, /move away what is there/],
    ] as const) {
      expect(() => openStaging(destination)).toThrow(
        expect.objectContaining({
          code: 'DESTINATION_EXISTS',
          message: expect.stringMatching(problem),
          fix: expect.stringMatching(fix),
        }),
      );
    }
  });

  test('[import.2] does not replace what came there meanwhile', async () => {
    using sandbox = makeSandbox();
    {
      await using staging = openStaging(sandbox.path('to'));
      await fill(staging, ['a']);
      sandbox.write('to/mine', 'mine');
      await expect(staging.publish()).rejects.toMatchObject({ code: 'DESTINATION_EXISTS' });
    }
    expect(sandbox.list()).toEqual(['to/', 'to/mine']);
  });
});

describe('an output', () => {
  async function write(
    sandbox: Sandbox,
    name: string,
    overwrite: boolean,
    meanwhile = (): void => {},
  ): Promise<void> {
    await using output = await openOutput(apartFrom(sandbox.path(name), []), { overwrite });
    await output.write(encodeUtf8('new'));
    meanwhile();
    await output.finish();
  }

  test('[pack.4] is under its name when it is complete, and not before', async () => {
    using sandbox = makeSandbox();
    await write(sandbox, 'out', false, () =>
      expect(sandbox.list().map((name) => name.replace(/partial-[\w-]+/, '*'))).toEqual([
        '.out.*/',
        '.out.*/bulla.partial',
        '.out.*/output',
      ]),
    );
    expect([sandbox.list(), readFileSync(sandbox.path('out'), 'utf8')]).toEqual([['out'], 'new']);
  });

  test('[pack.4] leaves nothing when it is given up', async () => {
    using sandbox = makeSandbox();
    const output = await openOutput(apartFrom(sandbox.path('out'), []), { overwrite: true });
    await output.write(encodeUtf8('new'));
    await output[Symbol.asyncDispose]();
    expect(sandbox.list()).toEqual([]);
  });

  test('[pack.4] does not replace a file that comes meanwhile', async () => {
    using sandbox = makeSandbox();
    const writing = write(sandbox, 'out', false, () => sandbox.write('out', 'theirs'));
    await expect(writing).rejects.toMatchObject({
      code: 'DESTINATION_EXISTS',
      where: { file: sandbox.path('out') },
    });
    expect([sandbox.list(), readFileSync(sandbox.path('out'), 'utf8')]).toEqual([['out'], 'theirs']);
  });

  test('[pack.4] replaces a file, and no folder, pipe or device', async () => {
    using sandbox = makeSandbox();
    sandbox.write('file', 'old');
    mkdirSync(sandbox.path('folder'));
    execFileSync('mkfifo', [sandbox.path('pipe')]);
    symlinkSync(sandbox.path('folder'), sandbox.path('link'));
    await write(sandbox, 'file', true);
    expect(readFileSync(sandbox.path('file'), 'utf8')).toBe('new');
    const before = sandbox.list();
    for (const name of ['folder', 'pipe', 'link']) {
      for (const overwrite of [true, false]) {
        await expect(write(sandbox, name, overwrite)).rejects.toMatchObject({ code: 'DESTINATION_EXISTS' });
      }
    }
    await expect(write(sandbox, 'file', false)).rejects.toMatchObject({ code: 'DESTINATION_EXISTS' });
    expect(sandbox.list()).toEqual(before);
  });
});

describe('a small file', () => {
  test('is small, and a file', async () => {
    using sandbox = makeSandbox();
    const path = sandbox.write('file', 'x'.repeat(100_000));
    const read = (file: string, limit?: number) => readSmallFile(file, sourceOptions({}), limit);
    expect((await read(path)).byteLength).toBe(100_000);
    expect((await read(path, 100_000)).byteLength).toBe(100_000);
    await expect(read(path, 99_999)).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
    await expect(read('/dev/zero')).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
    await expect(read(sandbox.folder)).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
    await expect(read(sandbox.path('nowhere'))).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
    expect((await read('/dev/null')).byteLength).toBe(0);
  });

  test('may be one of a folder of certificates', () => {
    using sandbox = makeSandbox();
    for (const name of ['c.pem', 'b.CRT', 'a.cer', 'notes.txt', 'key.key']) sandbox.write(name, '');
    expect(certificateFilesIn(sandbox.folder)).toEqual(['a.cer', 'b.CRT', 'c.pem'].map(sandbox.path));
    expect(certificateFilesIn(sandbox.path('notes.txt'))).toEqual([sandbox.path('notes.txt')]);
    expect(codeOf(() => certificateFilesIn(sandbox.path('nowhere')))).toBe('FILE_NOT_FOUND');
  });
});

describe('a file to be packed', () => {
  test('is read whole, or in part', async () => {
    using sandbox = makeSandbox();
    await using file = await openInputFile(sandbox.write('file', '0123456789'));
    const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
    expect(file.size).toBe(10);
    expect(text(await file.readAt(3, 4))).toBe('3456');
    expect(text(await file.readAt(8, 4))).toBe('89');
    expect(text(await file.readAt(12, 4))).toBe('');
    expect(text(await bytesOf(file.stream()))).toBe('0123456789');
  });

  test('is a regular file', async () => {
    using sandbox = makeSandbox();
    await expect(openInputFile(sandbox.folder)).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
    await expect(openInputFile('/dev/null')).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
    await expect(openInputFile(sandbox.path('nowhere'))).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
  });
});

describe('an error of the system', () => {
  const made = (code: string): Error => Object.assign(new Error(`${code}: message`), { code });

  test.each([
    ['ENOENT', 'FILE_NOT_FOUND', 'STORAGE_FAILED'],
    ['EACCES', 'FILE_UNREADABLE', 'STORAGE_FAILED'],
    ['EIO', 'FILE_UNREADABLE', 'STORAGE_FAILED'],
    ['ENOSPC', 'FILE_UNREADABLE', 'STORAGE_FULL'],
    ['EDQUOT', 'FILE_UNREADABLE', 'STORAGE_FULL'],
    ['EFBIG', 'FILE_UNREADABLE', 'STORAGE_FULL'],
    ['EEXIST', 'FILE_UNREADABLE', 'DESTINATION_EXISTS'],
    ['EWHATEVER', 'FILE_UNREADABLE', 'STORAGE_FAILED'],
  ])('%s becomes %s when reading and %s when writing', (code, reading, writing) => {
    const cause = made(code);
    expect(readError(cause, 'f')).toMatchObject({ code: reading, where: { file: 'f' }, cause });
    expect(writeError(cause, 'f')).toMatchObject({ code: writing, where: { file: 'f' }, cause });
    expect(writeError(readError(cause, 'f'), 'g')).toMatchObject({ code: reading, where: { file: 'f' } });
  });
});

test('a folder that may not be listed is no place for an import', ({ skip }) => {
  using sandbox = makeSandbox();
  mkdirSync(sandbox.path('drop'));
  chmodSync(sandbox.path('drop'), 0o300);
  if (process.getuid?.() === 0) {
    console.warn('SKIPPED: nothing is forbidden to this user');
    skip();
  }
  expect(codeOf(() => openStaging(sandbox.path('drop/here')))).toBe('STORAGE_FAILED');
  chmodSync(sandbox.path('drop'), 0o700);
  expect(sandbox.list()).toEqual(['drop/']);
});
