import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeAuthority } from '../../factory/certificates.ts';
import { runHere } from '../../factory/command-line.ts';
import { makeWorkbench, type Workbench } from '../../factory/workbench.ts';

let workbench: Workbench;
beforeAll(async () => {
  workbench = await makeWorkbench();
});
afterAll(() => workbench[Symbol.dispose]());

test('[pub.26] a certificate that is trusted already under another name is warned of', async () => {
  using desk = workbench.desk('keys');
  const add = (...words: readonly string[]) => runHere(desk, 'trust', 'add', ...words);
  const first = await add('acme', 'ca.pem', '--scope', 'acme/*');
  expect([first.code, first.stderr]).toEqual([0, '']);
  const second = await add('inside', 'ca.pem');
  expect(second.code).toBe(0);
  expect(second.stderr).toContain('trusted already, as "acme" for acme/*: from now on');
  const third = await add('third', 'ca.pem', '--scope', 'x/y', '--json');
  expect(JSON.parse(third.stdout)).toMatchObject({
    warnings: [expect.stringContaining('"acme"'), expect.stringContaining('"inside"')],
  });
});

test('[pub.26] so is another certificate of the same key', async () => {
  using desk = workbench.desk('keys');
  const old = await makeAuthority({ subject: 'CN=Old' });
  const renewed = await makeAuthority({ subject: 'CN=Renewed', key: old.privateKey });
  for (const [name, { pem }] of Object.entries({ old, renewed }))
    writeFileSync(join(desk.folder, `${name}.pem`), pem);
  expect((await runHere(desk, 'trust', 'add', 'old', 'old.pem')).stderr).not.toContain('trusted already');
  expect((await runHere(desk, 'trust', 'add', 'renewed', 'renewed.pem')).stderr).toContain(
    'the key of one of its certificates is trusted already, as "old"',
  );
});
