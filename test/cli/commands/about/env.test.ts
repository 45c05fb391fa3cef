import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EnvReport } from '../../../../src/operations/report/env-report.ts';
import { runHere } from '../../../factory/command-line.ts';
import { type Desk, makeWorkbench, PASSPHRASE, type Workbench } from '../../../factory/workbench.ts';

let workbench: Workbench;
beforeAll(async () => {
  workbench = await makeWorkbench();
});
afterAll(() => workbench[Symbol.dispose]());

async function lookedAt(desk: Desk, env: NodeJS.ProcessEnv = {}): Promise<EnvReport> {
  const { stdout } = await runHere({ ...desk, env: { ...desk.env, ...env } }, 'env', '--json');
  return JSON.parse(stdout) as EnvReport;
}

describe('[cli.30] bulla env', () => {
  test('finds nothing wrong in a home that is empty, and makes nothing there', async () => {
    using desk = workbench.desk();
    const before = readdirSync(desk.home, { recursive: true });
    const { exitCode, errors, result } = await lookedAt(desk);
    expect([exitCode, errors]).toEqual([0, []]);
    expect(result?.folders.at(-1)).toMatchObject({ from: 'BULLA_HOME', publishers: [], lists: 0 });
    expect(result?.node.version).toBe(process.version);
    expect(readdirSync(desk.home, { recursive: true })).toEqual(before);
  });

  test('names everybody who is trusted, and each who cannot be used', async () => {
    using desk = workbench.desk('keys');
    const home = desk.env['BULLA_HOME'] ?? '';
    expect((await runHere(desk, 'trust', 'add', 'acme', 'ca.pem')).code).toBe(0);
    expect((await runHere(desk, 'trust', 'add', 'stamps', 'ca.pem', '--timestamping')).code).toBe(0);
    for (const name of ['empty', 'strange']) mkdirSync(join(home, 'publishers', name));
    writeFileSync(join(home, 'publishers/strange/publisher.toml'), 'nome = "strange"');
    mkdirSync(join(home, 'revocation'));
    writeFileSync(join(home, 'revocation/odd.txt'), '');
    const { exitCode, errors, result } = await lookedAt(desk);
    expect(exitCode).toBe(2);
    expect(errors.map(({ code }) => code)).toEqual(['CONFIG_INVALID', 'CONFIG_INVALID', 'CONFIG_INVALID']);
    const { publishers = [] } = result?.folders.at(-1) ?? {};
    expect(publishers.map(({ name, problem }) => [name, problem !== undefined])).toEqual([
      ['acme', false],
      ['empty', true],
      ['strange', true],
      ['stamps', false],
    ]);
    const { stdout } = await runHere(desk, 'env');
    expect(stdout).toContain('publishers: acme, empty (cannot be used), strange (cannot be used)');
    expect(stdout).toMatch(/FAILED|✗/);
  });

  test('says where each default is from, and that its file is not there', async () => {
    using desk = workbench.desk('keys');
    mkdirSync(desk.env['BULLA_HOME'] ?? '');
    const config = join(desk.env['BULLA_HOME'] ?? '', 'config.toml');
    writeFileSync(config, 'key = "gone.key"\npassphrase-file = "gone.txt"');
    const { exitCode, errors, result } = await lookedAt(desk, { BULLA_CERT: 'signer.pem' });
    expect(result?.defaults.map(({ option, from }) => [option, from])).toEqual([
      ['--key', config],
      ['--cert', 'BULLA_CERT'],
      ['--passphrase-file', config],
    ]);
    expect([exitCode, errors.length]).toEqual([2, 2]);
    expect(errors[0]?.where.file).toBe(join(config, '../gone.key'));
  });

  test.each([
    [{ BULLA_KEY: 'signer.key' }, 1, 'BULLA_KEY names a key'],
    [{ BULLA_CERT: 'signer.pem' }, 1, 'BULLA_CERT names a certificate'],
    [{ BULLA_KEY: '.', BULLA_CERT: '.' }, 2, 'a folder'],
    [{ BULLA_KEY: '', BULLA_CERT: 'signer.pem' }, 0, ''],
  ])('tells what could not sign: %j', async (env, count, problem) => {
    using desk = workbench.desk('keys');
    const { exitCode, errors } = await lookedAt(desk, env);
    expect([exitCode, errors.length]).toEqual([count === 0 ? 0 : 2, count]);
    if (problem) expect(errors[0]).toMatchObject({ code: 'CONFIG_INVALID' });
    expect(errors[0]?.message ?? '').toContain(problem);
  });

  test.each([
    [{ BULLA_CERT: 'ca.pem' }, 'the key does not belong to the certificate'],
    [{ BULLA_KEY: 'locked.key' }, 'encrypted, and no passphrase file is configured'],
    [{ BULLA_KEY: 'locked.key', BULLA_PASSPHRASE_FILE: 'wrong.txt' }, 'the passphrase does not open the key'],
    [{ BULLA_KEY: 'locked.key', BULLA_PASSPHRASE_FILE: 'right.txt' }, undefined],
    [{ BULLA_CHAIN: 'signer.pem' }, 'none of the intermediates has issued'],
    [{ BULLA_CHAIN: 'ca.pem' }, undefined],
    [{ BULLA_KEY: 'signer.pem' }, 'this is a certificate, and no private key'],
    [{ BULLA_CERT: 'signer.key' }, 'this is a private key, and no certificate'],
    [{}, undefined],
  ])('loads who would sign: %j', async (env, problem) => {
    using desk = workbench.desk('keys');
    writeFileSync(join(desk.folder, 'wrong.txt'), 'swordfish\n');
    writeFileSync(join(desk.folder, 'right.txt'), `${PASSPHRASE}\n`);
    const whole = { BULLA_KEY: 'signer.key', BULLA_CERT: 'signer.pem', ...env };
    const found = await lookedAt(desk, whole);
    expect([found.exitCode, found.errors.length]).toEqual(problem === undefined ? [0, 0] : [2, 1]);
    expect(found.errors[0]?.message ?? '').toContain(problem ?? '');
    expect(JSON.stringify(found)).not.toMatch(/swordfish/);
    expect(JSON.stringify(found)).not.toContain(PASSPHRASE);
  });

  test('is not usable with settings that are not understood', async () => {
    using desk = workbench.desk();
    mkdirSync(desk.env['BULLA_HOME'] ?? '');
    writeFileSync(join(desk.env['BULLA_HOME'] ?? '', 'config.toml'), 'pin = "00"');
    const { exitCode, errors } = await lookedAt(desk);
    expect([exitCode, errors[0]?.message]).toEqual([2, 'unknown key "pin"']);
    expect(errors[0]?.fix).toContain('key, cert, chain, passphrase-file, tsa');
  });

  test('shows no secret', async () => {
    using desk = workbench.desk();
    const env = {
      OS_PASSWORD: 'swordfish',
      OS_TOKEN: 'swordfish',
      OS_AUTH_TOKEN: 'swordfish',
      OS_APPLICATION_CREDENTIAL_SECRET: 'swordfish',
      OS_PASSCODE: 'swordfish',
      OS_OF_ANY_OTHER_NAME: 'swordfish',
      OS_AUTH_URL: 'https://me:swordfish@keystone.example/v3',
      NODE_OPTIONS: '--title=swordfish',
      BULLA_TSA: 'http://me:swordfish@tsa.example/?swordfish',
    };
    for (const words of [['env'], ['env', '--json']]) {
      const { stdout, stderr } = await runHere({ ...desk, env: { ...desk.env, ...env } }, ...words);
      expect(`${stdout}${stderr}`).not.toContain('swordfish');
      expect(stdout).toContain('OS_PASSWORD');
      expect(stdout).toContain('http://tsa.example');
      expect(stdout).toContain('https://keystone.example/v3');
    }
  });

  test('warns where others could decide whom to trust, or sign', async () => {
    using desk = workbench.desk('keys');
    const home = desk.env['BULLA_HOME'] ?? '';
    mkdirSync(home);
    writeFileSync(join(home, 'config.toml'), 'tsa = "http://tsa.example"');
    chmodSync(join(home, 'config.toml'), 0o666);
    chmodSync(home, 0o777);
    chmodSync(join(desk.folder, 'signer.key'), 0o644);
    const { exitCode, warnings } = await lookedAt(desk, {
      BULLA_KEY: 'signer.key',
      BULLA_CERT: 'signer.pem',
    });
    expect(exitCode).toBe(0);
    expect(warnings).toEqual([
      expect.stringContaining(`${home}: everybody may rename`),
      expect.stringContaining('config.toml: others may write it'),
      expect.stringContaining('signer.key: others may open it'),
      expect.stringContaining('is not a root that importers have'),
    ]);
  });
});
