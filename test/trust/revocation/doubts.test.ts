import { beforeAll, describe, expect, test } from 'vitest';
import type { Crl } from '../../../src/formats/crl/crl.ts';
import { makeAuthority, makeCertificate, NOON, type TestCertificate } from '../../factory/certificates.ts';
import {
  makeCrl,
  pointsValue,
  pointValue,
  REASON,
  type TestCrlOptions,
  unknownCritical,
} from '../../factory/crls.ts';
import { distributionPoints } from '../../factory/extensions.ts';
import { makeOcsp, NO_CHECK, type TestAnswer, unknownAnswerExtension } from '../../factory/ocsp.ts';
import { judged, outcome } from '../../factory/revoking.ts';

const HOUR = 3_600_000;
const at = (hours: number) => new Date(+NOON + hours * HOUR);
const UNKNOWN = 'REVOCATION_UNKNOWN';
const REVOKED = 'CERTIFICATE_REVOKED';
const MODES = ['require', 'if-present'] as const;
const OCSP_SIGNING = '1.3.6.1.5.5.7.3.9';
let root: TestCertificate;
let leaf: TestCertificate;

beforeAll(async () => {
  root = await makeAuthority({ subject: 'CN=Root' });
  leaf = await makeCertificate({ issuer: root });
});

const list = (options: Partial<TestCrlOptions> = {}) => makeCrl({ issuer: root, ...options });
const answer = (answers: Partial<TestAnswer>, signer = root, digest = 'sha256') =>
  makeOcsp({
    issuer: root,
    answers: [{ certificate: leaf, ...answers }],
    signer,
    digest,
    certificates: signer === root ? [] : [signer],
  });
const delegate = (options: Parameters<typeof makeCertificate>[0] = {}) =>
  makeCertificate({ subject: 'CN=Responder', issuer: root, eku: [OCSP_SIGNING], ...options });

describe('changes without their list', () => {
  const changes = (options: Partial<TestCrlOptions> = {}) =>
    list({ number: 6, base: 5, thisUpdate: at(-1), revoked: [{ certificate: leaf }], ...options });
  const judge = (mode: (typeof MODES)[number], ...crls: readonly ReturnType<typeof list>[]) =>
    outcome({ path: [leaf, root], crls, mode });

  test('[crl.13] revoke whom they name, and clear nobody', () => {
    for (const mode of MODES) {
      expect(judge(mode, changes())).toBe(REVOKED);
      expect(judge(mode, changes({ thisUpdate: at(-3), nextUpdate: at(-2) }))).toBe(REVOKED);
      // a list from before their base is not what they change
      expect(judge(mode, changes(), list({ number: 4, thisUpdate: at(-2) }))).toBe(REVOKED);
      expect(judge(mode, changes(), list({ number: false, thisUpdate: at(-2) }))).toBe(REVOKED);
    }
    const empty = judged({ path: [leaf, root], crls: [changes({ revoked: [] })], mode: 'if-present' });
    expect(empty.statuses[0]?.status).toBe('unknown');
    expect(empty.findings[0]?.error.message).toContain('the list that it changes is not at hand');
  });

  test('[crl.13] are taken back by what is newer and fresh, and speaks of the same', () => {
    expect(judge('require', changes(), list({ number: 9, thisUpdate: at(-0.5) }))).toBe('good');
    const taking = changes({ number: 7, thisUpdate: at(-0.5), revoked: [{ certificate: leaf, reason: 8 }] });
    expect(judge('if-present', changes(), taking)).toBe('good');
    expect(judge('if-present', changes(), { ...taking, thisUpdate: at(-2) })).toBe(REVOKED);
    const old = list({ number: 9, thisUpdate: at(-0.5), nextUpdate: at(-0.25) });
    expect(judge('require', changes(), old)).toBe(REVOKED);
    const other = list({ number: 9, thisUpdate: at(-0.5), point: pointValue({ onlyUsers: true }) });
    expect(judge('require', changes(), other)).toBe(REVOKED);
  });

  test('[crl.13] of a stranger revoke nothing', async () => {
    const signer = await makeAuthority({ subject: 'CN=Root' });
    expect(judge('if-present', changes({ signer }))).toBe('good');
  });
});

describe('several words that revoke', () => {
  const proven = { from: at(-50), to: at(-50) };
  const after = { at: at(-20) };
  const revokedLater = () => list({ revoked: [{ certificate: leaf, ...after }] });
  const judge = (
    crls: readonly ReturnType<typeof list>[],
    ocsps: readonly ReturnType<typeof answer>[] = [],
  ) => MODES.map((mode) => outcome({ path: [leaf, root], crls, ocsps, mode, proven }));
  const both = (code: string) => [code, code];

  test('[rev.3] count by the strictest, in whatever order and of whatever kind they are', () => {
    const plain = revokedLater();
    const strict = [
      answer({ status: 'revoked', ...after, reason: 1 }),
      answer({ status: 'revoked', ...after, reason: 6 }),
      answer({ status: 'revoked', at: at(-60) }),
    ];
    expect(judge([plain])).toEqual(both('good'));
    expect(judge([plain], [answer({ status: 'revoked', ...after })])).toEqual(both('good'));
    for (const one of strict) expect(judge([plain], [one])).toEqual(both(REVOKED));
    const users = pointValue({ onlyUsers: true });
    const compromised = list({ point: users, revoked: [{ certificate: leaf, ...after, reason: 1 }] });
    expect(judge([plain, compromised])).toEqual(both(REVOKED));
    expect(judge([compromised, plain])).toEqual(both(REVOKED));
  });

  test('[rev.3] [rev.14] hide no doubt', () => {
    const plain = revokedLater();
    const doubtful = list({
      thisUpdate: at(-0.5),
      revoked: [{ certificate: leaf, reason: 1 }],
      extensions: [unknownCritical()],
    });
    expect(judge([plain, doubtful])).toEqual(both(UNKNOWN));
    expect(judge([doubtful, plain])).toEqual(both(UNKNOWN));
  });
});

describe('what revokes and must not be used', () => {
  const revoked = () => [{ certificate: leaf }];
  const unusable: [string, () => Partial<TestCrlOptions>][] = [
    ['has an unknown critical extension', () => ({ extensions: [unknownCritical()] })],
    ['has an entry with one', () => ({ revoked: [{ certificate: leaf, extensions: [unknownCritical()] }] })],
    ['is over SHA-1', () => ({ digest: 'sha1' })],
  ];

  test.each(unusable)('[rev.14] a list of the issuer that %s is not passed over', (_, options) => {
    for (const mode of MODES) {
      const crls = [list({ revoked: revoked(), ...options() })];
      expect(outcome({ path: [leaf, root], crls, mode })).toBe(UNKNOWN);
      expect(outcome({ path: [leaf, root], crls: [...crls, list({ thisUpdate: at(-2) })], mode })).toBe(
        UNKNOWN,
      );
      expect(outcome({ path: [leaf, root], crls: [...crls, list({ thisUpdate: at(-0.5) })], mode })).toBe(
        'good',
      );
    }
    const about = { ...options(), revoked: [{ certificate: Uint8Array.of(9) }] };
    expect(outcome({ path: [leaf, root], crls: [list(about)], mode: 'if-present' })).toBe('good');
  });

  test('[rev.14] a list of the issuer that is for other certificates by its scope, and names this one, is not passed over', async () => {
    const points = [{ uri: 'http://acme.example/a' }, { onlyAuthorities: true }, { onlyAttributes: true }];
    const stranger = await makeAuthority({ subject: 'CN=Root' });
    for (const point of points.map((one) => pointValue(one))) {
      for (const mode of MODES) {
        const crls = [list({ point, revoked: revoked() })];
        expect(outcome({ path: [leaf, root], crls, mode })).toBe(UNKNOWN);
        const newer = list({ thisUpdate: at(-0.5) });
        expect(outcome({ path: [leaf, root], crls: [...crls, newer], mode })).toBe('good');
      }
      const others = [
        list({ point, revoked: [{ certificate: Uint8Array.of(9) }] }),
        list({ point, revoked: revoked(), signer: stranger }),
      ];
      expect(outcome({ path: [leaf, root], crls: others, mode: 'if-present' })).toBe('good');
    }
  });

  test('[rev.14] a list by the key of an issuer that may not sign lists is not passed over', async () => {
    const mute = await makeAuthority({ subject: 'CN=Mute', issuer: root, keyUsage: ['keyCertSign'] });
    const signer = await makeCertificate({ issuer: mute });
    for (const mode of MODES) {
      const crls = [makeCrl({ issuer: mute, revoked: [{ certificate: signer }] }), list()];
      expect(outcome({ path: [signer, mute, root], crls, mode })).toBe(UNKNOWN);
      const ocsps = [makeOcsp({ issuer: mute, answers: [{ certificate: signer }] })];
      const newer = [makeOcsp({ issuer: mute, answers: [{ certificate: signer, thisUpdate: at(-0.5) }] })];
      expect(outcome({ path: [signer, mute, root], crls, ocsps, mode })).toBe(UNKNOWN);
      expect(outcome({ path: [signer, mute, root], crls, ocsps: newer, mode })).toBe('good');
    }
    const forged = await makeAuthority({ subject: 'CN=Mute' });
    const crls = [makeCrl({ issuer: forged, revoked: [{ certificate: signer }] })];
    expect(outcome({ path: [signer, mute, root], crls, mode: 'if-present' })).toBe('good');
  });

  test('[rev.14] an answer that its issuer, or whom that has named, has signed is not passed over', async () => {
    const status = 'revoked';
    const expired = { notBefore: new Date('2020-01-01'), notAfter: new Date('2021-01-01') };
    const genuine = [
      answer({ status, extensions: [unknownAnswerExtension()] }),
      answer({ status }, root, 'sha1'),
      answer({ status }, await delegate(expired)),
      answer({ status }, await delegate({ criticalUnknown: true })),
      answer({ status }, await delegate({ keyUsage: ['keyEncipherment'] })),
    ];
    const stranger = await makeAuthority({ subject: 'CN=Root' });
    const others = [
      answer({ status }, await delegate({ eku: ['1.3.6.1.5.5.7.3.3'] })),
      answer({ status }, await delegate({ issuer: stranger })),
      answer({ status }, stranger),
    ];
    for (const ocsp of genuine) {
      for (const mode of MODES) expect(outcome({ path: [leaf, root], ocsps: [ocsp], mode })).toBe(UNKNOWN);
      const clearing = [ocsp, answer({ thisUpdate: at(-0.5) })];
      expect(outcome({ path: [leaf, root], ocsps: clearing })).toBe('good');
    }
    for (const ocsp of others)
      expect(outcome({ path: [leaf, root], ocsps: [ocsp], mode: 'if-present' })).toBe('good');
  });

  test('[rev.14] an answer about an issuer by an unknown digest is not passed over', () => {
    const of = (certificate: TestCertificate, status: 'good' | 'revoked') => {
      const { responses, ...response } = answer({ certificate, status });
      const odd = responses.map((one) => ({ ...one, id: { ...one.id, digest: undefined } }));
      return { ...response, responses: odd };
    };
    for (const mode of MODES)
      expect(outcome({ path: [leaf, root], ocsps: [of(leaf, 'revoked')], mode })).toBe(UNKNOWN);
    expect(outcome({ path: [leaf, root], ocsps: [of(root, 'revoked')], mode: 'if-present' })).toBe('good');
    expect(outcome({ path: [leaf, root], ocsps: [of(leaf, 'good')] })).toBe(UNKNOWN);
  });
});

describe('a doubt', () => {
  const sha1 = (certificate: TestCertificate, hours = -1, signer = root) =>
    makeCrl({
      issuer: signer,
      revoked: [{ certificate }],
      digest: 'sha1',
      number: 1,
      thisUpdate: at(hours),
    });

  test('[rev.14] is answered by any later word that clears, whatever stands before that', () => {
    const old = answer({ thisUpdate: at(-3) });
    const newer = answer({ thisUpdate: at(-0.5) });
    const lists = [list({ thisUpdate: at(-3) }), sha1(leaf)];
    for (const mode of MODES) {
      expect(outcome({ path: [leaf, root], crls: lists, ocsps: [newer], mode })).toBe('good');
      expect(outcome({ path: [leaf, root], crls: lists, ocsps: [old], mode })).toBe(UNKNOWN);
    }
    const users = { point: pointValue({ onlyUsers: true }) };
    const scopes = [list({ ...users, thisUpdate: at(-3) }), list({ thisUpdate: at(-0.5) }), sha1(leaf)];
    expect(outcome({ path: [leaf, root], crls: scopes })).toBe('good');
  });

  test('[rev.14] [crl.6] lists for some reasons each are together as new as the oldest', () => {
    const keys = { point: pointValue({ reasons: REASON.keyCompromise }) };
    const others = { point: pointValue({ reasons: REASON.others }) };
    const judge = (forKeys: number, forOthers: number) =>
      outcome({
        path: [leaf, root],
        crls: [
          list({ ...keys, thisUpdate: at(forKeys) }),
          list({ ...others, thisUpdate: at(forOthers) }),
          sha1(leaf),
        ],
        mode: 'if-present',
      });
    expect(judge(-0.5, -3)).toBe(UNKNOWN);
    expect(judge(-3, -0.5)).toBe(UNKNOWN);
    expect(judge(-0.5, -0.25)).toBe('good');
  });

  test('[rev.14] about a responder lets it clear nobody, and revoke', async () => {
    const looked = await delegate();
    const odd = list({
      revoked: [{ certificate: leaf }, { certificate: looked }],
      extensions: [unknownCritical()],
    });
    const later = answer({ thisUpdate: at(-0.5) }, looked);
    const cleared = answer({ certificate: looked, thisUpdate: at(-0.5) });
    for (const mode of MODES) {
      expect(outcome({ path: [leaf, root], crls: [odd], ocsps: [later], mode })).toBe(UNKNOWN);
      expect(outcome({ path: [leaf, root], crls: [odd], ocsps: [later, cleared], mode })).toBe('good');
      const ending = answer({ status: 'revoked' }, looked);
      expect(outcome({ path: [leaf, root], crls: [sha1(looked)], ocsps: [ending], mode })).toBe(REVOKED);
    }
    const { statuses } = judged({
      path: [leaf, root],
      crls: [sha1(looked)],
      ocsps: [later],
      mode: 'if-present',
    });
    expect(statuses[0]?.detail).toContain('it is not known whether the responder');
    expect(statuses[0]?.status).toBe('stale');
  });

  test('[rev.14] about an anchor that another has issued is not passed over for an older word that clears', async () => {
    const mid = await makeAuthority({ subject: 'CN=Mid', issuer: root });
    const signer = await makeCertificate({ issuer: mid });
    const path = [signer, mid];
    const own = makeCrl({ issuer: mid });
    const old = list({ thisUpdate: at(-3) });
    const newer = list({ thisUpdate: at(-0.5), number: 9 });
    for (const mode of MODES) {
      expect(outcome({ path, crls: [own, old, sha1(mid)], given: [root], mode })).toBe(UNKNOWN);
      expect(outcome({ path, crls: [own, old, sha1(mid), newer], given: [root], mode })).toBe('good');
      expect(outcome({ path, crls: [own, old], given: [root], mode })).toBe('good');
    }
    const { statuses } = judged({ path, crls: [own, old, sha1(mid), newer], given: [root] });
    expect(statuses).toHaveLength(1); // nothing is held against the anchor
  });

  test('[rev.14] is one by whomever an authority of the path has named to sign lists', async () => {
    const expired = { notBefore: new Date('2020-01-01'), notAfter: new Date('2021-01-01') };
    const other = (options: Parameters<typeof makeCertificate>[0] = {}) =>
      makeCertificate({ subject: 'CN=Lists', issuer: root, keyUsage: ['cRLSign'], ...options });
    const signerFor = (lists: TestCertificate) =>
      makeCertificate({
        issuer: root,
        extensions: [distributionPoints(pointsValue({ crlIssuer: lists }))],
      });
    const judge = async (lists: TestCertificate, more: Partial<TestCrlOptions> = {}, ...crls: Crl[]) => {
      const signer = await signerFor(lists);
      const point = pointValue({ indirect: true });
      const revoked = [{ certificate: signer, issuer: root }];
      const odd = makeCrl({ issuer: lists, point, revoked, thisUpdate: at(-1), ...more });
      return outcome({ path: [signer, root], issuers: [lists], crls: [odd, ...crls], mode: 'if-present' });
    };
    const good = await other();
    expect(await judge(good)).toBe(REVOKED);
    expect(await judge(good, { digest: 'sha1' })).toBe(UNKNOWN);
    expect(await judge(good, { extensions: [unknownCritical()] })).toBe(UNKNOWN);
    expect(await judge(await other(expired))).toBe(UNKNOWN);
    const mute = await other({ keyUsage: ['digitalSignature'] });
    expect(await judge(mute)).toBe(UNKNOWN);
    expect(await judge(mute, {}, list({ thisUpdate: at(-0.5), number: 9 }))).toBe('good');
    expect(await judge(mute, {}, list({ revoked: [{ certificate: mute }] }))).toBe('good'); // it was revoked itself
    const stranger = await makeAuthority({ subject: 'CN=Root' });
    expect(await judge(await other({ issuer: stranger }))).toBe('good');
  });

  test('[rev.14] is one when two things at once forbid the use', async () => {
    const expired = { notBefore: new Date('2020-01-01'), notAfter: new Date('2021-01-01') };
    const odd = ({ responses, ...response }: ReturnType<typeof answer>) => ({
      ...response,
      responses: responses.map((one) => ({ ...one, id: { ...one.id, digest: undefined } })),
    });
    const stranger = await makeAuthority({ subject: 'CN=Root' });
    const status = 'revoked';
    const both = [
      odd(answer({ status }, root, 'sha1')),
      odd(answer({ status }, await delegate(expired))),
      odd(answer({ status, extensions: [unknownAnswerExtension()] })),
      answer({ status, extensions: [unknownAnswerExtension()] }, await delegate(expired), 'sha1'),
    ];
    for (const ocsp of both) {
      for (const mode of MODES) {
        expect(outcome({ path: [leaf, root], ocsps: [ocsp, answer({ thisUpdate: at(-3) })], mode })).toBe(
          UNKNOWN,
        );
      }
      expect(outcome({ path: [leaf, root], ocsps: [ocsp, answer({ thisUpdate: at(-0.5) })] })).toBe('good');
    }
    const forged = odd(answer({ status }, stranger, 'sha1'));
    expect(outcome({ path: [leaf, root], ocsps: [forged], mode: 'if-present' })).toBe('good');
  });
});

describe('a responder', () => {
  const about = (certificate: TestCertificate, status: 'good' | 'revoked', signer = root) =>
    answer({ certificate, status }, signer);
  const judge = (mode: (typeof MODES)[number], ...ocsps: readonly ReturnType<typeof answer>[]) =>
    outcome({ path: [leaf, root], ocsps, mode });

  test('[ocsp.5] is revoked by an answer as well as by a list', async () => {
    const looked = await delegate();
    const good = about(leaf, 'good', looked);
    expect(judge('require', good, about(looked, 'revoked'))).toBe(UNKNOWN);
    const told = judged({ path: [leaf, root], ocsps: [good, about(looked, 'revoked')], mode: 'if-present' });
    expect(told.statuses[0]).toMatchObject({ status: 'unknown' });
    expect(told.findings[0]?.error.message).toContain('the certificate of its responder is revoked');
    const other = await delegate({ subject: 'CN=Other', extensions: [NO_CHECK] });
    expect(judge('require', good, about(looked, 'revoked', other))).toBe(UNKNOWN);
    expect(judge('require', good, about(looked, 'revoked', looked))).toBe(UNKNOWN);
  });

  test('[ocsp.5] must be shown not to be revoked where proof is demanded, by another than itself', async () => {
    const looked = await delegate();
    const good = about(leaf, 'good', looked);
    expect(judge('require', good)).toBe(UNKNOWN);
    expect(judge('if-present', good)).toBe('good');
    expect(judge('require', good, about(looked, 'good', looked))).toBe(UNKNOWN);
    expect(judge('require', good, about(looked, 'good'))).toBe('good');
    const other = await delegate({ subject: 'CN=Other', extensions: [NO_CHECK] });
    expect(judge('require', good, about(looked, 'good', other))).toBe('good');
    const chain = await delegate({ subject: 'CN=Other' });
    expect(judge('require', good, about(looked, 'good', chain), about(chain, 'good', looked))).toBe(UNKNOWN);
    const users = list({
      point: pointValue({ onlyUsers: true }),
      revoked: [{ certificate: Uint8Array.of(9) }],
    });
    expect(outcome({ path: [leaf, root], ocsps: [good], crls: [users] })).toBe('good');
    expect(judge('require', about(leaf, 'revoked', looked))).toBe(REVOKED); // in doubt, it revokes
  });
});
