import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { openArchive } from '../../../src/archive/open-archive.ts';
import { parseSignedData } from '../../../src/formats/cms/signed-data.ts';
import { parseCertificateFile } from '../../../src/formats/ovf/certificate-file.ts';
import { formatPem } from '../../../src/formats/pem.ts';
import { encodeUtf8 } from '../../../src/kit/encoding.ts';
import { DEFAULT_LIMITS } from '../../../src/kit/limits.ts';
import { sign } from '../../../src/operations/sign/sign.ts';
import { loadSigningIdentity } from '../../../src/operations/sign/signing-identity.ts';
import type { VerifyOptions } from '../../../src/operations/verify/options.ts';
import { verify } from '../../../src/operations/verify/verify.ts';
import type { Report } from '../../../src/verdict/report/report.ts';
import {
  archiveOf,
  bytesOf,
  JUDGED_AT,
  makeBundle,
  makeMembers,
  signerUnder,
  testAuthority,
  testSigner,
  withMember,
} from '../../factory/bundles.ts';
import { makeAuthority, makeCertificate, type TestCertificate } from '../../factory/certificates.ts';
import { makeCms, type TestSigner } from '../../factory/cms.ts';
import { placeBundle } from '../../factory/packing.ts';
import { codesOf, valid } from '../../factory/reports.ts';
import { makeSandbox, type Sandbox, trusting } from '../../factory/sandbox.ts';
import { chunked } from '../../factory/streams.ts';

let root: TestCertificate;
let first: TestCertificate;
let second: TestCertificate;
let stranger: TestCertificate;

beforeAll(async () => {
  root = await testAuthority();
  first = await testSigner();
  second = await signerUnder(root, { subject: 'CN=Second,O=Acme', key: 'p256' });
  stranger = await signerUnder(await makeAuthority({ subject: 'CN=Elsewhere' }), { subject: 'CN=Stranger' });
});

/** A bundle signed by `first`, and beside that in a CMS by others; `over` is what these sign instead of the manifest. */
async function bundleWithCms(
  signers: readonly (TestCertificate | TestSigner)[],
  over?: Uint8Array,
): Promise<Uint8Array> {
  const members = await makeMembers();
  const manifest = members.find(({ name }) => name === 'app.mf')?.bytes ?? new Uint8Array();
  const cms = makeCms({
    content: over ?? manifest,
    signers: signers.map((one) => ('by' in one ? one : { by: one })),
  });
  return archiveOf(
    withMember(members, 'app.cert', ({ name, bytes }) => [
      { name, bytes: Uint8Array.of(...bytes, ...encodeUtf8(formatPem('CMS', cms))) },
    ]),
  );
}

async function judged(bytes: Uint8Array, options: VerifyOptions): Promise<Report> {
  const { report } = await verify(chunked(bytes), options);
  return valid(report);
}

/** The content of a member. */
async function memberOf(bundle: Uint8Array, name: string): Promise<Uint8Array> {
  const { entries } = await openArchive(chunked(bundle), DEFAULT_LIMITS);
  for await (const entry of entries) if (entry.name === name) return bytesOf(entry.body);
  throw new Error(`no ${name}`);
}

async function publisherOptions(sandbox: Sandbox, settings: string): Promise<VerifyOptions> {
  sandbox.write('trust/publishers/acme/ca.pem', root.pem);
  sandbox.write('trust/publishers/acme/publisher.toml', `name = "acme"\n${settings}\n`);
  return { trust: { folders: [sandbox.path('trust')] }, at: JUDGED_AT };
}

describe('a CMS signature beside the signature line', () => {
  test('[sig.5] fits the manifest and is told; the first signer need not be the line’s', async () => {
    using sandbox = makeSandbox();
    const report = await judged(await bundleWithCms([first]), await trusting(sandbox));
    expect(report.verdict).toBe('trusted');
    expect(report.signatures.map(({ format, status }) => [format, status])).toEqual([
      ['ovf-cert', 'trusted'],
      ['cms', 'trusted'],
    ]);
  });

  test('[sig.5] that does not fit refuses the bundle, whatever the line is worth', async () => {
    using sandbox = makeSandbox();
    const trust = await trusting(sandbox);
    const other = encodeUtf8('another manifest');
    expect(codesOf(await judged(await bundleWithCms([first], other), trust))).toEqual(['SIGNATURE_INVALID']);
    const half = await bundleWithCms([first, { by: second, sign: () => Uint8Array.of(1, 2, 3) }]);
    expect(codesOf(await judged(half, trust))).toEqual(['SIGNATURE_INVALID']);
  });

  test('[sig.5] brings certificates that lead to an anchor, whoever they are of', async () => {
    using sandbox = makeSandbox();
    const sub = await makeAuthority({ subject: 'CN=Sub,O=Acme', issuer: root });
    const below = await signerUnder(sub, { subject: 'CN=Below,O=Acme' });
    const members = await makeMembers({ signed: { signer: below } });
    const manifest = members.find(({ name }) => name === 'app.mf')?.bytes ?? new Uint8Array();
    const cms = makeCms({ content: manifest, signers: [{ by: below }], certificates: [below, sub] });
    const bundle = await archiveOf(
      withMember(members, 'app.cert', ({ name, bytes }) => [
        { name, bytes: Uint8Array.of(...bytes, ...encodeUtf8(formatPem('PKCS7', cms))) },
      ]),
    );
    const trust = await trusting(sandbox);
    expect(codesOf(await judged(await archiveOf(members), trust))).toEqual(['SIGNER_UNKNOWN']);
    expect((await judged(bundle, trust)).verdict).toBe('trusted');
  });
});

describe('several signers', () => {
  test('[sig.7] one that is trusted is enough; what is wrong with another is a warning', async () => {
    using sandbox = makeSandbox();
    const trust = await trusting(sandbox);
    const report = await judged(await bundleWithCms([first, stranger]), trust);
    expect(report.verdict).toBe('trusted');
    expect(report.signatures.map(({ status }) => status)).toEqual(['trusted', 'trusted', 'untrusted']);
    expect(report.warnings.join('\n')).toContain('CN=Elsewhere');
    expect(report.warnings.join('\n')).not.toContain('the first signer');
    const elsewhere = { trust: { anchors: [sandbox.write('other.pem', second.pem)] }, at: JUDGED_AT };
    const byAnother = await judged(await bundleWithCms([second]), elsewhere);
    expect(byAnother.warnings).toContain(
      'the first signer of the CMS signature is not that of the signature line',
    );
    expect([byAnother.verdict, byAnother.signatures.map(({ status }) => status)]).toEqual([
      'trusted',
      ['untrusted', 'trusted'],
    ]);
  });

  test('[sig.7] when none is trusted, it is told of each what is wrong', async () => {
    const { errors } = await judged(await bundleWithCms([stranger]), {
      trust: { anchors: [] },
      at: JUDGED_AT,
    });
    expect(errors.map(({ code }) => code)).toEqual(['TRUST_EMPTY', 'TRUST_EMPTY']);
  });

  test('[pub.8] a threshold counts signers that are trusted, each key once', async () => {
    using sandbox = makeSandbox();
    const two = await publisherOptions(sandbox, 'threshold = 2');
    const codes = async (bytes: Uint8Array): Promise<readonly string[]> => codesOf(await judged(bytes, two));
    expect(await codes(await makeBundle())).toEqual(['THRESHOLD_NOT_MET']);
    expect(await codes(await bundleWithCms([first]))).toEqual(['THRESHOLD_NOT_MET']);
    expect(await codes(await bundleWithCms([first, second]))).toEqual([]);
    expect(await codes(await bundleWithCms([stranger]))).toEqual(['THRESHOLD_NOT_MET']);
    const renewed = await makeCertificate({
      subject: 'CN=Acme Release 2,O=Acme',
      issuer: root,
      key: first.privateKey,
    });
    expect(await codes(await bundleWithCms([renewed]))).toEqual(['THRESHOLD_NOT_MET']);
    const { errors } = await judged(await makeBundle(), two);
    expect(errors[0]?.message).toBe('publisher "acme" needs 2 signers; 1 of those here may sign for it');
  });

  test('[pub.8] subjects decide who counts', async () => {
    using sandbox = makeSandbox();
    const options = await publisherOptions(sandbox, 'threshold = 2\nsubjects = ["CN=Second"]');
    expect(codesOf(await judged(await bundleWithCms([first, second]), options))).toEqual([
      'THRESHOLD_NOT_MET',
    ]);
  });
});

describe('what is written', () => {
  test('[cert.9] with intermediates: the line, the signer’s certificate alone, and a CMS with the others', async () => {
    using sandbox = makeSandbox();
    await placeBundle(sandbox, { signed: false });
    const sub = await makeAuthority({ subject: 'CN=Sub,O=Acme', issuer: root });
    const signer = await signerUnder(sub);
    const identity = await loadSigningIdentity(
      {
        key: sandbox.write('k', signer.privateKeyPem),
        certificate: sandbox.write('c', signer.pem),
        chain: sandbox.write('s', sub.pem),
      },
      JUDGED_AT,
    );
    const fileOf = async (cms?: boolean): Promise<ReturnType<typeof parseCertificateFile>> => {
      const output = sandbox.path(`${cms}.ova`);
      const options = { output, format: 'tar', identity, ...(cms !== undefined && { cms }) } as const;
      valid(await sign(sandbox.path('in.ova'), options));
      const bytes = Uint8Array.from(readFileSync(output));
      expect((await judged(bytes, await trusting(sandbox))).verdict).toBe('trusted');
      return parseCertificateFile(await memberOf(bytes, 'app.cert'), DEFAULT_LIMITS);
    };
    const unasked = await fileOf();
    expect(unasked.certificates).toEqual([signer.der]);
    const { certificates, signers } = parseSignedData(unasked.cms ?? new Uint8Array(), 'the CMS');
    expect(new Set(certificates.map((one) => Buffer.from(one).toString('hex')))).toEqual(
      new Set([signer, sub].map(({ der }) => Buffer.from(der).toString('hex'))),
    );
    expect(signers).toHaveLength(1);
    const plain = await fileOf(false);
    expect([plain.cms, plain.certificates]).toEqual([undefined, [signer.der, sub.der]]);
  });
});
