import { beforeAll, describe, expect, test } from 'vitest';
import type { HighWaterMarks } from '../../../src/trust/revocation/evidence.ts';
import { joinSeen } from '../../../src/trust/revocation/marks.ts';
import { makeAuthority, makeCertificate, NOON, type TestCertificate } from '../../factory/certificates.ts';
import { makeCrl, pointValue, type TestCrlOptions } from '../../factory/crls.ts';
import { makeOcsp, type TestAnswer } from '../../factory/ocsp.ts';
import { judged, outcome, type TestRevocation } from '../../factory/revoking.ts';

const HOUR = 3_600_000;
const at = (hours: number) => new Date(+NOON + hours * HOUR);
const UNKNOWN = 'REVOCATION_UNKNOWN';
const REVOKED = 'CERTIFICATE_REVOKED';
let root: TestCertificate;
let leaf: TestCertificate;
let other: TestCertificate;

type Evidence = Pick<TestRevocation, 'crls' | 'ocsps'>;

beforeAll(async () => {
  root = await makeAuthority({ subject: 'CN=Root' });
  leaf = await makeCertificate({ issuer: root });
  other = await makeCertificate({ subject: 'CN=Other', issuer: root });
});

const list = (options: Partial<TestCrlOptions> = {}) => makeCrl({ issuer: root, ...options });
const answer = (answers: Partial<TestAnswer> = {}) =>
  makeOcsp({ issuer: root, answers: [{ certificate: leaf, ...answers }] });
const marksOf = (evidence: Evidence, certificate = leaf) =>
  judged({ path: [certificate, root], ...evidence, mode: 'if-present' }).seen;
const bothModes = (evidence: Evidence, seen: HighWaterMarks) =>
  (['if-present', 'require'] as const).map((mode) =>
    outcome({ path: [leaf, root], ...evidence, seen, mode }),
  );

/** Of different kinds and scopes, all older than what was seen, and all of them fresh by their own dates. */
const older = (): readonly (readonly [string, Evidence])[] => {
  const thisUpdate = at(-10);
  const changed = list({ number: 6, base: 4, thisUpdate: at(-5) });
  return [
    ['nothing', {}],
    ['an answer', { ocsps: [answer({ thisUpdate })] }],
    ['a list', { crls: [list({ thisUpdate })] }],
    ['a list of users', { crls: [list({ thisUpdate, point: pointValue({ onlyUsers: true }) })] }],
    ['a list with an old change', { crls: [list({ thisUpdate, number: 4 }), changed] }],
  ];
};

describe('that a certificate was revoked', () => {
  const revoked = () => [{ certificate: leaf, at: at(-20) }];
  const seenFirst = (): readonly Evidence[] => [
    { crls: [list({ number: 5, revoked: revoked() })] },
    { ocsps: [answer({ status: 'revoked', at: at(-20) })] },
    { crls: [list({ point: pointValue({ onlyUsers: true }), revoked: revoked() })] },
    { crls: [list({ number: 7, base: 6, revoked: revoked() })] },
  ];

  test('[rev.16] counts though what said so is left out, or something older is brought', () => {
    for (const seen of seenFirst().map((evidence) => marksOf(evidence)))
      for (const [name, evidence] of older())
        expect(bothModes(evidence, seen), name).toEqual([REVOKED, REVOKED]);
  });

  test('[rev.16] is taken back by what is newer, for good', () => {
    for (const seen of seenFirst().map((evidence) => marksOf(evidence))) {
      for (const newer of [
        { crls: [list({ number: 8, thisUpdate: at(-0.5) })] },
        { ocsps: [answer({ thisUpdate: at(-0.5) })] },
      ]) {
        expect(bothModes(newer, seen)).toEqual(['good', 'good']);
        const path = [leaf, root];
        const then = joinSeen([seen, judged({ path, ...newer, seen }).seen]);
        expect(bothModes({}, then)).toEqual(['good', UNKNOWN]);
        expect(bothModes({ ocsps: [answer({ status: 'revoked', thisUpdate: at(-0.2) })] }, then)).toEqual([
          REVOKED,
          REVOKED,
        ]);
      }
    }
  });

  test('[rev.16] [rev.6] counts as it was told: older signatures do, with the strictest of all', () => {
    const proven = { from: at(-30), to: at(-30) };
    const judge = (seen: HighWaterMarks) => outcome({ path: [leaf, root], seen, proven, mode: 'if-present' });
    const plain = marksOf({ crls: [list({ revoked: revoked() })] });
    expect(judge(plain)).toBe('good');
    const compromised = marksOf({ ocsps: [answer({ status: 'revoked', at: at(-20), reason: 1 })] });
    expect(judge(joinSeen([plain, compromised]))).toBe(REVOKED);
    expect(judge(joinSeen([compromised, plain]))).toBe(REVOKED);
  });

  test('[rev.16] says nothing of other certificates, nor of other issuers', async () => {
    const seen = marksOf({ ocsps: [answer({ status: 'revoked' })] });
    expect(outcome({ path: [other, root], ocsps: [], seen, mode: 'if-present' })).toBe('good');
    const namesake = await makeAuthority({ subject: 'CN=Root' });
    const same = { ...leaf, certificate: leaf.certificate };
    expect(outcome({ path: [same, namesake], seen, mode: 'if-present' })).toBe('good');
  });
});

describe('evidence that is older than any that was seen of the issuer', () => {
  test('[rev.9] shows nothing good, whatever kind or scope it is of', () => {
    const users = pointValue({ onlyUsers: true });
    const marks: readonly HighWaterMarks[] = [
      marksOf({ crls: [list({ number: 5 })] }, other), // of another bundle
      marksOf({ crls: [list({ number: 5, point: users })] }, other),
      marksOf({ ocsps: [answer()] }),
      marksOf({ crls: [list({ number: 4, thisUpdate: at(-9) }), list({ number: 6, base: 4 })] }, other),
    ];
    for (const seen of marks)
      for (const [name, evidence] of older())
        expect(bothModes(evidence, seen), name).toEqual(['good', UNKNOWN]);
  });

  test('[rev.9] a fresh change makes an old list as new as itself', () => {
    const base = list({ number: 4, thisUpdate: at(-10), nextUpdate: at(-9) });
    const change = list({ number: 6, base: 4, thisUpdate: at(-2) });
    const seen = marksOf({ crls: [list({ number: 5, thisUpdate: at(-3) })] });
    expect(bothModes({ crls: [base, change] }, seen)).toEqual(['good', 'good']);
    const then = joinSeen([seen, judged({ path: [leaf, root], crls: [base, change], seen }).seen]);
    expect(bothModes({ crls: [base, change] }, then)).toEqual(['good', 'good']);
    expect(bothModes({ crls: [base] }, then)).toEqual(['good', UNKNOWN]);
    const early = list({ number: 5, thisUpdate: at(3) });
    expect(bothModes({ crls: [early, change] }, new Map())).toEqual(['good', UNKNOWN]);
  });

  test('[rev.9] lists of one point say nothing of those of another', () => {
    const point = (name: string) => pointValue({ uri: `http://acme.example/${name}` });
    const seen = marksOf({ crls: [list({ point: point('a') })] }, other);
    expect(bothModes({ crls: [list({ thisUpdate: at(-10) })] }, seen)).toEqual(['good', 'good']);
  });
});
