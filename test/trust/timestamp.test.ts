import { beforeAll, describe, expect, test } from 'vitest';
import { derElement, derSequence } from '../../src/formats/der/writer.ts';
import { formatTimestampRequest, parseTimestampRequest } from '../../src/formats/tsp/request.ts';
import { parseTimestampToken } from '../../src/formats/tsp/token.ts';
import { NO_ALLOWANCES } from '../../src/trust/policy.ts';
import { judgeTimestamp, type TimestampJudgement } from '../../src/trust/timestamp.ts';
import { extension, generalizedTime } from '../factory/asn1.ts';
import { EKU, makeAuthority, NOON, type TestCertificate } from '../factory/certificates.ts';
import { makeCms, OID, signingCertificate, usualAttributes } from '../factory/cms.ts';
import { hex } from '../factory/der.ts';
import { codeOf } from '../factory/errors.ts';
import {
  makeTimestampAuthority,
  makeToken,
  makeTokenDer,
  onlyFor,
  type TestTokenOptions,
} from '../factory/timestamps.ts';

const over = Uint8Array.from(Buffer.from('a signature'));
const INVALID = 'TIMESTAMP_INVALID';
let root: TestCertificate;
let authority: TestCertificate;

beforeAll(async () => {
  root = await makeAuthority({ subject: 'CN=TSA Root' });
  authority = await makeTimestampAuthority(root);
});

function judge(
  options: Partial<TestTokenOptions> = {},
  { at = NOON, anchors = [root], data = over } = {},
): TimestampJudgement {
  return judgeTimestamp(makeToken({ over, authority, ...options }), data, {
    anchors: anchors.map(({ certificate }) => certificate),
    intermediates: [],
    at,
    allowances: NO_ALLOWANCES,
  });
}

function verdict(...given: Parameters<typeof judge>): string {
  const { errors, proven } = judge(...given);
  expect(proven === undefined).toBe(errors.length > 0);
  return errors[0]?.code ?? 'good';
}

describe('a timestamp', () => {
  test('[tst.5] proves that something was there, and nothing else', () => {
    expect(verdict()).toBe('good');
    expect(verdict({}, { data: over.slice(1) })).toBe(INVALID);
    for (const digest of ['sha384', 'sha512', 'sha3-256']) expect(verdict({ digest })).toBe('good');
    for (const digest of ['sha1', 'md5']) expect(verdict({ digest })).toBe(INVALID);
  });

  test('[tst.2] counts only of an authority that is trusted', async () => {
    const other = await makeAuthority({ subject: 'CN=TSA Root' });
    expect(verdict({}, { anchors: [other] })).toBe(INVALID);
    expect(verdict({}, { anchors: [] })).toBe(INVALID);
    expect(verdict({}, { anchors: [authority] })).toBe('good');
    expect(judge({}, { anchors: [other] }).errors[0]?.message).toMatch(/have not said to trust/);
  });

  test('[tst.6] says which certificate signed it, in both ways that there are', async () => {
    const twin = await makeTimestampAuthority(root, { key: authority.privateKey });
    expect(verdict({ binding: [] })).toBe(INVALID);
    expect(verdict({ binding: [signingCertificate(authority, 1)] })).toBe('good');
    expect(verdict({ binding: [signingCertificate(twin)] })).toBe(INVALID);
    expect(verdict({ binding: [signingCertificate(twin, 1)] })).toBe(INVALID);
    expect(verdict({ binding: [signingCertificate(authority), signingCertificate(twin, 1)] })).toBe(INVALID);
    expect(verdict({ binding: [signingCertificate(authority), signingCertificate(authority, 1)] })).toBe(
      'good',
    );
    expect(verdict({ binding: [signingCertificate(twin)], certificates: [authority, twin] })).toBe(INVALID);
  });

  test('[tst.6] needs no certificate inside when the authority is known', () => {
    expect(verdict({ certificates: [] })).toBe(INVALID);
    expect(verdict({ certificates: [] }, { anchors: [authority] })).toBe('good');
  });

  test.each([
    ['not critically', onlyFor(false, EKU.timeStamping)],
    ['with another', onlyFor(true, EKU.timeStamping, EKU.codeSigning)],
    ['not, but for anything', onlyFor(true, EKU.any)],
    ['not at all', onlyFor(true, EKU.codeSigning)],
    ['nor for anything', []],
  ])('[tst.7] of a certificate that is for timestamping %s is none', async (_, extensions) => {
    expect(verdict({ authority: await makeTimestampAuthority(root, { extensions }) })).toBe(INVALID);
  });

  test('[tst.7] of a certificate that expired, may not sign, or is weak is none', async () => {
    const past = { notBefore: new Date('2020-01-01'), notAfter: new Date('2021-01-01') };
    const old = await makeTimestampAuthority(root, past);
    expect(verdict({ authority: old })).toBe(INVALID);
    expect(verdict({ authority: old, time: new Date('2020-06-01') })).toBe(INVALID);
    expect(
      verdict({ authority: await makeTimestampAuthority(root, { keyUsage: ['keyEncipherment'] }) }),
    ).toBe(INVALID);
    expect(verdict({ authority: await makeTimestampAuthority(root, { key: 'rsa1024' }) })).toBe(INVALID);
    expect(verdict({ authority: await makeTimestampAuthority(root, { key: 'rsa2048' }) })).toBe('good');
  });

  test('[tst.8] is as exact as the authority says, or to a second', () => {
    const window = (options: Partial<TestTokenOptions>) => {
      const { proven } = judge(options);
      return proven && [+proven.from - +NOON, +proven.to - +NOON];
    };
    expect(window({})).toEqual([-1000, 1000]);
    expect(window({ accuracy: [0, 5] })).toEqual([-5, 5]);
    expect(window({ accuracy: [0, 0, 1] })).toEqual([-1, 1]);
    expect(window({ accuracy: [2, 500, 999] })).toEqual([-2501, 2501]);
    expect(window({ accuracy: [60] })).toEqual([-60_000, 60_000]);
  });

  test('[tst.8] of a time yet to come, or before its authority, proves nothing', () => {
    const minutes = (count: number) => new Date(+NOON + count * 60_000);
    expect(verdict({ time: minutes(4) })).toBe('good'); // clocks differ
    expect(verdict({ time: minutes(6) })).toBe(INVALID);
    expect(verdict({ time: minutes(6), accuracy: [120] })).toBe('good');
    expect(verdict({ time: new Date('2025-12-31T00:00:00Z') })).toBe(INVALID);
    expect(verdict({ time: new Date('2026-01-01T00:00:00Z') })).toBe(INVALID); // a second before is as likely
    expect(verdict({ time: new Date('2026-01-01T00:00:01Z') })).toBe('good');
  });

  test('[tst.5] is signed over what it says', () => {
    const attributes = usualAttributes(Uint8Array.of(1), 'sha256', OID.timestampInfo);
    expect(verdict({ signer: { attributes: [...attributes, signingCertificate(authority)] } })).toBe(INVALID);
    expect(verdict({ signer: { sign: () => new Uint8Array(70) } })).toBe(INVALID);
    expect(verdict({ signer: { attributes: false } })).toBe(INVALID);
  });
});

describe('reading a timestamp', () => {
  const read = (options: Partial<TestTokenOptions>) =>
    codeOf(() => parseTimestampToken(makeTokenDer({ over, authority, ...options })));
  const time = (text: string) => read({ rawTime: derElement(0x18, Uint8Array.from(Buffer.from(text))) });

  test('[tst.3] gives what it says, and anything else is refused with one code', () => {
    const { info } = makeToken({ over, authority, nonce: hex('00 81 02'), accuracy: [1] });
    expect(info).toMatchObject({ policy: '1.2.3.4.1', nonce: '008102', accuracyMs: 1000, time: NOON });
    const token = makeTokenDer({ over, authority });
    const refused = (bytes: Uint8Array) =>
      expect(codeOf(() => parseTimestampToken(bytes))).toBe('TIMESTAMP_MALFORMED');
    refused(Uint8Array.of(...token, 0));
    refused(token.slice(0, -1));
    refused(new Uint8Array());
    refused(makeCms({ content: over, signers: [{ by: authority }], attached: true }));
    refused(makeCms({ content: over, contentType: OID.timestampInfo, signers: [{ by: authority }] }));
    const two = [{ by: authority }, { by: authority }];
    refused(makeCms({ content: over, contentType: OID.timestampInfo, signers: two, attached: true }));
  });

  test('[tst.3] a critical extension that nobody knows is refused', () => {
    expect(read({ extensions: extension('1.2.3', true, hex('05 00')) })).toBe('TIMESTAMP_MALFORMED');
    expect(read({ extensions: extension('1.2.3', false, hex('05 00')) })).toBeUndefined();
  });

  test('[tst.4] times are in UTC, with a fraction in its one spelling, and exist', () => {
    expect(time('20261121120000Z')).toBeUndefined();
    expect(time('20261121120000.5Z')).toBeUndefined();
    expect(time('20261121120000.123456Z')).toBeUndefined();
    for (const bad of [
      '20261121120000',
      '20261121120000+0100',
      '202611211200Z',
      '20261121120000.Z',
      '20261121120000.50Z',
      '20261121120000.0Z',
      '20260231120000Z',
      '20261121240000Z',
      '20261121120060Z',
    ]) {
      expect(time(bad)).toBe('TIMESTAMP_MALFORMED');
    }
    expect(generalizedTime(new Date('2026-11-21T12:00:00.250Z')).byteLength).toBe(20);
  });

  test('[tst.8] an accuracy of a millisecond too many is malformed', () => {
    expect(read({ accuracy: [0, 999, 999] })).toBeUndefined();
    expect(read({ accuracy: [0, 1000] })).toBe('TIMESTAMP_MALFORMED');
  });
});

describe('asking for a timestamp', () => {
  test('[tst.9] gives the imprint and a nonce, and asks for the certificate', () => {
    const imprint = new Uint8Array(32).fill(7);
    const asked = parseTimestampRequest(
      formatTimestampRequest({ digest: 'sha256', imprint, nonce: hex('00 ff 01') }),
    );
    expect(asked).toEqual({
      imprint: { digest: 'sha256', value: imprint },
      nonce: '00ff01',
      wantsCertificate: true,
    });
    expect(
      parseTimestampRequest(formatTimestampRequest({ digest: 'sha512', imprint })).nonce,
    ).toBeUndefined();
    expect(codeOf(() => parseTimestampRequest(derSequence()))).toBe('TIMESTAMP_MALFORMED');
  });
});
