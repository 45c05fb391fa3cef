import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { encodeUtf8 } from '../../../src/kit/encoding.ts';
import { apartFrom } from '../../../src/storage/apart.ts';
import { openOutput } from '../../../src/storage/output/open-output.ts';
import { openStaging } from '../../../src/storage/output/staging.ts';
import { makeSandbox, type Sandbox } from '../../factory/sandbox.ts';

/** What another does at the worst of moments: right before the renaming that publishes, or right after it. */
const other = vi.hoisted(() => ({ before: () => {}, after: () => {} }));
const nothing = (): void => {};

vi.mock('node:fs/promises', async (load) => {
  const real = await load<typeof import('node:fs/promises')>();
  const framed =
    (call: (from: string, to: string) => Promise<void>) =>
    async (from: string, to: string): Promise<void> => {
      const { before, after } = other;
      Object.assign(other, { before: nothing, after: nothing });
      before();
      await call(from, to);
      after();
    };
  return {
    ...real,
    rename: framed((from, to) => real.rename(from, to)),
    link: framed((from, to) => real.link(from, to)),
  };
});
afterEach(() => {
  Object.assign(other, { before: nothing, after: nothing });
});

/** A folder of theirs in place of one of ours. */
function exchange(path: string): void {
  renameSync(path, `${path}.ours`);
  mkdirSync(join(path, 'content'), { recursive: true });
  for (const name of ['a', 'content/a', 'output', 'out']) writeFileSync(join(path, name), 'theirs');
}

function partialIn(sandbox: Sandbox): string {
  return sandbox.path(sandbox.list().find((name) => /\.partial-[^/]*\/$/.test(name)) ?? '');
}

test('[room.6] what takes the place of a file does so only while that is what was read', async () => {
  using sandbox = makeSandbox();
  const path = sandbox.write('out', 'old');
  await using output = await openOutput(apartFrom(path, []), {
    overwrite: true,
    expectSame: () => {
      expect(sandbox.list().some((name) => name.endsWith('/output'))).toBe(true); // all of it is written by then
      throw new Error('another is there');
    },
  });
  await output.write(encodeUtf8('new'));
  await expect(output.finish()).rejects.toThrow('another is there');
  expect(readFileSync(path, 'utf8')).toBe('old');
  expect(sandbox.list()).toEqual(['out']);
});

/** Publishes a folder with `a` and `b/c`, while another is at work. */
async function publish(sandbox: Sandbox): Promise<void> {
  mkdirSync(sandbox.path('up/home'), { recursive: true });
  await using staging = openStaging(sandbox.path('up/home/to'));
  staging.store('a', encodeUtf8('ours'));
  const file = await staging.create('b/c');
  await file.write(encodeUtf8('ours, too'));
  await file.finish();
  await staging.publish();
}

describe('a folder', () => {
  test('[import.9] [import.10] exchanged right before the rename: not theirs is published', async () => {
    using sandbox = makeSandbox();
    other.before = () => exchange(partialIn(sandbox));
    await publish(sandbox).catch((error) => expect(error).toMatchObject({ code: 'STORAGE_FAILED' }));
    const published = sandbox.path('up/home/to/a');
    if (existsSync(published)) expect(readFileSync(published, 'utf8')).toBe('ours');
  });

  const LATE: readonly (readonly [string, (to: string) => void])[] = [
    ['it is exchanged', (to) => exchange(to)],
    ['the folder above it is exchanged', (to) => exchange(dirname(to))],
    ['the folder above that is exchanged', (to) => exchange(dirname(dirname(to)))],
    ['a file has another name', (to) => linkSync(join(to, 'a'), `${to}.twin`)],
    ['a file may be written by others', (to) => chmodSync(join(to, 'a'), 0o666)],
    ['the folder may be written by others', (to) => chmodSync(to, 0o777)],
    ['a folder in it may be written by others', (to) => chmodSync(join(to, 'b'), 0o777)],
    ['a file is exchanged', (to) => renameSync(join(to, 'a'), join(to, 'b/c'))],
    ['there is one more', (to) => writeFileSync(join(to, 'b/d'), 'theirs')],
    ['one is missing', (to) => rmSync(join(to, 'a'))],
    ['one is written to, and its time put back', (to) => overwrite(join(to, 'a'))],
  ];
  test.each(LATE)('[import.9] is taken back when right after the rename %s', async (_, change) => {
    using sandbox = makeSandbox();
    const to = sandbox.path('up/home/to');
    other.after = () => change(to);
    await expect(publish(sandbox)).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      where: { file: expect.stringContaining(to) },
    });
    const there = existsSync(join(to, 'a')) ? readFileSync(join(to, 'a'), 'utf8') : 'nothing';
    expect(there).not.toBe('ours'); // what another has put there is not ours to take
  });

  test.each(LATE.slice(3))('[import.9] is not published when before the rename %s', async (_, change) => {
    using sandbox = makeSandbox();
    mkdirSync(sandbox.path('up/home'), { recursive: true });
    await using staging = openStaging(sandbox.path('up/home/to'));
    staging.store('a', encodeUtf8('ours'));
    const file = await staging.create('b/c');
    await file.write(encodeUtf8('ours, too'));
    await file.finish();
    change(join(partialIn(sandbox), 'content'));
    await expect(staging.publish()).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    expect(existsSync(sandbox.path('up/home/to'))).toBe(false);
  });
});

/** Other bytes, as many, at the time of those before. */
function overwrite(path: string): void {
  const { atime, mtime, ctimeMs } = statSync(path);
  do {
    writeFileSync(path, 'mine');
    utimesSync(path, atime, mtime);
  } while (statSync(path).ctimeMs === ctimeMs); // the clock of a file system goes in steps
}

describe('a file', () => {
  async function write(sandbox: Sandbox, overwriting: boolean): Promise<void> {
    mkdirSync(sandbox.path('up'), { recursive: true });
    await using output = await openOutput(apartFrom(sandbox.path('up/out'), []), { overwrite: overwriting });
    await output.write(encodeUtf8('ours'));
    await output.finish();
  }

  test.each([true, false])(
    '[pack.4] exchanged right before it gets its name (--force: %s): not theirs is published',
    async (force) => {
      using sandbox = makeSandbox();
      other.before = () => exchange(partialIn(sandbox));
      await write(sandbox, force).catch((error) => expect(error).toMatchObject({ code: 'STORAGE_FAILED' }));
      const published = sandbox.path('up/out');
      if (existsSync(published)) expect(readFileSync(published, 'utf8')).toBe('ours');
    },
  );

  test.each<[string, (out: string) => void]>([
    ['it is exchanged', (out) => renameSync(sandboxed(out), out)],
    ['the folder is exchanged', (out) => exchange(dirname(out))],
    ['it has another name', (out) => linkSync(out, `${out}.twin`)],
    ['it may be written by others', (out) => chmodSync(out, 0o666)],
  ])('[pack.4] is refused when right after it got its name %s', async (_, change) => {
    for (const force of [true, false]) {
      using sandbox = makeSandbox();
      other.after = () => {
        change(sandbox.path('up/out'));
        chmodSync(sandbox.path('up/out'), 0o666); // theirs: not as another run of the same user would have made it
      };
      await expect(write(sandbox, force)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    }
  });

  test('[pack.4] may be replaced by another run of the same user, where replacing was asked for', async () => {
    for (const force of [true, false]) {
      using sandbox = makeSandbox();
      other.after = () => renameSync(sandboxed(sandbox.path('up/out')), sandbox.path('up/out'));
      const written = write(sandbox, force);
      if (force) await written;
      else await expect(written).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    }
  });

  test.each([
    ['in a folder of everybody', 'up', 0o777],
    ['below a folder of everybody', '.', 0o777],
  ])('[pack.4] of the same user, put there %s, is no other run of his', async (_, folder, mode) => {
    using sandbox = makeSandbox();
    mkdirSync(sandbox.path('up'));
    chmodSync(sandbox.path(folder), mode);
    other.after = () => renameSync(sandboxed(sandbox.path('up/out')), sandbox.path('up/out'));
    await expect(write(sandbox, true)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
  });
});

/** A file of theirs beside one of ours. */
function sandboxed(out: string): string {
  writeFileSync(`${out}.theirs`, 'theirs');
  return `${out}.theirs`;
}
