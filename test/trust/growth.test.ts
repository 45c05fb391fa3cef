import { describe, expect, test } from 'vitest';
import { parseCertificate } from '../../src/crypto/certificate.ts';
import { parseCrl } from '../../src/formats/crl/crl.ts';
import { childrenOf, readOnly, TAG } from '../../src/formats/der/cursor.ts';
import { derNull, derOctets, derOid, derSequence, derUnsigned } from '../../src/formats/der/writer.ts';
import { parseOcspResponse } from '../../src/formats/ocsp/response.ts';
import { equalBytes } from '../../src/kit/bytes.ts';
import { openBudget } from '../../src/trust/path/budget.ts';
import { findPath } from '../../src/trust/path/find-path.ts';
import { NO_ALLOWANCES } from '../../src/trust/policy.ts';
import { judgeRevocation } from '../../src/trust/revocation/judge-revocation.ts';
import { der, hex } from '../factory/der.ts';
import { many, soon, textElement } from '../factory/growth.ts';
import { ocspDer } from '../fuzz/seeds/evidence.ts';
import {
  AT,
  authorityExtensions,
  certificateDer,
  extension,
  fixedKey,
  nameDer,
  PURPOSE,
  signedStructure,
  signerExtensions,
} from '../fuzz/seeds/pki.ts';

describe('revocation', () => {
  test('[rob.2] [crl.6] a certificate with many distribution points of many names, and as many lists with many names', () => {
    const uri = (name: string): Uint8Array => textElement(0x86, `http://${name}`);
    const point = (i: number): Uint8Array =>
      derSequence(
        der(
          0xa0,
          der(
            0xa0,
            many(60, (j) => uri(`a${i}-${j}`)),
          ),
        ),
      );
    const points = many(60, (i) => point(i));
    const scope = derSequence(
      der(
        0xa0,
        der(
          0xa0,
          many(60, (i) => uri(`b${i}`)),
        ),
      ),
    );
    const tbs = derSequence(
      derUnsigned(Uint8Array.of(1)),
      derSequence(derOid('1.3.101.112')),
      nameDer('Root'),
      textElement(0x17, '261115000000Z'),
      der(0xa0, derSequence(extension('2.5.29.28', true, scope))),
    );
    const list = signedStructure(tbs, fixedKey('Nobody'));
    const leaf = issued('Leaf', 'Root', [extension('2.5.29.31', false, derSequence(points))]);
    const crls = Array.from({ length: 64 }, () => parseCrl(list, 'a test'));
    expect(soon(() => statusOf(leaf, { crls, ocsps: [] }))).toBe('not-checked');
  });

  test('[rob.2] [ocsp.4] OCSP responses that bring certificates, which are read once', () => {
    const certificate = issued('Stranger', 'Root', []);
    const single = { issuer: 'Root', issuerKey: fixedKey('Root'), serial: 9 };
    const response = ocspDer(
      [single],
      fixedKey('Nobody'),
      many(16, () => certificate),
    );
    const ocsps = Array.from({ length: 64 }, () => parseOcspResponse(response, 'a test'));
    const leaf = issued('Leaf', 'Root', []);
    const rounds = Array.from({ length: 10 }, () => soon(() => statusOf(leaf, { crls: [], ocsps })));
    expect(new Set(rounds)).toEqual(new Set(['unknown']));
  });
});

describe('certification paths', () => {
  const purposes = signerExtensions([PURPOSE.codeSigning]);

  test('[rob.2] [nc.6] ten thousand names under constraints for names of another kind', () => {
    const bases = many(6000, (i) => derSequence(textElement(0x81, `h${i}`)));
    const names = many(10_000, (i) => textElement(0x82, `a${i}`));
    for (const side of [0xa0, 0xa1]) {
      const constraints = extension('2.5.29.30', true, derSequence(der(side, bases)));
      const ca = authority('CA', 'Root', [constraints]);
      const leaf = issued('Leaf', 'CA', [...purposes, extension('2.5.29.17', false, derSequence(names))]);
      expect(soon(() => search(leaf, [ca]))).toEqual([]);
    }
  });

  test('[rob.2] [pol.6] thousands of policies that are mapped to one', () => {
    const policies = many(6000, (i) => derSequence(derOid(`1.2.${i}`)));
    const mappings = many(6000, (i) => derSequence(derOid(`1.2.${i}`), derOid('1.3')));
    const ca = authority('CA', 'Root', [
      extension('2.5.29.32', false, derSequence(policies)),
      extension('2.5.29.33', true, derSequence(mappings)),
    ]);
    const own = derSequence(derSequence(derOid('1.3')), derSequence(derOid('2.5.29.32.0')));
    const leaf = issued('Leaf', 'CA', [...purposes, extension('2.5.29.32', false, own)]);
    expect(soon(() => search(leaf, [ca]))).toEqual([]);
  });

  test('[rob.2] [path.3] authorities of one long name that certify each other', () => {
    const name = 'M'.repeat(3000);
    const mesh = Array.from({ length: 64 }, (_, i) => {
      const [from, to] = [Math.floor(i / 8), i % 8];
      return authorityBy(`K${from}`, `K${to}`, name, name);
    });
    const leaf = certificateDer(
      { serial: 9, issuer: name, subject: 'Leaf', spki: fixedKey('Leaf').spki, extensions: purposes },
      fixedKey('K0'),
    );
    expect(soon(() => search(leaf, mesh))).toEqual(['PATH_LIMIT']);
  });

  test('[rob.2] [path.3] a hundred keys that are made to be slow', () => {
    // an exponent of 3064 bits makes each verification a hundred times as long
    const spki = (i: number): Uint8Array => {
      const modulus = new Uint8Array(384).fill(0xe5);
      modulus[5] = i;
      const key = derSequence(derUnsigned(modulus), derUnsigned(new Uint8Array(383).fill(0xff)));
      return derSequence(derSequence(derOid('1.2.840.113549.1.1.1'), derNull()), der(3, hex('00'), key));
    };
    const rsa = derSequence(derOid('1.2.840.113549.1.1.11'), derNull());
    const signature = der(3, hex('00'), new Uint8Array(384).fill(0x41));
    const extensions = authorityExtensions(fixedKey('Slow'));
    const slowAuthorities = Array.from({ length: 100 }, (_, i) =>
      certificateDer(
        { serial: i + 1, issuer: 'Slow', subject: 'Slow', spki: spki(i), extensions },
        fixedKey('Slow'),
      ),
    );
    const plain = certificateDer(
      { serial: 9, issuer: 'Slow', subject: 'Leaf', spki: fixedKey('Leaf').spki, extensions: purposes },
      fixedKey('Slow'),
    );
    const leaf = withAlgorithm(plain, rsa, signature);
    expect(soon(() => search(leaf, slowAuthorities))).toContain('PATH_LIMIT');
  });
});

function issued(subject: string, issuer: string, extensions: readonly Uint8Array[]): Uint8Array {
  const harmless = extension('1.3.6.1.4.1.99999.3', false, derOctets(hex('00')));
  return certificateDer(
    { serial: 9, issuer, subject, spki: fixedKey(subject).spki, extensions: [harmless, ...extensions] },
    fixedKey(issuer),
  );
}

function authority(subject: string, issuer: string, extensions: readonly Uint8Array[]): Uint8Array {
  return issued(subject, issuer, [...authorityExtensions(fixedKey(subject)), ...extensions]);
}

function authorityBy(issuerKey: string, key: string, issuer: string, subject: string): Uint8Array {
  const extensions = authorityExtensions(fixedKey(key));
  return certificateDer(
    { serial: 9, issuer, subject, spki: fixedKey(key).spki, extensions },
    fixedKey(issuerKey),
  );
}

/** The same certificate said to be signed by another algorithm. */
function withAlgorithm(certificate: Uint8Array, algorithm: Uint8Array, signature: Uint8Array): Uint8Array {
  const ed25519 = derSequence(derOid('1.3.101.112'));
  const [tbs] = childrenOf(readOnly(certificate, TAG.sequence, 'a test'), 'a test');
  const parts = tbs ? childrenOf(tbs, 'a test').map(({ raw }) => raw) : [];
  const changed = parts.map((part) => (equalBytes(part, ed25519) ? algorithm : part));
  return derSequence(derSequence(...changed), algorithm, signature);
}

const root = () => parseCertificate(issued('Root', 'Root', authorityExtensions(fixedKey('Root'))));

function search(leaf: Uint8Array, intermediates: readonly Uint8Array[]): readonly string[] {
  const { errors } = findPath(
    { leaf: parseCertificate(leaf), intermediates: intermediates.map(parseCertificate) },
    { anchors: [root()], window: { from: AT, to: AT }, allowances: NO_ALLOWANCES, purpose: 'code-signing' },
  );
  return errors.map(({ code }) => code);
}

function statusOf(leaf: Uint8Array, evidence: Parameters<typeof judgeRevocation>[1]): string | undefined {
  const anchor = root();
  return judgeRevocation([parseCertificate(leaf), anchor], evidence, {
    mode: 'require',
    at: AT,
    seen: new Map(),
    allowances: NO_ALLOWANCES,
    issuers: [anchor],
    anchors: [anchor],
    budget: openBudget(),
  }).statuses[0]?.status;
}
