import { describe, expect, test } from 'vitest';
import { formatPem } from '../../../src/formats/pem.ts';
import type { VerifyOptions } from '../../../src/operations/verify/options.ts';
import { verify } from '../../../src/operations/verify/verify.ts';
import {
  DISK,
  descriptorFor,
  makeBundle,
  type NamedBytes,
  testAuthority,
  testSigner,
  textFile,
} from '../../factory/bundles.ts';
import { makeAuthority } from '../../factory/certificates.ts';
import { makeCrlDer, type TestCrlOptions } from '../../factory/crls.ts';
import { codesOf, valid } from '../../factory/reports.ts';
import { makeSandbox, trusting } from '../../factory/sandbox.ts';
import { chunked } from '../../factory/streams.ts';

const OLD = new Date('2026-10-01T00:00:00Z');
const list = async (options: Partial<TestCrlOptions> = {}): Promise<Uint8Array> =>
  makeCrlDer({ issuer: await testAuthority(), ...options });
const revoking = async (options: Partial<TestCrlOptions> = {}): Promise<Uint8Array> =>
  list({ revoked: [{ certificate: await testSigner(), reason: 1 }], ...options });

/** The usual bundle with more members, which nobody signs. */
function bundleWith(...added: readonly NamedBytes[]): Promise<Uint8Array> {
  return makeBundle({ members: (members) => [...members, ...added] });
}

async function judged(bytes: Uint8Array, options: VerifyOptions): Promise<readonly string[]> {
  const { verdict, report } = await verify(chunked(bytes), options);
  valid(report);
  return verdict === 'trusted' ? [verdict] : codesOf(report);
}

const inBundle = (bytes: Uint8Array, name = 'revocation/acme.crl'): NamedBytes => ({ name, bytes });

describe('revocation information', () => {
  test('[bundle.6] in the bundle adds a revocation, and satisfies who asks for proof', async () => {
    using sandbox = makeSandbox();
    const trust = await trusting(sandbox);
    const asking = { ...trust, revocation: { mode: 'require' } } as const;
    expect(await judged(await bundleWith(), trust)).toEqual(['trusted']);
    expect(await judged(await bundleWith(inBundle(await revoking())), trust)).toEqual([
      'CERTIFICATE_REVOKED',
    ]);
    expect(await judged(await bundleWith(), asking)).toEqual(['REVOCATION_UNKNOWN']);
    expect(await judged(await bundleWith(inBundle(await list())), asking)).toEqual(['trusted']);
  });

  test('[rev.3] in the bundle takes no revocation away that is known here', async () => {
    using sandbox = makeSandbox();
    const trust = await trusting(sandbox);
    const crl = sandbox.write('acme.crl', await revoking({ thisUpdate: OLD }));
    const newer = inBundle(await list({ number: 2 }));
    const older = inBundle(await list({ thisUpdate: new Date('2026-09-01T00:00:00Z') }));
    for (const mode of ['require', 'if-present'] as const) {
      const options = { ...trust, revocation: { mode, crls: [crl] } };
      expect(await judged(await bundleWith(older), options)).toEqual(['CERTIFICATE_REVOKED']);
      // of one issuer and scope the newest list counts: it is the issuer that says so, whoever brings it
      expect(await judged(await bundleWith(newer), options)).toEqual(['trusted']);
    }
  });

  test('[bundle.6] that cannot be read, or is of somebody else, is refused', async () => {
    using sandbox = makeSandbox();
    const trust = await trusting(sandbox);
    const stranger = await makeAuthority({ subject: 'CN=Acme CA,O=Acme', key: 'rsa3072' });
    const forged = inBundle(makeCrlDer({ issuer: stranger, revoked: [{ certificate: await testSigner() }] }));
    expect(await judged(await bundleWith(forged), trust)).toEqual(['FILE_UNLISTED']);
    expect(await judged(await bundleWith(textFile('revocation/acme.crl', 'hello')), trust)).toEqual([
      'REVOCATION_MALFORMED',
    ]);
    expect(await judged(await bundleWith(inBundle(await list(), 'revocation/a/b.crl')), trust)).toEqual([
      'FILE_UNLISTED',
    ]);
  });

  test('[bundle.6] [cover.8] that the manifest does not list is no file that a descriptor refers to', async () => {
    using sandbox = makeSandbox();
    const crl = inBundle(await list());
    const refers = descriptorFor('app.ovf', [DISK, crl]);
    const unlisted = await makeBundle({ files: [refers, DISK], members: (members) => [...members, crl] });
    expect(await judged(unlisted, await trusting(sandbox))).toEqual(['DESCRIPTOR_SYNTAX']);
    const listed = await makeBundle({ files: [refers, DISK, crl] });
    expect(await judged(listed, await trusting(sandbox))).toEqual(['trusted']);
  });

  test('[bundle.6] is bounded: 64 files, 16 MiB', async () => {
    using sandbox = makeSandbox();
    const trust = await trusting(sandbox);
    const one = await list();
    const many = (count: number) =>
      Array.from({ length: count }, (_, i) => inBundle(one, `revocation/${i}.crl`));
    expect(await judged(await bundleWith(...many(64)), trust)).toEqual(['trusted']);
    expect(await judged(await bundleWith(...many(65)), trust)).not.toContain('trusted');
    const huge = inBundle(new Uint8Array(16 * 2 ** 20 + 1).fill(0x30));
    expect(await judged(await bundleWith(huge), trust)).not.toContain('trusted');
  });

  test('[rev.2] is read from files and from the trust folder; one that is damaged stops everything', async () => {
    using sandbox = makeSandbox();
    const trust = await trusting(sandbox);
    const bundle = await bundleWith();
    const folder = sandbox.path('trust');
    const folders: VerifyOptions = { ...trust, trust: { ...trust.trust, folders: [folder] } };
    for (const bytes of [await revoking(), formatPem('X509 CRL', await revoking())]) {
      const crls = [sandbox.write('acme.crl', bytes)];
      expect(await judged(bundle, { ...trust, revocation: { crls } })).toEqual(['CERTIFICATE_REVOKED']);
      sandbox.write('trust/revocation/acme.crl', bytes);
      expect(await judged(bundle, folders)).toEqual(['CERTIFICATE_REVOKED']);
      expect(await judged(bundle, { ...folders, revocation: { mode: 'off' } })).toEqual(['trusted']);
    }
    sandbox.write('trust/revocation/acme.crl', 'hello');
    await expect(judged(bundle, folders)).rejects.toMatchObject({ code: 'REVOCATION_MALFORMED' });
  });

  test('[rev.9] that is older than what was seen shows nothing good any more', async () => {
    using sandbox = makeSandbox();
    const trust = await trusting(sandbox);
    sandbox.write('trust/x', '');
    const asking: VerifyOptions = {
      ...trust,
      trust: { ...trust.trust, folders: [sandbox.path('trust')] },
      revocation: { mode: 'require' },
    };
    const old = await bundleWith(inBundle(await list({ thisUpdate: new Date('2026-11-01T00:00:00Z') })));
    expect(await judged(old, asking)).toEqual(['trusted']);
    expect(await judged(await bundleWith(inBundle(await list({ number: 2 }))), asking)).toEqual(['trusted']);
    expect(sandbox.list()).toContain('trust/revocation/seen/');
    expect(await judged(old, asking)).toEqual(['REVOCATION_UNKNOWN']);
  });

  test('[rev.13] that a mark says to exist, and a bundle leaves out, is missed', async () => {
    using sandbox = makeSandbox();
    const trust = await trusting(sandbox);
    const folders: VerifyOptions = { ...trust, trust: { ...trust.trust, folders: [sandbox.path('trust')] } };
    const bare = await bundleWith();
    const warningsOf = async (options: VerifyOptions) =>
      (await verify(chunked(bare), options)).report.warnings;
    expect(await warningsOf(folders)).toEqual([]);
    expect(await judged(await bundleWith(inBundle(await list())), folders)).toEqual(['trusted']);
    expect((await warningsOf(folders)).join()).toContain('has been seen before and is not here');
    expect(await judged(bare, { ...folders, revocation: { mode: 'require' } })).toEqual([
      'REVOCATION_UNKNOWN',
    ]);
    expect(await warningsOf({ ...folders, revocation: { mode: 'off' } })).toEqual([]);
  });

  test('[rev.9] that was seen is written down, and told, unless the caller wants neither', async () => {
    using sandbox = makeSandbox();
    const trust = await trusting(sandbox);
    const folders: VerifyOptions = { ...trust, trust: { ...trust.trust, folders: [sandbox.path('trust')] } };
    const bundle = await bundleWith(inBundle(await list()));
    const silent = (await verify(chunked(bundle), { ...folders, remember: false })).report;
    expect(valid(silent).remembered).toBeUndefined();
    expect(sandbox.list().filter((name) => name.startsWith('trust'))).toEqual([]);
    const { remembered } = valid((await verify(chunked(bundle), folders)).report);
    expect(remembered).toEqual({ folder: sandbox.path('trust/revocation/seen'), count: 1 });
    expect((await verify(chunked(bundle), folders)).report.remembered).toBeUndefined(); // nothing new
  });

  test('[rev.9] that came with a bundle which is refused for its signer leaves no mark; that which revokes does', async () => {
    using sandbox = makeSandbox();
    const { at } = await trusting(sandbox);
    sandbox.write('trust/publishers/acme/ca.pem', (await testAuthority()).pem);
    const settings = (more: string) =>
      sandbox.write('trust/publishers/acme/publisher.toml', `name = "acme"\n${more}\n`);
    const options: VerifyOptions = { trust: { folders: [sandbox.path('trust')] }, ...(at && { at }) };
    const remembered = async (crl: Uint8Array) =>
      (await verify(chunked(await bundleWith(inBundle(crl))), options)).report.remembered?.count;
    settings('subjects = ["CN=Somebody else"]');
    expect(await remembered(await list())).toBeUndefined();
    settings('');
    expect(await remembered(await revoking())).toBe(2); // the list, and that it revokes
  });

  test('[rev.9] that came with a bundle which is refused for anything but a revocation leaves no mark', async () => {
    using sandbox = makeSandbox();
    const { at } = await trusting(sandbox);
    sandbox.write('trust/publishers/acme/ca.pem', (await testAuthority()).pem);
    const settings = (more: string) =>
      sandbox.write('trust/publishers/acme/publisher.toml', `name = "acme"\n${more}\n`);
    const options: VerifyOptions = { trust: { folders: [sandbox.path('trust')] }, ...(at && { at }) };
    const remembered = async (bytes: Uint8Array) =>
      (await verify(chunked(bytes), options)).report.remembered?.count;
    const bundle = await bundleWith(inBundle(await list()));
    for (const refusing of ['scopes = ["other/*"]', 'threshold = 2']) {
      settings(refusing);
      expect(await remembered(bundle)).toBeUndefined();
    }
    settings('');
    const unlisted = await bundleWith(inBundle(await list()), textFile('more.txt', 'hello'));
    expect(await remembered(unlisted)).toBeUndefined();
    const both = await bundleWith(inBundle(await revoking()), textFile('more.txt', 'hello'));
    expect(await remembered(both)).toBe(2); // it is told, so it is known
    expect(sandbox.list()).toContain('trust/revocation/seen/');
  });

  test('[pub.15] [rev.9] a publisher that looks at none, beside one that does, hides neither mark nor finding', async () => {
    using sandbox = makeSandbox();
    const { at } = await trusting(sandbox);
    const ca = (await testAuthority()).pem;
    const settings = (name: string, more: string) => {
      sandbox.write(`trust/publishers/${name}/ca.pem`, ca);
      sandbox.write(`trust/publishers/${name}/publisher.toml`, `name = "${name}"\n${more}\n`);
    };
    settings('pa', 'revocation = "off"\nsubjects = ["CN=Somebody else"]');
    settings('pb', '');
    const options: VerifyOptions = { trust: { folders: [sandbox.path('trust')] }, ...(at && { at }) };
    const { report } = await verify(chunked(await bundleWith(inBundle(await revoking()))), options);
    expect(codesOf(valid(report))).toContain('CERTIFICATE_REVOKED');
    expect(report.remembered?.count).toBe(2); // the list, and that it revokes
    expect(report.checks.find(({ id }) => id === 'revocation')?.status).toBe('fail');
    expect(report.signatures[0]?.path[0]?.revocation?.status).toBe('revoked');
  });

  test('[rev.9] a revocation is remembered whatever other publishers of the anchor refuse the signer for', async () => {
    using sandbox = makeSandbox();
    const { at } = await trusting(sandbox);
    const settings = (name: string, more: string) => {
      sandbox.write(`trust/publishers/${name}/publisher.toml`, `name = "${name}"\n${more}\n`);
    };
    for (const name of ['pa', 'pb', 'pc']) {
      sandbox.write(`trust/publishers/${name}/ca.pem`, (await testAuthority()).pem);
      settings(name, name === 'pa' ? '' : `subjects = ["CN=Somebody of ${name}"]`);
    }
    const options: VerifyOptions = { trust: { folders: [sandbox.path('trust')] }, ...(at && { at }) };
    const stripped = await bundleWith();
    expect(await judged(stripped, { ...options, remember: false })).toEqual(['trusted']);
    expect(await judged(await bundleWith(inBundle(await revoking())), options)).toContain(
      'CERTIFICATE_REVOKED',
    );
    expect(await judged(stripped, options)).toContain('CERTIFICATE_REVOKED');
  });

  test('[pub.15] what one has found is told though another accepts the signer, and then refuses the bundle', async () => {
    using sandbox = makeSandbox();
    const { at } = await trusting(sandbox);
    const ca = (await testAuthority()).pem;
    const settings = (name: string, more: string) => {
      sandbox.write(`trust/publishers/${name}/ca.pem`, ca);
      sandbox.write(`trust/publishers/${name}/publisher.toml`, `name = "${name}"\n${more}\n`);
    };
    settings('pb', '');
    const options: VerifyOptions = { trust: { folders: [sandbox.path('trust')] }, ...(at && { at }) };
    const revoked = await bundleWith(inBundle(await revoking()));
    settings('pa', 'revocation = "off"\nscopes = ["other/*"]');
    expect(await judged(revoked, options)).toEqual(['CERTIFICATE_REVOKED', 'SCOPE_REFUSED']);
    settings('pa', 'revocation = "off"\nthreshold = 2');
    expect(await judged(revoked, options)).toEqual(['CERTIFICATE_REVOKED', 'THRESHOLD_NOT_MET']);
    settings('pa', 'revocation = "off"');
    expect(await judged(revoked, { ...options, remember: false })).toEqual(['trusted']);
  });

  test('[pub.14] a publisher may ask for more than the caller, and not for less', async () => {
    using sandbox = makeSandbox();
    const { at } = await trusting(sandbox);
    sandbox.write('trust/publishers/acme/ca.pem', (await testAuthority()).pem);
    const settings = (more: string) =>
      sandbox.write('trust/publishers/acme/publisher.toml', `name = "acme"\n${more}\n`);
    const options: VerifyOptions = {
      trust: { folders: [sandbox.path('trust')] },
      remember: false,
      ...(at && { at }),
    };
    const bundle = await bundleWith();
    settings('');
    expect(await judged(bundle, options)).toEqual(['trusted']);
    settings('revocation = "require"');
    expect(await judged(bundle, options)).toEqual(['REVOCATION_UNKNOWN']);
    expect(await judged(bundle, { ...options, revocation: { mode: 'off' } })).toEqual(['REVOCATION_UNKNOWN']);
    settings('revocation = "off"');
    const revokedIt = sandbox.write('revoked.crl', await revoking());
    const given: VerifyOptions = { ...options, revocation: { crls: [revokedIt] } };
    expect(await judged(bundle, given), '[rev.15]').toEqual(['CERTIFICATE_REVOKED']);
    const revoked = await bundleWith(inBundle(await revoking()));
    expect(await judged(revoked, options)).toEqual(['trusted']);
    expect(await judged(revoked, { ...options, revocation: { mode: 'if-present' } })).toEqual([
      'CERTIFICATE_REVOKED',
    ]);
    settings('timestamp = "require"');
    expect(await judged(bundle, options)).toEqual(['TIMESTAMP_MISSING']);
  });

  test('[rev.15] beside the mode off it is refused, whatever publishers ask for', async () => {
    using sandbox = makeSandbox();
    const trust = await trusting(sandbox);
    const ca = (await testAuthority()).pem;
    const settings = (name: string, pem: string, more: string) => {
      sandbox.write(`trust/publishers/${name}/ca.pem`, pem);
      sandbox.write(`trust/publishers/${name}/publisher.toml`, `name = "${name}"\n${more}\n`);
    };
    const bundle = await bundleWith();
    const folders = { folders: [sandbox.path('trust')] };
    const files = [sandbox.write('revoked.crl', await revoking())];
    const ways: VerifyOptions[] = [{ revocation: { crls: files } }, { revocation: { ocsps: files } }];
    const expectRefused = async (options: VerifyOptions) => {
      for (const { revocation } of ways) {
        const given = { ...trust, ...options, revocation: { ...revocation, mode: 'off' as const } };
        await expect(judged(bundle, given)).rejects.toMatchObject({ code: 'USAGE' });
      }
    };
    await expectRefused({});
    settings('acme', ca, 'revocation = "off"');
    await expectRefused({ trust: folders });
    settings('acme', ca, 'revocation = "require"');
    await expectRefused({ trust: folders });
    settings('acme', ca, '');
    settings('zed', (await makeAuthority({ subject: 'CN=Zed' })).pem, 'revocation = "if-present"');
    await expectRefused({ trust: folders });
    const off: VerifyOptions = { ...trust, revocation: { mode: 'off', crls: [], ocsps: [] } };
    expect(await judged(bundle, off)).toEqual(['trusted']);
  });
});
