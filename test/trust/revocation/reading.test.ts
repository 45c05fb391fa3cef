import { beforeAll, describe, expect, test } from 'vitest';
import { parseCrl, parseCrls } from '../../../src/formats/crl/crl.ts';
import { childrenOf, readOnly, TAG } from '../../../src/formats/der/cursor.ts';
import { derElement, derSequence } from '../../../src/formats/der/writer.ts';
import { parseOcspResponse } from '../../../src/formats/ocsp/response.ts';
import { formatPem } from '../../../src/formats/pem.ts';
import { enumerated } from '../../factory/asn1.ts';
import { makeAuthority, makeCertificate, type TestCertificate } from '../../factory/certificates.ts';
import { makeCrlDer } from '../../factory/crls.ts';
import { hex } from '../../factory/der.ts';
import { codeOf } from '../../factory/errors.ts';
import { soon } from '../../factory/growth.ts';
import { makeOcspDer } from '../../factory/ocsp.ts';

const MALFORMED = 'REVOCATION_MALFORMED';
let root: TestCertificate;
let list: Uint8Array;
let answer: Uint8Array;

beforeAll(async () => {
  root = await makeAuthority({ subject: 'CN=Root' });
  const leaf = await makeCertificate({ issuer: root });
  list = makeCrlDer({ issuer: root, revoked: [{ certificate: leaf, reason: 1 }] });
  answer = makeOcspDer({ issuer: root, answers: [{ certificate: leaf }] });
});

/** The list with other parts in what is signed. */
function withParts(change: (parts: Uint8Array[]) => Uint8Array[]): Uint8Array {
  const [tbs, ...rest] = childrenOf(readOnly(list, TAG.sequence, 'test'), 'test');
  const parts = tbs ? childrenOf(tbs, 'test').map(({ raw }) => raw) : [];
  return derSequence(derSequence(...change(parts)), ...rest.map(({ raw }) => raw));
}

const crl = (bytes: Uint8Array) => codeOf(() => parseCrl(bytes, 'test'));
const replaced = (at: number, part: Uint8Array) =>
  withParts((parts) => parts.map((one, i) => (i === at ? part : one)));
const entries = (...fields: readonly Uint8Array[]) => replaced(5, derSequence(derSequence(...fields)));

describe('reading a list', () => {
  test('[crl.1] gives what it says', () => {
    const { entryCount, extensions, unknownCriticalEntry } = parseCrl(list, 'test');
    expect(entryCount).toBe(1);
    expect(extensions.number).toBe(1n);
    expect(unknownCriticalEntry).toBe(false);
  });

  test('[crl.1] anything else is refused with one code', () => {
    expect(crl(Uint8Array.of(...list, 0))).toBe(MALFORMED);
    expect(crl(list.slice(0, -1))).toBe(MALFORMED);
    expect(crl(replaced(0, hex('02 01 02')))).toBe(MALFORMED); // version 3
    expect(crl(withParts((parts) => parts.slice(0, 3)))).toBe(MALFORMED);
    expect(crl(replaced(1, hex('30 0a 06 08 2a 86 48 ce 3d 04 03 03')))).toBe(MALFORMED); // not the algorithm outside
    expect(crl(root.der)).toBe(MALFORMED);
    expect(crl(new Uint8Array())).toBe(MALFORMED);
  });

  test('[crl.4] entries are a serial number, a date and extensions', () => {
    const [serial, date] = [hex('02 01 05'), hex('17 0d 32 36 30 31 30 31 30 30 30 30 30 30 5a')];
    expect(crl(entries(serial, date))).toBeUndefined();
    expect(crl(entries(hex('02 00'), date))).toBe(MALFORMED);
    expect(crl(entries(serial))).toBe(MALFORMED);
    expect(crl(entries(serial, serial))).toBe(MALFORMED);
    expect(crl(entries(serial, hex('17 0d 32 36 30 32 32 39 30 30 30 30 30 30 5a')))).toBe(MALFORMED); // no such day
    expect(crl(entries(serial, hex('17 0d 32 36 30 31 30 31 32 34 30 30 30 30 5a')))).toBe(MALFORMED); // nor hour
    expect(crl(entries(serial, hex('18 0f 32 30 32 34 30 32 32 39 30 30 30 30 30 30 5a')))).toBeUndefined();
    expect(crl(entries(serial, date, hex('05 00')))).toBe(MALFORMED);
    const v1 = withParts(([, ...parts]) => parts.slice(0, -1));
    expect(crl(v1)).toBe(MALFORMED); // version 1 has no extensions in entries
  });

  test('[crl.2] a file holds one in DER, or any number in PEM', () => {
    const pem = formatPem('X509 CRL', list);
    const text = (content: string) => Uint8Array.from(Buffer.from(content));
    expect(parseCrls(list, 'test')).toHaveLength(1);
    expect(parseCrls(text(pem), 'test')).toHaveLength(1);
    expect(parseCrls(text(`${pem}\n${pem}`), 'test')).toHaveLength(2);
    expect(parseCrls(text(`${root.pem}\n${pem}`), 'test')).toHaveLength(1);
    const unlabelled = `${pem}\n${pem.replaceAll('X509 CRL', 'CRL')}`; // passed over, it could be the one that revokes
    for (const bad of ['', 'hello', root.pem, pem.replace('END', 'EDN'), unlabelled]) {
      expect(codeOf(() => parseCrls(text(bad), 'test'))).toBe(MALFORMED);
    }
  });

  test('[crl.4] two hundred thousand entries are read in little time', () => {
    // a serial number of ten bytes, and a date
    const short = hex(
      '30 1b 02 0a 11 00 00 00 00 00 00 00 00 00 17 0d 32 36 30 31 30 31 30 30 30 30 30 30 5a',
    );
    const count = 200_000;
    const all = new Uint8Array(count * short.byteLength);
    for (let i = 0; i < count; i++) {
      all.set(short, i * short.byteLength);
      new DataView(all.buffer).setUint32(i * short.byteLength + 8, i);
    }
    const big = replaced(5, derElement(TAG.sequence, all));
    expect(soon(() => parseCrl(big, 'test').entryCount)).toBe(count);
  });
});

describe('reading an answer', () => {
  const ocsp = (bytes: Uint8Array) => codeOf(() => parseOcspResponse(bytes, 'test'));

  test('[ocsp.1] gives what it says, and anything else is refused with one code', () => {
    expect(parseOcspResponse(answer, 'test').responses.map(({ status }) => status)).toEqual(['good']);
    expect(ocsp(Uint8Array.of(...answer, 0))).toBe(MALFORMED);
    expect(ocsp(answer.slice(0, -1))).toBe(MALFORMED);
    expect(ocsp(list)).toBe(MALFORMED);
    expect(ocsp(new Uint8Array())).toBe(MALFORMED);
  });

  test('[ocsp.2] the refusal of a responder is no answer', () => {
    for (const status of [1, 2, 3, 5, 6, 9]) expect(ocsp(derSequence(enumerated(status)))).toBe(MALFORMED);
    expect(() => parseOcspResponse(derSequence(enumerated(6)), 'test')).toThrow(/unauthorized/);
  });
});
