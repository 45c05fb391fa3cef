import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { REPORT_SCHEMA } from '../../src/verdict/report/report-schema.ts';
import { makeWorkbench, type Workbench } from '../factory/workbench.ts';

let workbench: Workbench;
beforeAll(async () => {
  workbench = await makeWorkbench();
});
afterAll(() => workbench[Symbol.dispose]());

const SIGNER = '--key signer.key --cert signer.pem';

describe('[cli.3] [rep.1] --json is one document on standard output', () => {
  test.each([
    ['verify web.ova --trust ca.pem', 0, 'trusted'],
    ['verify web.ova', 20, 'untrusted'],
    ['verify web.ova --trust other-ca.pem', 18, 'untrusted'],
    ['verify disk.qcow2', 17, 'malformed'],
    ['verify nope.ova', 3, 'error'],
    ['verify web.ova --nonsense', 2, 'error'],
    ['verify', 2, 'error'],
    ['nonsense', 2, 'error'],
    ['', 2, 'error'],
    ['import web.ova --to machine --trust ca.pem', 0, 'trusted'],
    ['import web.ova --to keys.d --trust ca.pem --dry-run', 0, 'trusted'],
    ['import web.ova', 2, 'error'],
    ['inspect web.ova', 0, 'none'],
    ['inspect notes.txt', 17, 'malformed'],
    ['pack disk.qcow2 -o new.ova', 0, 'none'],
    ['pack disk.qcow2 -o web.ova', 2, 'error'],
    [`pack disk.qcow2 -o new.ova --key locked.key --cert signer.pem`, 2, 'error'],
    [`sign web.ova -o new.ova ${SIGNER}`, 0, 'none'],
    ['dev-certs new', 0, 'none'],
    ['dev-certs .', 2, 'error'],
    ['trust add acme ca.pem', 0, 'none'],
    ['trust list', 0, 'none'],
    ['trust show nobody', 3, 'error'],
    ['trust', 2, 'error'],
  ])('bulla %s', async (words, exitCode, verdict) => {
    using desk = workbench.desk('bundle', 'keys', 'disk');
    const { stdout, stderr, code } = await desk.run(`bulla ${words} --json`);
    expect(code).toBe(exitCode);
    const report = JSON.parse(stdout); // which takes one document and no more
    expect(REPORT_SCHEMA.safeParse(report).error).toBeUndefined();
    expect(report).toMatchObject({
      schema: 'bulla.report/1',
      exitCode,
      verdict,
      trusted: verdict === 'trusted',
    });
    expect(stderr).toBe('');
    expect(report.errors.length > 0).toBe(exitCode !== 0);
    for (const error of report.errors) {
      expect(Object.keys(error)).toEqual(['code', 'message', 'where', 'why', 'fix']);
    }
  });
});

test('[cli.3] beside a bundle on standard output, the document goes to standard error', async () => {
  using desk = workbench.desk('disk', 'keys');
  const good = await desk.run(
    `bulla pack disk.qcow2 ${SIGNER} -o - --json | bulla verify - --trust ca.pem -q`,
  );
  expect(good).toMatchObject({ code: 0, stdout: '' });
  expect(JSON.parse(good.stderr)).toMatchObject({ exitCode: 0, operation: 'pack' });
  for (const output of ['-o -', '-o-', '--output -', '--output=-']) {
    const bad = await desk.run(`bulla pack nope.qcow2 ${output} --json`);
    expect(bad).toMatchObject({ code: 3, stdout: '' });
    expect(JSON.parse(bad.stderr)).toMatchObject({ exitCode: 3, operation: 'pack' });
  }
});

test('[cli.5] [rep.4] an allowance shows in the report, and as a warning where it mattered', async () => {
  using desk = workbench.desk('unsigned', 'keys');
  const { stdout } = await desk.run('bulla verify web.ova --allow-unsigned --allow-sha1 --json');
  expect(JSON.parse(stdout)).toMatchObject({
    exitCode: 0,
    verdict: 'unsigned',
    trusted: false,
    allowances: ['unsigned', 'sha1'],
    warnings: [expect.stringContaining('--allow-unsigned')],
  });
});

test('[cli.2] progress stays on standard error', async () => {
  using desk = workbench.desk('bundle', 'keys');
  const { stdout, stderr } = await desk.run('bulla verify web.ova --trust ca.pem --json --progress json');
  expect(JSON.parse(stdout)).toMatchObject({ exitCode: 0 });
  const [line = ''] = stderr.split('\n');
  expect(JSON.parse(line)).toMatchObject({ phase: 'read', bytes: expect.any(Number) });
});

test('[show.1] of clean shows no name as something else', async () => {
  using desk = workbench.desk('bundle');
  const name = 'a\u202eb';
  const { stdout } = await desk.run(`mkdir '${name}' && bulla clean '${name}' --json`);
  expect(stdout).toContain('a\\u202eb');
  expect(stdout).not.toContain(name);
});
