import { constants, createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { parseCertificate } from '../../src/crypto/certificate.ts';
import { openCms } from '../../src/crypto/cms.ts';
import { signCms } from '../../src/crypto/cms-signer.ts';
import { keySigner } from '../../src/engine/node/key-signer.ts';
import { parseSignedData } from '../../src/formats/cms/signed-data.ts';
import { toDefiniteLengths } from '../../src/formats/der/ber.ts';
import { openDer } from '../../src/formats/der/cursor.ts';
import {
  derElement,
  derNull,
  derOctets,
  derOid,
  derSequence,
  derUnsigned,
} from '../../src/formats/der/writer.ts';
import { digestOid, parseSignatureAlgorithm } from '../../src/formats/x509/signature-algorithm.ts';
import { concat } from '../../src/kit/bytes.ts';
import { isBundleError } from '../../src/kit/errors/errors.ts';
import { utcTime } from '../factory/asn1.ts';
import { makeAuthority, makeCertificate, NOON, type TestCertificate } from '../factory/certificates.ts';
import {
  attribute,
  makeCms,
  OID,
  signedForm,
  signingCertificate,
  type TestCmsOptions,
  type TestSigner,
  usualAttributes,
  withIndefiniteLengths,
} from '../factory/cms.ts';
import { hex } from '../factory/der.ts';
import { codeOf } from '../factory/errors.ts';

const content = Uint8Array.from(Buffer.from('SHA256(web.ovf)= 0123\n'));
const SYNTAX = ['CMS_SYNTAX'];
const INVALID = ['SIGNATURE_INVALID'];
const UNSUPPORTED = ['ALGORITHM_UNSUPPORTED'];
const GOOD = ['good'];
let ec: TestCertificate;
let rsa: TestCertificate;

beforeAll(async () => {
  ec = await makeCertificate({ subject: 'CN=EC' });
  rsa = await makeCertificate({ subject: 'CN=RSA', key: 'rsa2048' });
});

/** `good` for each signer, or the code of what is wrong with it or with the whole. */
function verdicts(
  cms: Uint8Array,
  over: Uint8Array = content,
  trusted: readonly TestCertificate[] = [],
): readonly string[] {
  try {
    const data = parseSignedData(cms, 'the CMS signature');
    const candidates = [
      ...data.certificates.map(parseCertificate),
      ...trusted.map(({ certificate }) => certificate),
    ];
    const reading = openCms(data, candidates);
    for (const byte of over) reading.update(Uint8Array.of(byte));
    return reading.finish().map(({ fault }) => fault?.code ?? 'good');
  } catch (error) {
    if (isBundleError(error)) return [error.code];
    throw error;
  }
}

const by = (signer: Partial<TestSigner> = {}, options: Partial<TestCmsOptions> = {}) =>
  makeCms({ content, signers: [{ by: ec, ...signer }], ...options });
const usual = () => usualAttributes(content);

describe('signatures that fit', () => {
  test('[cms.4] by issuer and serial number, or by key identifier, with attributes or without', () => {
    const keyId = Uint8Array.from(Buffer.from(ec.certificate.fields.extensions.subjectKeyId ?? '', 'hex'));
    expect(verdicts(by())).toEqual(GOOD);
    expect(verdicts(by({ keyId }))).toEqual(GOOD);
    expect(verdicts(by({ attributes: false }))).toEqual(GOOD);
    expect(verdicts(by({ by: rsa }))).toEqual(GOOD);
    expect(verdicts(by({ by: rsa, attributes: false }))).toEqual(GOOD);
    for (const wrong of [new Uint8Array(), content.slice(1), Uint8Array.of(...content, 0)]) {
      expect(verdicts(by(), wrong)).toEqual(INVALID);
      expect(verdicts(by({ attributes: false }), wrong)).toEqual(INVALID);
    }
  });

  test('[cms.4] by a certificate that is trusted and not inside', () => {
    expect(verdicts(by({}, { certificates: [] }))).toEqual(INVALID);
    expect(verdicts(by({}, { certificates: [] }), content, [rsa, ec])).toEqual(GOOD);
  });

  test('[cms.4] by whichever certificate of that key identifier fits, of a few', async () => {
    const keyId = Uint8Array.from(Buffer.from(ec.certificate.fields.extensions.subjectKeyId ?? '', 'hex'));
    const renewed = await makeCertificate({ subject: 'CN=EC', key: ec.privateKey });
    expect(verdicts(by({ keyId }, { certificates: [renewed, ec] }))).toEqual(GOOD);
    const twins = await Promise.all(
      Array.from({ length: 8 }, () => makeCertificate({ subject: 'CN=EC', serial: Uint8Array.of(5) })),
    );
    const [first = ec] = twins;
    expect(verdicts(by({ by: first }, { certificates: twins }))).toEqual(GOOD);
    expect(verdicts(by({ by: first }, { certificates: twins.toReversed() }))).toEqual(INVALID);
  });

  test('[cms.6] all signers are told, each by itself', () => {
    const wrong: Partial<TestSigner> = { attributes: usualAttributes(Uint8Array.of(1)) };
    const two = (...signers: readonly TestSigner[]) => makeCms({ content, signers });
    expect(verdicts(two({ by: ec }, { by: rsa }))).toEqual(['good', 'good']);
    expect(verdicts(two({ by: ec }, { by: rsa, ...wrong }))).toEqual(['good', 'SIGNATURE_INVALID']);
    expect(verdicts(two({ by: ec, digest: 'sha384' }, { by: rsa, digest: 'sha512' }))).toEqual([
      'good',
      'good',
    ]);
  });

  test('[der.6] with the lengths of programs that write while they read', () => {
    expect(verdicts(withIndefiniteLengths(by()))).toEqual(GOOD);
    expect(verdicts(withIndefiniteLengths(by({}, { attached: true })))).toEqual(GOOD);
    const cms = by();
    expect(toDefiniteLengths(withIndefiniteLengths(cms), 'test')).toEqual(cms);
    expect(toDefiniteLengths(cms, 'test')).toBe(cms);
  });

  test.each([
    ['an octet string in pieces', '24 80 04 01 61 24 03 04 01 62 00 00', '04 02 61 62'],
    ['a sequence of nothing', '30 80 00 00', '30 00'],
    ['one inside another', '30 80 a0 80 02 01 05 00 00 00 00', '30 05 a0 03 02 01 05'],
  ])('[der.6] %s becomes DER', (_, ber, expected) => {
    expect(toDefiniteLengths(hex(ber), 'test')).toEqual(hex(expected));
  });

  test.each([
    ['no end', '30 80 02 01 05'],
    ['an end too many', '30 80 00 00 00 00'],
    ['a primitive of indefinite length', '04 80 00 00'],
    ['an octet string of integers', '24 03 02 01 05'],
    ['forty levels', '30 80 '.repeat(40)],
    ['a tag of the long form', '30 80 1f 81 00 00 00'],
    ['a length of five bytes', '30 85 00 00 00 00 00'],
  ])('[der.6] %s is malformed', (_, ber) => {
    expect(codeOf(() => toDefiniteLengths(hex(ber), 'test'))).toBe('CERTIFICATE_MALFORMED');
  });

  test('[der.7] lists of a million elements neither crash nor fill the memory', () => {
    const nulls = new Uint8Array(2_000_000).map((_, i) => (i % 2 === 0 ? 5 : 0));
    const before = process.memoryUsage.rss();
    expect(verdicts(concat([hex('30 80'), nulls, hex('00 00')]))).toEqual(SYNTAX);
    const digests = derSequence(derUnsigned(hex('01')), derElement(0x31, nulls));
    expect(verdicts(derSequence(derOid(OID.signedData), derElement(0xa0, digests)))).toEqual(SYNTAX);
    const pieces = concat(Array.from({ length: 20_000 }, () => hex('30 80 00 00')));
    expect(verdicts(concat([hex('30 80'), pieces, hex('00 00')]))).toEqual(SYNTAX);
    expect(process.memoryUsage.rss() - before).toBeLessThan(400_000_000);
  });
});

describe('the form of a SignedData', () => {
  const cms = () => by();
  test('[cms.3] has at least one signer, at most 16, two of them without attributes, and nothing behind it', () => {
    const many = (count: number, signer: Partial<TestSigner> = {}) =>
      makeCms({
        content,
        certificates: [ec],
        signers: Array.from({ length: count }, () => ({ by: ec, ...signer })),
      });
    expect(verdicts(many(0))).toEqual(SYNTAX);
    expect(verdicts(many(16))).toHaveLength(16);
    expect(verdicts(many(17))).toEqual(SYNTAX);
    expect(verdicts(many(2, { attributes: false }))).toEqual(['good', 'good']);
    expect(verdicts(many(3, { attributes: false }))).toEqual(SYNTAX);
    expect(verdicts(Uint8Array.of(...cms(), 0))).toEqual(SYNTAX);
    expect(verdicts(cms().slice(0, -1))).toEqual(SYNTAX);
    expect(verdicts(new Uint8Array())).toEqual(SYNTAX);
    expect(verdicts(ec.der)).toEqual(SYNTAX);
  });

  test('[cms.2] has a version that exists, and at most 64 certificates', () => {
    for (const version of [1, 3, 4, 5]) expect(verdicts(by({}, { version }))).toEqual(GOOD);
    for (const version of [0, 2, 6]) expect(verdicts(by({}, { version }))).toEqual(SYNTAX);
    expect(verdicts(by({}, { certificates: Array.from({ length: 64 }, () => ec) }))).toEqual(GOOD);
    expect(verdicts(by({}, { certificates: Array.from({ length: 65 }, () => ec) }))).toEqual(SYNTAX);
  });

  test('[cms.1] its certificates come out as they are, in order', () => {
    const data = parseSignedData(by({}, { certificates: [rsa, ec, derElement(0xa1, hex('05 00'))] }), 'test');
    expect(data.certificates).toEqual([rsa.der, ec.der]);
  });

  test('[cms.4] a signer has the version of the way in which it names its certificate', () => {
    expect(verdicts(by({ version: 3 }))).toEqual(SYNTAX);
    expect(verdicts(by({ keyId: hex('01'), version: 1 }))).toEqual(SYNTAX);
  });
});

describe('forgeries', () => {
  test('[cms.5] attributes need the content type and the message digest, once and with one value', () => {
    const [type = hex(''), digest = hex('')] = usual();
    const bad = (...attributes: readonly Uint8Array[]) => verdicts(by({ attributes }));
    expect(bad(type, digest)).toEqual(GOOD);
    expect(bad(type)).toEqual(SYNTAX);
    expect(bad(digest)).toEqual(SYNTAX);
    expect(bad()).toEqual(SYNTAX);
    const wrong = attribute(OID.messageDigest, derOctets(new Uint8Array(32)));
    expect(bad(type, digest, wrong)).toEqual(SYNTAX);
    expect(bad(type, wrong, digest)).toEqual(SYNTAX);
    expect(bad(type, digest, digest)).toEqual(SYNTAX);
    const sum = derOctets(Uint8Array.from(createHash('sha256').update(content).digest()));
    expect(bad(type, attribute(OID.messageDigest, sum, derOctets(new Uint8Array(32))))).toEqual(SYNTAX);
    expect(bad(type, attribute(OID.messageDigest))).toEqual(SYNTAX);
  });

  test('[cms.5] the content type in the attributes is that of the content', () => {
    const other = usualAttributes(content, 'sha256', OID.signedData);
    expect(verdicts(by({ attributes: other }))).toEqual(INVALID);
    expect(verdicts(by({ attributes: usual() }, { contentType: OID.timestampInfo }))).toEqual(INVALID);
  });

  test('[cms.7] a signature over attributes is none over the attributes as content', () => {
    const attributes = signedForm(usual());
    const stripped = by({
      attributes: false,
      sign: (_, key) => Uint8Array.from(sign('sha256', attributes, key)),
    });
    expect(verdicts(stripped, attributes)).toEqual(INVALID);
    expect(verdicts(stripped, content)).toEqual(INVALID);
  });

  test('[cms.7] nor is a signature over content one over attributes', () => {
    const added = by({
      sign: (_: Uint8Array, key: KeyObject) => Uint8Array.from(sign('sha256', content, key)),
    });
    expect(verdicts(added)).toEqual(INVALID);
  });

  test('[cms.7] content of another type needs attributes', () => {
    expect(verdicts(by({ attributes: false }, { contentType: OID.signedData }))).toEqual(INVALID);
  });

  test('[cms.6] the digest of the signature is the one of the message', () => {
    const sha384 = derSequence(derOid('1.2.840.10045.4.3.3'));
    const over = (data: Uint8Array, key: KeyObject) => Uint8Array.from(sign('sha384', data, key));
    expect(verdicts(by({ algorithm: sha384, sign: over }))).toEqual(INVALID);
    expect(verdicts(by({ digest: 'sha384' }))).toEqual(GOOD);
    expect(verdicts(by({ algorithm: derSequence(derOid('1.2.3.4')) }))).toEqual(UNSUPPORTED);
  });

  test('[cms.8] the certificate is the one that the signer meant', async () => {
    const renewed = await makeCertificate({ subject: 'CN=EC', key: ec.privateKey });
    const meant = (one: TestCertificate, version: 1 | 2) =>
      by({ attributes: [...usual(), signingCertificate(one, version)] });
    for (const version of [1, 2] as const) {
      expect(verdicts(meant(ec, version))).toEqual(GOOD);
      expect(verdicts(meant(renewed, version))).toEqual(INVALID);
    }
    const keyId = Uint8Array.from(Buffer.from(ec.certificate.fields.extensions.subjectKeyId ?? '', 'hex'));
    const attributes = [...usual(), signingCertificate(ec)];
    expect(verdicts(by({ keyId, attributes }, { certificates: [renewed, ec] }))).toEqual(GOOD);
    const both = [...usual(), signingCertificate(ec, 2), signingCertificate(renewed, 1)];
    expect(verdicts(by({ attributes: both }))).toEqual(INVALID);
  });

  test('[cms.5] what is not signed changes nothing: no digest, no certificate, no time', () => {
    const unsigned = [...usualAttributes(Uint8Array.of(1)), attribute(OID.signingTime, utcTime(NOON))];
    expect(verdicts(by({ unsigned }))).toEqual(GOOD);
    expect(verdicts(by({ attributes: usualAttributes(Uint8Array.of(1)), unsigned: usual() }))).toEqual(
      INVALID,
    );
    const data = parseSignedData(by({ unsigned }), 'test');
    expect(data.signers[0]?.signedAttributes?.signingTime).toBeUndefined();
  });

  test('[cms.9] a signature of zeros, of the wrong kind, or for another key does not fit', async () => {
    for (const signature of [derSequence(hex('02 01 00'), hex('02 01 00')), hex(''), new Uint8Array(72)]) {
      expect(verdicts(by({ sign: () => signature }))).toEqual(INVALID);
    }
    expect(verdicts(by({ by: rsa, sign: () => new Uint8Array(256) }))).toEqual(INVALID);
    expect(verdicts(by({ by: rsa, algorithm: derSequence(derOid('1.2.840.10045.4.3.2')) }))).toEqual(INVALID);
    const other = await makeCertificate({ subject: 'CN=EC' });
    expect(verdicts(by({ sign: (data) => Uint8Array.from(sign('sha256', data, other.privateKey)) }))).toEqual(
      INVALID,
    );
  });
});

describe('algorithms', () => {
  const pss = (hash: string, mask: string, salt: number) =>
    derSequence(
      derOid('1.2.840.113549.1.1.10'),
      derSequence(
        derElement(0xa0, derSequence(derOid(digestOid(hash) ?? ''), derNull())),
        derElement(
          0xa1,
          derSequence(derOid('1.2.840.113549.1.1.8'), derSequence(derOid(digestOid(mask) ?? ''), derNull())),
        ),
        derElement(0xa2, derUnsigned(Uint8Array.of(salt))),
      ),
    );
  const withSalt = (saltLength: number) => (data: Uint8Array, key: KeyObject) =>
    Uint8Array.from(sign('sha256', data, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength }));
  const parse = (algorithm: Uint8Array) =>
    codeOf(() => parseSignatureAlgorithm(openDer(algorithm, 'test').next(), 'test'));

  test('[sigalg.4] RSA-PSS signatures obey digest, mask and salt of their parameters', () => {
    const signed = (algorithm: Uint8Array, salt: number) =>
      verdicts(by({ by: rsa, algorithm, sign: withSalt(salt) }));
    expect(signed(pss('sha256', 'sha256', 32), 32)).toEqual(GOOD);
    expect(signed(pss('sha256', 'sha256', 0), 0)).toEqual(GOOD);
    expect(signed(pss('sha256', 'sha256', 48), 32)).toEqual(INVALID);
    expect(signed(pss('sha256', 'sha1', 32), 32)).toEqual(INVALID);
    expect(signed(pss('sha384', 'sha384', 32), 32)).toEqual(INVALID);
    expect(verdicts(by({ by: rsa, algorithm: pss('sha256', 'sha256', 32) }))).toEqual(INVALID); // PKCS#1 v1.5
    expect(verdicts(by({ by: rsa, sign: withSalt(32) }))).toEqual(INVALID); // PSS under the name of PKCS#1 v1.5
  });

  test('[sigalg.2] parameters that are left out mean SHA-1, and odd ones are malformed', () => {
    const oid = derOid('1.2.840.113549.1.1.10');
    const read = (parameters: readonly Uint8Array[]) =>
      parseSignatureAlgorithm(openDer(derSequence(oid, ...parameters), 'test').next(), 'test');
    expect(read([derSequence()]).pss).toEqual({ digest: 'sha1', mgfDigest: 'sha1', saltLength: 20 });
    expect(read([]).digest).toBe('sha1');
    expect(parse(derSequence(oid, derNull()))).toBe('CERTIFICATE_MALFORMED');
    const trailer = derElement(0xa3, derUnsigned(hex('02')));
    expect(parse(derSequence(oid, derSequence(trailer)))).toBe('CERTIFICATE_MALFORMED');
    const salt = derElement(0xa2, derElement(0x02, hex('ff')));
    expect(parse(derSequence(oid, derSequence(salt)))).toBe('CERTIFICATE_MALFORMED');
  });

  test('[sigalg.1] an algorithm without parameters has none', () => {
    const ecdsa = derOid('1.2.840.10045.4.3.2');
    expect(parse(derSequence(ecdsa))).toBeUndefined();
    expect(parse(derSequence(ecdsa, derNull()))).toBeUndefined();
    expect(parse(derSequence(ecdsa, derOctets(hex('00'))))).toBe('CERTIFICATE_MALFORMED');
    expect(parse(derSequence(ecdsa, derNull(), derNull()))).toBe('CERTIFICATE_MALFORMED');
    expect(parse(derSequence(derOid('1.3.101.112'), derNull()))).toBe('CERTIFICATE_MALFORMED');
  });

  test('[cms.7] Ed25519 and Ed448, over attributes and over the content', async () => {
    for (const type of ['ed25519', 'ed448'] as const) {
      const { privateKey } =
        type === 'ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ed448');
      const issuer = await makeAuthority({ subject: 'CN=CA' });
      const signer = await makeCertificate({ subject: 'CN=Ed', issuer, key: privateKey });
      const digest = type === 'ed25519' ? 'sha512' : 'shake256';
      const sum = Uint8Array.from(
        createHash(digest, digest === 'shake256' ? { outputLength: 64 } : {})
          .update(content)
          .digest(),
      );
      const attributes = [
        attribute(OID.contentType, derOid(OID.data)),
        attribute(OID.messageDigest, derOctets(sum)),
      ];
      const algorithm = derSequence(derOid(type === 'ed25519' ? '1.3.101.112' : '1.3.101.113'));
      const make = (data: Uint8Array, key: KeyObject) => Uint8Array.from(sign(null, data, key));
      const common: TestSigner = { by: signer, digest, algorithm, sign: make };
      expect(verdicts(makeCms({ content, signers: [{ ...common, attributes }] }))).toEqual(GOOD);
      expect(verdicts(makeCms({ content, signers: [{ ...common, attributes: false }] }))).toEqual(GOOD);
      expect(verdicts(makeCms({ content, signers: [{ ...common, attributes }] }), hex('00'))).toEqual(
        INVALID,
      );
      expect(verdicts(makeCms({ content, signers: [{ ...common, attributes: false }] }), hex('00'))).toEqual(
        INVALID,
      );
      const swapped = derSequence(derOid(type === 'ed25519' ? '1.3.101.113' : '1.3.101.112'));
      expect(
        verdicts(makeCms({ content, signers: [{ ...common, attributes, algorithm: swapped }] })),
      ).toEqual(INVALID);
    }
  });

  test.each(['p256', 'p384', 'ed25519', 'rsa2048'] as const)(
    '[cms.10] what is written with %s is read, and is the same each time',
    async (key) => {
      const issuer = await makeAuthority({ subject: 'CN=CA' });
      const signer = await makeCertificate({ issuer, key });
      const digest = 'sha256';
      const used = key === 'ed25519' ? 'sha512' : digest;
      const make = () =>
        signCms({
          signer: keySigner(signer.privateKey, 'key.pem'),
          leaf: signer.certificate,
          intermediates: [issuer.certificate],
          digest,
          contentDigest: Uint8Array.from(createHash(used).update(content).digest()),
        });
      const cms = await make();
      expect(verdicts(cms)).toEqual(GOOD);
      const data = parseSignedData(cms, 'test');
      expect(data.content).toBeUndefined();
      expect(data.certificates).toHaveLength(2);
      expect(data.signers[0]?.signedAttributes?.signingTime).toBeUndefined();
      expect(data.signers[0]?.signedAttributes?.signingCertificates.map((one) => one.digest)).toEqual([
        'sha256',
      ]);
      if (key === 'ed25519' || key === 'rsa2048') expect(await make()).toEqual(cms);
    },
  );
});
