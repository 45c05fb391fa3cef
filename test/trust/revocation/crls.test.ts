import { beforeAll, describe, expect, test } from 'vitest';
import { derElement } from '../../../src/formats/der/writer.ts';
import { extension } from '../../factory/asn1.ts';
import {
  compressed,
  makeAuthority,
  makeCertificate,
  NOON,
  type TestCertificate,
} from '../../factory/certificates.ts';
import {
  makeCrl,
  pointsValue,
  pointValue,
  REASON,
  type TestCrlOptions,
  unknownCritical,
} from '../../factory/crls.ts';
import { codeOf } from '../../factory/errors.ts';
import { distributionPoints } from '../../factory/extensions.ts';
import { soon } from '../../factory/growth.ts';
import { judged, outcome } from '../../factory/revoking.ts';

const HOUR = 3_600_000;
const at = (hours: number) => new Date(+NOON + hours * HOUR);
const UNKNOWN = 'REVOCATION_UNKNOWN';
const REVOKED = 'CERTIFICATE_REVOKED';
let root: TestCertificate;
let leaf: TestCertificate;

beforeAll(async () => {
  root = await makeAuthority({ subject: 'CN=Root' });
  leaf = await makeCertificate({ issuer: root });
});

const list = (options: Partial<TestCrlOptions> = {}) => makeCrl({ issuer: root, ...options });
const judge = (...crls: readonly ReturnType<typeof list>[]) => outcome({ path: [leaf, root], crls });
const revoking = (options: Partial<TestCrlOptions> = {}) =>
  list({ revoked: [{ certificate: leaf }], ...options });

describe('a list', () => {
  test('[rev.1] clears, revokes, or leaves open what is not in evidence', () => {
    expect(judge(list())).toBe('good');
    expect(judge(revoking())).toBe(REVOKED);
    expect(judge()).toBe(UNKNOWN);
    expect(outcome({ path: [leaf, root], mode: 'if-present' })).toBe('good');
    expect(outcome({ path: [leaf, root], crls: [revoking()], mode: 'if-present' })).toBe(REVOKED);
    expect(outcome({ path: [leaf, root], crls: [revoking()], mode: 'off' })).toBe('good');
  });

  test('[rev.4] that is too old, or of tomorrow, shows nothing good, and revokes all the same', () => {
    for (const times of [
      { thisUpdate: at(-48), nextUpdate: at(-24) },
      { thisUpdate: at(24), nextUpdate: at(48) },
      { thisUpdate: at(-24 * 31), nextUpdate: false as const },
    ]) {
      expect(judge(list(times))).toBe(UNKNOWN);
      expect(judge(revoking(times))).toBe(REVOKED);
    }
    expect(judge(list({ thisUpdate: at(-24 * 29), nextUpdate: false }))).toBe('good');
    expect(judge(list({ thisUpdate: new Date(+NOON + 4 * 60_000) }))).toBe('good'); // clocks differ
  });

  test('[rev.5] a newer one that is fresh takes back what an older one says, and nothing else does', () => {
    expect(judge(revoking({ thisUpdate: at(-2) }), list({ thisUpdate: at(-1) }))).toBe('good');
    expect(judge(list({ thisUpdate: at(-2) }), revoking({ thisUpdate: at(-1) }))).toBe(REVOKED);
    const expired = list({ thisUpdate: at(-3), nextUpdate: at(-1) });
    expect(judge(revoking({ thisUpdate: at(-4), nextUpdate: at(-2) }), expired)).toBe(REVOKED);
    const ofTomorrow = list({ thisUpdate: at(24), nextUpdate: at(48) });
    expect(judge(revoking(), ofTomorrow)).toBe(REVOKED);
    expect(judge(list(), ofTomorrow)).toBe('good');
  });

  test('[rev.9] older than one that was seen before shows nothing good', () => {
    const { seen } = judged({ path: [leaf, root], crls: [list({ thisUpdate: at(-1) })] });
    expect(seen.size).toBe(1);
    const old = { path: [leaf, root], seen };
    expect(outcome({ ...old, crls: [list({ thisUpdate: at(-2) })] })).toBe(UNKNOWN);
    expect(outcome({ ...old, crls: [list({ thisUpdate: at(-1) })] })).toBe('good');
    expect(outcome({ ...old, crls: [revoking({ thisUpdate: at(-2) })] })).toBe(REVOKED);
  });

  test('[rev.9] of one second, the one with the lower number shows nothing good', () => {
    const { seen } = judged({ path: [leaf, root], crls: [list({ number: 5 })] });
    expect(outcome({ path: [leaf, root], crls: [list({ number: 4 })], seen })).toBe(UNKNOWN);
    expect(outcome({ path: [leaf, root], crls: [list({ number: 5 })], seen })).toBe('good');
  });

  test('[rev.9] a mark is of the name, too: a key with two of them has two rows of lists', async () => {
    const other = await makeAuthority({ subject: 'CN=Root of before', key: root.privateKey });
    const signer = await makeCertificate({ issuer: other });
    const { seen } = judged({ path: [leaf, root], crls: [list({ number: 9 })] });
    const theirs = (number: number, hours: number) =>
      makeCrl({ issuer: other, thisUpdate: at(hours), number });
    expect(outcome({ path: [signer, other], crls: [theirs(2, -2)], seen })).toBe('good');
    const both = judged({ path: [signer, other], crls: [theirs(2, -2)], seen }).seen;
    expect([...seen.keys(), ...both.keys()].filter((key, i, all) => all.indexOf(key) === i)).toHaveLength(2);
    expect(outcome({ path: [signer, other], crls: [theirs(1, -3)], seen: both })).toBe(UNKNOWN);
  });

  test('[rev.9] a mark is of the key, however it is spelled', async () => {
    const twin = await makeAuthority({ subject: 'CN=Root', key: root.privateKey, spki: compressed(root) });
    const { seen } = judged({ path: [leaf, root], crls: [list()] });
    const old = list({ thisUpdate: at(-2), number: 0 });
    expect(outcome({ path: [leaf, root], crls: [old], seen })).toBe(UNKNOWN);
    expect(outcome({ path: [leaf, twin], crls: [old], seen })).toBe(UNKNOWN);
    // records from before keys had one identity
    const before = [...seen].map(
      ([key, mark]) => [key.replace(/ \w+ /, ` ${root.certificate.spkiSha256} `), mark] as const,
    );
    expect(outcome({ path: [leaf, root], crls: [old], seen: new Map(before) })).toBe(UNKNOWN);
    // and records from before names counted
    const unnamed = [...before].map(([key, mark]): (typeof before)[number] => [
      key.replace(/[0-9a-f]+$/, ''),
      mark,
    ]);
    expect(outcome({ path: [leaf, root], crls: [old], seen: new Map(unnamed) })).toBe(UNKNOWN);
  });

  test('[rev.13] known to exist and not at hand is missed: a warning, and where proof is demanded a refusal', async () => {
    const signer = await makeAuthority({ subject: 'CN=Root', issuer: root });
    for (const crl of [list(), list({ signer })]) {
      const { seen } = judged({ path: [leaf, root], crls: [crl], issuers: [signer] });
      const missed = judged({ path: [leaf, root], seen, mode: 'if-present' });
      expect(missed.findings.map(({ allowed }) => allowed)).toEqual(['lenient']);
      expect(missed.statuses[0]?.detail).toContain('has been seen before and is not here');
      expect(outcome({ path: [leaf, root], seen })).toBe(UNKNOWN);
      expect(judged({ path: [leaf, root], seen, mode: 'off' }).findings).toEqual([]);
    }
    const { seen } = judged({ path: [leaf], crls: [list()], given: [root] });
    expect(judged({ path: [leaf], given: [root], seen, mode: 'if-present' }).findings).toHaveLength(1);
  });

  test('[crl.3] with a critical extension that nobody knows says nothing', () => {
    expect(judge(list({ extensions: [unknownCritical()] }))).toBe(UNKNOWN);
    expect(judge(revoking({ extensions: [unknownCritical()] }))).toBe(UNKNOWN);
    expect(judge(list({ revoked: [{ certificate: leaf, extensions: [unknownCritical()] }] }))).toBe(UNKNOWN);
  });

  test('[crl.4] a list with an entry that cannot be read to its last field is malformed, whomever it is about', () => {
    const odd = [
      [extension('2.5.29.21', false, derElement(0x0a, Uint8Array.of(7)))],
      [extension('2.5.29.21', false, derElement(0x05))],
      [extension('2.5.29.24', false, derElement(0x18, Uint8Array.of(0x30)))],
    ];
    for (const extensions of odd) {
      for (const certificate of [leaf, Uint8Array.of(9)])
        expect(codeOf(() => list({ revoked: [{ certificate, extensions }] }))).toBe('REVOCATION_MALFORMED');
    }
  });

  test('[crl.5] an entry twice: one that revokes is enough', () => {
    const entry = { certificate: leaf };
    expect(judge(list({ revoked: [{ ...entry, reason: 8 }, entry] }))).toBe(REVOKED);
    expect(judge(list({ revoked: [entry, { ...entry, reason: 8 }] }))).toBe(REVOKED);
  });

  test('[crl.11] strictly, one without a number, or with an entry twice, is not used', () => {
    const strictly = (options: Partial<TestCrlOptions>) =>
      outcome({ path: [leaf, root], crls: [list(options)], strict: true });
    const stranger = { certificate: Uint8Array.of(9, 9, 9) };
    expect(strictly({ revoked: [stranger] })).toBe('good');
    expect(strictly({ number: false })).toBe(UNKNOWN);
    expect(strictly({ revoked: [stranger, stranger] })).toBe(UNKNOWN);
    expect(judge(list({ number: false, revoked: [stranger, stranger] }))).toBe('good');
  });
});

describe('who may sign a list', () => {
  test('[crl.9] the issuer, or a certificate of its name under the same anchor', async () => {
    const stranger = await makeAuthority({ subject: 'CN=Root' });
    expect(judge(list({ signer: stranger }))).toBe(UNKNOWN);
    expect(outcome({ path: [leaf, root], crls: [list({ signer: stranger })], issuers: [stranger] })).toBe(
      UNKNOWN,
    );
    const helper = await makeAuthority({ subject: 'CN=Root', issuer: root, keyUsage: ['cRLSign'] });
    const given = { path: [leaf, root], issuers: [helper] };
    expect(outcome({ ...given, crls: [list({ signer: helper })], mode: 'if-present' })).toBe('good');
    expect(outcome({ ...given, crls: [revoking({ signer: helper })], mode: 'if-present' })).toBe(REVOKED);
  });

  test('[crl.10] one whose key usage lacks cRLSign may not; without a key usage it may', async () => {
    const mute = await makeAuthority({ subject: 'CN=Mute', keyUsage: ['keyCertSign'] });
    const free = await makeCertificate({ subject: 'CN=Free', ca: true });
    for (const [issuer, expected] of [
      [mute, UNKNOWN],
      [free, 'good'],
    ] as const) {
      const signer = await makeCertificate({ issuer });
      expect(outcome({ path: [signer, issuer], crls: [makeCrl({ issuer })] })).toBe(expected);
    }
  });

  test('[crl.9] not over a digest that is broken', async () => {
    const crls = [list({ digest: 'sha1' })];
    expect(outcome({ path: [leaf, root], crls })).toBe(UNKNOWN);
    const allowances = { unsigned: false, sha1: true, weakKeys: false, unlistedDescriptor: false };
    expect(outcome({ path: [leaf, root], crls, allowances })).toBe('good');
  });

  test('[rev.8] when evidence would cost too much, the path is refused', () => {
    const crls = Array.from({ length: 300 }, (_, i) =>
      list({ thisUpdate: new Date(+NOON - (i + 1) * 60_000) }),
    );
    expect(judged({ path: [leaf, root], crls }).findings.map(({ error }) => error.code)).toContain(
      'PATH_LIMIT',
    );
  });
});

describe('whom a list speaks of', () => {
  test('[crl.6] users, authorities or attributes only', async () => {
    const point = (value: Parameters<typeof pointValue>[0]) => judge(list({ point: pointValue(value) }));
    expect(point({ onlyUsers: true })).toBe('good');
    expect(point({ onlyAuthorities: true })).toBe(UNKNOWN);
    expect(point({ onlyAttributes: true })).toBe(UNKNOWN);
    const sub = await makeAuthority({ subject: 'CN=Sub', issuer: root });
    const lists = (value: Parameters<typeof pointValue>[0]) => [list({ point: pointValue(value) })];
    expect(outcome({ path: [sub, root], crls: lists({ onlyAuthorities: true }) })).toBe('good');
    expect(outcome({ path: [sub, root], crls: lists({ onlyUsers: true }) })).toBe(UNKNOWN);
  });

  test('[crl.6] a place speaks for the certificates that point at it', async () => {
    const pointing = await makeCertificate({
      issuer: root,
      extensions: [distributionPoints(pointsValue({ uri: 'http://x.example/a' }))],
    });
    const here = list({ point: pointValue({ uri: 'http://x.example/a' }) });
    const there = list({ point: pointValue({ uri: 'http://x.example/b' }) });
    expect(outcome({ path: [pointing, root], crls: [here] })).toBe('good');
    expect(outcome({ path: [pointing, root], crls: [there] })).toBe(UNKNOWN);
    expect(outcome({ path: [pointing, root], crls: [list()] })).toBe('good');
    expect(judge(here)).toBe(UNKNOWN);
  });

  test('[crl.6] lists for some reasons each clear only together', () => {
    const keys = list({ point: pointValue({ reasons: REASON.keyCompromise }) });
    const others = list({ point: pointValue({ reasons: REASON.others }) });
    expect(judge(keys)).toBe(UNKNOWN);
    expect(judge(keys, others)).toBe('good');
    const revoked = [{ certificate: leaf }];
    expect(judge(keys, list({ point: pointValue({ reasons: REASON.others }), revoked }))).toBe(REVOKED);
  });

  test('[crl.7] another issuer speaks only where the certificate names it, in a list that says so', async () => {
    const other = await makeAuthority({ subject: 'CN=Lists', issuer: root });
    const named = await makeCertificate({
      issuer: root,
      extensions: [distributionPoints(pointsValue({ crlIssuer: other }))],
    });
    const indirect = (revoked: NonNullable<TestCrlOptions['revoked']> = []) =>
      makeCrl({ issuer: other, point: pointValue({ indirect: true }), revoked });
    const about = list(); // of the root, about the signer of the other lists
    const judging = (...crls: readonly ReturnType<typeof list>[]) =>
      outcome({ path: [named, root], issuers: [other], crls });
    expect(judging(indirect(), about)).toBe('good');
    expect(judging(makeCrl({ issuer: other }))).toBe(UNKNOWN);
    expect(judging(indirect([{ certificate: named, issuer: root }]), about)).toBe(REVOKED);
    // an entry without an issuer is of the list's own, or of that of the entry before
    expect(judging(indirect([{ certificate: named }]), about)).toBe('good');
    const before = { certificate: Uint8Array.of(1), issuer: root };
    expect(judging(indirect([before, { certificate: named }]), about)).toBe(REVOKED);
    expect(outcome({ path: [leaf, root], issuers: [other], crls: [indirect()] })).toBe(UNKNOWN);
  });
});

describe('changes to a list', () => {
  const delta = (options: Partial<TestCrlOptions> = {}) =>
    list({ number: 6, base: 5, thisUpdate: at(-1), ...options });
  const base = (options: Partial<TestCrlOptions> = {}) => list({ number: 5, thisUpdate: at(-3), ...options });
  const changes = () => ({
    revoked: [{ certificate: leaf }],
    removed: [{ certificate: leaf, reason: 8 }],
  });

  test('[crl.8] revoke and take back, renew an old list, and say nothing alone', () => {
    const { revoked, removed } = changes();
    expect(judge(base(), delta({ revoked }))).toBe(REVOKED);
    expect(judge(base({ revoked }), delta({ revoked: removed }))).toBe('good');
    expect(judge(base({ revoked }), delta())).toBe(REVOKED);
    expect(judge(base({ nextUpdate: at(-2) }), delta())).toBe('good');
    expect(judge(base({ nextUpdate: at(-2) }))).toBe(UNKNOWN);
    expect(judge(delta())).toBe(UNKNOWN);
  });

  test('[crl.8] that are old themselves may revoke, and take nothing back', () => {
    const { revoked, removed } = changes();
    const old = { thisUpdate: at(-2), nextUpdate: at(-1.5) };
    expect(judge(base({ revoked }), delta({ revoked: removed, ...old }))).toBe(REVOKED);
    expect(judge(base(), delta({ revoked, ...old }))).toBe(REVOKED);
    expect(judge(base(), delta({ revoked: removed }), delta({ revoked, number: 7, ...old }))).toBe('good');
  });

  test('[rev.13] that were seen and are left out leave the list in doubt', () => {
    const delta = list({ base: 1, number: 2, thisUpdate: at(-0.5) });
    const { seen } = judged({ path: [leaf, root], crls: [list(), delta] });
    expect(outcome({ path: [leaf, root], crls: [list(), delta], seen })).toBe('good');
    expect(outcome({ path: [leaf, root], crls: [list()], seen })).toBe(UNKNOWN);
    const later = list({ number: 3, thisUpdate: at(-0.25) });
    expect(outcome({ path: [leaf, root], crls: [later], seen })).toBe('good'); // it has the change in it
  });

  test('[crl.8] hold only for a list of their scope, from their base on', () => {
    const { revoked, removed } = changes();
    const taking = { revoked: removed };
    expect(judge(base({ revoked, number: 4 }), delta(taking))).toBe(REVOKED);
    expect(judge(base({ revoked, number: 9 }), delta(taking))).toBe(REVOKED);
    expect(judge(base({ revoked, number: false }), delta(taking))).toBe(REVOKED);
    expect(judge(base({ revoked }), delta({ ...taking, point: pointValue({ onlyUsers: true }) }))).toBe(
      REVOKED,
    );
  });
});

describe('only where lists are', () => {
  test('[path.24] proof is demanded of certificates whose issuer has lists among those given', async () => {
    const sub = await makeAuthority({ subject: 'CN=Sub', issuer: root });
    const signer = await makeCertificate({ issuer: sub });
    const own = makeCrl({ issuer: sub });
    const given = { path: [signer, sub, root], onlyWhereHeard: true };
    expect(outcome({ ...given, crls: [own] })).toBe('good');
    expect(outcome({ ...given, crls: [own, list({ nextUpdate: at(-0.5) })] })).toBe(UNKNOWN);
    expect(outcome({ ...given, crls: [own, list({ point: pointValue({ onlyUsers: true }) })] })).toBe(
      UNKNOWN,
    );
    expect(outcome({ path: [signer, sub, root], crls: [own] })).toBe(UNKNOWN);
  });
});

test('[rev.8] signers of lists whose lists are signed by each other end soon', async () => {
  const keys = await Promise.all(
    Array.from({ length: 4 }, () =>
      makeAuthority({ subject: 'CN=Root', issuer: root, keyUsage: ['cRLSign'] }),
    ),
  );
  const crls = Array.from({ length: 64 }, (_, i) =>
    list({
      signer: keys[i % 4] ?? root,
      point: pointValue({ onlyUsers: true }),
      thisUpdate: new Date(+NOON - (i + 1) * 60_000),
    }),
  );
  const { findings } = soon(() => judged({ path: [leaf, root], crls, issuers: keys }));
  expect(findings.map(({ error }) => error.code)).toContain('PATH_LIMIT');
});
