import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createContext } from '../../../src/cli/context.ts';
import { takeDefaults } from '../../../src/cli/options/signing-defaults.ts';
import { createProgram } from '../../../src/cli/program.ts';
import { runHere } from '../../factory/command-line.ts';
import { folderForTests } from '../../factory/sandbox.ts';
import { type Desk, makeWorkbench, type Workbench } from '../../factory/workbench.ts';

const folder = folderForTests();
const SYSTEM = join(folder, 'system');
const USER = join(folder, 'user');
beforeEach(() => {
  for (const one of [SYSTEM, USER]) {
    rmSync(one, { recursive: true, force: true });
    mkdirSync(one);
  }
});

function settings(where: string, ...lines: readonly string[]): void {
  writeFileSync(join(where, 'config.toml'), lines.join('\n'));
}

/** What the options of a command are then, and where each that was left out is from. */
async function optionsOf(line: string, env: Record<string, string> = {}): Promise<Record<string, unknown>> {
  const context = {
    ...createContext(process, new AbortController().signal),
    env,
    trustFolders: [SYSTEM, USER],
  };
  const program = createProgram(context, () => {});
  const [name = '', ...words] = line.split(' ');
  const command = program.commands.find((one) => one.name() === name);
  if (!command) throw new Error(name);
  command.action(() => {}).parse(words, { from: 'user' });
  const taken = await takeDefaults(command, context);
  const { key, cert, chain, tsa, passphraseFile } = command.opts();
  const from = Object.fromEntries(taken.map((one) => [one.option, one.from.replace(folder, '')]));
  return JSON.parse(JSON.stringify({ key, cert, chain, tsa, passphraseFile, from }));
}

describe('[cli.29] what signs where nobody is named', () => {
  const PACK = 'pack disk.raw -o web.ova';
  const ENV = { BULLA_KEY: 'env.key', BULLA_CERT: 'env.pem' };

  test('is named by the environment', async () => {
    const env = { ...ENV, BULLA_CHAIN: 'env-chain.pem', BULLA_TSA: 'http://tsa.example' };
    expect(await optionsOf(PACK, env)).toEqual({
      key: 'env.key',
      cert: 'env.pem',
      chain: 'env-chain.pem',
      tsa: 'http://tsa.example',
      from: { '--key': 'BULLA_KEY', '--cert': 'BULLA_CERT', '--chain': 'BULLA_CHAIN', '--tsa': 'BULLA_TSA' },
    });
  });

  test("is named by the user's file, seen from its folder, and else by the system's", async () => {
    settings(USER, 'key = "keys/own.key"', 'cert = "/abs/own.pem"');
    settings(SYSTEM, 'key = "system.key"', 'tsa = "http://tsa.example"');
    expect(await optionsOf(PACK)).toEqual({
      key: join(USER, 'keys/own.key'),
      cert: '/abs/own.pem',
      tsa: 'http://tsa.example',
      from: { '--key': '/user/config.toml', '--cert': '/user/config.toml', '--tsa': '/system/config.toml' },
    });
  });

  test('is what the command line says, then the environment, then the files', async () => {
    settings(USER, 'key = "own.key"', 'cert = "own.pem"');
    const both = await optionsOf(PACK, ENV);
    expect([both['key'], both['cert']]).toEqual(['env.key', 'env.pem']);
    const typed = await optionsOf(`${PACK} --key a.key --cert a.pem`, ENV);
    expect(typed).toEqual({ key: 'a.key', cert: 'a.pem', from: {} });
  });

  test('is nobody where a variable is there and empty', async () => {
    settings(USER, 'key = "own.key"', 'cert = "own.pem"', 'tsa = "http://tsa.example"');
    expect(await optionsOf(PACK, { BULLA_KEY: '', BULLA_CERT: '' })).toEqual({ from: {} });
    expect(await optionsOf(PACK, { BULLA_TSA: '' })).not.toHaveProperty('tsa');
  });

  test.each([
    ['BULLA_KEY', {}],
    ['BULLA_KEY', { BULLA_CERT: 'env.pem', BULLA_CHAIN: 'chain.pem', BULLA_TSA: 'http://tsa.example' }],
  ])('is nobody where an empty %s says so, whatever else names: %j', async (name, env) => {
    settings(USER, 'key = "own.key"', 'cert = "own.pem"', 'chain = "own-chain.pem"');
    expect(await optionsOf(PACK, { ...env, [name]: '' })).toEqual({ from: {} });
  });

  test("has no certificate of another's: of none farther from the command line than the key", async () => {
    settings(SYSTEM, 'key = "system.key"', 'cert = "system.pem"', 'chain = "system-chain.pem"');
    const env = { BULLA_CERT: 'env.pem', BULLA_CHAIN: 'env-chain.pem' };
    expect(await optionsOf(`${PACK} --key typed.p12`, env)).toEqual({ key: 'typed.p12', from: {} });
    const half = { code: 'CONFIG_INVALID', message: expect.stringContaining('BULLA_KEY names a key') };
    await expect(optionsOf(PACK, { BULLA_KEY: 'env.key' })).rejects.toMatchObject(half);
    settings(USER, 'key = "own.key"');
    await expect(optionsOf(PACK)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    expect(await optionsOf(PACK, { BULLA_CERT: 'env.pem' })).toMatchObject({ cert: 'env.pem' });
  });

  test('may be a PKCS#12 file, which has its certificate, with intermediates from the same place', async () => {
    const file = join(USER, 'own.bin');
    const version3WithData = '3012020103300d06092a864886f70d010701a000';
    writeFileSync(file, Buffer.from(version3WithData, 'hex'));
    settings(USER, 'key = "own.bin"', 'chain = "own-chain.pem"');
    settings(SYSTEM, 'cert = "system.pem"');
    expect(await optionsOf(PACK)).toMatchObject({ key: file, chain: join(USER, 'own-chain.pem') });
    expect(await optionsOf(PACK)).not.toHaveProperty('cert');
    expect(await optionsOf(PACK, { BULLA_KEY: file, BULLA_CERT: '' })).toEqual({
      key: file,
      from: { '--key': 'BULLA_KEY' },
    });
  });

  test.each([
    [ENV, []],
    [{}, ['--key a.key --cert a.pem']],
  ])("has no intermediates of another's: %j %j", async (env, options) => {
    settings(USER, 'chain = "own-chain.pem"', 'passphrase-file = "own.txt"');
    const found = await optionsOf([PACK, ...options].join(' '), env);
    expect([found['chain'], found['passphraseFile']]).toEqual([undefined, undefined]);
  });

  test('has those of the command line, and the passphrase beside its own key', async () => {
    settings(USER, 'key = "own.key"', 'cert = "own.pem"', 'passphrase-file = "own.txt"');
    const found = await optionsOf(`${PACK} --chain typed.pem`);
    expect([found['chain'], found['passphraseFile']]).toEqual(['typed.pem', join(USER, 'own.txt')]);
  });

  test('a timestamp alone is asked for by the authority that is configured, unless the line says how', async () => {
    const env = { BULLA_TSA: 'http://tsa.example' };
    expect((await optionsOf('timestamp web.ova -o new.ova', env))['tsa']).toBe('http://tsa.example');
    expect(await optionsOf('timestamp web.ova --tsq-out web.tsq', env)).toEqual({ from: {} });
    expect(await optionsOf('verify web.ova', { ...ENV, ...env })).toEqual({ from: {} });
    expect(await optionsOf(PACK, env)).toEqual({ from: {} });
  });

  test.each([
    ['pin = "00"', 'unknown key "pin"'],
    ['trust = "ca.pem"', 'unknown key "trust"'],
    ['allow-unsigned = true', 'unknown key "allow-unsigned"'],
    ['key = 5', 'key: not a text'],
    ['key = ""', 'key: it is empty'],
    ['key = "~/acme.key"', 'whole path'],
    ['key = ', 'not TOML'],
  ])('is not guessed: %s', async (line, problem) => {
    settings(SYSTEM, line);
    await expect(optionsOf(PACK)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(problem),
      where: { file: join(SYSTEM, 'config.toml') },
    });
  });

  test('is never half of what a signature needs', async () => {
    await expect(optionsOf(PACK, { BULLA_KEY: 'env.key' })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('BULLA_KEY'),
    });
    expect(await optionsOf(`${PACK} --cert typed.pem`, { BULLA_KEY: 'env.key' })).toMatchObject({
      key: 'env.key',
      cert: 'typed.pem',
    });
  });
});

describe('[cli.29] a command that signs by a default', () => {
  let workbench: Workbench;
  let desk: Desk;
  beforeAll(async () => {
    workbench = await makeWorkbench();
    desk = workbench.desk('keys', 'disk');
    mkdirSync(join(desk.home, 'bulla'), { recursive: true });
    const lines = [
      `key = '${join(desk.folder, 'signer.key')}'`,
      `cert = '${join(desk.folder, 'signer.pem')}'`,
    ];
    writeFileSync(join(desk.home, 'bulla/config.toml'), lines.join('\n'));
  });
  afterAll(() => {
    desk[Symbol.dispose]();
    workbench[Symbol.dispose]();
  });

  test('says where it is from, in text and in JSON', async () => {
    const { stdout, code } = await runHere(desk, 'pack', 'disk.qcow2', '-o', 'a.ova');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ {2}defaults +--key and --cert from .*config\.toml$/m);
    const json = JSON.parse((await runHere(desk, 'pack', 'disk.qcow2', '-o', 'b.ova', '--json')).stdout);
    expect(json.defaults).toEqual(
      ['--key', '--cert'].map((option) => ({ option, from: expect.stringMatching(/config\.toml$/) })),
    );
  });

  test('[out.1] does not write over what it reads', async () => {
    const { code, stderr } = await runHere(
      desk,
      'pack',
      'disk.qcow2',
      '-o',
      'signer.key',
      '--format',
      'ova',
      '--force',
    );
    expect([code, stderr]).toEqual([2, expect.stringContaining('signer.key')]);
  });

  test('says of a file that is not there who names it', async () => {
    const env = { ...desk.env, BULLA_KEY: 'gone.key', BULLA_CERT: 'signer.pem' };
    const { code, stderr } = await runHere({ ...desk, env }, 'pack', 'disk.qcow2', '-o', 'c.ova');
    expect(code).toBe(3);
    expect(stderr).toContain('gone.key');
    expect(stderr).toContain('--key from BULLA_KEY');
  });
});
