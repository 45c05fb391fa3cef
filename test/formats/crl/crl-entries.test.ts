import { describe, expect, test } from 'vitest';
import { parseCrl } from '../../../src/formats/crl/crl.ts';
import { findEntry } from '../../../src/formats/crl/crl-entries.ts';
import { derElement, derOid, derSequence } from '../../../src/formats/der/writer.ts';
import { nameKey } from '../../../src/formats/x509/name.ts';
import { concat } from '../../../src/kit/bytes.ts';
import { encodeUtf8 } from '../../../src/kit/encoding.ts';
import { der, hex } from '../../factory/der.ts';
import { codeOf } from '../../factory/errors.ts';
import { soon } from '../../factory/growth.ts';
import { crlDer, crlOfEntries, entryDer } from '../../fuzz/seeds/evidence.ts';
import { extension, fixedKey, nameDer, signedStructure } from '../../fuzz/seeds/pki.ts';

const by = { issuer: 'Sub', key: fixedKey('Sub') };
const utc = (text: string): Uint8Array => der(0x17, encodeUtf8(text));
const entry = (...fields: readonly Uint8Array[]): Uint8Array => derSequence(...fields);
const codeFor = (...entries: readonly Uint8Array[]) =>
  codeOf(() => parseCrl(crlOfEntries({ ...by, entries: [] }, entries), 'a test'));
const JUNE = utc('260601000000Z');
const FIVE = hex('02 01 05');

describe('entries of a revocation list', () => {
  test('[crl.4] are read to their last field when the list is read', () => {
    const [reason, date, issuer] = ['2.5.29.21', '2.5.29.24', '2.5.29.29'];
    const withExtension = (oid: string, value: Uint8Array) =>
      codeFor(entry(FIVE, JUNE, derSequence(extension(oid, false, value))));
    expect(codeFor(entry(FIVE, JUNE))).toBeUndefined();
    expect(withExtension(reason, hex('0a 01 01'))).toBeUndefined();
    expect(withExtension(reason, hex('0a 01 07'))).toBe('REVOCATION_MALFORMED'); // there is no reason 7
    expect(withExtension(reason, hex('02 01 01'))).toBe('REVOCATION_MALFORMED');
    expect(withExtension(reason, hex('0a 01 01 00'))).toBe('REVOCATION_MALFORMED');
    expect(withExtension(date, der(0x18, encodeUtf8('20260231000000Z')))).toBe('REVOCATION_MALFORMED');
    expect(withExtension(issuer, hex('30 00'))).toBe('REVOCATION_MALFORMED');
    expect(withExtension(issuer, derSequence(derElement(0xa4, nameDer('\0'))))).toBe('REVOCATION_MALFORMED');
    expect(codeFor(entry(FIVE, utc('260231000000Z')))).toBe('REVOCATION_MALFORMED');
    expect(codeFor(entry(FIVE, utc('2606010000Z')))).toBe('REVOCATION_MALFORMED');
  });

  test('[crl.4] have serial numbers in their one spelling: another would never be found', () => {
    for (const serial of ['02 00', '02 02 00 05', '02 02 ff ff', `02 41 01${'00'.repeat(64)}`])
      expect(codeFor(entry(hex(serial), JUNE)), serial).toBe('REVOCATION_MALFORMED');
    for (const serial of ['02 02 00 85', '02 01 ff', `02 40 01${'00'.repeat(63)}`])
      expect(codeFor(entry(hex(serial), JUNE)), serial).toBeUndefined();
  });

  test('[crl.4] have no extensions in a list of version 1', () => {
    const list = (entry: Uint8Array) =>
      signedStructure(
        derSequence(
          derSequence(derOid('1.3.101.112')),
          nameDer('Sub'),
          utc('261115000000Z'),
          derSequence(entry),
        ),
        fixedKey('Sub'),
      );
    expect(codeOf(() => parseCrl(list(entryDer({ serial: 5 })), 'a test'))).toBeUndefined();
    expect(codeOf(() => parseCrl(list(entryDer({ serial: 5, reason: 1 })), 'a test'))).toBe(
      'REVOCATION_MALFORMED',
    );
  });

  test('[crl.5] whom they are about is asked once for each name, not for each entry', () => {
    const crl = parseCrl(
      crlDer({
        ...by,
        indirect: true,
        entries: [
          { serial: 5 },
          ...Array.from({ length: 50 }, () => ({ serial: 5, reason: 8 })),
          { serial: 5, reason: 8, issuer: 'Root' },
          ...Array.from({ length: 50 }, () => ({ serial: 5, reason: 8 })),
        ],
      }),
      'a test',
    );
    let asked = 0;
    const found = findEntry(
      crl.entries,
      '05',
      (names) => {
        asked++;
        return (
          names?.some((name) => name.kind === 'directory' && nameKey(name.value).endsWith('CN=root')) ?? false
        );
      },
      true,
    );
    expect(asked).toBe(2);
    expect(found?.reason).toBe('removeFromCRL');
  });

  test('[crl.5] a long list of names before many entries takes no time for each of them', () => {
    const names = concat(Array.from({ length: 10_000 }, (_, i) => derElement(0xa4, nameDer(`Someone ${i}`))));
    const first = entry(
      hex('02 02 00 85'),
      JUNE,
      derSequence(extension('2.5.29.29', true, derSequence(names))),
    );
    const others = Array.from({ length: 10_000 }, () => entryDer({ serial: 0x85, reason: 8 }));
    const crl = parseCrl(crlOfEntries({ ...by, entries: [], indirect: true }, [first, ...others]), 'a test');
    const mine = nameDer('Sub');
    const asked = { lists: 0 };
    const isMine: Parameters<typeof findEntry>[2] = (list) => {
      asked.lists++;
      return list?.some((name) => name.kind === 'directory' && name.value.raw === mine) ?? false;
    };
    soon(() => findEntry(crl.entries, '0085', isMine, true));
    expect(asked.lists).toBe(2); // for the issuer of the list itself, and for the one list of names
  });
});
