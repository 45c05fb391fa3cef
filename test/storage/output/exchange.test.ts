import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { clean } from '../../../src/operations/import/clean.ts';
import { apartFrom } from '../../../src/storage/apart.ts';
import { decide, undo } from '../../../src/storage/output/exchange.ts';
import { OutputSet } from '../../../src/storage/output/output-set.ts';
import { MarkedFolder } from '../../../src/storage/unfinished/marked-folder.ts';
import { half, MEDIA } from '../../factory/half-exchange.ts';
import { makeSandbox, type Sandbox } from '../../factory/sandbox.ts';

/** What another run does right before this one gives a file such a name. */
let meanwhile: { readonly name: RegExp; readonly done: () => void } | undefined;

function expectOthers(name: unknown): void {
  const due = meanwhile?.name.test(String(name)) ? meanwhile : undefined;
  if (due) meanwhile = undefined;
  due?.done();
}

vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>();
  return {
    ...fs,
    renameSync: (from: string, to: string) => {
      expectOthers(to);
      fs.renameSync(from, to);
    },
  };
});
vi.mock('node:fs/promises', async (original) => {
  const fs = await original<typeof import('node:fs/promises')>();
  return {
    ...fs,
    rename: async (from: string, to: string) => {
      expectOthers(to);
      await fs.rename(from, to);
    },
  };
});
afterEach(() => {
  meanwhile = undefined;
});

/** What stands, in a word for each volume. */
function textsOf({ path }: Sandbox): readonly string[] {
  return [1, 2, 3, 4].map((volume) => {
    try {
      return readFileSync(path(`${volume > 2 ? 'b' : 'a'}/web.00${volume}`), 'utf8').split(' ')[0] ?? '';
    } catch {
      return 'none';
    }
  });
}

function cleaned(sandbox: Sandbox, medium: 'a' | 'b', { remove = true } = {}): ReturnType<typeof clean> {
  return clean(sandbox.path(medium), { remove });
}

test('[vol.9] each file is looked at right before it is put back: another run may have replaced it a moment ago', () => {
  using sandbox = makeSandbox();
  const { works } = half(sandbox, 2);
  meanwhile = { name: /web\.001$/, done: () => sandbox.write('a/web.002', 'of another run') };
  expect(undo({ anchor: works[0]?.path ?? '' })).toMatchObject({
    putBack: ['web.001'],
    foreign: ['web.002'],
    isWhole: false,
  });
  expect(meanwhile).toBe(undefined);
  expect(textsOf(sandbox)).toEqual(['old', 'of', 'old', 'old']);
});

test('[vol.9] what a run is removing no other begins to remove, and none is put in its place', async () => {
  using sandbox = makeSandbox();
  half(sandbox, 2);
  const seen: unknown[] = [];
  let split: Promise<unknown> | undefined;
  meanwhile = {
    name: /web\.001$/,
    done: () => {
      seen.push(cleaned(sandbox, 'a').leftovers);
      const set = new OutputSet('web', { overwrite: true });
      split = set.begin(apartFrom(sandbox.path('a/web.001'), [])).catch((error: unknown) => error);
    },
  };
  expect(cleaned(sandbox, 'a').leftovers).toMatchObject([{ putBack: ['web.001', 'web.002'], removed: true }]);
  expect(seen).toMatchObject([[{ state: 'running', removed: false, putBack: [] }]]);
  expect(await split).toMatchObject({ code: 'STORAGE_FAILED', message: expect.stringContaining('removing') });
});

describe('[vol.9] of an exchange in which all had their names', () => {
  test.each(['a volume', 'a medium'])('%s is moved away: nothing is undone, and that is said', (what) => {
    using sandbox = makeSandbox();
    half(sandbox, 4);
    if (what === 'a medium') renameSync(sandbox.path('b'), sandbox.path('shelf'));
    else renameSync(sandbox.path('b/web.003'), sandbox.path('elsewhere'));
    const { report, leftovers } = cleaned(sandbox, 'a');
    const missing = what === 'a medium' ? ['web.003', 'web.004'] : ['web.003'];
    expect(leftovers).toMatchObject([{ putBack: [], takenAway: [], missing, removed: false }]);
    expect(report.warnings[0]).toContain('the new "web.003" is not where it was written');
    expect(textsOf(sandbox).slice(0, 2)).toEqual(['new', 'new']);
    if (what === 'a medium') renameSync(sandbox.path('shelf'), sandbox.path('b'));
    else renameSync(sandbox.path('elsewhere'), sandbox.path('b/web.003'));
    for (const medium of MEDIA) expect(cleaned(sandbox, medium).leftovers).toMatchObject([{ removed: true }]);
    expect(textsOf(sandbox)).toEqual(['new', 'new', 'new', 'new']);
  });

  test('and which says so, the older ones go, wherever the new ones have been moved', () => {
    using sandbox = makeSandbox();
    const { works } = half(sandbox, 4);
    decide({ anchor: works[1]?.path ?? '' }, 'done');
    rmSync(sandbox.path('b/web.004'));
    for (const medium of MEDIA) expect(cleaned(sandbox, medium).leftovers).toMatchObject([{ removed: true }]);
    expect(textsOf(sandbox)).toEqual(['new', 'new', 'new', 'none']);
  });
});

test.each([['a', 'b'] as const, ['b', 'a'] as const])(
  '[vol.9] where some wait yet all is undone, whichever folder is first: %s, %s',
  (...order) => {
    using sandbox = makeSandbox();
    half(sandbox, 2);
    rmSync(sandbox.path('a/web.002')); // even where one was moved away
    for (const medium of order) expect(cleaned(sandbox, medium).leftovers).toMatchObject([{ removed: true }]);
    expect(textsOf(sandbox)).toEqual(['old', 'old', 'old', 'old']);
  },
);

test('[clean.3] what was put back is told, and what could not be, and without removal both beforehand', () => {
  using sandbox = makeSandbox();
  half(sandbox, 3);
  sandbox.write('a/web.001', 'of somebody');
  const told = { putBack: ['web.002'], foreign: ['web.001'], removed: false };
  expect(cleaned(sandbox, 'a', { remove: false }).leftovers).toMatchObject([told]);
  expect(cleaned(sandbox, 'a').leftovers).toMatchObject([told]);
  expect(cleaned(sandbox, 'a').leftovers).toMatchObject([{ ...told, putBack: [] }]); // that was done
  expect(textsOf(sandbox).slice(0, 2)).toEqual(['of', 'old']);
});

test('[clean.3] of a run that is at work nothing is undone, and nothing of that is told', () => {
  using sandbox = makeSandbox();
  half(sandbox, 2, { leave: false });
  for (const remove of [false, true])
    expect(cleaned(sandbox, 'a', { remove }).leftovers).toMatchObject([
      { state: 'running', putBack: [], takenAway: [], foreign: [], removed: false },
    ]);
  expect(textsOf(sandbox)).toEqual(['new', 'new', 'old', 'old']);
});

test('[clean.2] other work in which something is called as the list of an exchange is removed', () => {
  using sandbox = makeSandbox();
  const work = MarkedFolder.make(sandbox.folder, { kind: 'output', base: '.web' });
  mkdirSync(join(work.path, 'exchange'));
  work.leave();
  work.rest();
  expect(clean(sandbox.folder, { remove: true }).leftovers).toMatchObject([{ removed: true }]);
});

test('[vol.4] a folder of waiting volumes that is gone hinders no other from being undone, and is named', async () => {
  using sandbox = makeSandbox();
  for (const medium of MEDIA) mkdirSync(sandbox.path(medium));
  const names = ['a/web.001', 'b/web.002', 'a/web.003'];
  for (const name of names) sandbox.write(name, 'old');
  await using set = new OutputSet('web', { overwrite: true });
  for (const name of names) {
    await set.begin(apartFrom(sandbox.path(name), []));
    await set.write(Buffer.from('new'));
    await set.end();
  }
  const [work = ''] = readdirSync(sandbox.path('a')).filter((name) => name.includes('.partial-'));
  meanwhile = { name: /web\.002$/, done: () => rmSync(sandbox.path(`a/${work}`), { recursive: true }) };
  await expect(set.publish()).rejects.toMatchObject({
    code: 'STORAGE_FAILED',
    fix: expect.stringContaining(`${work}" (which was taken away)`),
  });
  expect(readFileSync(sandbox.path('b/web.002'), 'utf8')).toBe('old');
});
