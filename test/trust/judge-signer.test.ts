import { beforeAll, describe, expect, test } from 'vitest';
import {
  type Anchor,
  judgeCertificateForSigning,
  judgeScope,
  judgeSigner,
  type SignerJudgement,
  scopeNameOf,
  type TrustStore,
} from '../../src/trust/judge-signer.ts';
import { NO_ALLOWANCES } from '../../src/trust/policy.ts';
import type { Publisher } from '../../src/trust/publisher.ts';
import { EKU, makeAuthority, makeCertificate, NOON, type TestCertificate } from '../factory/certificates.ts';

const PAST = { notBefore: new Date('2016-08-11T00:00:00Z'), notAfter: new Date('2018-08-11T10:00:00Z') };
let root: TestCertificate;
let leaf: TestCertificate;

beforeAll(async () => {
  root = await makeAuthority({ subject: 'CN=Root,O=Test' });
  leaf = await makeCertificate({ issuer: root, subject: 'CN=Acme Release,OU=Images,O=Acme' });
});

const publisher = (given: Partial<Publisher> = {}): Publisher => ({
  name: 'acme',
  scopes: ['*'],
  subjects: [],
  threshold: 1,
  ...given,
});
const anchor = ({ certificate }: TestCertificate, owner?: Publisher): Anchor => ({
  certificate,
  source: 'test',
  ...(owner && { publisher: owner }),
});
const store = (...anchors: readonly Anchor[]): TrustStore => ({ anchors, pins: [] });
const judge = (trust: TrustStore, signer = leaf, intermediates: readonly TestCertificate[] = [], at = NOON) =>
  judgeSigner(
    { leaf: signer.certificate, intermediates: intermediates.map(({ certificate }) => certificate) },
    trust,
    { at, window: { from: at, to: at }, allowances: NO_ALLOWANCES },
  );
const codes = (judgement: SignerJudgement) => judgement.errors.map(({ code }) => code);
const names = (judgement: SignerJudgement) => judgement.trustedBy?.publishers.map(({ name }) => name);

describe('anchors and pins', () => {
  test('[path.1] an anchor without a publisher is trusted for everything', () => {
    const judgement = judge(store(anchor(root)));
    expect(codes(judgement)).toEqual([]);
    expect(judgement.trustedBy?.anchor?.certificate).toBe(root.certificate);
    expect(judgement.trustedBy?.publishers).toEqual([]);
    expect(judgement.path).toHaveLength(2);
  });

  test('[path.19] with nothing to trust the error is TRUST_EMPTY, with what is wrong with the leaf', async () => {
    const judgement = judge(store());
    expect(codes(judgement)).toEqual(['TRUST_EMPTY']);
    expect(judgement.trustedBy).toBeUndefined();
    const old = await makeCertificate({ issuer: root, ...PAST });
    expect(codes(judge(store(), old)).sort()).toEqual(['CERTIFICATE_EXPIRED', 'TRUST_EMPTY']);
  });

  test('[path.17] a pin stands for the path', () => {
    const pins = [leaf.certificate.spkiSha256];
    const judgement = judge({ anchors: [], pins });
    expect(codes(judgement)).toEqual([]);
    expect(judgement.trustedBy).toEqual({ pin: pins[0], unproven: true, publishers: [] });
    expect(judgement.path).toEqual([leaf.certificate]);
  });

  test('[path.17] the leaf itself is judged in spite of its pin, the signature on it is not', async () => {
    const old = await makeCertificate({ ...PAST, eku: [EKU.serverAuth], key: 'rsa1024' });
    const judgement = judge({ anchors: [], pins: [old.certificate.spkiSha256] }, old);
    expect(codes(judgement).sort()).toEqual(['CERTIFICATE_EXPIRED', 'KEY_WEAK', 'PURPOSE_REFUSED']);
    expect(judgement.trustedBy).toBeUndefined();
    const sha1 = await makeCertificate({ issuer: root, digest: 'sha1' });
    expect(codes(judge({ anchors: [], pins: [sha1.certificate.spkiSha256] }, sha1))).toEqual([]);
  });

  test('[path.17] what a certificate says beside a pinned key is unproven unless its issuer was given, or the key says it', async () => {
    const pins = [leaf.certificate.spkiSha256];
    const unproven = (signer: TestCertificate, ...given: readonly TestCertificate[]) => {
      const { trustedBy, warnings, errors } = judgeSigner(
        { leaf: signer.certificate, intermediates: [] },
        { anchors: [], pins },
        {
          at: NOON,
          window: { from: NOON, to: NOON },
          allowances: NO_ALLOWANCES,
          given: given.map(({ certificate }) => certificate),
        },
      );
      expect(errors).toEqual([]);
      expect(warnings.map(({ error }) => error.code)).toEqual(trustedBy?.unproven ? ['SIGNER_UNKNOWN'] : []);
      return trustedBy?.unproven ?? false;
    };
    const { privateKey: key } = leaf;
    const forger = await makeAuthority({ subject: 'CN=Root' });
    const forged = await makeCertificate({ subject: 'CN=Somebody famous', issuer: forger, key });
    const signer = await makeCertificate({ subject: 'CN=Root' }); // trusted as a signer, and no authority
    expect(unproven(leaf)).toBe(true);
    expect(unproven(leaf, root)).toBe(false);
    expect(unproven(leaf, leaf)).toBe(false);
    expect(unproven(forged, root)).toBe(true);
    expect(unproven(forged, leaf)).toBe(true);
    expect(unproven(await makeCertificate({ issuer: signer, key }), signer)).toBe(true);
    expect(unproven(await makeCertificate({ subject: 'CN=Own', key }))).toBe(false);
  });

  test('[path.17] a pin is for the key of the leaf, not of its issuer', () => {
    const judgement = judge({ anchors: [], pins: [root.certificate.spkiSha256] }, leaf, [root]);
    expect(codes(judgement)).toEqual(['SIGNER_UNKNOWN']);
  });

  test('[path.5] an unknown signer', async () => {
    const stranger = await makeAuthority({ subject: 'CN=Stranger' });
    const signer = await makeCertificate({ issuer: stranger });
    const judgement = judge(store(anchor(root)), signer, [stranger]);
    expect(codes(judgement)).toEqual(['SIGNER_UNKNOWN']);
    expect(judgement.trustedBy).toBeUndefined();
  });
});

describe('publishers', () => {
  test.each([
    [['CN=Acme Release,O=Acme'], true],
    [['O=Acme'], true],
    [['CN=Other,O=Acme', 'OU=Images'], true],
    [['CN=acme release'], false],
    [['CN=Acme Release,O=Other'], false],
    [['O=Acme Release'], false],
    [['CN=Acme'], false],
  ])('[pub.4] subjects %j', (subjects, accepted) => {
    const judgement = judge(store(anchor(root, publisher({ subjects }))));
    expect(codes(judgement)).toEqual(accepted ? [] : ['SUBJECT_REFUSED']);
    expect(judgement.trustedBy === undefined).toBe(!accepted);
  });

  test('[pub.9] from and until', () => {
    const day = 86_400_000;
    const [before, after] = [new Date(NOON.getTime() - day), new Date(NOON.getTime() + day)];
    const judged = (given: Partial<Publisher>) => codes(judge(store(anchor(root, publisher(given)))));
    expect(judged({ from: before, until: after })).toEqual([]);
    expect(judged({ from: NOON, until: NOON })).toEqual([]);
    expect(judged({ from: after })).toEqual(['PUBLISHER_LIFETIME']);
    expect(judged({ until: before })).toEqual(['PUBLISHER_LIFETIME']);
  });

  test('[pub.10] one publisher that accepts is enough; only those that do vouch', () => {
    const judgement = judge(
      store(
        anchor(root, publisher({ name: 'one' })),
        anchor(root, publisher({ name: 'other', subjects: ['CN=Nobody'] })),
        anchor(root, publisher({ name: 'two' })),
      ),
    );
    expect(codes(judgement)).toEqual([]);
    expect(names(judgement)).toEqual(['one', 'two']);
  });

  test('[pub.10] when all refuse, every reason is told', () => {
    const judgement = judge(
      store(
        anchor(root, publisher({ name: 'over', until: new Date('2020-01-01T00:00:00Z') })),
        anchor(root, publisher({ name: 'other', subjects: ['CN=Nobody'] })),
      ),
    );
    expect(codes(judgement)).toEqual(['PUBLISHER_LIFETIME', 'SUBJECT_REFUSED']);
  });

  test('[path.18] a path to an anchor that refuses does not hide one that accepts', async () => {
    const sub = await makeAuthority({ subject: 'CN=Sub', issuer: root });
    const signer = await makeCertificate({ issuer: sub });
    const refusing = anchor(sub, publisher({ name: 'refusing', subjects: ['CN=Nobody'] }));
    const accepting = anchor(root, publisher({ name: 'accepting' }));
    for (const anchors of [
      [refusing, accepting],
      [accepting, refusing],
    ]) {
      for (const intermediates of [[], [sub]]) {
        const judgement = judge(store(...anchors), signer, intermediates);
        expect(codes(judgement)).toEqual([]);
        expect(names(judgement)).toEqual(['accepting']);
        expect(judgement.path.at(-1)).toBe(judgement.trustedBy?.anchor?.certificate);
      }
    }
  });

  test('[path.18] the publishers of every anchor that is reached vouch', async () => {
    const sub = await makeAuthority({ subject: 'CN=Sub', issuer: root });
    const signer = await makeCertificate({ issuer: sub });
    const judgement = judge(
      store(anchor(sub, publisher({ name: 'near' })), anchor(root, publisher({ name: 'far' }))),
      signer,
    );
    expect(names(judgement)).toEqual(['near', 'far']);
  });

  test('[path.18] a publisher does not repair a path, and a bad path does not hide a refusal', async () => {
    const server = await makeCertificate({ issuer: root, eku: [EKU.serverAuth] });
    const judgement = judge(store(anchor(root, publisher({ subjects: ['CN=Nobody'] }))), server);
    expect(codes(judgement)).toEqual(['PURPOSE_REFUSED', 'SUBJECT_REFUSED']);
    expect(codes(judge(store(anchor(root, publisher())), server))).toEqual(['PURPOSE_REFUSED']);
  });

  test('[pub.7] an anchor without a publisher frees the signer from scopes', () => {
    const judgement = judge(store(anchor(root, publisher({ scopes: ['acme/*'] })), anchor(root)));
    expect(judgement.trustedBy?.publishers).toEqual([]);
    expect(judgement.trustedBy?.anchor?.publisher).toBeUndefined();
  });
});

describe('scopes', () => {
  test.each([
    ['*', 'acme/router', true],
    ['acme/*', 'acme/router', true],
    ['acme/*', 'acme2/router', false],
    ['acme/router', 'acme/router', true],
    ['acme/router', 'acme/router-2', false],
    ['acme/router-*', 'acme/router-2', true],
    ['*/router', 'other/router', true],
    ['*/*', 'other/router', true],
    ['a*e/r*t*r', 'acme/router', true],
    ['a*a/x', 'a/x', false],
    ['acme/r*ter', 'acme/rter', true],
    ['acme/r*ter', 'acme/router-x', false],
    ['acme/*', '_/router', false],
    ['acme', 'acme/router', false],
    ['acme/.outer', 'acme/router', false],
  ])('[pub.5] %s covers %s: %s', (scope, name, covered) => {
    const error = judgeScope([publisher({ scopes: [scope] })], name);
    expect(error?.code).toBe(covered ? undefined : 'SCOPE_REFUSED');
  });

  test('[pub.7] one scope of one publisher is enough; without publishers there is no scope', () => {
    const publishers = [
      publisher({ scopes: ['x/*', 'y/*'] }),
      publisher({ name: 'two', scopes: ['acme/*'] }),
    ];
    expect(judgeScope(publishers, 'acme/router')).toBeUndefined();
    expect(judgeScope(publishers, 'zeta/router')?.message).toBe(
      `"zeta/router" is outside of the publisher's scopes: acme may sign x/*, y/*; two may sign acme/*`,
    );
    expect(judgeScope([], 'acme/router')).toBeUndefined();
  });

  test.each([
    ['Acme', 'Router', 'acme/router'],
    ['Acme, Inc.', 'Edge  Router/9 (64-bit)', 'acme-inc./edge-router-9-64-bit'],
    [undefined, 'Router', '_/router'],
    ['', '', '_/_'],
    ['*', '***', '_/_'],
    ['ＡＣＭＥ', 'ﬁle_1.2', 'acme/file-1.2'.replace('file-', 'file_')],
    ['Müller', 'Ünï', 'müller/ünï'],
    ['a/b', '../c', 'a-b/..-c'],
  ])('[pub.6] vendor %j and name %j are %s', (vendor, name, scopeName) => {
    expect(scopeNameOf(vendor, name)).toBe(scopeName);
  });
});

describe('judgeCertificateForSigning', () => {
  test('[path.21] the packer is told what an importer would refuse', async () => {
    const judged = async (options: Parameters<typeof makeCertificate>[0]) =>
      judgeCertificateForSigning((await makeCertificate(options)).certificate, NOON).map(({ code }) => code);
    expect(await judged({ issuer: root, eku: [EKU.codeSigning] })).toEqual([]);
    expect(await judged({ digest: 'sha1' })).toEqual([]);
    expect(await judged({ ...PAST })).toEqual(['CERTIFICATE_EXPIRED']);
    expect(await judged({ issuer: root, digest: 'sha1' })).toEqual(['DIGEST_WEAK']);
    expect(await judged({ eku: [EKU.serverAuth] })).toEqual(['PURPOSE_REFUSED']);
    expect(await judged({ key: 'rsa1024' })).toEqual(['KEY_WEAK']);
    expect(await judged({ criticalUnknown: true })).toEqual(['PATH_CONSTRAINT']);
  });
});
