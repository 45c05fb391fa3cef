import { beforeAll, describe, expect, test } from 'vitest';
import { makeAuthority, makeCertificate, NOON, type TestCertificate } from '../../factory/certificates.ts';
import { makeCrl, type TestCrlOptions, unknownCritical } from '../../factory/crls.ts';
import { makeOcsp } from '../../factory/ocsp.ts';
import { judged, outcome } from '../../factory/revoking.ts';

const REVOKED = 'CERTIFICATE_REVOKED';
const UNKNOWN = 'REVOCATION_UNKNOWN';
const MODES = ['require', 'if-present'] as const;
let root: TestCertificate;
let leaf: TestCertificate;
let namesake: TestCertificate;

beforeAll(async () => {
  root = await makeAuthority({ subject: 'CN=Root' });
  leaf = await makeCertificate({ issuer: root });
  namesake = await makeAuthority({ subject: 'CN=Root' });
});

const list = (options: Partial<TestCrlOptions> = {}) => makeCrl({ issuer: root, ...options });
const revoking = (options: Partial<TestCrlOptions> = {}) =>
  list({ revoked: [{ certificate: leaf, reason: 1 }], ...options });

describe('a leaf that is trusted by itself', () => {
  test('[rev.10] is revoked by its issuer, whoever brought the certificate of that', () => {
    for (const mode of MODES) {
      expect(outcome({ path: [leaf], crls: [revoking()], given: [root], mode })).toBe(REVOKED);
      expect(outcome({ path: [leaf], crls: [revoking()], issuers: [root], mode })).toBe(REVOKED);
      expect(
        outcome({
          path: [leaf],
          ocsps: [makeOcsp({ issuer: root, answers: [{ certificate: leaf, status: 'revoked' }] })],
          issuers: [root],
          mode,
        }),
      ).toBe(REVOKED);
    }
    expect(outcome({ path: [leaf], crls: [revoking()], given: [root], mode: 'off' })).toBe('good');
  });

  test('[rev.10] is cleared by an issuer that the user gave, and by no other', () => {
    expect(outcome({ path: [leaf], crls: [list()], given: [root] })).toBe('good');
    expect(outcome({ path: [leaf], crls: [list()], issuers: [root] })).toBe(UNKNOWN);
    expect(
      outcome({
        path: [leaf],
        ocsps: [makeOcsp({ issuer: root, answers: [{ certificate: leaf }] })],
        given: [root],
      }),
    ).toBe('good');
    expect(outcome({ path: [leaf] })).toBe(UNKNOWN);
    const brought = judged({ path: [leaf], crls: [list()], issuers: [root], mode: 'if-present' });
    expect(brought.findings.map(({ allowed }) => allowed)).toEqual(['lenient']);
    expect(brought.seen.size).toBe(0);
    expect(judged({ path: [leaf], crls: [list()], given: [root] }).seen.size).toBe(1);
    expect(outcome({ path: [leaf], mode: 'if-present' })).toBe('good');
  });

  test('[rev.10] does not clear itself', async () => {
    const own = await makeCertificate({ subject: 'CN=Own', keyUsage: ['digitalSignature', 'cRLSign'] });
    const clearing = makeCrl({ issuer: own });
    expect(outcome({ path: [own], crls: [clearing] })).toBe(UNKNOWN);
    const twin = await makeCertificate({ subject: 'CN=Own', key: own.privateKey, keyUsage: ['cRLSign'] });
    expect(outcome({ path: [own], crls: [clearing], given: [twin] })).toBe(UNKNOWN);
    const ending = makeCrl({ issuer: own, revoked: [{ certificate: own }] });
    expect(outcome({ path: [own], crls: [ending], mode: 'if-present' })).toBe(REVOKED);
  });

  test('[rev.11] what revokes it and cannot be checked is not passed over', async () => {
    const mute = await makeAuthority({ subject: 'CN=Root', key: root.privateKey, keyUsage: ['keyCertSign'] });
    for (const mode of MODES) {
      expect(outcome({ path: [leaf], crls: [revoking()], mode })).toBe(UNKNOWN);
      expect(outcome({ path: [leaf], crls: [revoking()], issuers: [namesake], mode })).toBe(UNKNOWN);
      expect(outcome({ path: [leaf], crls: [revoking()], issuers: [mute], mode })).toBe(UNKNOWN);
      expect(
        outcome({
          path: [leaf],
          ocsps: [makeOcsp({ issuer: root, answers: [{ certificate: leaf, status: 'revoked' }] })],
          mode,
        }),
      ).toBe(UNKNOWN);
    }
    expect(outcome({ path: [leaf], crls: [revoking()], mode: 'off' })).toBe('good');
    const newer = list({ thisUpdate: new Date(+NOON - 60_000), number: 2 });
    expect(outcome({ path: [leaf], crls: [revoking(), newer], given: [root] })).toBe('good');
    expect(outcome({ path: [leaf], crls: [list()], mode: 'if-present' })).toBe('good'); // a warning
    expect(judged({ path: [leaf], crls: [list()], mode: 'if-present' }).findings).toHaveLength(1);
  });
});

describe('what has revoked the end of a path', () => {
  test('[rev.13] and was brought along with its issuer is missed when neither comes again', async () => {
    const sub = await makeAuthority({ subject: 'CN=Sub', issuer: root });
    const below = await makeCertificate({ issuer: sub });
    for (const path of [[leaf], [below, sub]]) {
      const crls = [list({ revoked: path.slice(-1).map((certificate) => ({ certificate })) })];
      const own = path.length > 1 ? [makeCrl({ issuer: sub })] : [];
      const { seen } = judged({ path, crls, issuers: [root], mode: 'if-present' });
      expect(seen.size).toBe(1);
      const again = judged({ path, crls: own, seen, mode: 'if-present' });
      expect(again.findings.map(({ error, allowed }) => [error.code, allowed])).toEqual([
        [UNKNOWN, 'lenient'],
      ]);
      expect(again.findings[0]?.error.message).toContain('has been seen before and is not here');
      // a list from before it does not do, one that takes the revocation back does
      const at = (minutes: number) => [
        ...own,
        list({ thisUpdate: new Date(+NOON - minutes * 60_000), number: 2 }),
      ];
      const heard = (minutes: number) =>
        judged({ path, crls: at(minutes), given: [root], seen, mode: 'if-present' }).findings.length;
      if (path.length > 1) expect(heard(120)).toBe(1);
      expect(heard(30)).toBe(0);
      expect(outcome({ path, crls: own, seen, mode: 'require' })).toBe(path.length > 1 ? 'good' : UNKNOWN);
    }
  });

  test('[rev.14] and may not be used refuses beside what is older, for an anchor too', async () => {
    const sub = await makeAuthority({ subject: 'CN=Sub', issuer: root });
    const path = [await makeCertificate({ issuer: sub }), sub];
    const doubted = list({ revoked: [{ certificate: sub }], extensions: [unknownCritical()] });
    const older = list({ thisUpdate: new Date(+NOON - 5 * 3_600_000) });
    expect(outcome({ path, crls: [older, doubted], given: [root], mode: 'if-present' })).toBe(UNKNOWN);
  });
});

describe('an anchor that another has issued', () => {
  test('[rev.10] is revoked by that, and need not be cleared', async () => {
    const sub = await makeAuthority({ subject: 'CN=Sub', issuer: root });
    const below = await makeCertificate({ issuer: sub });
    const path = [below, sub];
    const own = makeCrl({ issuer: sub });
    const gone = list({ revoked: [{ certificate: sub }] });
    expect(outcome({ path, crls: [own] })).toBe('good');
    expect(outcome({ path, crls: [own, list()], given: [root] })).toBe('good');
    for (const mode of MODES) {
      expect(outcome({ path, crls: [own, gone], given: [root], mode })).toBe(REVOKED);
      expect(outcome({ path, crls: [own, gone], issuers: [root], mode })).toBe(REVOKED);
      expect(outcome({ path, crls: [own, gone], mode })).toBe(UNKNOWN);
    }
    expect(judged({ path, crls: [own] }).statuses).toHaveLength(1);
  });
});
