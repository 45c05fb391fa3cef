import { beforeAll, describe, expect, test } from 'vitest';
import type { ClaimPolicy } from '../../src/trust/judge-claim.ts';
import { judgeClaims } from '../../src/trust/judge-claims.ts';
import { openBudget } from '../../src/trust/path/budget.ts';
import { NO_ALLOWANCES } from '../../src/trust/policy.ts';
import { makeAuthority, makeCertificate, NOON, type TestCertificate } from '../factory/certificates.ts';
import { makeTimestampAuthority, makeToken } from '../factory/timestamps.ts';

let root: TestCertificate;
let sub: TestCertificate;
let leaf: TestCertificate;
beforeAll(async () => {
  root = await makeAuthority({ subject: 'CN=Root' });
  sub = await makeAuthority({ subject: 'CN=Sub', issuer: root });
  leaf = await makeCertificate({ subject: 'CN=Release', issuer: sub });
});

/** The errors, or what vouches. */
function judge(brought: readonly TestCertificate[], policy: Partial<ClaimPolicy>) {
  const claim = {
    leaf: leaf.certificate,
    intermediates: brought.map(({ certificate }) => certificate),
    timestamps: [],
  };
  const { errors, judgements } = judgeClaims([claim], {
    trust: { anchors: [], pins: [] },
    timestamping: [],
    allowances: NO_ALLOWANCES,
    at: NOON,
    evidence: { crls: [], ocsps: [] },
    seen: new Map(),
    budget: openBudget(),
    ...policy,
  });
  if (errors.length > 0) return errors.map(({ code }) => code);
  const { pin, anchor } = judgements[0]?.signer.trustedBy ?? {};
  return pin ? ['key'] : [anchor?.certificate.fields.subject.text, anchor?.source];
}
const pinOf = (...pins: readonly string[]) => ({ trust: { anchors: [], pins } });
const vouching = ({ certificate }: TestCertificate) => [
  certificate.fields.subject.text,
  `the pinned certificate sha256:${certificate.fingerprint.slice(0, 16)}…, ${certificate.fields.subject.text}`,
];

describe('[path.26] a pin that is the fingerprint of a certificate', () => {
  test('makes it an anchor, signer or CA, that came with the signature or was given', () => {
    expect(judge([], pinOf(leaf.certificate.fingerprint))).toEqual(vouching(leaf));
    expect(judge([sub], pinOf(sub.certificate.fingerprint))).toEqual(vouching(sub));
    expect(judge([sub, root], pinOf(root.certificate.fingerprint))).toEqual(vouching(root));
    const untrusted = [root.certificate, sub.certificate];
    expect(judge([], { ...pinOf(root.certificate.fingerprint), untrusted })).toEqual(vouching(root));
  });

  test('leads nowhere when it is not at hand, or issued nothing here', async () => {
    expect(judge([], pinOf(sub.certificate.fingerprint))).toEqual(['SIGNER_UNKNOWN']);
    expect(judge([sub], pinOf(root.certificate.fingerprint))).toEqual(['SIGNER_UNKNOWN']);
    const namesake = await makeAuthority({ subject: 'CN=Sub' });
    expect(judge([namesake, sub], pinOf(namesake.certificate.fingerprint))).toEqual(['SIGNER_UNKNOWN']);
  });

  test('keeps the limits that are in it, and its own time', async () => {
    const past = { notBefore: new Date('2016-01-01'), notAfter: new Date('2018-01-01') };
    const old = await makeAuthority({ subject: 'CN=Sub', key: sub.privateKey, ...past });
    expect(judge([old], pinOf(old.certificate.fingerprint))).toEqual(['CERTIFICATE_EXPIRED']);
    const noCa = await makeCertificate({ subject: 'CN=Sub', key: sub.privateKey });
    expect(judge([noCa], pinOf(noCa.certificate.fingerprint))).toEqual(['PATH_CONSTRAINT']);
  });

  test('and one that is of a key is of the signer alone', () => {
    expect(judge([], pinOf(leaf.certificate.spkiSha256))).toEqual(['key']);
    expect(judge([sub, root], pinOf(sub.certificate.spkiSha256))).toEqual(['SIGNER_UNKNOWN']);
    expect(judge([sub, root], pinOf(root.certificate.spkiSha256, root.certificate.fingerprint))).toEqual(
      vouching(root),
    );
  });

  test('believes no timestamps', async () => {
    const tsaRoot = await makeAuthority({ subject: 'CN=TSA Root' });
    const over = Uint8Array.of(1);
    const token = makeToken({ over, authority: await makeTimestampAuthority(tsaRoot), time: NOON });
    const claim = {
      leaf: leaf.certificate,
      intermediates: [tsaRoot.certificate],
      timestamps: [{ token, over }],
    };
    const { judgements } = judgeClaims([claim], {
      ...pinOf(leaf.certificate.fingerprint, tsaRoot.certificate.fingerprint),
      timestamping: [],
      allowances: NO_ALLOWANCES,
      at: NOON,
      evidence: { crls: [], ocsps: [] },
      seen: new Map(),
      budget: openBudget(),
    });
    expect(judgements[0]?.proven).toBeUndefined();
  });
});

test('[path.27] what is given as untrusted leads to an anchor, and is none', () => {
  const trust = { anchors: [{ certificate: root.certificate, source: 'root.pem' }], pins: [] };
  expect(judge([], { trust })).toEqual(['SIGNER_UNKNOWN']);
  expect(judge([], { trust, untrusted: [sub.certificate] })).toEqual(['CN=Root', 'root.pem']);
  expect(judge([], { untrusted: [sub.certificate, root.certificate, leaf.certificate] })).toEqual([
    'TRUST_EMPTY',
  ]);
});
