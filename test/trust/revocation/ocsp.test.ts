import { beforeAll, describe, expect, test } from 'vitest';
import {
  makeAuthority,
  makeCertificate,
  NOON,
  type TestCertificate,
  type TestCertificateOptions,
} from '../../factory/certificates.ts';
import { makeCrl } from '../../factory/crls.ts';
import {
  makeOcsp,
  NO_CHECK,
  type TestAnswer,
  type TestResponseOptions,
  unknownAnswerExtension,
} from '../../factory/ocsp.ts';
import { judged, outcome } from '../../factory/revoking.ts';

const HOUR = 3_600_000;
const at = (hours: number) => new Date(+NOON + hours * HOUR);
const UNKNOWN = 'REVOCATION_UNKNOWN';
const REVOKED = 'CERTIFICATE_REVOKED';
const OCSP_SIGNING = '1.3.6.1.5.5.7.3.9';
let root: TestCertificate;
let leaf: TestCertificate;

beforeAll(async () => {
  root = await makeAuthority({ subject: 'CN=Root' });
  leaf = await makeCertificate({ issuer: root });
});

const answer = (answers: Partial<TestAnswer> = {}, options: Partial<TestResponseOptions> = {}) =>
  makeOcsp({ issuer: root, answers: [{ certificate: leaf, ...answers }], ...options });
const judge = (...ocsps: readonly ReturnType<typeof answer>[]) => outcome({ path: [leaf, root], ocsps });

describe('an answer', () => {
  test('[rev.1] clears, revokes, or does not know', () => {
    expect(judge(answer())).toBe('good');
    expect(judge(answer({ digest: 'sha256' }))).toBe('good');
    expect(judge(answer({ status: 'revoked' }))).toBe(REVOKED);
    expect(judge(answer({ status: 'unknown' }))).toBe(UNKNOWN);
  });

  test('[ocsp.3] is for one certificate of one issuer', async () => {
    const other = await makeAuthority({ subject: 'CN=Root' });
    const twin = await makeCertificate({
      issuer: other,
      serial: Uint8Array.from(Buffer.from(leaf.certificate.fields.serial, 'hex')),
    });
    expect(outcome({ path: [twin, other], ocsps: [answer({}, { signer: other })] })).toBe(UNKNOWN);
    const stranger = await makeCertificate({ issuer: root });
    expect(judge(answer({ certificate: stranger }))).toBe(UNKNOWN);
  });

  test('[ocsp.3] of two about one certificate in one response, the one that revokes counts', () => {
    const both: TestAnswer[] = [{ certificate: leaf }, { certificate: leaf, status: 'revoked' }];
    expect(judge(makeOcsp({ issuer: root, answers: both }))).toBe(REVOKED);
    expect(judge(makeOcsp({ issuer: root, answers: both.toReversed() }))).toBe(REVOKED);
  });

  test('[rev.4] that is too old, or of tomorrow, shows nothing good, and revokes all the same', () => {
    for (const times of [
      { thisUpdate: at(-48), nextUpdate: at(-24) },
      { thisUpdate: at(24), nextUpdate: at(48) },
      { thisUpdate: at(-24 * 31), nextUpdate: false as const },
    ]) {
      expect(judge(answer(times))).toBe(UNKNOWN);
      expect(judge(answer({ ...times, status: 'revoked' }))).toBe(REVOKED);
    }
  });

  test('[rev.5] a newer one that is fresh takes back what an older one says, and nothing else does', () => {
    const revoked = answer({ status: 'revoked', thisUpdate: at(-2) });
    expect(judge(revoked, answer({ thisUpdate: at(-1) }))).toBe('good');
    expect(judge(revoked, answer({ thisUpdate: at(24), nextUpdate: at(48) }))).toBe(REVOKED);
    expect(judge(revoked, answer({ thisUpdate: at(-1), nextUpdate: at(-0.5) }))).toBe(REVOKED);
    expect(judge(revoked, answer({ status: 'unknown', thisUpdate: at(-1) }))).toBe(REVOKED);
    expect(judge(answer({ thisUpdate: at(-2) }), answer({ status: 'unknown', thisUpdate: at(-1) }))).toBe(
      UNKNOWN,
    );
  });

  test('[rev.3] a list that revokes is not outvoted by an answer, nor the other way round', () => {
    const crls = [makeCrl({ issuer: root, revoked: [{ certificate: leaf }], thisUpdate: at(-3) })];
    expect(outcome({ path: [leaf, root], crls, ocsps: [answer({ thisUpdate: at(-1) })] })).toBe(REVOKED);
    const clean = [makeCrl({ issuer: root })];
    expect(outcome({ path: [leaf, root], crls: clean, ocsps: [answer({ status: 'revoked' })] })).toBe(
      REVOKED,
    );
  });

  test('[rev.9] older than one that was seen before shows nothing good', () => {
    const { seen } = judged({ path: [leaf, root], ocsps: [answer({ thisUpdate: at(-1) })] });
    expect(outcome({ path: [leaf, root], seen, ocsps: [answer({ thisUpdate: at(-2) })] })).toBe(UNKNOWN);
  });

  test('[ocsp.6] with a critical extension that nobody knows is not used', () => {
    expect(judge(answer({ extensions: [unknownAnswerExtension()] }))).toBe(UNKNOWN);
  });

  test('[ocsp.6] over a broken digest is not used', () => {
    expect(judge(answer({}, { digest: 'sha1' }))).toBe(UNKNOWN);
  });
});

describe('who may answer', () => {
  const responder = (options: TestCertificateOptions = {}) =>
    makeCertificate({
      subject: 'CN=Responder',
      issuer: root,
      eku: [OCSP_SIGNING],
      extensions: [NO_CHECK],
      ...options,
    });
  const through = (signer: TestCertificate, options: Partial<TestResponseOptions> = {}) =>
    judge(answer({}, { signer, certificates: [signer], ...options }));

  test('[ocsp.4] the issuer, and whom the issuer has named for it, by name or key', async () => {
    expect(judge(answer({}, { byKey: true }))).toBe('good');
    const named = await responder();
    expect(through(named)).toBe('good');
    expect(through(named, { byKey: true })).toBe('good');
    expect(through(named, { certificates: [] })).toBe(UNKNOWN);
    const ocsps = [answer({}, { signer: named })];
    expect(outcome({ path: [leaf, root], ocsps, issuers: [named] })).toBe('good');
  });

  test.each<[string, TestCertificateOptions]>([
    ['for signing code', { eku: ['1.3.6.1.5.5.7.3.3'] }],
    ['for any purpose, which is not this one', { eku: ['2.5.29.37.0'] }],
    ['that may not sign data', { keyUsage: ['keyEncipherment'] }],
    ['that has expired', { notBefore: new Date('2020-01-01'), notAfter: new Date('2021-01-01') }],
    ['with an unknown critical extension', { criticalUnknown: true }],
    ['with a weak key', { key: 'rsa1024' }],
    ['signed over SHA-1', { digest: 'sha1' }],
  ])('[ocsp.5] not a responder %s', async (_, options) => {
    const signer = await responder(options);
    expect(through(signer)).toBe(UNKNOWN);
  });

  test('[ocsp.4] not a responder of another issuer of the same name', async () => {
    const other = await makeAuthority({ subject: 'CN=Root' });
    expect(through(await responder({ issuer: other }))).toBe(UNKNOWN);
    expect(through(other)).toBe(UNKNOWN);
    expect(through(leaf)).toBe(UNKNOWN);
  });

  test('[ocsp.5] not a responder that is revoked itself, unless its certificate says that nobody looks', async () => {
    const looked = await responder({ extensions: [] });
    const crls = (certificate: TestCertificate) => [
      makeCrl({ issuer: root, revoked: [{ certificate }], thisUpdate: at(-3) }),
    ];
    const judging = (signer: TestCertificate) =>
      judged({
        path: [leaf, root],
        crls: crls(signer),
        ocsps: [answer({ status: 'revoked' }, { signer, certificates: [signer] })],
      }).statuses[0]?.status;
    expect(judging(looked)).toBe('good'); // by the list; the answer of a revoked responder revokes nothing
    expect(judging(await responder())).toBe('revoked');
  });
});
