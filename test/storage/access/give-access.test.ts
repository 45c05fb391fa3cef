import {
  chmodSync,
  closeSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { giveAccess, tryAccess } from '../../../src/storage/access/give-access.ts';
import { openStaging, type Staging } from '../../../src/storage/output/staging.ts';
import { makeSandbox, type Sandbox } from '../../factory/sandbox.ts';

const access = { mode: 0o640 };
const modeOf = (path: string): number => statSync(path).mode & 0o7777;

/** A folder that waits for `to` with a file in it, and where that is. */
async function waiting(sandbox: Sandbox): Promise<{ readonly staging: Staging; readonly file: string }> {
  const staging = openStaging(sandbox.path('to'), { access });
  const [folder = ''] = readdirSync(sandbox.folder).filter((name) => name.startsWith('to.partial-'));
  const writer = await staging.create('a/disk.img');
  await writer.write(Buffer.from('disk'));
  await writer.finish();
  return { staging, file: join(sandbox.path(folder), 'content', 'a', 'disk.img') };
}

describe('[import.13] a file that was exchanged while it waited', () => {
  test('for a link is not followed, and nothing is published', async () => {
    using sandbox = makeSandbox();
    const other = sandbox.write('other', 'what others have');
    chmodSync(other, 0o600);
    const { staging, file } = await waiting(sandbox);
    rmSync(file);
    symlinkSync(other, file);
    await expect(staging.publish()).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    await staging[Symbol.asyncDispose]();
    expect(modeOf(other)).toBe(0o600);
    expect(sandbox.list()).toEqual(['other']);
  });

  test('for another file is not given away, nor is its folder', async () => {
    using sandbox = makeSandbox();
    const other = sandbox.write('other', 'disk');
    chmodSync(other, 0o600);
    const { staging, file } = await waiting(sandbox);
    renameSync(other, file);
    await expect(staging.publish()).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    expect(modeOf(file)).toBe(0o600);
    expect(modeOf(join(file, '..'))).toBe(0o700);
    await staging[Symbol.asyncDispose]();
    expect(sandbox.list()).toEqual([]);
  });

  test('is published where nobody has done that', async () => {
    using sandbox = makeSandbox();
    const { staging } = await waiting(sandbox);
    expect(await staging.publish()).toMatchObject({ mode: '0640', folderMode: '0750' });
    await staging[Symbol.asyncDispose]();
    expect(sandbox.list()).toEqual(['to/', 'to/a/', 'to/a/disk.img']);
    expect(['to', 'to/a', 'to/a/disk.img'].map((name) => modeOf(sandbox.path(name)))).toEqual([
      0o750, 0o750, 0o640,
    ]);
  });
});

describe('[import.13] what cannot be given', () => {
  test.skipIf(process.platform !== 'linux')('is refused in words', () => {
    const descriptor = openSync('/proc/self/status', 'r');
    try {
      expect(() => giveAccess(descriptor, { mode: 0o640, owner: { uid: 0 } })).toThrow(
        /^files cannot be given the mode 0640, the user root: permission denied/,
      );
    } finally {
      closeSync(descriptor);
    }
  });

  test('leaves nothing where it was tried, nor does what can be', () => {
    using sandbox = makeSandbox();
    tryAccess(sandbox.folder, access);
    expect(sandbox.list()).toEqual([]);
    const isRoot = process.geteuid?.() === 0;
    if (!isRoot) expect(() => tryAccess(sandbox.folder, { owner: { uid: 0 } })).toThrow(/cannot be given/);
    expect(sandbox.list()).toEqual([]);
  });
});
