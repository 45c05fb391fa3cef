import { beforeAll, expect, test } from 'vitest';
import type { ClaimPolicy, SignerClaim } from '../../src/trust/judge-claim.ts';
import { type ClaimsJudgement, judgeClaims } from '../../src/trust/judge-claims.ts';
import { openBudget } from '../../src/trust/path/budget.ts';
import { kindOfPaths } from '../../src/trust/path/path-kind.ts';
import { NO_ALLOWANCES } from '../../src/trust/policy.ts';
import type { Publisher } from '../../src/trust/publisher.ts';
import { EKU, makeAuthority, makeCertificate, NOON, type TestCertificate } from '../factory/certificates.ts';
import { makePqAuthority, makePqCertificate, type PqCertificate, pqKey } from '../factory/ml-dsa.ts';
import { makeTimestampAuthority, makeToken } from '../factory/timestamps.ts';

type Any = Pick<PqCertificate | TestCertificate, 'certificate'>;

const over = Uint8Array.from(Buffer.from('a signature'));
let rsaRoot: TestCertificate;
let pqRoot: PqCertificate;
let rsa: TestCertificate;
let pq: PqCertificate;
let mixed: PqCertificate;

beforeAll(async () => {
  rsaRoot = await makeAuthority({ subject: 'CN=Classical Root' });
  pqRoot = await makePqAuthority({ subject: 'CN=PQ Root' });
  rsa = await makeCertificate({ issuer: rsaRoot, subject: 'CN=Signer' });
  pq = await makePqCertificate({ issuer: pqRoot, subject: 'CN=PQ Signer' });
  mixed = await makePqCertificate({ issuer: rsaRoot, subject: 'CN=Mixed' });
});

const publisher = (given: Partial<Publisher> = {}): Publisher => ({
  name: 'acme',
  scopes: ['*'],
  subjects: [],
  threshold: 1,
  require: ['post-quantum'],
  ...given,
});

const claim = ({ certificate }: Any, ...between: readonly Any[]): SignerClaim => ({
  leaf: certificate,
  intermediates: between.map((one) => one.certificate),
  timestamps: [],
});

function judge(
  claims: readonly SignerClaim[],
  owners: readonly (readonly [Publisher | undefined, readonly Any[]])[],
  policy: Partial<ClaimPolicy> = {},
): ClaimsJudgement {
  const anchors = owners.flatMap(([owner, certificates]) =>
    certificates.map(({ certificate }) => ({
      certificate,
      source: 'test',
      ...(owner && { publisher: owner }),
    })),
  );
  return judgeClaims(claims, {
    trust: { anchors, pins: [] },
    timestamping: [],
    allowances: NO_ALLOWANCES,
    at: NOON,
    evidence: { crls: [], ocsps: [] },
    seen: new Map(),
    budget: openBudget(),
    ...policy,
  });
}

const codes = ({ errors }: ClaimsJudgement): readonly string[] => errors.map(({ code }) => code);

test('[pq.9] a publisher that requires it has it with a path that is all of it, and not else', () => {
  const all = [[publisher(), [rsaRoot, pqRoot]]] as const;
  expect(codes(judge([claim(rsa), claim(pq)], all))).toEqual([]);
  expect(codes(judge([claim(pq)], all))).toEqual([]);
  expect(codes(judge([claim(rsa)], all))).toEqual(['REQUIREMENT_NOT_MET']); // stripped
  expect(codes(judge([claim(mixed)], all))).toEqual(['REQUIREMENT_NOT_MET']);
  expect(codes(judge([claim(rsa), claim(mixed)], all))).toEqual(['REQUIREMENT_NOT_MET']);
  const free = [[publisher({ require: [] }), [rsaRoot, pqRoot]]] as const;
  expect(codes(judge([claim(rsa)], free))).toEqual([]);
});

test('[pq.9] a stranger, a weak key or another publisher does not meet it', async () => {
  const stranger = await makePqCertificate({ issuer: await makePqAuthority({ subject: 'CN=Else' }) });
  const weak = await makePqCertificate({ issuer: pqRoot, keys: pqKey(44), subject: 'CN=Weak' });
  const all = [[publisher(), [rsaRoot, pqRoot]]] as const;
  for (const one of [stranger, weak])
    expect(codes(judge([claim(rsa), claim(one)], all))).toEqual(['REQUIREMENT_NOT_MET']);
  const allowed = { allowances: { ...NO_ALLOWANCES, weakKeys: true } };
  expect(codes(judge([claim(rsa), claim(weak)], all, allowed))).toEqual(['REQUIREMENT_NOT_MET']);
  const others = [
    [publisher(), [rsaRoot]],
    [publisher({ name: 'other', require: [], threshold: 2 }), [pqRoot]],
  ] as const;
  expect(codes(judge([claim(rsa), claim(pq)], others))).toEqual(
    expect.arrayContaining(['REQUIREMENT_NOT_MET', 'THRESHOLD_NOT_MET']),
  );
});

test('[pq.9] a pinned signer meets it, and one under a mixed chain does not', async () => {
  expect(codes(judge([claim(rsa), claim(mixed)], [[publisher(), [rsaRoot, mixed]]]))).toEqual([]);
  const middle = await makePqAuthority({ issuer: rsaRoot, subject: 'CN=Middle' });
  const leaf = await makePqCertificate({ issuer: middle, subject: 'CN=Under' });
  expect(codes(judge([claim(leaf, middle)], [[publisher(), [rsaRoot]]]))).toEqual(['REQUIREMENT_NOT_MET']);
  expect(codes(judge([claim(leaf, middle)], [[publisher(), [rsaRoot, middle]]]))).toEqual([]);
});

test('[pq.9] keys of both kinds are two for a threshold', () => {
  const two = [[publisher({ threshold: 2 }), [rsaRoot, pqRoot]]] as const;
  expect(codes(judge([claim(rsa), claim(pq)], two))).toEqual([]);
  expect(codes(judge([claim(pq), claim(pq)], two))).toEqual(['THRESHOLD_NOT_MET']);
});

test('[pq.8] the kind of a signer is that of its whole path, the better one of several', () => {
  const paths = (...all: readonly (readonly Any[])[]) =>
    kindOfPaths(all.map((path) => path.map(({ certificate }) => certificate)));
  expect(paths([pq, pqRoot])).toBe('post-quantum');
  expect(paths([mixed, rsaRoot])).toBe('classical');
  expect(paths([mixed, rsaRoot], [mixed])).toBe('post-quantum');
  expect(paths([rsa])).toBe('classical');
  expect(paths()).toBeUndefined();
  expect(paths([])).toBe('classical');
});

test('[pq.10] a classical timestamp does not prolong it, and says why', async () => {
  const timestampRoot = await makeAuthority({ subject: 'CN=TSA Root' });
  const authority = await makeTimestampAuthority(timestampRoot);
  const dates = {
    notBefore: new Date('2026-02-01Z'),
    notAfter: new Date('2026-03-01Z'),
    eku: [EKU.codeSigning],
  };
  const then = new Date('2026-02-10T00:00:00Z');
  const timestamps = [{ token: makeToken({ over, authority, time: then }), over }];
  const timestamping = [{ certificate: timestampRoot.certificate, source: 'test' }];
  const expired = await makePqCertificate({ issuer: pqRoot, subject: 'CN=Over', ...dates });
  const usual = await makeCertificate({ issuer: rsaRoot, subject: 'CN=Over', ...dates });
  const all = [[undefined, [rsaRoot, pqRoot]]] as const;
  expect(codes(judge([{ ...claim(usual), timestamps }], all, { timestamping }))).toEqual([]);
  const refused = judge([{ ...claim(expired), timestamps }], all, { timestamping });
  expect(codes(refused)).toEqual(['CERTIFICATE_EXPIRED']);
  expect(refused.errors[0]?.why).toContain('prolongs no such signature');
  const asked = { timestamping, timestamp: 'require' } as const;
  expect(codes(judge([{ ...claim(pq), timestamps }], all, asked))).toEqual([]);
  expect(codes(judge([claim(pq)], all, asked))).toEqual(['TIMESTAMP_MISSING']);
});
