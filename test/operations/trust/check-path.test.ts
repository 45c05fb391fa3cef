import { beforeAll, describe, expect, test } from 'vitest';
import {
  type CheckPathOptions,
  checkPath,
  type PathReport,
} from '../../../src/operations/trust/check-path.ts';
import type { Report } from '../../../src/verdict/report/report.ts';
import { JUDGED_AT, signerUnder, testAuthority } from '../../factory/bundles.ts';
import { EKU, makeAuthority, makeCertificate, type TestCertificate } from '../../factory/certificates.ts';
import { makeCrlDer } from '../../factory/crls.ts';
import { makePkcs7 } from '../../factory/pkcs7.ts';
import { codesOf, valid } from '../../factory/reports.ts';
import { makeSandbox } from '../../factory/sandbox.ts';

let root: TestCertificate;
let sub: TestCertificate;
let leaf: TestCertificate;

beforeAll(async () => {
  root = await testAuthority();
  sub = await makeAuthority({ subject: 'CN=Sub,O=Acme', issuer: root, key: 'rsa2048' });
  leaf = await signerUnder(sub);
});

/** What is said of a certificate, the files being written into a sandbox; certificates that are several go into one file. */
async function checked(
  certificate: Uint8Array | string | TestCertificate,
  given: {
    readonly anchors?: readonly TestCertificate[];
    readonly untrusted?: readonly TestCertificate[];
    readonly crl?: Uint8Array;
  } & Omit<CheckPathOptions, 'anchors' | 'untrusted' | 'crls'> = {},
): Promise<{ readonly report: Report; readonly found: PathReport }> {
  using sandbox = makeSandbox();
  const { anchors = [root], untrusted = [sub], crl, ...options } = given;
  const pems = (certificates: readonly TestCertificate[]): string =>
    certificates.map(({ pem }) => pem).join('');
  const isMade = typeof certificate === 'object' && 'pem' in certificate;
  const { report, found } = await checkPath(sandbox.write('leaf', isMade ? certificate.pem : certificate), {
    anchors: [sandbox.write('anchors.pem', pems(anchors))],
    untrusted: untrusted.length > 0 ? [sandbox.write('untrusted.pem', pems(untrusted))] : [],
    ...(crl && { crls: [sandbox.write('list.crl', crl)] }),
    at: JUDGED_AT,
    ...options,
  });
  return { report: valid(report), found };
}

describe('trust check', () => {
  test('[path.24] a good path, in PEM or DER, the chain in the leaf’s own file or beside it', async () => {
    const { report, found } = await checked(leaf);
    expect(report.exitCode).toBe(0);
    expect(found.path.map(({ subject }) => subject)).toEqual([
      'CN=Acme Release,O=Acme',
      'CN=Sub,O=Acme',
      'CN=Acme CA,O=Acme',
    ]);
    expect((await checked(leaf.der)).report.exitCode).toBe(0);
    expect((await checked(leaf.pem + sub.pem, { untrusted: [] })).report.exitCode).toBe(0);
  });

  test('[path.24] of a file that has a chain in any order, the certificate that issued no other in it', async () => {
    const whole = [leaf, sub, root];
    const orders = [
      [2, 1, 0],
      [1, 0],
      [1, 2, 0],
      [0, 2, 1],
    ].map((order) => order.flatMap((i) => whole[i] ?? []));
    for (const chain of orders) {
      const bytes = makePkcs7(chain.map(({ certificate }) => certificate.raw));
      for (const file of [bytes, chain.map(({ pem }) => pem).join('')]) {
        const { report, found } = await checked(file, { untrusted: [] });
        expect([report.exitCode, found.path[0]?.subject]).toEqual([0, 'CN=Acme Release,O=Acme']);
      }
    }
    // of several that issued none the first; and a root alone is one itself
    const other = await signerUnder(sub, { subject: 'CN=Other' });
    const { found } = await checked(other.pem + sub.pem + leaf.pem, { untrusted: [] });
    expect(found.path[0]?.subject).toBe('CN=Other');
    expect((await checked(root, { untrusted: [], purpose: 'any' })).found.path[0]?.subject).toBe(
      'CN=Acme CA,O=Acme',
    );
  });

  test('[rev.15] lists are looked at, or refused', async () => {
    const crl = makeCrlDer({ issuer: sub, revoked: [{ certificate: leaf }] });
    const off = checked(leaf, { crl, revocation: 'off' });
    await expect(off).rejects.toMatchObject({ code: 'USAGE' });
    expect((await checked(leaf, { crl, revocation: 'if-present' })).report.exitCode).toBe(13);
    expect((await checked(leaf, { revocation: 'off' })).report.exitCode).toBe(0);
  });

  test('[path.24] the exit code says what is wrong', async () => {
    const exitCode = async (...given: Parameters<typeof checked>): Promise<number> =>
      (await checked(...given)).report.exitCode;
    expect(await exitCode(leaf, { at: new Date('2060-01-01T00:00:00Z') })).toBe(13);
    expect(await exitCode(leaf, { at: new Date('2001-01-01T00:00:00Z') })).toBe(13);
    expect(await exitCode(leaf, { crl: makeCrlDer({ issuer: sub, revoked: [{ certificate: leaf }] }) })).toBe(
      13,
    );
    expect(await exitCode(leaf, { purpose: 'timestamping' })).toBe(14);
    expect(await exitCode(leaf, { maxDepth: 0 })).toBe(14);
    expect(await exitCode(await signerUnder(sub, { key: 'rsa1024' }))).toBe(14);
    expect(await exitCode(leaf, { untrusted: [] })).toBe(18);
    expect(await exitCode(leaf, { anchors: [leaf] })).toBe(0);
    expect(await exitCode(leaf, { anchors: [await makeAuthority({ subject: 'CN=Other' })] })).toBe(18);
    expect(await exitCode('hello')).toBe(16);
    expect(await exitCode('')).toBe(16);
    expect(await exitCode(leaf.der.subarray(0, -1))).toBe(16);
    expect(await exitCode(Uint8Array.of(...leaf.der, 0))).toBe(16);
  });

  test('[path.24] every way that was tried is told, with its reason, and the good one first found wins', async () => {
    const expired = await makeAuthority({
      subject: 'CN=Sub,O=Acme',
      issuer: root,
      key: sub.privateKey,
      notBefore: new Date('2020-01-01T00:00:00Z'),
      notAfter: new Date('2021-01-01T00:00:00Z'),
    });
    const { found, report } = await checked(leaf, { untrusted: [expired] });
    expect(codesOf(report)).toEqual(['CERTIFICATE_EXPIRED']);
    expect(found.attempts).toMatchObject([
      {
        path: [
          { subject: 'CN=Acme Release,O=Acme' },
          { subject: 'CN=Sub,O=Acme' },
          { subject: 'CN=Acme CA,O=Acme' },
        ],
        errors: [{ code: 'CERTIFICATE_EXPIRED' }],
      },
    ]);
    expect((await checked(leaf, { untrusted: [expired, sub] })).report.exitCode).toBe(0);
  });

  test('[path.24] an issuer that cannot be read does not hide one that is good, and is told', async () => {
    const broken = leaf.pem.replace(/\n[A-Za-z0-9+/]{64}\n/, '\n'); // base64 still, and no certificate
    const around = await checked(leaf.pem + broken);
    expect(around.report.exitCode).toBe(0);
    expect(around.report.warnings.join()).toMatch(/not used: a certificate is malformed/);
    const alone = await checked(leaf.pem + broken, { untrusted: [] });
    expect(codesOf(alone.report).toSorted()).toEqual(['CERTIFICATE_MALFORMED', 'SIGNER_UNKNOWN']);
    expect(alone.report.exitCode).toBe(16);
  });

  test('[path.24] lists of one issuer ask for proof of its certificates, and of no others', async () => {
    expect((await checked(leaf, { crl: makeCrlDer({ issuer: sub }) })).report.exitCode).toBe(0);
    const crl = makeCrlDer({ issuer: sub });
    expect((await checked(leaf, { crl, revocation: 'require' })).report.exitCode).toBe(13);
  });

  test('[path.22] strictly, what issuers get wrong without harm is refused, too', async () => {
    const value = Uint8Array.of(0x30, 3, 1, 1, 0xff);
    const lax = await makeCertificate({
      subject: 'CN=Lax',
      issuer: root,
      key: 'rsa2048',
      extensions: [{ oid: '2.5.29.19', critical: false, value }],
    });
    const below = await signerUnder(lax);
    const lenient = await checked(below, { untrusted: [lax] });
    expect([lenient.report.exitCode, lenient.report.warnings.length]).toEqual([0, 1]);
    const strict = await checked(below, { untrusted: [lax], strict: true });
    expect(codesOf(strict.report)).toEqual(['PATH_CONSTRAINT']);
    expect((await checked(leaf, { strict: true })).report.exitCode).toBe(0);
  });

  test('[path.23] more than 1024 certificates are not looked at', async () => {
    const many = Array.from({ length: 1024 }, () => sub);
    await expect(checked(leaf, { untrusted: many })).rejects.toMatchObject({ code: 'USAGE' });
    expect((await checked(leaf, { untrusted: many.slice(1) })).report.exitCode).toBe(0);
  });

  test('[path.13] a certificate for web servers signs no code, and does anything else', async () => {
    const server = await signerUnder(sub, { eku: [EKU.serverAuth] });
    expect(codesOf((await checked(server)).report)).toEqual(['PURPOSE_REFUSED']);
    expect((await checked(server, { purpose: 'any' })).report.exitCode).toBe(0);
  });
});
