import { describe, expect, test } from 'vitest';
import type { VerifyImageOptions } from '../../../src/operations/glance/image-options.ts';
import { verifyImage } from '../../../src/operations/glance/verify-image.ts';
import type { CheckId } from '../../../src/verdict/report/report.ts';
import { makeAuthority, NOON, type TestCertificate } from '../../factory/certificates.ts';
import { makeCrlDer } from '../../factory/crls.ts';
import { IMAGE, keeping, md5, propertiesFor, rsaCertificate, signLike, UUID } from '../../factory/images.ts';
import { valid } from '../../factory/reports.ts';
import { makeSandbox, type Sandbox } from '../../factory/sandbox.ts';
import { chunked } from '../../factory/streams.ts';

type Given = Partial<VerifyImageOptions>;

interface Situation {
  readonly name: string;
  readonly options?: (sandbox: Sandbox, signer: TestCertificate) => Given | Promise<Given>;
  readonly signer?: Parameters<typeof rsaCertificate>[1];
  readonly is: Partial<Record<CheckId, string>>;
}

const ROOT = '11111111-2222-3333-4444-555555555555';
const NO_INFORMATION = 'skip: no revocation information about these certificates is at hand';
const NO_DIGEST = 'skip: the properties state no digest';
const REFUSED = 'skip: not reached: the image is refused already';
const root = makeAuthority({ subject: 'CN=Root' });
const revoking = async (signer: TestCertificate) =>
  makeCrlDer({ issuer: await root, revoked: [{ certificate: signer, reason: 1 }] });
const byUuid = async (signer: TestCertificate): Promise<Given> => {
  const { certificate } = await root;
  const found = { kind: 'found', certificate, others: [], source: 'root', warnings: [] } as const;
  const find = async (uuid: string) => (uuid === ROOT ? found : keeping(signer).find(uuid));
  return { trust: {}, trustedIds: [ROOT], certificates: { find } };
};
const publisher = async (sandbox: Sandbox, more: string): Promise<Given> => {
  sandbox.write('home/publishers/pa/ca.pem', (await root).pem);
  sandbox.write('home/publishers/pa/publisher.toml', `name = "pa"\n${more}\n`);
  return { trust: { folders: [sandbox.path('home')] }, remember: false };
};

const SITUATIONS: readonly Situation[] = [
  {
    name: 'trusted, with nothing about revocation or digests',
    is: {
      'image.properties': 'pass: img_signature: all four properties, and understood',
      'image.certificate': 'pass: test',
      signature: 'pass: RSA-2048 SHA-256',
      'certificate.path': 'pass: 2 certificates, to *root.pem',
      revocation: NO_INFORMATION,
      policy: 'pass: key, digest and purpose are acceptable',
      'image.digests': NO_DIGEST,
    },
  },
  {
    name: 'the signer is an anchor itself',
    options: (sandbox, { pem }) => ({ trust: { anchors: [sandbox.write('signer.pem', pem)] } }),
    is: { 'certificate.path': 'pass: 1 certificate, to *signer.pem', revocation: NO_INFORMATION },
  },
  {
    name: 'a list clears the signer',
    options: async (sandbox) => ({
      revocation: { crls: [sandbox.write('a.crl', makeCrlDer({ issuer: await root }))] },
    }),
    is: { revocation: 'pass: 1 of 1 certificate shown not to be revoked' },
  },
  {
    name: 'a list revokes the signer',
    options: async (sandbox, signer) => ({
      revocation: { crls: [sandbox.write('a.crl', await revoking(signer))] },
    }),
    is: {
      signature: 'pass: RSA-2048 SHA-256',
      'certificate.path': 'skip: no path is accepted: *was revoked on*',
      revocation: 'fail: *was revoked on*',
      policy: 'skip: not settled: *was revoked on*',
    },
  },
  {
    name: 'nobody looks at revocation',
    options: () => ({ revocation: { mode: 'off' } }),
    is: { revocation: 'skip: revocation is not looked at: its mode is off' },
  },
  {
    name: 'the signer is unknown',
    options: () => ({ trust: { pins: [`sha256:${'0'.repeat(64)}`] } }),
    is: {
      'certificate.path': 'fail: no pin is of the key of *',
      revocation: 'skip: not reached: nobody who is trusted vouches for the signer',
      policy: 'skip: not settled: *',
    },
  },
  {
    name: 'the certificate has ended',
    signer: { notAfter: new Date('2026-06-01T00:00:00Z') },
    is: { 'certificate.path': 'fail: *expired on 2026-06-01*', policy: 'skip: not settled: *expired*' },
  },
  {
    name: 'the certificate is trusted by UUID',
    options: (_, signer) => byUuid(signer),
    is: {
      'certificate.path': `pass: 2 certificates, to certificate ${ROOT}`,
      revocation: NO_INFORMATION,
      policy: 'pass: keys and digests are acceptable',
    },
  },
  {
    name: 'the certificate is trusted by UUID, and a list clears it',
    options: async (sandbox, signer) => ({
      ...(await byUuid(signer)),
      revocation: { crls: [sandbox.write('a.crl', makeCrlDer({ issuer: await root }))] },
    }),
    is: { revocation: 'pass: 1 of 1 certificate shown not to be revoked' },
  },
  {
    name: 'the certificate is trusted by UUID, and a list revokes it',
    options: async (sandbox, signer) => ({
      ...(await byUuid(signer)),
      revocation: { crls: [sandbox.write('a.crl', await revoking(signer))] },
    }),
    is: { revocation: 'fail: *was revoked on*', policy: 'skip: not settled: *was revoked on*' },
  },
  {
    name: 'the certificate is trusted by UUID, and nobody looks at revocation',
    options: async (_, signer) => ({ ...(await byUuid(signer)), revocation: { mode: 'off' } }),
    is: { revocation: 'skip: revocation is not looked at: its mode is off' },
  },
  {
    name: 'a publisher accepts the signer',
    options: (sandbox) => publisher(sandbox, ''),
    is: {
      'certificate.path': 'pass: 2 certificates, to publisher "pa"',
      policy: 'pass: key, digest, purpose and publisher are acceptable',
    },
  },
  {
    name: 'a publisher may not sign everything',
    options: (sandbox) => publisher(sandbox, 'scopes = ["acme/*"]'),
    is: { scope: "fail: *is outside of the publisher's scopes: pa may sign acme/*" },
  },
  {
    name: 'digests are stated, and match',
    options: (_, signer) => ({
      properties: { ...propertiesFor(signLike(signer.privateKey, IMAGE)), checksum: md5(IMAGE) },
    }),
    is: { 'image.digests': 'pass: *' },
  },
  {
    name: 'no certificate is kept under the UUID',
    options: (_, signer) => ({
      properties: propertiesFor(signLike(signer.privateKey, IMAGE), { certificateUuid: 'no UUID' }),
    }),
    is: { signature: REFUSED, 'certificate.path': REFUSED, revocation: REFUSED, policy: REFUSED },
  },
];

describe('what checks say of images', () => {
  test.each(SITUATIONS)('[judge.2] is so: $name', async ({ options, signer: made, is }) => {
    using sandbox = makeSandbox();
    const signer = await rsaCertificate(2048, { issuer: await root, ...made });
    const report = await verifyImage(chunked(IMAGE), {
      certificates: keeping(signer),
      properties: propertiesFor(signLike(signer.privateKey, IMAGE), { certificateUuid: UUID }),
      trust: { anchors: [sandbox.write('root.pem', (await root).pem)] },
      at: NOON,
      ...(await options?.(sandbox, signer)),
    });
    const checks = new Map(
      valid(report).checks.map(({ id, ...one }) => [id, `${one.status}: ${one.detail}`]),
    );
    for (const [id, expected] of Object.entries(is)) {
      const pattern = expected
        .split('*')
        .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
        .join('.*');
      expect(checks.get(id as CheckId), id).toMatch(new RegExp(`^${pattern}$`));
    }
  });
});
