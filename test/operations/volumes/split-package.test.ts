import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { normalize } from '../../../src/operations/pack/normalize.ts';
import { join as joinVolumes } from '../../../src/operations/volumes/join.ts';
import { split } from '../../../src/operations/volumes/split.ts';
import { JUDGED_AT, makeMembers } from '../../factory/bundles.ts';
import { writePackage } from '../../factory/packages.ts';
import { valid } from '../../factory/reports.ts';
import { makeSandbox, trusting } from '../../factory/sandbox.ts';

test.each(['', '/app.ovf', '/app.mf'])(
  '[vol.11] a package of files, named by "web%s", is cut as the archive that it would be',
  async (name) => {
    using sandbox = makeSandbox();
    const folder = writePackage(sandbox.path('web'), await makeMembers());
    const options = { volumeSize: 8192, folders: [sandbox.path('.')], mtime: 7 };
    const report = await split(folder + name, options);
    valid(report);
    const files = report.result?.volumes.map(({ file }) => file) ?? [];
    expect(files.length).toBeGreaterThan(2);
    expect(files[0]).toBe(join(sandbox.path('.'), 'app.ova.001'));
    const output = sandbox.path('joined.ova');
    expect((await joinVolumes(files, { output })).errors).toEqual([]);
    const normal = sandbox.path('normal.ova');
    const judging = { ...(await trusting(sandbox)), at: JUDGED_AT };
    expect((await normalize(folder, { ...judging, output: normal, format: 'tar', mtime: 7 })).errors).toEqual(
      [],
    );
    expect(readFileSync(output).equals(readFileSync(normal))).toBe(true);
  },
);

test('[vol.4] a file of it that changes between the two readings ends that', async () => {
  using sandbox = makeSandbox();
  const folder = writePackage(sandbox.path('web'), await makeMembers());
  const cut = split(folder, {
    volumeSize: 8192,
    folders: [sandbox.path('.')],
    onProgress: ({ phase }) => {
      if (phase === 'write') writeFileSync(join(folder, 'disk.img'), Buffer.alloc(3000, 1));
    },
  });
  await expect(cut).rejects.toMatchObject({ code: 'FILE_CHANGED' });
});

test('[vol.11] what is no package is not cut as one', async () => {
  using sandbox = makeSandbox();
  const folder = writePackage(sandbox.path('web'), await makeMembers());
  const options = { volumeSize: 8192, folders: [sandbox.path('.')] };
  renameSync(join(folder, 'disk.img'), sandbox.path('disk.img'));
  writeFileSync(join(folder, 'other.ovf'), '');
  await expect(split(folder, options)).rejects.toMatchObject({ code: 'PACKAGE_AMBIGUOUS' });
  const whole = await split(sandbox.path('disk.img'), options);
  expect(whole.input).toEqual({ name: sandbox.path('disk.img'), size: 3000 });
});
