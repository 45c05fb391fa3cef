import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { loadSigningIdentity } from '../../src/operations/sign/signing-identity.ts';
import { JUDGED_AT } from '../factory/bundles.ts';
import { EKU, makeAuthority, makeCertificate, type TestCertificate } from '../factory/certificates.ts';
import { makeSandbox, type Sandbox } from '../factory/sandbox.ts';
import { hasPeer } from './peer.ts';

const here = hasPeer('openssl version', 'PKCS#12 files as openssl writes them');

describe.skipIf(!here)('a PKCS#12 file of openssl', () => {
  test.each([
    ['RSA', [], 'secret'],
    ['EC', [], 'secret'],
    ['EC', ['-macalg', 'sha1', '-iter', '100000'], 'p\u00e4ssw\u00f6rter \u20ac'],
    ['EC', ['-nomac'], 'secret'],
    ['EC', ['-certpbe', 'NONE', '-macalg', 'sha512'], 'secret'],
    ['EC', [], ''],
  ] as const)('[pub.24] is key and certificates in one: %s %j', async (kind, flags, passphrase) => {
    using sandbox = makeSandbox();
    const { root, leaf } = await writeSigner(sandbox, kind);
    const file = exported(sandbox, passphrase, ...flags, '-in', 'leaf.pem', '-certfile', 'root.pem');
    const identity = await load(file, passphrase);
    expect(identity.leaf.fingerprint).toBe(leaf.certificate.fingerprint);
    expect(identity.intermediates.map(({ fingerprint }) => fingerprint)).toEqual([
      root.certificate.fingerprint,
    ]);
    expect(identity.files).toEqual([file]);
  });

  test('[pub.24] is opened by its passphrase alone, undamaged, and when it holds one key', async () => {
    using sandbox = makeSandbox();
    await writeSigner(sandbox, 'EC');
    const wrong = { code: 'PASSPHRASE_WRONG' };
    const file = exported(sandbox, 'secret', '-in', 'leaf.pem');
    await expect(load(file, 'other')).rejects.toMatchObject(wrong);
    await expect(
      load(exported(sandbox, 'secret', '-nomac', '-in', 'leaf.pem'), 'other'),
    ).rejects.toMatchObject(wrong);

    const bytes = readFileSync(exported(sandbox, 'secret', '-in', 'leaf.pem'));
    const middle = bytes.length >> 1;
    bytes[middle] = (bytes[middle] ?? 0) ^ 1;
    await expect(load(sandbox.write('damaged.p12', bytes), 'secret')).rejects.toMatchObject(wrong);
    const unreadable = { code: 'KEY_UNREADABLE' };
    await expect(load(sandbox.write('cut.p12', bytes.subarray(0, -1)), 'secret')).rejects.toMatchObject(
      unreadable,
    );
    await expect(
      load(exported(sandbox, 'secret', '-nokeys', '-in', 'leaf.pem'), 'secret'),
    ).rejects.toMatchObject({
      ...unreadable,
      message: 'the file holds no private key',
    });
  });

  test("[pub.24] takes nothing from another signer's certificate beside it, and intermediates from both", async () => {
    using sandbox = makeSandbox();
    const { root, leaf } = await writeSigner(sandbox, 'EC');
    const file = exported(sandbox, '', '-in', 'leaf.pem');
    const other = await makeAuthority({ subject: 'CN=Other' });
    await expect(load(file, '', sandbox.write('other.pem', other.pem))).rejects.toMatchObject({
      code: 'KEY_MISMATCH',
    });
    const both = await load(file, '', sandbox.write('both.pem', root.pem + leaf.pem));
    expect(both.leaf.fingerprint).toBe(leaf.certificate.fingerprint);
    expect(both.intermediates).toHaveLength(1);
  });

  test.each([
    ['-certpbe', 'PBE-SHA1-3DES'],
    ['-keypbe', 'PBE-SHA1-3DES'],
    ['-keypbe', 'DES-EDE3-CBC'],
    ['-certpbe', 'AES-256-CBC', '-keypbe', 'PBE-SHA1-3DES', '-nomac'],
  ])('[pub.24] of an old cipher is named, with the command that reads it: %s %s %s', async (...flags) => {
    using sandbox = makeSandbox();
    await writeSigner(sandbox, 'EC');
    const old = exported(sandbox, 'secret', '-in', 'leaf.pem', ...flags);
    const { code, fix } = await load(old, 'secret').catch((error) => error);
    expect({ code, fix }).toEqual({
      code: 'KEY_UNREADABLE',
      fix: expect.stringContaining(`openssl pkcs12 -in ${old} -nodes -out all.pem`),
    });
  });

  test.each([
    ['-legacy'],
    ['-legacy', '-keypbe', 'PBE-SHA1-RC2-40'],
    ['-legacy', '-keypbe', 'PBE-SHA1-RC2-40', '-certpbe', 'AES-256-CBC'],
  ])(
    '[pub.24] of a cipher that openssl itself calls old is named with its flag: %s %s %s',
    async (...flags) => {
      using sandbox = makeSandbox();
      await writeSigner(sandbox, 'EC');
      const old = exported(sandbox, 'secret', '-in', 'leaf.pem', ...flags);
      await expect(load(old, 'secret')).rejects.toMatchObject({
        code: 'KEY_UNREADABLE',
        fix: expect.stringContaining('-out all.pem -legacy'),
      });
    },
  );

  test('[pub.24] with nothing encrypted is opened without a passphrase', async () => {
    using sandbox = makeSandbox();
    const { leaf } = await writeSigner(sandbox, 'EC');
    const clear = ['-nomac', '-keypbe', 'NONE', '-certpbe', 'NONE'];
    const file = exported(sandbox, 'secret', '-in', 'leaf.pem', ...clear);
    const identity = await loadSigningIdentity({ key: file }, JUDGED_AT);
    expect(identity.leaf.fingerprint).toBe(leaf.certificate.fingerprint);
  });

  test('[pub.24] without certificates needs one beside it, as another key does', async () => {
    using sandbox = makeSandbox();
    const { leaf } = await writeSigner(sandbox, 'EC');
    const bare = exported(sandbox, 'secret', '-nocerts', '-in', 'leaf.pem');
    await expect(load(bare, 'secret')).rejects.toMatchObject({
      code: 'USAGE',
      why: expect.stringContaining('no certificate'),
    });
    const identity = await load(bare, 'secret', sandbox.path('leaf.pem'));
    expect(identity.leaf.fingerprint).toBe(leaf.certificate.fingerprint);
  });

  test('[pub.24] that asks for much work is asked for before it, and an empty passphrase is tried when that is the answer, or nobody answers', async () => {
    using sandbox = makeSandbox();
    const { leaf } = await writeSigner(sandbox, 'EC');
    const file = exported(sandbox, '', '-iter', '10001', '-in', 'leaf.pem');
    let asked = 0;
    const passphrase = async (): Promise<string> => {
      asked++;
      return '';
    };
    const identity = await loadSigningIdentity({ key: file, passphrase }, JUDGED_AT);
    expect([identity.leaf.fingerprint, asked]).toEqual([leaf.certificate.fingerprint, 1]);
    const unasked = await loadSigningIdentity({ key: file }, JUDGED_AT);
    expect(unasked.leaf.fingerprint).toBe(leaf.certificate.fingerprint);
    const locked = exported(sandbox, 'secret', '-iter', '10001', '-in', 'leaf.pem');
    await expect(loadSigningIdentity({ key: locked }, JUDGED_AT)).rejects.toMatchObject({
      code: 'PASSPHRASE_NEEDED',
    });
  });

  test('[pub.25] is stopped while its MAC is tried', async () => {
    using sandbox = makeSandbox();
    await writeSigner(sandbox, 'EC');
    const file = exported(sandbox, 'secret', '-iter', '400000', '-in', 'leaf.pem');
    const stop = new AbortController();
    const passphrase = async (): Promise<string> => {
      setImmediate(() => stop.abort());
      return 'secret';
    };
    const { signal } = stop;
    await expect(loadSigningIdentity({ key: file, passphrase }, JUDGED_AT, { signal })).rejects.toMatchObject(
      {
        code: 'INTERRUPTED',
      },
    );
  });

  test('[pub.25] counts the work of all parts together', async () => {
    using sandbox = makeSandbox();
    await writeSigner(sandbox, 'EC');
    const file = exported(sandbox, 'secret', '-iter', '1100000', '-in', 'leaf.pem');
    await expect(load(file, 'secret')).rejects.toMatchObject({
      code: 'KEY_UNREADABLE',
      message: expect.stringContaining('far more work'),
    });
  });

  test.each([
    [
      'pkcs12',
      '-export',
      '-nomac',
      '-iter',
      '2000001',
      '-in',
      'leaf.pem',
      '-inkey',
      'leaf.key',
      '-out',
      'out',
      '-passout',
      'pass:x',
    ],
    ['pkcs8', '-topk8', '-iter', '2000001', '-in', 'leaf.key', '-out', 'out', '-passout', 'pass:x'],
    [
      'pkcs8',
      '-topk8',
      '-outform',
      'DER',
      '-iter',
      '2000001',
      '-in',
      'leaf.key',
      '-out',
      'out',
      '-passout',
      'pass:x',
    ],
  ])(
    '[pub.25] that asks for work without end is refused before it is begun: openssl %s %s %s',
    async (...line) => {
      using sandbox = makeSandbox();
      await writeSigner(sandbox, 'EC');
      execFileSync('openssl', line, { cwd: sandbox.folder, stdio: 'pipe' });
      await expect(load(sandbox.path('out'), 'x', sandbox.path('leaf.pem'))).rejects.toMatchObject({
        code: 'KEY_UNREADABLE',
        message: expect.stringContaining('far more work'),
      });
    },
  );
});

test('[pub.24] a key of another form needs its certificate', async () => {
  using sandbox = makeSandbox();
  await writeSigner(sandbox, 'EC');
  await expect(load(sandbox.path('leaf.key'), '')).rejects.toMatchObject({ code: 'USAGE' });
});

function load(key: string, passphrase: string, certificate?: string) {
  const files = {
    key,
    ...(certificate !== undefined && { certificate }),
    passphrase: async () => passphrase,
  };
  return loadSigningIdentity(files, JUDGED_AT);
}

async function writeSigner(
  sandbox: Sandbox,
  kind: 'RSA' | 'EC',
): Promise<{ readonly root: TestCertificate; readonly leaf: TestCertificate }> {
  const { privateKey: key } =
    kind === 'RSA'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const root = await makeAuthority({ subject: 'CN=Root' });
  const leaf = await makeCertificate({
    subject: 'CN=Leaf',
    issuer: root,
    key,
    eku: [EKU.codeSigning],
    keyUsage: ['digitalSignature'],
  });
  sandbox.write('root.pem', root.pem);
  sandbox.write('leaf.pem', leaf.pem);
  sandbox.write('leaf.key', leaf.privateKeyPem);
  return { root, leaf };
}

let made = 0;

function exported(sandbox: Sandbox, passphrase: string, ...flags: readonly string[]): string {
  const file = sandbox.path(`signer-${made++}.p12`);
  const key = flags.includes('-nokeys') ? [] : ['-inkey', 'leaf.key'];
  const secret = sandbox.write('passphrase', `${passphrase}\n`);
  execFileSync(
    'openssl',
    ['pkcs12', '-export', ...flags, ...key, '-out', file, '-passout', `file:${secret}`],
    {
      cwd: sandbox.folder,
      stdio: 'pipe',
    },
  );
  return file;
}
