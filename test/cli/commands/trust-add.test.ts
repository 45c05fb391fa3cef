import { afterAll, beforeAll, expect, test } from 'vitest';
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
