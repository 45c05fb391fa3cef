import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { NamedBytes } from '../../../src/kit/given-bytes.ts';
import { signFile } from '../../../src/operations/sign/sign-file.ts';
import { checkPath } from '../../../src/operations/trust/check-path.ts';
import type { TrustFiles } from '../../../src/operations/verify/load-trust.ts';
import type { VerifyOptions } from '../../../src/operations/verify/options.ts';
import { verify } from '../../../src/operations/verify/verify.ts';
import { verifyFile } from '../../../src/operations/verify/verify-file.ts';
import { JUDGED_AT, makeBundle, signerUnder, testAuthority, testSigner } from '../../factory/bundles.ts';
import { makeAuthority } from '../../factory/certificates.ts';
import { makeCrlDer } from '../../factory/crls.ts';
import { codeOfAsync } from '../../factory/errors.ts';
import { identityOf } from '../../factory/packing.ts';
import { codesOf } from '../../factory/reports.ts';
import { makeSandbox } from '../../factory/sandbox.ts';
import { chunked } from '../../factory/streams.ts';

const given = (name: string, content: string | Uint8Array): NamedBytes => ({
  name,
  bytes: typeof content === 'string' ? new TextEncoder().encode(content) : content,
});
const authority = async (): Promise<NamedBytes> => given('Acme CA', (await testAuthority()).pem);
const publisher = async () => ({ name: 'acme', anchors: [await authority()] });

async function judged(trust: TrustFiles, options: VerifyOptions = {}, bundle?: Uint8Array) {
  const { verdict, report } = await verify(chunked(bundle ?? (await makeBundle())), {
    at: JUDGED_AT,
    trust,
    ...options,
  });
  return verdict === 'trusted' ? [verdict, report.signatures[0]?.trustedBy] : codesOf(report);
}

describe('[pub.20] trust that is given as data', () => {
  test('is what the same files would be, in PEM and in DER', async () => {
    using sandbox = makeSandbox();
    const ca = await testAuthority();
    const file = sandbox.write('ca.pem', ca.pem);
    expect(await judged({ anchors: [file] })).toEqual(['trusted', file]);
    expect(await judged({ anchors: [given(file, ca.pem)] })).toEqual(['trusted', file]);
    expect(await judged({ anchors: [given('der', ca.certificate.raw)] })).toEqual(['trusted', 'der']);
    expect(await judged({ anchors: [given('notes', `0 and a note\n${ca.pem}`)] })).toEqual([
      'trusted',
      'notes',
    ]);
    const other = await makeAuthority({ subject: 'CN=Other' });
    expect(await judged({ anchors: [given('other', other.pem)] })).toEqual(['SIGNER_UNKNOWN']);
    expect(await judged({ anchors: [given('other', other.pem), file] })).toEqual(['trusted', file]);
  });

  test('knows publishers, by their own settings, and those of a folder beside them', async () => {
    using sandbox = makeSandbox();
    const by = 'publisher "acme"';
    expect(await judged({ publishers: [await publisher()] })).toEqual(['trusted', by]);
    expect(await judged({ publishers: [{ ...(await publisher()), scopes: ['other/*'] }] })).toEqual([
      'SCOPE_REFUSED',
    ]);
    expect(
      await judged({ publishers: [{ ...(await publisher()), until: new Date('2026-01-01T00:00:00Z') }] }),
    ).toEqual(['PUBLISHER_LIFETIME']);
    sandbox.write('publishers/acme/publisher.toml', 'this is no TOML');
    sandbox.write('publishers/acme/ca.pem', (await testAuthority()).pem);
    const folders = [sandbox.folder];
    expect(await judged({ publishers: [await publisher()], folders }, { remember: false })).toEqual([
      'trusted',
      by,
    ]);
    sandbox.write('publishers/acme/publisher.toml', 'name = "acme"\n');
    const other = { name: 'other', anchors: [given('o', (await makeAuthority({ subject: 'CN=O' })).pem)] };
    expect(await judged({ publishers: [other], folders }, { remember: false })).toEqual(['trusted', by]);
  });

  test('[pub.12] [api.3] refuses publishers that would not count, or that nobody could tell apart', async () => {
    const one = await publisher();
    for (const trust of [
      { publishers: [one], anchors: [await authority()] },
      { publishers: [one], pins: [`sha256:${'ab'.repeat(32)}`] },
      { publishers: [one, one] },
      { publishers: [{ ...one, from: new Date(2), until: new Date(1) }] },
      { publishers: [{ ...one, scopes: [] }] },
      { publishers: [{ ...one, subjects: [] }] },
      { publishers: [{ ...one, anchors: [] }] },
      { publishers: [{ ...one, scopes: ['Acme'] }] },
      { publishers: [{ ...one, subjects: ['Acme'] }] },
      { publishers: [{ ...one, threshold: 17 }] },
      { publishers: [{ ...one, name: 'Acme Inc' }] },
    ]) {
      expect(await codeOfAsync(judged(trust)), JSON.stringify(trust).slice(0, 200)).toBe('USAGE');
    }
  });

  test('[pub.19] is no certificate when it is an archive, the certificate file of a bundle, or anything else', async () => {
    const bundle = await makeBundle();
    const { pem } = await testAuthority();
    for (const bytes of [
      bundle,
      new Uint8Array(0),
      given('', `SHA256(app.mf)= 00\n${pem}`).bytes,
      given('', `<html>\n${pem}`).bytes,
      new Uint8Array([0x30, 0x82, 1]),
      new Uint8Array([0xff, 0xfe]),
    ]) {
      const work = judged({ anchors: [{ name: 'given', bytes }] });
      await expect(work).rejects.toMatchObject({ code: 'CONFIG_INVALID', where: { file: 'given' } });
    }
  });

  test('[api.2] is what it was when it was handed in', async () => {
    const ca = await authority();
    const bytes = Uint8Array.from(ca.bytes);
    const work = judged({ anchors: [{ name: 'ca', bytes }] }, {}, await makeBundle());
    bytes.fill(0);
    expect(await work).toEqual(['trusted', 'ca']);
    const gone = Uint8Array.from(ca.bytes);
    structuredClone(gone, { transfer: [gone.buffer] });
    expect(await codeOfAsync(judged({ anchors: [{ name: 'ca', bytes: gone }] }))).toBe('USAGE');
  });
});

describe('[pub.20] evidence that is given as data', () => {
  const revoked = async (): Promise<NamedBytes> =>
    given(
      'acme list',
      await makeCrlDer({
        issuer: await testAuthority(),
        revoked: [{ certificate: await testSigner(), reason: 1 }],
      }),
    );

  test('revokes as a file does, and must go with what is asked', async () => {
    const trust = { anchors: [await authority()] };
    const crls = [await revoked()];
    expect(await judged(trust, { revocation: { crls } })).toEqual(['CERTIFICATE_REVOKED']);
    expect(await codeOfAsync(judged(trust, { revocation: { mode: 'off', crls } }))).toBe('USAGE');
    const bad = judged(trust, { revocation: { ocsps: [given('acme answer', 'hello')] } });
    await expect(bad).rejects.toMatchObject({ code: 'REVOCATION_MALFORMED', where: { file: 'acme answer' } });
  });

  test('[crl.2] that is a certificate or a key is a slip, and no damaged list', async () => {
    const ca = await authority();
    const { certificate, privateKeyPem } = await testAuthority();
    const trust = { anchors: [ca] };
    for (const other of [ca, given('der', certificate.raw), given('key', privateKeyPem)]) {
      for (const revocation of [{ crls: [other] }, { ocsps: [other] }])
        expect(await codeOfAsync(judged(trust, { revocation }))).toBe('CONFIG_INVALID');
    }
    const damaged = given('damaged', (await revoked()).bytes.slice(0, -1));
    expect(await codeOfAsync(judged(trust, { revocation: { crls: [damaged] } }))).toBe(
      'REVOCATION_MALFORMED',
    );
  });

  test('[path.27] [pub.20] intermediates lead to an anchor, and are none', async () => {
    const root = await makeAuthority({ subject: 'CN=Above' });
    const sub = await makeAuthority({ subject: 'CN=Between', issuer: root });
    const bundle = await makeBundle({ signed: { signer: await signerUnder(sub) } });
    const anchors = [given('above', root.pem)];
    const untrusted = [given('between', sub.pem)];
    expect(await judged({ anchors }, {}, bundle)).toEqual(['SIGNER_UNKNOWN']);
    expect(await judged({ anchors, untrusted }, {}, bundle)).toEqual(['trusted', 'above']);
    expect(await judged({ untrusted }, {}, bundle)).toEqual(['TRUST_EMPTY']);
  });

  test('[rev.17] is named when it speaks of no certificate on the path', async () => {
    const other = await makeCrlDer({ issuer: await makeAuthority({ subject: 'CN=Other' }) });
    const { report } = await verify(chunked(await makeBundle()), {
      at: JUDGED_AT,
      trust: { anchors: [await authority()] },
      revocation: { crls: [given('other list', other)] },
    });
    expect(report.warnings.join()).toContain('other list');
  });
});

test('[pub.20] a path is judged by data alone', async () => {
  const ca = await testAuthority();
  const leaf = given('leaf', (await signerUnder(ca)).pem);
  const options = { anchors: [given('ca', ca.certificate.raw)], at: JUDGED_AT };
  expect((await checkPath(leaf, options)).report.exitCode).toBe(0);
  expect((await checkPath(leaf, { ...options, anchors: [leaf], untrusted: [leaf] })).report.input).toEqual({
    name: 'leaf',
  });
  expect(codesOf((await checkPath(given('leaf', 'x'), options)).report)).toEqual(['CERTIFICATE_MALFORMED']);
});

test('[pub.20] a signature beside a file may be bytes', async () => {
  using sandbox = makeSandbox();
  const file = sandbox.write('file', 'content');
  await signFile(file, { output: `${file}.p7s`, identity: await identityOf(sandbox) });
  const signature = given('the signature', Uint8Array.from(readFileSync(`${file}.p7s`)));
  const options = { trust: { anchors: [await authority()] }, at: JUDGED_AT };
  const report = await verifyFile(file, signature, options);
  expect([report.verdict, report.signatures[0]?.file]).toEqual(['trusted', 'the signature']);
  expect(codesOf(await verifyFile(file, given('s', 'x'), options))).toEqual(['CMS_SYNTAX']);
});
