import { beforeAll, describe, expect, test } from 'vitest';
import type { ClaimPolicy, SignerClaim } from '../../src/trust/judge-claim.ts';
import { type ClaimsJudgement, judgeClaims } from '../../src/trust/judge-claims.ts';
import { openBudget } from '../../src/trust/path/budget.ts';
import { NO_ALLOWANCES } from '../../src/trust/policy.ts';
import type { Publisher } from '../../src/trust/publisher.ts';
import {
  compressed,
  makeAuthority,
  makeCertificate,
  NOON,
  type TestCertificate,
} from '../factory/certificates.ts';
import { makeCrl } from '../factory/crls.ts';
import { makeTimestampAuthority, makeToken } from '../factory/timestamps.ts';

const over = Uint8Array.from(Buffer.from('a signature'));
const at = (text: string) => new Date(`${text}T00:00:00Z`);
let root: TestCertificate;
let other: TestCertificate;
let authority: TestCertificate;
let timestampRoot: TestCertificate;
let leaf: TestCertificate;
let expired: TestCertificate;

beforeAll(async () => {
  root = await makeAuthority({ subject: 'CN=Root' });
  other = await makeAuthority({ subject: 'CN=Other' });
  timestampRoot = await makeAuthority({ subject: 'CN=TSA Root' });
  authority = await makeTimestampAuthority(timestampRoot);
  leaf = await makeCertificate({ issuer: root, subject: 'CN=Signer' });
  expired = await makeCertificate({
    issuer: root,
    subject: 'CN=Expired',
    notBefore: at('2026-02-01'),
    notAfter: at('2026-03-01'),
  });
});

const publisher = (given: Partial<Publisher> = {}): Publisher => ({
  name: 'acme',
  scopes: ['*'],
  subjects: [],
  threshold: 1,
  ...given,
});

interface Given extends Partial<ClaimPolicy> {
  readonly owner?: Publisher;
}

function judge(claims: readonly SignerClaim[], { owner, ...policy }: Given = {}): ClaimsJudgement {
  const anchors = [root, other].map(({ certificate }) => ({
    certificate,
    source: 'test',
    ...(owner && { publisher: owner }),
  }));
  return judgeClaims(claims, {
    trust: { anchors, pins: [] },
    timestamping: [{ certificate: timestampRoot.certificate, source: 'test' }],
    allowances: NO_ALLOWANCES,
    at: NOON,
    evidence: { crls: [], ocsps: [] },
    seen: new Map(),
    budget: openBudget(),
    ...policy,
  });
}

const stamp = (time: Date, by = authority) => ({ token: makeToken({ over, authority: by, time }), over });
const claim = ({ certificate }: TestCertificate, ...timestamps: SignerClaim['timestamps']): SignerClaim => ({
  leaf: certificate,
  intermediates: [],
  timestamps,
});
const codes = ({ errors }: ClaimsJudgement) => errors.map(({ code }) => code);

describe('when a signature was made', () => {
  test('[tst.1] a signer that has expired needs a timestamp from its time', () => {
    expect(codes(judge([claim(expired)]))).toEqual(['CERTIFICATE_EXPIRED']);
    expect(codes(judge([claim(expired, stamp(at('2026-02-10')))]))).toEqual([]);
    expect(codes(judge([claim(expired, stamp(at('2026-03-10')))]))).toEqual(['CERTIFICATE_EXPIRED']);
    expect(codes(judge([claim(expired, stamp(at('2026-01-10')))]))).toEqual(['CERTIFICATE_NOT_YET_VALID']);
  });

  test('[tst.1] required, preferred or ignored', () => {
    const proof = stamp(at('2026-02-10'));
    expect(codes(judge([claim(leaf)], { timestamp: 'require' }))).toEqual(['TIMESTAMP_MISSING']);
    expect(codes(judge([claim(leaf, proof)], { timestamp: 'require' }))).toEqual([]);
    expect(codes(judge([claim(expired, proof)], { timestamp: 'ignore' }))).toEqual(['CERTIFICATE_EXPIRED']);
    expect(codes(judge([claim(leaf)], { timestamp: 'ignore' }))).toEqual([]);
  });

  test('[tst.1] a timestamp that proves nothing is as good as none, and is told', async () => {
    const rogue = await makeTimestampAuthority(other);
    const bad = stamp(at('2026-02-10'), rogue);
    expect(codes(judge([claim(expired, bad)]))).toEqual(['CERTIFICATE_EXPIRED']);
    const lenient = judge([claim(leaf, bad)]);
    expect(codes(lenient)).toEqual([]);
    expect(lenient.warnings.map(({ error }) => error.code)).toEqual(['TIMESTAMP_INVALID']);
    expect(codes(judge([claim(leaf, bad)], { timestamp: 'require' }))).toEqual(['TIMESTAMP_INVALID']);
  });

  test('[tst.12] of several, one that proves enough is enough, wherever it stands', () => {
    const [early, late] = [stamp(at('2026-02-10')), stamp(at('2026-06-01'))];
    expect(codes(judge([claim(expired, early, late)]))).toEqual([]);
    expect(codes(judge([claim(expired, late, early)]))).toEqual([]);
    expect(judge([claim(expired, late, early)]).judgements[0]?.proven?.to).toEqual(
      new Date('2026-02-10T00:00:01Z'),
    );
    expect(codes(judge([claim(expired, stamp(at('2026-01-10')), early)]))).toEqual([]);
  });

  test('[tst.13] no more than sixteen are judged in one run', () => {
    const budget = openBudget();
    budget.spend('timestamps', 15);
    expect(codes(judge([claim(expired, stamp(at('2026-02-10')))], { budget }))).toEqual([]);
    expect(codes(judge([claim(expired, stamp(at('2026-02-10')))], { budget }))).toEqual([
      'CERTIFICATE_EXPIRED',
    ]);
  });

  test('[tst.1] a timestamp authority that is revoked proves nothing', () => {
    const evidence = (reason?: number) => ({
      crls: [
        makeCrl({ issuer: timestampRoot, revoked: [{ certificate: authority, ...(reason && { reason }) }] }),
      ],
      ocsps: [],
    });
    const proven = claim(expired, stamp(at('2026-02-10')));
    expect(codes(judge([proven], { evidence: evidence() }))).toEqual(['CERTIFICATE_EXPIRED']);
    expect(codes(judge([proven], { evidence: evidence(4) }))).toEqual(['CERTIFICATE_EXPIRED']);
  });

  test('[rev.6] a signer that was revoked later is believed with proof, and not without', () => {
    const evidence = {
      crls: [makeCrl({ issuer: root, revoked: [{ certificate: leaf, at: at('2026-06-01'), reason: 4 }] })],
      ocsps: [],
    };
    expect(codes(judge([claim(leaf)], { evidence }))).toEqual(['CERTIFICATE_REVOKED']);
    expect(codes(judge([claim(leaf, stamp(at('2026-05-01')))], { evidence }))).toEqual([]);
    expect(codes(judge([claim(leaf, stamp(at('2026-07-01')))], { evidence }))).toEqual([
      'CERTIFICATE_REVOKED',
    ]);
    const ignoring = { evidence, timestamp: 'ignore' } as const;
    expect(codes(judge([claim(leaf, stamp(at('2026-05-01')))], ignoring))).toEqual(['CERTIFICATE_REVOKED']);
  });
});

describe('what publishers ask', () => {
  const proof = () => stamp(at('2026-05-01'));

  test('[pub.14] a timestamp, for themselves', () => {
    const owner = publisher({ timestamp: 'require' });
    expect(codes(judge([claim(leaf)], { owner }))).toEqual(['TIMESTAMP_MISSING']);
    expect(codes(judge([claim(leaf, proof())], { owner }))).toEqual([]);
    expect(codes(judge([claim(leaf, proof())], { owner, timestamp: 'ignore' }))).toEqual([
      'TIMESTAMP_MISSING',
    ]);
  });

  test('[pub.14] no timestamp: what it would save is not saved', () => {
    const owner = publisher({ timestamp: 'ignore' });
    expect(codes(judge([claim(expired, stamp(at('2026-02-10')))], { owner }))).toEqual([
      'CERTIFICATE_EXPIRED',
    ]);
    expect(codes(judge([claim(leaf, proof())], { owner }))).toEqual([]);
  });

  test('[pub.14] of what caller and publisher ask about revocation, the stricter', () => {
    const judged = (own: Publisher['revocation'], asked?: ClaimPolicy['revocation']) =>
      codes(
        judge([claim(leaf)], {
          owner: publisher(own ? { revocation: own } : {}),
          ...(asked && { revocation: asked }),
        }),
      );
    expect(judged('require')).toEqual(['REVOCATION_UNKNOWN']);
    expect(judged('require', 'off')).toEqual(['REVOCATION_UNKNOWN']);
    expect(judged('off', 'require')).toEqual(['REVOCATION_UNKNOWN']);
    expect(judged(undefined, 'require')).toEqual(['REVOCATION_UNKNOWN']);
    expect(judged('if-present')).toEqual([]);
    const crls = [makeCrl({ issuer: root, revoked: [{ certificate: leaf }] })];
    const evidence = { crls, ocsps: [] };
    expect(codes(judge([claim(leaf)], { owner: publisher({ revocation: 'off' }), evidence }))).toEqual([]);
    const asked = { owner: publisher({ revocation: 'off' }), evidence, revocation: 'if-present' } as const;
    expect(codes(judge([claim(leaf)], asked))).toEqual(['CERTIFICATE_REVOKED']);
  });

  test('[pub.8] as many signers as they need, by key', async () => {
    const owner = publisher({ threshold: 2 });
    const second = await makeCertificate({ issuer: other, subject: 'CN=Second' });
    const renewed = await makeCertificate({ issuer: other, subject: 'CN=Signer', key: leaf.privateKey });
    const stranger = await makeCertificate({ subject: 'CN=Stranger' });
    expect(codes(judge([claim(leaf)], { owner }))).toEqual(['THRESHOLD_NOT_MET']);
    expect(codes(judge([claim(leaf), claim(leaf)], { owner }))).toEqual(['THRESHOLD_NOT_MET']);
    expect(codes(judge([claim(leaf), claim(renewed)], { owner }))).toEqual(['THRESHOLD_NOT_MET']);
    expect(codes(judge([claim(leaf), claim(stranger)], { owner }))).toEqual(['THRESHOLD_NOT_MET']);
    expect(codes(judge([claim(leaf), claim(second)], { owner }))).toEqual([]);
  });

  test('[pub.8] [path.25] one key that is spelled in two ways is one signer', async () => {
    const owner = publisher({ threshold: 2 });
    const spki = compressed(leaf);
    const twin = await makeCertificate({ issuer: other, subject: 'CN=Twin', key: leaf.privateKey, spki });
    expect(twin.certificate.spkiSha256).not.toBe(leaf.certificate.spkiSha256);
    expect(codes(judge([claim(leaf), claim(twin)], { owner }))).toEqual(['THRESHOLD_NOT_MET']);
  });

  test('[sig.7] one signer that is trusted is enough, what is wrong with another is told', async () => {
    const stranger = await makeCertificate({ subject: 'CN=Stranger' });
    const judged = judge([claim(stranger), claim(leaf)]);
    expect(codes(judged)).toEqual([]);
    expect(judged.warnings.map(({ error }) => error.code)).toEqual(['SIGNER_UNKNOWN']);
    expect(codes(judge([claim(stranger), claim(expired)])).sort()).toEqual([
      'CERTIFICATE_EXPIRED',
      'SIGNER_UNKNOWN',
    ]);
    expect(codes(judge([]))).toEqual(['SIGNER_UNKNOWN']); // nothing to judge is no trust
  });
});

describe('publishers that share an anchor', () => {
  const anchorsOf = (...owners: readonly Partial<Publisher>[]) =>
    owners.map((given, i) => ({
      certificate: root.certificate,
      source: 'test',
      publisher: publisher({ name: `p${i}`, ...given }),
    }));
  const shared = (
    owners: readonly Partial<Publisher>[],
    claims: readonly SignerClaim[],
    policy: Given = {},
  ) => judge(claims, { trust: { anchors: anchorsOf(...owners), pins: [] }, ...policy });
  const names = ({ publishers }: ClaimsJudgement) => publishers.map(({ name }) => name);
  const revoked = () => ({
    crls: [makeCrl({ issuer: root, revoked: [{ certificate: leaf, reason: 1 }] })],
    ocsps: [],
  });
  const elsewhere = { subjects: ['CN=Somebody else'] };

  test('[pub.15] one that looks at no revocation speaks for its own signers alone', () => {
    const policy = { evidence: revoked() };
    const lax = { ...elsewhere, revocation: 'off' } as const;
    for (const owners of [[lax, {}], [{}, lax], [lax, { revocation: 'if-present' }] as const]) {
      expect(codes(shared(owners, [claim(leaf)], policy))).toContain('CERTIFICATE_REVOKED');
    }
    const own = shared([{ revocation: 'off' }, {}], [claim(leaf)], policy);
    expect([codes(own), names(own)]).toEqual([[], ['p0']]); // and never for the other
  });

  test('[pub.15] [rev.9] one that looks at no revocation hides nothing that another has found', () => {
    const policy = { evidence: revoked() };
    const [off, strict] = [{ ...elsewhere, revocation: 'off' } as const, {}];
    const alone = shared([strict], [claim(leaf)], policy).judgements[0];
    expect([alone?.revocation.seen.size, alone?.revocation.statuses[0]?.status]).toEqual([2, 'revoked']); // the list, and that it revokes
    for (const first of [off, { revocation: 'off' } as const]) {
      for (const owners of [
        [first, strict],
        [strict, first],
      ]) {
        const [judgement] = shared(owners, [claim(leaf)], policy).judgements;
        expect(judgement?.revocation.seen).toEqual(alone?.revocation.seen);
        if (first === off) expect(judgement).toMatchObject({ mode: 'if-present', signer: alone?.signer });
        if (first === off) expect(judgement?.revocation.statuses).toEqual(alone?.revocation.statuses);
      }
    }
  });

  test('[pub.15] what one demands, another need not', () => {
    const strict = [{ revocation: 'require' }, {}] as const;
    expect(names(shared(strict, [claim(leaf)]))).toEqual(['p1']);
    expect(names(shared([{ timestamp: 'require' }, {}], [claim(leaf)]))).toEqual(['p1']);
    const proven = claim(leaf, stamp(at('2026-05-01')));
    expect(names(shared([{ timestamp: 'require' }, {}], [proven]))).toEqual(['p0', 'p1']);
    expect(names(shared([{}, { until: at('2026-06-01') }], [claim(leaf)]))).toEqual(['p0']);
  });

  test('[pub.15] one that takes timestamps does not date signatures for one that ignores them', () => {
    const late = claim(expired, stamp(at('2026-02-10')));
    expect(names(shared([{ timestamp: 'ignore' }, {}], [late]))).toEqual(['p1']);
    expect(codes(shared([{ timestamp: 'ignore' }, elsewhere], [late]))).toContain('CERTIFICATE_EXPIRED');
  });

  test('[pub.15] a threshold counts those that its own publisher accepts', async () => {
    const second = await makeCertificate({ issuer: root, subject: 'CN=Second' });
    const both = [claim(leaf), claim(second)];
    const strict = { threshold: 2, revocation: 'if-present' } as const;
    expect(names(shared([strict, { revocation: 'off' }], both))).toEqual(['p0', 'p1']);
    expect(names(shared([strict, { revocation: 'off' }], both, { evidence: revoked() }))).toEqual(['p1']);
    const alone = shared([strict, { ...elsewhere, revocation: 'off' }], both, { evidence: revoked() });
    expect(codes(alone)).toEqual(['THRESHOLD_NOT_MET', 'SUBJECT_REFUSED']); // [pub.10]
  });

  test('[pub.15] the caller’s demand holds beside each of theirs', () => {
    for (const revocation of ['off', 'if-present', undefined] as const) {
      const owners = [{ ...(revocation && { revocation }) }, elsewhere];
      expect(codes(shared(owners, [claim(leaf)], { revocation: 'require' }))).toContain('REVOCATION_UNKNOWN');
    }
  });

  test('[pub.15] a publisher that looks at no revocation speaks of its signers, not of timestamp authorities', () => {
    const evidence = {
      crls: [makeCrl({ issuer: timestampRoot, revoked: [{ certificate: authority }] })],
      ocsps: [],
    };
    const late = claim(expired, stamp(at('2026-02-10')));
    expect(codes(shared([{ revocation: 'off' }], [late], { evidence }))).toEqual(['CERTIFICATE_EXPIRED']);
    expect(codes(shared([{ revocation: 'off' }], [late], { evidence, revocation: 'off' }))).toEqual([]);
    expect(
      codes(
        shared([{ revocation: 'require' }], [late], {
          evidence: { crls: [makeCrl({ issuer: root })], ocsps: [] },
        }),
      ),
    ).toEqual(['CERTIFICATE_EXPIRED']);
  });
});

test('[rev.10] a key that is pinned is looked up, and so is a leaf that is an anchor', () => {
  const evidence = {
    crls: [makeCrl({ issuer: root, revoked: [{ certificate: leaf, reason: 1 }] })],
    ocsps: [],
  };
  const alone = { anchors: [], pins: [leaf.certificate.spkiSha256] };
  const brought: SignerClaim = { ...claim(leaf), intermediates: [root.certificate] };
  expect(codes(judge([claim(leaf)], { trust: alone }))).toEqual([]);
  expect(codes(judge([brought], { trust: alone, evidence }))).toEqual(['CERTIFICATE_REVOKED']);
  expect(codes(judge([claim(leaf)], { trust: alone, evidence }))).toEqual(['REVOCATION_UNKNOWN']);
  expect(codes(judge([claim(leaf)], { trust: alone, revocation: 'require' }))).toEqual([
    'REVOCATION_UNKNOWN',
  ]);
  const given = [leaf, root].map(({ certificate }) => ({ certificate, source: 'test' }));
  const asAnchor = { trust: { anchors: given, pins: [] }, revocation: 'require' } as const;
  expect(codes(judge([claim(leaf)], { ...asAnchor, evidence }))).toEqual(['CERTIFICATE_REVOKED']);
  const cleared = { crls: [makeCrl({ issuer: root })], ocsps: [] };
  expect(codes(judge([claim(leaf)], { ...asAnchor, evidence: cleared }))).toEqual([]);
});

describe('a pinned key in a certificate that anybody has made', () => {
  const pinned = (...owners: readonly TestCertificate[]) => ({
    trust: {
      anchors: owners.map(({ certificate }) => ({ certificate, source: 'test' })),
      pins: [leaf.certificate.spkiSha256],
    },
  });

  test('[path.17] [rev.10] is trusted where nothing is given about revocation, and nowhere else', async () => {
    const { privateKey: key } = leaf;
    const forger = await makeAuthority({ subject: 'CN=Forger' });
    const forged = await makeCertificate({ subject: 'CN=Forged', issuer: forger, key });
    const own = await makeCertificate({ subject: 'CN=Own', key });
    const revoking = makeCrl({ issuer: root, revoked: [{ certificate: leaf, reason: 1 }] });
    const evidence = { crls: [revoking], ocsps: [] };
    const brought = { ...evidence, brought: 1 };
    for (const signer of [forged, own]) {
      const claims: SignerClaim[] = [{ ...claim(signer), intermediates: [forger.certificate] }];
      for (const owners of [[], [root]]) {
        expect(codes(judge(claims, pinned(...owners)))).toEqual([]);
        expect(codes(judge(claims, { ...pinned(...owners), evidence: brought }))).toEqual([]);
        expect(codes(judge(claims, { ...pinned(...owners), evidence }))).toEqual(['REVOCATION_UNKNOWN']);
        expect(codes(judge(claims, { ...pinned(...owners), evidence, revocation: 'off' }))).toEqual([]);
      }
      // a revocation of his own, younger than the signature, does not help either
      const later = makeCrl({ issuer: forger, revoked: [{ certificate: forged, at: NOON }] });
      const both = { crls: [revoking, later], ocsps: [], brought: 1 };
      expect(codes(judge(claims, { ...pinned(), evidence: both })).length).toBe(1);
    }
    expect(codes(judge([claim(leaf)], { ...pinned(root), evidence }))).toEqual(['CERTIFICATE_REVOKED']);
    const good = { crls: [makeCrl({ issuer: root })], ocsps: [] };
    expect(codes(judge([claim(leaf)], { ...pinned(root), evidence: good }))).toEqual([]);
  });

  test('[rev.16] is known to be revoked by its key, in whatever certificate it comes', async () => {
    const forged = await makeCertificate({ subject: 'CN=Forged', key: leaf.privateKey });
    const evidence = { crls: [makeCrl({ issuer: root, revoked: [{ certificate: leaf }] })], ocsps: [] };
    const { judgements } = judge([claim(leaf)], { ...pinned(root), evidence });
    const seen = judgements[0]?.revocation.seen ?? new Map();
    expect(codes(judge([claim(forged)], { ...pinned(), seen }))).toEqual(['CERTIFICATE_REVOKED']);
    const forger = await makeAuthority({ subject: 'CN=Forger' });
    const foreign = await makeCertificate({ subject: 'CN=Forged', issuer: forger, key: leaf.privateKey });
    const own = {
      crls: [makeCrl({ issuer: forger, revoked: [{ certificate: foreign }] })],
      ocsps: [],
      brought: 1,
    };
    const claims: SignerClaim[] = [{ ...claim(foreign), intermediates: [forger.certificate] }];
    const strange = judge(claims, { ...pinned(), evidence: own }).judgements[0]?.revocation.seen ?? new Map();
    expect(codes(judge([claim(leaf)], { ...pinned(), seen: strange }))).toEqual([]); // a stranger revokes nobody's key
  });
});

test('[rev.9] lists of authorities that nobody trusts are not remembered', async () => {
  const evil = await makeAuthority({ subject: 'CN=Evil' });
  const signer = await makeCertificate({ issuer: evil });
  const evidence = { crls: [makeCrl({ issuer: evil })], ocsps: [] };
  const strange: SignerClaim = {
    leaf: signer.certificate,
    intermediates: [evil.certificate],
    timestamps: [],
  };
  expect(judge([strange], { evidence }).judgements[0]?.revocation).toMatchObject({
    statuses: [],
    seen: new Map(),
  });
  const known = judge([claim(leaf)], { evidence: { crls: [makeCrl({ issuer: root })], ocsps: [] } });
  expect(known.judgements[0]?.revocation.seen.size).toBe(1);
});

describe('authorities of timestamps', () => {
  const stamped = () => claim(leaf, stamp(at('2026-06-01')));
  const list = (day: string, revoked: Parameters<typeof makeCrl>[0]['revoked'] = []) =>
    makeCrl({ issuer: timestampRoot, thisUpdate: at(day), revoked });
  const seenBy = ({ judgements }: ClaimsJudgement) => judgements[0]?.revocation.seen ?? new Map();
  const evidence = (...crls: readonly ReturnType<typeof list>[]) => ({ evidence: { crls, ocsps: [] } });

  test('[rev.9] leave marks, and a list of theirs that is older shows nothing good', () => {
    const seen = seenBy(judge([stamped()], evidence(list('2026-11-20'))));
    expect([...seen.keys()]).toHaveLength(1);
    const old = judge([stamped()], { ...evidence(list('2026-11-10')), seen });
    expect(old.warnings.map(({ error }) => error.message).join()).toContain('has been seen already');
    const anew = judge([stamped()], { ...evidence(list('2026-11-20')), seen });
    expect(anew.warnings).toEqual([]);
  });

  test('[rev.13] are missed when their list is left out, and prove nothing where proof is demanded', async () => {
    const seen = seenBy(judge([stamped()], evidence(list('2026-11-20'))));
    const without = judge([stamped()], { seen });
    expect(without.errors).toEqual([]);
    expect(without.warnings.map(({ error }) => error.message).join()).toContain('is not here');
    const signers = makeCrl({ issuer: root });
    const asking = { seen, revocation: 'require', timestamp: 'require' } as const;
    expect(codes(judge([stamped()], { ...asking, ...evidence(signers) }))).toEqual(['TIMESTAMP_INVALID']);
    expect(codes(judge([stamped()], { ...asking, ...evidence(signers, list('2026-11-21')) }))).toEqual([]);
  });

  test('[rev.9] that are revoked leave a mark; those under a signer that nobody knows do not', async () => {
    const gone = evidence(list('2026-11-20', [{ certificate: authority, reason: 1 }]));
    expect(seenBy(judge([stamped()], gone)).size).toBe(2); // the list, and that it revokes
    const stranger = await makeCertificate({ subject: 'CN=Stranger' });
    const unknown = judge([claim(stranger, stamp(at('2026-06-01')))], evidence(list('2026-11-20')));
    expect(codes(unknown)).toContain('SIGNER_UNKNOWN');
    expect(seenBy(unknown).size).toBe(0);
  });
});
