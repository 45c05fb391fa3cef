import { readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { clean } from '../../../src/operations/import/clean.ts';
import { MarkedFolder } from '../../../src/storage/unfinished/marked-folder.ts';
import { archiveOf } from '../../factory/bundles.ts';
import { importHere } from '../../factory/importing.ts';
import { valid } from '../../factory/reports.ts';
import { resumable } from '../../factory/resuming.ts';
import { makeSandbox, type Sandbox } from '../../factory/sandbox.ts';

const DAY_MS = 86_400_000;

let part: Uint8Array;
beforeAll(async () => {
  const bundle = await archiveOf((await resumable(2_000_000)).members);
  part = bundle.subarray(0, 1_500_000);
});

/** Leaves an import into `home/NAME` that can be gone on with. */
async function leave(sandbox: Sandbox, name: string): Promise<void> {
  async function* input(): AsyncGenerator<Uint8Array, void> {
    yield part;
  }
  await importHere(sandbox, input(), { resume: true, destination: sandbox.path(`home/${name}`) });
}

function age(sandbox: Sandbox, name: string, days: number): void {
  const folder = readdirSync(sandbox.path('home')).find((one) => one.startsWith(`${name}.partial-`)) ?? '';
  const time = new Date(Date.now() - days * DAY_MS);
  const path = sandbox.path(`home/${folder}`);
  for (const one of readdirSync(path, { recursive: true, encoding: 'utf8' }))
    utimesSync(join(path, one), time, time);
  utimesSync(path, time, time);
}

describe('clean', () => {
  test('[clean.1] lists what was left in that folder, and touches nothing', async () => {
    using sandbox = makeSandbox();
    await leave(sandbox, 'web');
    await leave(sandbox, 'db');
    sandbox.write('home/photos.partial-00000000-1-1-01234567/a.jpg', 'mine');
    const before = sandbox.list();
    const { leftovers, report } = clean(sandbox.path('home'));
    valid(report);
    expect(leftovers.map(({ result, state, removed }) => [result, state, removed])).toEqual([
      ['web', 'kept', false],
      ['db', 'kept', false],
    ]);
    for (const { bytes } of leftovers) expect(bytes).toBeGreaterThan(1_000_000);
    expect([sandbox.list(), clean(sandbox.folder).leftovers]).toEqual([before, []]);
  });

  test('[clean.2] removes what is old enough, when it is asked to', async () => {
    using sandbox = makeSandbox();
    await leave(sandbox, 'old');
    await leave(sandbox, 'young');
    age(sandbox, 'old', 8);
    const { leftovers } = clean(sandbox.path('home'), { remove: true, olderThan: 7 * DAY_MS });
    expect(leftovers.map(({ result, removed }) => [result, removed])).toEqual([['old', true]]);
    expect(readdirSync(sandbox.path('home'))).toEqual([expect.stringMatching(/^young\.partial-/)]);
    expect(clean(sandbox.path('home'), { remove: true }).leftovers).toMatchObject([
      { result: 'young', removed: true },
    ]);
    expect(readdirSync(sandbox.path('home'))).toEqual([]);
  });

  test('[clean.2] leaves what a run is at work on, and says so', () => {
    using sandbox = makeSandbox();
    using folder = MarkedFolder.make(sandbox.folder, { kind: 'output', base: '.web.ova' });
    writeFileSync(join(folder.path, 'output'), 'half');
    const { leftovers, report } = clean(sandbox.folder, { remove: true });
    expect(leftovers).toMatchObject([{ result: 'web.ova', state: 'running', removed: false }]);
    expect(report.warnings).toEqual([expect.stringContaining('a run is at work on it')]);
    expect(sandbox.list().length).toBe(3);
    rmSync(folder.path, { recursive: true });
  });

  test('[clean.1] needs a folder', () => {
    using sandbox = makeSandbox();
    expect(() => clean(sandbox.path('nowhere'))).toThrow('there is no such folder');
    expect(() => clean(sandbox.write('file', ''))).toThrow('this is a file; a folder is needed');
  });
});
