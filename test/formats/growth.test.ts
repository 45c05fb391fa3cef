import { describe, expect, test } from 'vitest';
import { parseSignedData } from '../../src/formats/cms/signed-data.ts';
import { parseCrl, parseCrls } from '../../src/formats/crl/crl.ts';
import { findEntry } from '../../src/formats/crl/crl-entries.ts';
import { toDefiniteLengths } from '../../src/formats/der/ber.ts';
import { derOid, derSequence, derUnsigned } from '../../src/formats/der/writer.ts';
import { formatPem } from '../../src/formats/pem.ts';
import { concat, equalBytes } from '../../src/kit/bytes.ts';
import { encodeUtf8 } from '../../src/kit/encoding.ts';
import { der, hex } from '../factory/der.ts';
import { codeOf } from '../factory/errors.ts';
import { many, soon, textElement } from '../factory/growth.ts';
import { crlOfEntries, entryDer } from '../fuzz/seeds/evidence.ts';
import { extension, fixedKey, nameDer, signedStructure } from '../fuzz/seeds/pki.ts';

const indefinite = (tag: number, contents: Uint8Array): Uint8Array =>
  concat([Uint8Array.of(tag, 0x80), contents, hex('00 00')]);

describe('structures', () => {
  const nulls = many(400_000, () => hex('05 00'));

  test('[rob.1] [der.6] an indefinite length around any number of elements', () => {
    const definite = soon(() => toDefiniteLengths(indefinite(0x30, nulls), 'a test'));
    expect(equalBytes(definite, der(0x30, nulls))).toBe(true);
  });

  test('[rob.2] [der.6] an octet string in any number of pieces, also in pieces of pieces', () => {
    const pieces = many(200_000, () => hex('04 01 07'));
    const nested = indefinite(0x24, concat([pieces, indefinite(0x24, pieces), der(0x24, pieces)]));
    const joined = soon(() => toDefiniteLengths(nested, 'a test'));
    expect(equalBytes(joined, der(4, new Uint8Array(600_000).fill(7)))).toBe(true);
    const other = indefinite(0x24, concat([pieces, hex('05 00')]));
    expect(codeOf(() => toDefiniteLengths(other, 'a test'))).toBe('CERTIFICATE_MALFORMED');
  });

  test('[rob.3] [der.6] more elements to convert than any program writes are refused', () => {
    const input = indefinite(
      0x30,
      many(10_001, () => hex('30 80 00 00')),
    );
    expect(codeOf(() => toDefiniteLengths(input, 'a test'))).toBe('CERTIFICATE_MALFORMED');
  });

  test.each([
    ['digest algorithms', (list: Uint8Array) => [der(0x31, list), hex('30 00'), hex('31 00')]],
    ['certificates', (list: Uint8Array) => [hex('31 00'), content, der(0xa0, list), der(0x31, hex('30 00'))]],
    [
      'revocation lists',
      (list: Uint8Array) => [hex('31 00'), content, der(0xa1, list), der(0x31, hex('30 00'))],
    ],
    ['signers', (list: Uint8Array) => [hex('31 00'), content, der(0x31, list)]],
  ])('[rob.2] [rob.3] [cms.3] a CMS with 200,000 %s is refused at once', (_, parts) => {
    const list = many(200_000, () => hex('30 00'));
    const cms = derSequence(
      derOid('1.2.840.113549.1.7.2'),
      der(0xa0, derSequence(derUnsigned(Uint8Array.of(1)), ...parts(list))),
    );
    expect(soon(() => codeOf(() => parseSignedData(cms, 'a test')))).toBe('CMS_SYNTAX');
  });
  const content = derSequence(derOid('1.2.840.113549.1.7.1'));
});

describe('revocation lists', () => {
  const by = { issuer: 'Root', key: fixedKey('Root'), entries: [] };
  const entry = entryDer({ serial: 300, reason: 1 });

  test('[rob.2] [crl.4] 400,000 entries are read and searched', () => {
    const list = crlOfEntries(by, [many(400_000, () => entry), entryDer({ serial: 5 })]);
    const found = soon(() => findEntry(parseCrl(list, 'a test').entries, '05', () => true, false));
    expect(found?.at).toEqual(new Date('2026-06-01T00:00:00Z'));
  });

  test('[rob.2] [crl.2] 100,000 entries in PEM', () => {
    const list = crlOfEntries(by, [many(100_000, () => entry)]);
    const pem = encodeUtf8(formatPem('X509 CRL', list));
    expect(soon(() => parseCrls(pem, 'a test'))[0]?.entryCount).toBe(100_000);
  });

  test('[rob.2] [crl.5] an indirect list: each issuer is read once, and a thousand at most', () => {
    const issuers = (count: number) => {
      const entries = Array.from({ length: count }, (_, i) => entryDer({ serial: 300, issuer: `CA ${i}` }));
      return crlOfEntries({ ...by, indirect: true }, [many(40, () => concat(entries))]);
    };
    expect(soon(() => parseCrl(issuers(1000), 'a test')).entryCount).toBe(40_000);
    expect(codeOf(() => parseCrl(issuers(1025), 'a test'))).toBe('REVOCATION_MALFORMED');
  });

  test('[rob.2] [crl.1] extensions larger than those of any list are refused', () => {
    const scope = derSequence(der(0xa0, der(0xa0, textElement(0x86, 'x'.repeat(140_000)))));
    const tbs = derSequence(
      derUnsigned(Uint8Array.of(1)),
      derSequence(derOid('1.3.101.112')),
      nameDer('Root'),
      textElement(0x17, '261115000000Z'),
      der(0xa0, derSequence(extension('2.5.29.28', true, scope))),
    );
    const list = signedStructure(tbs, fixedKey('Root'));
    expect(codeOf(() => parseCrl(list, 'a test'))).toBe('REVOCATION_MALFORMED');
  });
});
