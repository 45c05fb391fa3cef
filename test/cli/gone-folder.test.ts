import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeWorkbench, type Workbench } from '../factory/workbench.ts';

let workbench: Workbench;
beforeAll(async () => {
  workbench = await makeWorkbench();
});
afterAll(() => workbench[Symbol.dispose]());

test.each([
  'import $D/web.ova --to x --trust $D/ca.pem',
  'pack $D/disk.qcow2 -o x.ova',
  'verify web.ova --trust $D/ca.pem',
  'verify $D/web.ova --trust ca.pem',
  'dev-certs x',
  'split $D/web.ova --size 20000',
  'join x.001 -o x.ova',
  'normalize $D/web.ova -o x.ova',
  'sign $D/web.ova -o x.ova --key $D/signer.key --cert $D/signer.pem',
  'timestamp $D/web.ova --tsq-out x.tsq',
  'inspect x.ova',
  'diff x.ova y.ova',
  'trust add acme ca.pem',
])('[cli.22] in a folder that is gone, a relative name is unreadable: %s', async (words) => {
  using desk = workbench.desk('bundle', 'keys', 'disk');
  const before = readdirSync(desk.folder);
  const { stderr, code } = await desk.run(`D=$PWD; mkdir gone; cd gone; rmdir ../gone; bulla ${words}`);
  expect(stderr).toMatch(/\[(FILE_UNREADABLE|FILE_NOT_FOUND), exit 3\]/);
  expect(code).toBe(3);
  expect(readdirSync(desk.folder)).toEqual(before);
});

test('[cli.22] in a folder that is gone, the refusal is told in a file, too', async () => {
  using desk = workbench.desk('bundle', 'keys');
  await desk.run('D=$PWD; mkdir gone; cd gone; rmdir ../gone; bulla verify web.ova > $D/out 2>&1');
  expect(readFileSync(join(desk.folder, 'out'), 'utf8')).toContain('exit 3]');
});

test('[cli.22] in a folder that is gone, absolute names work', async () => {
  using desk = workbench.desk('bundle', 'keys');
  const line =
    'D=$PWD; mkdir gone; cd gone; rmdir ../gone; bulla import $D/web.ova --to $D/new --trust $D/ca.pem';
  expect((await desk.run(line)).code).toBe(0);
  expect(readdirSync(join(desk.folder, 'new'))).not.toEqual([]);
});
