import { execFileSync, spawnSync } from 'node:child_process';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { signFile } from '../../src/operations/sign/sign-file.ts';
import { loadSigningIdentity } from '../../src/operations/sign/signing-identity.ts';
import { verifyFile } from '../../src/operations/verify/verify-file.ts';
import { EKU, makeAuthority, makeCertificate, NOON, type TestCertificate } from '../factory/certificates.ts';
import { makeSandbox, type Sandbox } from '../factory/sandbox.ts';
import { hasPeer } from './peer.ts';

const here = hasPeer('openssl version', 'that openssl accepts our CMS signatures, and we all that it makes');

const KEYS: Readonly<Record<string, () => KeyObject>> = {
  'RSA-2048': () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
  'RSA-PSS': () => generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).privateKey,
  'RSA-PSS bound to SHA-256': () =>
    generateKeyPairSync('rsa-pss', {
      modulusLength: 2048,
      hashAlgorithm: 'sha256',
      mgf1HashAlgorithm: 'sha256',
      saltLength: 32 as never, // a number, whatever its type says
    }).privateKey,
  'P-256': () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
  'P-384': () => generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey,
  'P-521': () => generateKeyPairSync('ec', { namedCurve: 'P-521' }).privateKey,
  secp256k1: () => generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey,
};

describe.skipIf(!here)('openssl cms', () => {
  let sandbox: Sandbox;
  let root: TestCertificate;
  let sub: TestCertificate;
  const names = Object.keys(KEYS);

  beforeAll(async () => {
    sandbox = makeSandbox();
    root = await makeAuthority({ subject: 'CN=Root' });
    sub = await makeAuthority({ subject: 'CN=Sub', issuer: root });
    sandbox.write('root.pem', root.pem);
    sandbox.write('sub.pem', sub.pem);
    sandbox.write('data', Buffer.from('something to sign\r\n\0 of any kind\n'));
    for (const [name, make] of Object.entries(KEYS)) {
      const leaf = await makeCertificate({
        subject: `CN=${name}`,
        issuer: sub,
        key: make(),
        eku: [EKU.codeSigning, EKU.emailProtection],
        keyUsage: ['digitalSignature'],
      });
      sandbox.write(`${name}.pem`, leaf.pem);
      sandbox.write(`${name}.key`, leaf.privateKeyPem);
    }
  });
  afterAll(() => sandbox[Symbol.dispose]());

  const openssl = (...args: readonly string[]) =>
    execFileSync('openssl', args, { cwd: sandbox.folder, stdio: ['ignore', 'pipe', 'pipe'] });
  const signedBy = (name: string, ...flags: readonly string[]) =>
    openssl(
      ...['cms', '-sign', '-binary', '-in', 'data', '-signer', `${name}.pem`, '-inkey', `${name}.key`],
      ...['-outform', 'DER', '-out', 'signature', ...flags],
    );
  const verified = async (trust = 'root.pem') => {
    const { errors, exitCode } = await verifyFile(sandbox.path('data'), sandbox.path('signature'), {
      trust: { anchors: [sandbox.path(trust)] },
      at: NOON,
    });
    return errors[0]?.code ?? exitCode;
  };

  test.each(names)('[cms.10] accepts what we sign with %s, and nothing else', async (name) => {
    const identity = await loadSigningIdentity(
      {
        key: sandbox.path(`${name}.key`),
        certificate: sandbox.path(`${name}.pem`),
        chain: sandbox.path('sub.pem'),
      },
      NOON,
    );
    await signFile(sandbox.path('data'), { output: sandbox.path('ours'), identity, overwrite: true });
    const check = (content: string) =>
      spawnSync(
        'openssl',
        [
          ...['cms', '-verify', '-binary', '-inform', 'DER', '-in', 'ours', '-content', content],
          ...['-CAfile', 'root.pem', '-purpose', 'any', '-out', 'content'],
          ...['-attime', String(+NOON / 1000)],
        ],
        { cwd: sandbox.folder },
      ).status;
    expect(check('data')).toBe(0);
    expect(check('root.pem')).not.toBe(0);
  });

  test.each(names)('[cms.4] signs with %s what we accept', async (name) => {
    for (const flags of [[], ['-keyid'], ['-noattr'], ['-cades'], ['-nosmimecap']]) {
      signedBy(name, '-certfile', 'sub.pem', ...flags);
      expect(await verified(), flags.join()).toBe(0);
    }
  });

  test.each([
    ['another digest', 'RSA-2048', ['-md', 'sha512']],
    ['SHA-3', 'RSA-2048', ['-md', 'sha3-256']],
    ['P-256 with SHA-384', 'P-256', ['-md', 'sha384']],
    ['RSA-PSS padding', 'RSA-2048', ['-keyopt', 'rsa_padding_mode:pss']],
    ['RSA-PSS without salt', 'RSA-2048', ['-keyopt', 'rsa_padding_mode:pss', '-keyopt', 'rsa_pss_saltlen:0']],
    [
      'RSA-PSS with the most salt',
      'RSA-2048',
      ['-keyopt', 'rsa_padding_mode:pss', '-keyopt', 'rsa_pss_saltlen:max'],
    ],
    [
      'RSA-PSS with another mask',
      'RSA-2048',
      ['-keyopt', 'rsa_padding_mode:pss', '-keyopt', 'rsa_mgf1_md:sha1'],
    ],
    ['PEM', 'RSA-2048', ['-outform', 'PEM']],
    ['a second signer', 'RSA-2048', ['-signer', 'P-256.pem', '-inkey', 'P-256.key']],
  ])('[cms.4] signs with %s what we accept', async (_, name, flags) => {
    signedBy(name, '-certfile', 'sub.pem', ...flags);
    expect(await verified()).toBe(0);
  });

  test('[cms.4] leaves the certificates out for who has them', async () => {
    signedBy('RSA-2048', '-nocerts');
    expect(await verified('RSA-2048.pem')).toBe(0);
    expect(await verified()).toBe('SIGNATURE_INVALID');
  });

  test('[path.15] signs with SHA-1 and MD5 what we refuse', async () => {
    for (const digest of ['sha1', 'md5']) {
      signedBy('RSA-2048', '-certfile', 'sub.pem', '-md', digest);
      expect(await verified()).toBe('DIGEST_WEAK');
    }
  });

  test('[file.3] puts the content inside, which we refuse', async () => {
    signedBy('RSA-2048', '-certfile', 'sub.pem', '-nodetach');
    expect(await verified()).toBe('CMS_SYNTAX');
  });

  test('[cms.3] makes a CMS of certificates alone, which we refuse', async () => {
    openssl(...['crl2pkcs7', '-nocrl', '-certfile', 'sub.pem', '-outform', 'DER', '-out', 'signature']);
    expect(await verified()).toBe('CMS_SYNTAX');
  });
});
