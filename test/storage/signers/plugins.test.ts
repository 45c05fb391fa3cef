import { chmodSync, existsSync, readFileSync, renameSync, symlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as library from '../../../src/index.ts';
import { BundleError } from '../../../src/kit/errors/errors.ts';
import { JUDGED_AT, makeBundle, signerUnder, testAuthority } from '../../factory/bundles.ts';
import type { TestCertificate } from '../../factory/certificates.ts';
import { answersOf, foldersOf, parrot, signingPlugin, writePlugin } from '../../factory/plugins.ts';
import { makeSandbox, type Sandbox, trusting } from '../../factory/sandbox.ts';

const PKCS1 = 'SIGNATURE_GENERATOR.RAW.RSA-PKCS1';
const RAW = 'SIGNATURE_GENERATOR.RAW';

let sandbox: Sandbox;
let bundle: string;
let trust: library.VerifyOptions;
let rsa: TestCertificate;
let ec: TestCertificate;
let ec384: TestCertificate;

beforeAll(async () => {
  sandbox = makeSandbox();
  bundle = sandbox.write('in.ova', await makeBundle());
  trust = await trusting(sandbox);
  const issuer = await testAuthority();
  rsa = await signerUnder(issuer, { key: 'rsa2048' });
  ec = await signerUnder(issuer, { key: 'p256' });
  ec384 = await signerUnder(issuer, { key: 'p384' });
});
afterAll(() => sandbox[Symbol.dispose]());

function load(name: string, more: Partial<library.SigningFiles> = {}, waiting = {}) {
  const files = { key: `plugin:${name}/k`, plugins: foldersOf(sandbox), ...more };
  return library.loadSigningIdentity(files, JUDGED_AT, waiting);
}

/** Every code and sentence of a failure; that nothing failed, otherwise. */
async function failureOf(work: Promise<unknown>): Promise<BundleError> {
  return work.then(
    () => new BundleError('INTERNAL', 'nothing failed'),
    (error) => error as BundleError,
  );
}

describe('a plugin', () => {
  test('[key.9] [key.11] signs bundles by RSA, where it makes PKCS#1 v1.5: sign, pack, repack, detached', async () => {
    writePlugin(
      sandbox,
      'rsa',
      signingPlugin('rsa', { capabilities: [PKCS1], keySpec: 'RSA-2048', chain: [rsa] }),
    );
    const identity = await load('rsa');
    expect(identity.files).toEqual([sandbox.path('plugins/rsa/bulla-rsa')]);
    const common = { format: 'tar', identity, digest: 'sha384' } as const;
    const made: Readonly<Record<string, (output: string) => Promise<unknown>>> = {
      signed: (output) => library.sign(bundle, { ...common, output }),
      cms: (output) => library.sign(bundle, { ...common, output, cms: true }),
      packed: (output) => library.pack([bundle], { ...common, output, name: 'x', plain: true }),
      repacked: (output) => library.repack(bundle, { ...common, output }),
    };
    for (const [name, make] of Object.entries(made)) {
      const output = sandbox.path(`${name}.ova`);
      await make(output);
      expect([name, (await library.verify(output, trust)).verdict]).toEqual([name, 'trusted']);
    }
    const asked = readFileSync(sandbox.path('plugins/rsa/asked'), 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
    expect(asked.slice(0, 2)).toEqual([
      { command: 'get-plugin-metadata' },
      { command: 'describe-key', contractVersion: '1.0', keyId: 'k' },
    ]);
    expect(asked.at(-1)).toEqual({
      command: 'generate-signature',
      contractVersion: '1.0',
      keyId: 'k',
      keySpec: 'RSA-2048',
      hashAlgorithm: 'SHA-384',
      payload: expect.any(String),
      digest: expect.stringMatching(/^[A-Za-z0-9+/]{64}$/),
      signingAlgorithm: 'RSASSA-PKCS1-v1_5-SHA-384',
    });
  });

  test('[key.9] [key.6] that is for Notary alone signs by ECDSA, and is not asked for drafts', async () => {
    const options = { capabilities: [RAW], keySpec: 'EC-256', chain: [ec, await testAuthority()] };
    writePlugin(sandbox, 'ec', signingPlugin('ec', options));
    const identity = await load('ec');
    const output = sandbox.path('ec.ova');
    await library.pack([bundle], { output, format: 'tar', name: 'x', plain: true, cms: false, identity });
    expect((await library.verify(output, trust)).verdict).toBe('trusted');
    const asked = readFileSync(sandbox.path('plugins/ec/asked'), 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
    expect(asked.map(({ command }) => command)).toEqual([
      'get-plugin-metadata',
      'describe-key',
      'generate-signature',
      'generate-signature',
    ]);
    expect(Object.keys(asked.at(-1))).toEqual([
      'command',
      'contractVersion',
      'keyId',
      'keySpec',
      'hashAlgorithm',
      'payload',
    ]);

    const beside = sandbox.path('in.ova.p7s');
    await library.signFile(bundle, { output: beside, identity });
    expect((await library.verifyFile(bundle, beside, trust)).verdict).toBe('trusted');
    const uuid = '5bf1dc08-5b9a-4b61-8b0e-7d4a1c7c2b0d';
    const own = { key: 'plugin:ec/k', plugins: foldersOf(sandbox) };
    await expect(
      library.loadImageSigner(own, { certificateUuid: uuid, at: JUDGED_AT }),
    ).rejects.toMatchObject({ code: 'USAGE' });
  });

  test('[key.7] that makes RSA-PSS alone signs files, and no bundle', async () => {
    writePlugin(
      sandbox,
      'pss',
      signingPlugin('pss', { capabilities: [RAW], keySpec: 'RSA-2048', chain: [rsa] }),
    );
    const identity = await load('pss');
    const beside = sandbox.path('pss.p7s');
    await library.signFile(bundle, { output: beside, identity });
    expect((await library.verifyFile(bundle, beside, trust)).verdict).toBe('trusted');
    const output = sandbox.path('never.ova');
    const common = { output, format: 'tar', identity } as const;
    for (const work of [
      library.sign(bundle, common),
      library.sign(bundle, { ...common, cms: true }),
      library.pack([bundle], { ...common, name: 'x', plain: true }),
      library.repack(bundle, common),
    ]) {
      expect(await failureOf(work)).toMatchObject({
        code: 'USAGE',
        message: expect.stringContaining('PKCS#1 v1.5'),
        where: { file: 'plugin:pss/k' },
      });
    }
    expect(existsSync(output)).toBe(false);
  });

  test('[key.7] signs with the digest of its key alone, as is said before anything is read', async () => {
    const chain = [ec384];
    writePlugin(sandbox, 'ec384', signingPlugin('ec384', { capabilities: [RAW], keySpec: 'EC-384', chain }));
    const identity = await load('ec384');
    const output = sandbox.path('ec384.ova');
    const common = { output, format: 'tar', identity } as const;
    expect(await failureOf(library.sign('nowhere.ova', common))).toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining('sha384 only'),
    });
    await library.sign(bundle, { ...common, digest: 'sha384' });
    expect((await library.verify(output, trust)).verdict).toBe('trusted');
  });

  test("[key.9] may have its certificate elsewhere, which must be its key's", async () => {
    writePlugin(
      sandbox,
      'rsa',
      signingPlugin('rsa', { capabilities: [PKCS1], keySpec: 'RSA-2048', chain: [rsa] }),
    );
    const certificate = sandbox.write('other.pem', ec.pem);
    expect(await failureOf(load('rsa', { certificate }))).toMatchObject({ code: 'KEY_MISMATCH' });
    const renewed = await signerUnder(await testAuthority(), { key: rsa.privateKey, subject: 'CN=Renewed' });
    const identity = await load('rsa', { certificate: sandbox.write('renewed.pem', renewed.pem) });
    expect(identity.leaf.fingerprint).toBe(renewed.certificate.fingerprint);
  });
});

describe('[key.10] a plugin that lies', () => {
  const good = () => answersOf('liar', { capabilities: [PKCS1], keySpec: 'RSA-2048', chain: [rsa] });
  const signature = (change: object) => ({
    'generate-signature': { ...good()['generate-signature'], ...change },
  });
  const LIES: Readonly<Record<string, () => Readonly<Record<string, object | string>>>> = {
    'has another name': () => ({
      'get-plugin-metadata': { ...good()['get-plugin-metadata'], name: 'other' },
    }),
    'speaks another version': () => ({
      'get-plugin-metadata': { ...good()['get-plugin-metadata'], supportedContractVersions: ['2.0'] },
    }),
    'makes envelopes alone': () => ({
      'get-plugin-metadata': {
        ...good()['get-plugin-metadata'],
        capabilities: ['SIGNATURE_GENERATOR.ENVELOPE'],
      },
    }),
    'has another key': () => ({ 'describe-key': { keyId: 'other', keySpec: 'RSA-2048' } }),
    'has a key of no kind': () => ({ 'describe-key': { keyId: 'k', keySpec: 'RSA-1024' } }),
    'has a key of another kind': () => ({ 'describe-key': { keyId: 'k', keySpec: 'RSA-3072' } }),
    'signs with another key': () => signature({ keyId: 'other' }),
    'signs by another algorithm': () => signature({ signingAlgorithm: 'RSASSA-PSS-SHA-256' }),
    'has no certificate': () => signature({ certificateChain: [] }),
    'has a certificate that is none': () => signature({ certificateChain: ['AAAA'] }),
    'has a certificate in no base64': () => signature({ certificateChain: ['%'] }),
    'signs in no base64': () => signature({ signature: '***' }),
    'signs with nothing': () => signature({ signature: '' }),
    'answers with junk': () => ({ 'describe-key': 'echo junk' }),
    'answers with a list': () => ({ 'describe-key': 'echo "[]"' }),
    'answers with two documents': () => ({ 'describe-key': 'echo "{}{}"' }),
    'answers nothing': () => ({ 'describe-key': 'true' }),
    'is no UTF-8': () => ({ 'describe-key': `printf '{"keyId":"\\377"}'` }),
    'ends with 1': () => ({ 'describe-key': 'exit 1' }),
    'ends with 1, and an answer': () => ({
      'describe-key': `printf '%s' '${JSON.stringify(good()['describe-key'])}'; exit 1`,
    }),
    'says why it fails': () => ({
      'describe-key': `echo '{"errorCode":"THROTTLED","errorMessage":"slow \\u001b[31m down"}' >&2; exit 1`,
    }),
    'kills itself': () => ({ 'describe-key': 'kill -9 $$' }),
    'never ends': () => ({ 'describe-key': "tr '\\\\0' y < /dev/zero" }),
    'complains without end': () => ({ 'describe-key': "tr '\\\\0' y < /dev/zero >&2" }),
  };

  test.each(Object.keys(LIES))('is refused by name: %s', async (name) => {
    writePlugin(sandbox, 'liar', parrot({ ...good(), ...LIES[name]?.() }));
    const failure = await failureOf(load('liar'));
    expect([failure.code, failure.message]).toEqual([
      'SIGNER_FAILED',
      expect.stringContaining('the plugin "liar"'),
    ]);
    expect(failure.message).not.toContain('\u001b');
  });

  test.each([
    [
      'of another key',
      () => answersOf('x', { capabilities: [], keySpec: 'RSA-2048', chain: [ec] })['generate-signature'],
    ],
    ['of zeros', () => ({ signature: Buffer.alloc(256).toString('base64') })],
  ])('is refused for a signature %s', async (_, change) => {
    const { signature: other } = change() as { readonly signature: string };
    writePlugin(sandbox, 'liar', parrot({ ...good(), ...signature({ signature: other }) }));
    expect(await failureOf(load('liar'))).toMatchObject({ code: 'USAGE', where: { file: 'plugin:liar/k' } });
  });

  test('signs one text and then never another: nothing is written', async () => {
    writePlugin(sandbox, 'liar', parrot(good()));
    const identity = await load('liar');
    const output = sandbox.path('lied.ova');
    const failure = await failureOf(library.sign(bundle, { output, format: 'tar', identity }));
    expect(failure).toMatchObject({ code: 'USAGE', where: { file: 'plugin:liar/k' } });
    expect(sandbox.list().filter((name) => name.includes('lied'))).toEqual([]);
  });

  test('is not let in: it says so, in words of its own', async () => {
    const denied = `echo '{"errorCode":"ACCESS_DENIED","errorMessage":"not you"}' >&2; exit 1`;
    writePlugin(sandbox, 'liar', parrot({ ...good(), 'generate-signature': denied }));
    expect(await failureOf(load('liar'))).toMatchObject({
      code: 'REMOTE_UNAUTHORISED',
      message: 'the plugin "liar" may not use the key: not you',
    });
  });

  test.each([
    ['hangs', 'sleep 600'],
    ['closes its input and hangs', 'exec <&-; sleep 600'],
    ['has a child that keeps its output', '(sleep 600; echo late) & sleep 600'],
  ])('is ended with all that it has started when it %s', async (_, program) => {
    const pids = sandbox.path('pids');
    writePlugin(sandbox, 'liar', parrot({ ...good(), 'describe-key': `echo $$ > ${pids}; ${program}` }));
    const failure = await failureOf(load('liar', {}, { limits: { idleMs: 300 } }));
    expect(failure).toMatchObject({ code: 'SIGNER_FAILED', message: expect.stringContaining('no answer') });
    expect(await isGone(pids)).toBe(true);
  });

  test('may leave nothing running when it has answered', async () => {
    const pids = sandbox.path('left');
    const left = `sleep 600 & echo $$ > ${pids}; printf '%s' '${JSON.stringify(good()['describe-key'])}'`;
    writePlugin(sandbox, 'liar', parrot({ ...good(), 'describe-key': left }));
    await load('liar');
    expect(await isGone(pids)).toBe(true);
  });

  test('is ended by a signal', async () => {
    const pids = sandbox.path('signalled');
    writePlugin(sandbox, 'liar', parrot({ ...good(), 'describe-key': `echo $$ > ${pids}; sleep 600` }));
    const stop = new AbortController();
    const loading = failureOf(load('liar', {}, { signal: stop.signal }));
    while (!existsSync(pids) || readFileSync(pids, 'utf8') === '') await setTimeout(5);
    stop.abort(new BundleError('INTERRUPTED', 'interrupted'));
    expect(await loading).toMatchObject({ code: 'INTERRUPTED' });
    expect(await isGone(pids)).toBe(true);
  });
});

/** Whether the process group whose number is in a file is no more. */
async function isGone(file: string): Promise<boolean> {
  const group = Number(readFileSync(file, 'utf8'));
  for (let tries = 0; tries < 200; tries++) {
    try {
      process.kill(-group, 0);
    } catch {
      return true;
    }
    await setTimeout(10);
  }
  return false;
}

describe('[key.8] the program of a plugin', () => {
  const CASES: Readonly<Record<string, (file: string) => void>> = {
    'is a link': (file) => {
      renameSync(file, `${file}.real`);
      symlinkSync(`${file}.real`, file);
    },
    'may be written by others': (file) => chmodSync(file, 0o757),
    'may be written by a group': (file) => chmodSync(file, 0o775),
    'is not executable': (file) => chmodSync(file, 0o644),
    'lies where others may rename': (file) => chmodSync(dirname(file), 0o777),
    'is a folder': (file) => {
      renameSync(file, `${file}.real`);
      sandbox.write(`plugins/odd-${dirname(file).split('odd-')[1]}/${file.split('/').at(-1)}/x`, '');
    },
  };

  test.each(Object.entries(CASES))('is not started when it %s', async (name, spoil) => {
    const own = `odd-${Object.keys(CASES).indexOf(name)}`;
    const started = sandbox.path(`${own}.started`);
    spoil(writePlugin(sandbox, own, `#!/bin/sh\n: > ${started}\n`));
    expect(await failureOf(load(own))).toMatchObject({ code: 'KEY_UNREADABLE' });
    expect(existsSync(started)).toBe(false);
  });

  test('is looked for among our own first, then among those of Notary', async () => {
    const options = { capabilities: [RAW], keySpec: 'EC-256', chain: [ec] };
    const file = sandbox.write('notation/plugins/both/notation-both', parrot(answersOf('both', options)));
    chmodSync(file, 0o755);
    expect((await load('both')).files).toEqual([file]);
    const own = writePlugin(sandbox, 'both', parrot(answersOf('both', options)));
    expect((await load('both')).files).toEqual([own]);
    expect(await failureOf(load('none'))).toMatchObject({
      code: 'KEY_UNREADABLE',
      message: 'there is no plugin "none"',
    });
  });
});
