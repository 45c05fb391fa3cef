import { expect, test } from 'vitest';
import { loadSigningIdentity } from '../../../src/operations/sign/signing-identity.ts';
import { makeDevelopmentCertificates } from '../../../src/operations/trust/dev-certs.ts';
import { makeAuthority, makeCertificate, NOON } from '../../factory/certificates.ts';
import { makePkcs7 } from '../../factory/pkcs7.ts';
import { makeSandbox } from '../../factory/sandbox.ts';

test('[path.28] a signer without the certificate of its issuer is warned of', async () => {
  using sandbox = makeSandbox();
  const root = await makeAuthority({ subject: 'CN=Root' });
  const sub = await makeAuthority({ subject: 'CN=Sub', issuer: root });
  const leaf = await makeCertificate({ subject: 'CN=Release', issuer: sub, key: 'rsa2048' });
  const key = sandbox.write('key.pem', leaf.privateKeyPem);
  const chain = sandbox.write('sub.pem', sub.pem);
  const warnings = async (certificate: string, more = {}) =>
    (await loadSigningIdentity({ key, certificate, ...more }, NOON)).warnings;
  const alone = sandbox.write('leaf.pem', leaf.pem);
  expect(await warnings(alone)).toEqual([
    expect.objectContaining({
      advice: 'give-chain',
      text: expect.stringContaining('if "CN=Sub" is not a root that importers have'),
    }),
  ]);
  expect(await warnings(alone, { chain: sandbox.write('root.pem', root.pem) })).toEqual([
    expect.objectContaining({
      text: expect.stringContaining('none of those that are given beside it is its'),
    }),
  ]);
  expect(await warnings(alone, { chain })).toEqual([]);
  expect(await warnings(sandbox.write('both.pem', `${leaf.pem}${sub.pem}`))).toEqual([]);
  // [pub.22] in any order
  const any = sandbox.write('both.p7b', makePkcs7([sub.certificate.raw, leaf.certificate.raw]));
  const identity = await loadSigningIdentity({ key, certificate: any }, NOON);
  expect(identity.leaf.fingerprint).toBe(leaf.certificate.fingerprint);
  expect(identity.warnings).toEqual([]);
  const own = await makeCertificate({ subject: 'CN=Own', key: leaf.privateKey });
  expect(await warnings(sandbox.write('own.pem', own.pem))).toEqual([]);
  const made = await makeDevelopmentCertificates({ now: NOON });
  const files = {
    key: sandbox.write('dev.key', made.signerKeyPem),
    certificate: sandbox.write('dev.pem', made.signerPem),
  };
  expect((await loadSigningIdentity(files, NOON)).warnings).toEqual([]);
});
