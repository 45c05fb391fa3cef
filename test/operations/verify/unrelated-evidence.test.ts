import { beforeAll, describe, expect, test } from 'vitest';
import { formatPem } from '../../../src/formats/pem.ts';
import { verifyImage } from '../../../src/operations/glance/verify-image.ts';
import { checkPath } from '../../../src/operations/trust/check-path.ts';
import type { VerifyOptions } from '../../../src/operations/verify/options.ts';
import { verify } from '../../../src/operations/verify/verify.ts';
import type { Report } from '../../../src/verdict/report/report.ts';
import { extension } from '../../factory/asn1.ts';
import {
  JUDGED_AT,
  makeBundle,
  type NamedBytes,
  signerUnder,
  testAuthority,
  testSigner,
} from '../../factory/bundles.ts';
import { makeAuthority, type TestCertificate } from '../../factory/certificates.ts';
import { makeCrlDer, pointValue } from '../../factory/crls.ts';
import { IMAGE, keeping, propertiesFor, signLike } from '../../factory/images.ts';
import { makeOcspDer } from '../../factory/ocsp.ts';
import { codesOf, valid } from '../../factory/reports.ts';
import { makeSandbox, type Sandbox, trusting } from '../../factory/sandbox.ts';
import { chunked } from '../../factory/streams.ts';

const NOTHING_KNOWN = 'no revocation information about these certificates is at hand';

let stranger: TestCertificate;
let acme: TestCertificate;
let signer: TestCertificate;
/** a hierarchy of three: the last signs, the second is trusted, nobody has the first */
let top: TestCertificate;
let root: TestCertificate;
let sub: TestCertificate;
let leaf: TestCertificate;

beforeAll(async () => {
  stranger = await makeAuthority({ subject: 'CN=Other CA' });
  acme = await testAuthority();
  signer = await testSigner();
  top = await makeAuthority({ subject: 'CN=Top' });
  root = await makeAuthority({ subject: 'CN=Root', issuer: top });
  sub = await makeAuthority({ subject: 'CN=Sub', issuer: root });
  leaf = await signerUnder(sub);
});

const bundleWith = (added: readonly NamedBytes[] = [], by = signer, chain: readonly TestCertificate[] = []) =>
  makeBundle({ signed: { signer: by, chain }, members: (members) => [...members, ...added] });
const saidOf = ({ checks }: Report): string | undefined =>
  checks.find(({ id }) => id === 'revocation')?.detail;
/** What is said about lists that count for nothing. */
const unrelated = ({ warnings }: Report): readonly string[] =>
  warnings.filter((text) => /counts? for nothing here/.test(text));

async function judged(bytes: Uint8Array, options: VerifyOptions): Promise<Report> {
  return valid((await verify(chunked(bytes), options)).report);
}

/** The verdict on the usual bundle, given lists and answers as files. */
async function given(sandbox: Sandbox, files: Readonly<Record<string, Uint8Array | string>>, more = {}) {
  const named = (kind: RegExp) =>
    Object.entries(files).flatMap(([name, content]) =>
      kind.test(name) ? [sandbox.write(name, content)] : [],
    );
  const revocation = { crls: named(/(crl|pem)$/), ocsps: named(/ocsp$/), ...more };
  return judged(await bundleWith(), { ...(await trusting(sandbox)), revocation });
}

describe('[rev.17] evidence that the caller names', () => {
  test('and that is by another issuer is a warning that says whose it is', async () => {
    using sandbox = makeSandbox();
    const report = await given(sandbox, { 'other.crl': makeCrlDer({ issuer: stranger }) });
    expect(report.verdict).toBe('trusted');
    expect(unrelated(report)).toEqual([
      `the revocation list of ${sandbox.path('other.crl')} counts for nothing here: it is by "CN=Other CA", who issued no certificate on this path`,
    ]);
    expect(saidOf(report)).toBe(NOTHING_KNOWN);
  });

  test('changes nothing where proof is demanded', async () => {
    using sandbox = makeSandbox();
    const report = await given(
      sandbox,
      { 'other.crl': makeCrlDer({ issuer: stranger }) },
      { mode: 'require' },
    );
    expect(codesOf(report)).toEqual(['REVOCATION_UNKNOWN']);
    expect(unrelated(report)).toHaveLength(1);
    expect(saidOf(report)).toMatch(/^no revocation information about certificate "CN=Acme Release/);
  });

  test('and that is about another certificate, or others by its scope, is one too', async () => {
    using sandbox = makeSandbox();
    const other = await signerUnder(acme, { subject: 'CN=Another' });
    const authorities = makeCrlDer({ issuer: acme, point: pointValue({ onlyAuthorities: true }) });
    const report = await given(sandbox, {
      'other.ocsp': makeOcspDer({ issuer: acme, answers: [{ certificate: other }] }),
      'authorities.crl': authorities,
    });
    expect(unrelated(report)).toEqual([
      `the revocation list of ${sandbox.path('authorities.crl')} counts for nothing here: it is by "CN=Acme CA,O=Acme", and by its scope for other certificates than those on this path`,
      `the OCSP response of ${sandbox.path('other.ocsp')} counts for nothing here: it is by "CN=Acme CA,O=Acme", and about no certificate on this path`,
    ]);
  });

  test('counts as a file: one list of many about the path is enough', async () => {
    using sandbox = makeSandbox();
    const pem = (...issuers: readonly TestCertificate[]) =>
      issuers.map((issuer) => formatPem('X509 CRL', makeCrlDer({ issuer }))).join('');
    const report = await given(sandbox, { 'all.pem': pem(stranger, acme), 'none.pem': pem(stranger, top) });
    expect(unrelated(report)).toEqual([
      `the 2 revocation lists of ${sandbox.path('none.pem')} count for nothing here; of the first: it is by "CN=Other CA", who issued no certificate on this path`,
    ]);
    expect(saidOf(report)).toBe('1 of 1 certificate shown not to be revoked');
  });

  test('is none when it is about the path, genuine or not, or when nobody asks', async () => {
    using sandbox = makeSandbox();
    const answers = [{ certificate: signer }];
    const responder = await signerUnder(acme, {
      subject: 'CN=Responder',
      eku: ['1.3.6.1.5.5.7.3.9'],
    });
    const files = {
      'acme.crl': makeCrlDer({ issuer: acme }),
      'forged.crl': makeCrlDer({ issuer: acme, signer: stranger }),
      'odd.crl': makeCrlDer({
        issuer: acme,
        extensions: [extension('1.2.3.4', true, new Uint8Array([5, 0]))],
      }),
      'acme.ocsp': makeOcspDer({ issuer: acme, answers, signer: responder, certificates: [responder] }),
      'responder.ocsp': makeOcspDer({ issuer: acme, answers: [{ certificate: responder }] }),
    };
    expect(unrelated(await given(sandbox, files))).toEqual([]);
    const nobody = await judged(await bundleWith(), {
      trust: { anchors: [sandbox.write('stranger.pem', stranger.pem)] },
      revocation: { crls: [sandbox.path('acme.crl'), sandbox.write('top.crl', makeCrlDer({ issuer: top }))] },
      at: JUDGED_AT,
    });
    expect(codesOf(nobody)).toEqual(['SIGNER_UNKNOWN']);
    expect(unrelated(nobody)).toEqual([]);
  });

  test('need not be about the path in a trust folder, which is for many', async () => {
    using sandbox = makeSandbox();
    sandbox.write('home/publishers/acme/ca.pem', acme.pem);
    sandbox.write('home/publishers/acme/publisher.toml', 'name = "acme"\n');
    sandbox.write('home/revocation/other.crl', makeCrlDer({ issuer: stranger }));
    const options = { trust: { folders: [sandbox.path('home')] }, at: JUDGED_AT };
    const report = await judged(await bundleWith(), options);
    expect([report.verdict, report.warnings]).toEqual(['trusted', []]);
  });

  test('about an anchor whose issuer is not given says so, unless it revokes', async () => {
    using sandbox = makeSandbox();
    const anchors = [sandbox.write('sub.pem', sub.pem)];
    const about = (bytes: Uint8Array, more: readonly string[] = []): Promise<VerifyOptions> =>
      Promise.resolve({
        trust: { anchors: [...anchors, ...more] },
        revocation: { crls: [sandbox.write('root.crl', bytes)] },
        at: JUDGED_AT,
      });
    const bytes = await bundleWith([], leaf);
    const list = makeCrlDer({ issuer: root });
    expect(unrelated(await judged(bytes, await about(list)))).toEqual([
      `the revocation list of ${sandbox.path('root.crl')} counts for nothing here: it is by "CN=Root", who issued certificate "CN=Sub"; that is trusted as it is, and the certificate of its issuer is not among those given`,
    ]);
    const both = await judged(bytes, await about(list, [sandbox.write('root.pem', root.pem)]));
    expect([both.verdict, unrelated(both)]).toEqual(['trusted', []]);
    const revoking = await judged(
      bytes,
      await about(makeCrlDer({ issuer: root, revoked: [{ certificate: sub }] })),
    );
    expect([codesOf(revoking), unrelated(revoking)]).toEqual([['REVOCATION_UNKNOWN'], []]);
  });

  test('by `trust check` and of images, by anchors and by UUIDs, it is told as well', async () => {
    using sandbox = makeSandbox();
    const crls = [sandbox.write('other.crl', makeCrlDer({ issuer: stranger }))];
    const anchors = [sandbox.write('ca.pem', acme.pem)];
    const { report } = await checkPath(sandbox.write('leaf.pem', signer.pem), {
      anchors,
      crls,
      at: JUDGED_AT,
    });
    expect([report.exitCode, unrelated(report)]).toEqual([0, [expect.stringContaining('by "CN=Other CA"')]]);

    const ROOT = '11111111-2222-3333-4444-555555555555';
    const found = { kind: 'found', certificate: acme.certificate, others: [], source: '', warnings: [] };
    const certificates = {
      find: async (uuid: string) => (uuid === ROOT ? (found as never) : keeping(signer).find(uuid)),
    };
    const properties = propertiesFor(signLike(signer.privateKey, IMAGE));
    for (const trust of [{ trust: { anchors } }, { trustedIds: [ROOT] }]) {
      const options = { ...trust, certificates, properties, revocation: { crls }, at: JUDGED_AT };
      const image = valid(await verifyImage(chunked(IMAGE), options));
      expect([image.verdict, unrelated(image)]).toEqual(['trusted', [expect.any(String)]]);
    }
  });
});

describe('[bundle.6] unlisted evidence', () => {
  const evidence = (bytes: Uint8Array, name = 'revocation/a.crl'): NamedBytes => ({ name, bytes });
  const refusal = async (added: NamedBytes, anchor: TestCertificate, chain: readonly TestCertificate[]) => {
    using sandbox = makeSandbox();
    const trust = { anchors: [sandbox.write('anchor.pem', anchor.pem)] };
    const { errors } = await judged(await bundleWith([added], leaf, chain), { trust, at: JUDGED_AT });
    return errors.map(({ code, message, fix }) => ({ code, message, fix }));
  };
  const answer = (reason: string) => [
    {
      code: 'FILE_UNLISTED',
      message: `"revocation/a.crl" is not in the manifest, and nobody who is trusted answers for all of it: ${reason}`,
      fix: expect.stringMatching(/what is of an issuer above it counts only when you trust that issuer/),
    },
  ];

  test('about what is above the anchor is refused, and the message says whose it is', async () => {
    const byRoot = evidence(makeCrlDer({ issuer: root }));
    const byTop = evidence(makeCrlDer({ issuer: top }));
    expect(await refusal(byRoot, sub, [])).toEqual(
      answer(
        'it is by "CN=Root", who issued certificate "CN=Sub"; that is trusted as it is, and the certificate of its issuer is not among those given',
      ),
    );
    expect(await refusal(byTop, sub, [root])).toEqual(
      answer('it is by "CN=Top", who issued no certificate on the path of a trusted signer or authority'),
    );
    // whoever carries a bundle may bring an issuer, too
    expect(await refusal(byRoot, sub, [root])).toEqual(await refusal(byRoot, sub, []));
    // it counts for who trusts what stands above
    expect(await refusal(byTop, top, [sub, root])).toEqual([]);
    expect(await refusal(byRoot, root, [sub])).toEqual([]);
  });

  test('of a stranger, or not signed by whom it names, is refused with the reason', async () => {
    expect(await refusal(evidence(makeCrlDer({ issuer: stranger })), sub, [])).toEqual(
      answer(
        'it is by "CN=Other CA", who issued no certificate on the path of a trusted signer or authority',
      ),
    );
    expect(await refusal(evidence(makeCrlDer({ issuer: sub, signer: stranger })), sub, [])).toEqual(
      answer(
        'it says to be about a certificate on the path of a trusted signer or authority, and has not been signed by who may speak of that, or may not be used',
      ),
    );
  });
});
