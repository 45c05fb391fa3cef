import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { isSignedBy, parseCertificate } from '../../src/crypto/certificate.ts';
import { openCms } from '../../src/crypto/cms.ts';
import { signCms } from '../../src/crypto/cms-signer.ts';
import { digestBytes } from '../../src/crypto/digest.ts';
import { keyIdentity, sameKey } from '../../src/crypto/key-identity.ts';
import { isSignatureValid, isSignedWith } from '../../src/crypto/signature.ts';
import { signBytes } from '../../src/crypto/signer.ts';
import { keySigner } from '../../src/engine/node/key-signer.ts';
import {
  isNative,
  KNOWN_DATA,
  knownAnswer,
  packaged,
  verifyByPackage,
  verifyMlDsa,
} from '../../src/engine/node/ml-dsa.ts';
import { parsePrivateKey } from '../../src/engine/node/private-key.ts';
import { parseSignedData } from '../../src/formats/cms/signed-data.ts';
import { openDer } from '../../src/formats/der/cursor.ts';
import {
  derElement,
  derNull,
  derOctets,
  derOid,
  derSequence,
  derUnsigned,
} from '../../src/formats/der/writer.ts';
import { formatPem } from '../../src/formats/pem.ts';
import { mlDsaIdentifier, mlDsaSpki } from '../../src/formats/x509/ml-dsa.ts';
import { type PublicKey, parsePublicKey } from '../../src/formats/x509/public-key.ts';
import { parseSignatureAlgorithm } from '../../src/formats/x509/signature-algorithm.ts';
import { concat } from '../../src/kit/bytes.ts';
import { encodeUtf8 } from '../../src/kit/encoding.ts';
import { makeAuthority } from '../factory/certificates.ts';
import { OID, signedForm, usualAttributes } from '../factory/cms.ts';
import { flipped } from '../factory/damage.ts';
import { codeOf, codeOfAsync } from '../factory/errors.ts';
import {
  classicalKey,
  makePqAuthority,
  makePqCertificate,
  mlDsa,
  type PqCertificate,
  pqIdentity,
  pqKey,
} from '../factory/ml-dsa.ts';

const DATA = encodeUtf8('SHA512(disk.img)= …\n');
const SETS = [44, 65, 87] as const;

const publicOf = (spki: Uint8Array): PublicKey => parsePublicKey(spki, 'a key');
const open = (pem: string | Uint8Array, passphrase = '') =>
  parsePrivateKey(
    { name: 'k', bytes: typeof pem === 'string' ? encodeUtf8(pem) : pem },
    async () => passphrase,
  );

describe('ML-DSA', () => {
  test.each(SETS)(
    '[pq.2] %s: what one implementation signs the other verifies, and nothing changed',
    async (name) => {
      const set = mlDsa(name);
      const pair = pqKey(name);
      const key = publicOf(pair.spki);
      const signer = keySigner(await open(pair.pem), 'key.pem');
      expect(signer.publicKey).toEqual(key);
      const signature = await signBytes(signer, 'sha256', DATA);
      expect(signature.byteLength).toBe(set.signatureBytes);
      for (const one of [signature, pair.sign(DATA)]) {
        expect(verifyMlDsa(key, DATA, one)).toBe(true);
        expect(verifyByPackage(key, DATA, one)).toBe(true);
        expect(verifyMlDsa(key, flipped(DATA, 3), one)).toBe(false);
        for (const at of [0, 100, one.byteLength - 1])
          expect(verifyMlDsa(key, DATA, flipped(one, at))).toBe(false);
      }
      expect(isNative(set)).toBe(verifiesHere(pair.spki, signature));
      const algorithm = parseSignatureAlgorithm(openDer(mlDsaIdentifier(set), 'x').next(), 'x');
      expect(isSignedWith({ algorithm, signature }, DATA, key)).toBe(true);
      const other = publicOf(pqKey(name === 44 ? 65 : 44).spki);
      expect(isSignedWith({ algorithm, signature }, DATA, other)).toBe(false);
    },
  );

  test('[pq.2] the answer that an engine is tried with is one by the other implementation too', () => {
    for (const name of SETS) {
      const { key, signature } = knownAnswer(mlDsa(name));
      expect(verifyByPackage(key, KNOWN_DATA, signature)).toBe(true);
      expect(verifyByPackage(key, DATA, signature)).toBe(false);
    }
    // a signature for a context is none without it
    const { keygen, sign: signWith } = packaged(mlDsa(87));
    const { publicKey, secretKey } = keygen();
    const key = publicOf(mlDsaSpki(mlDsa(87), publicKey));
    const inContext = signWith(DATA, secretKey, { context: encodeUtf8('x') });
    expect(verifyMlDsa(key, DATA, inContext)).toBe(false);
    expect(verifyMlDsa(key, DATA, signWith(DATA, secretKey))).toBe(true);
  });

  test('[pq.1] keys and algorithms have no parameters, and keys their one length', () => {
    const set = mlDsa(65);
    const bytes = new Uint8Array(set.publicBytes);
    const spki = (algorithm: Uint8Array, key: Uint8Array, unused = 0): Uint8Array =>
      derSequence(algorithm, derElement(0x03, Uint8Array.of(unused), key));
    expect(publicOf(mlDsaSpki(set, bytes)).key.label).toBe('ML-DSA-65');
    const withNull = derSequence(derOid(set.oid), derNull());
    for (const bad of [
      spki(withNull, bytes),
      spki(mlDsaIdentifier(set), bytes.subarray(1)),
      spki(mlDsaIdentifier(set), concat([bytes, bytes.subarray(0, 1)])),
      spki(mlDsaIdentifier(set), bytes, 1),
    ])
      expect(codeOf(() => publicOf(bad))).toBe('CERTIFICATE_MALFORMED');
    expect(codeOf(() => parseSignatureAlgorithm(openDer(withNull, 'x').next(), 'x'))).toBe(
      'CERTIFICATE_MALFORMED',
    );
  });

  test('[pq.1] two certificates for one key are one signer, for two keys two', async () => {
    const keys = pqKey(65);
    const [one, same, other] = await Promise.all([
      makePqCertificate({ keys }),
      makePqCertificate({ keys, subject: 'CN=Else' }),
      makePqCertificate({ keys: pqKey(65) }),
    ]);
    expect(keyIdentity(one.certificate)).toBe(keyIdentity(same.certificate));
    expect(keyIdentity(one.certificate)).not.toBe(keyIdentity(other.certificate));
    expect(sameKey(one.certificate.publicKey, same.certificate.publicKey)).toBe(true);
    expect(sameKey(one.certificate.publicKey, other.certificate.publicKey)).toBe(false);
  });

  test('[pq.5] makes no line of a certificate file', () => {
    const pair = pqKey();
    expect(isSignatureValid('sha512', DATA, publicOf(pair.spki), pair.sign(DATA))).toBe(false);
  });
});

/** What OpenSSL says, where it knows the algorithm. */
function verifiesHere(spki: Uint8Array, signature: Uint8Array): boolean {
  try {
    const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
    return verify(null, DATA, key, signature);
  } catch {
    return false;
  }
}

describe('a private key of ML-DSA', () => {
  const set = mlDsa(65);
  const seed = new Uint8Array(32).fill(7);
  const { publicKey, secretKey } = packaged(set).keygen(seed);
  const pkcs8 = (
    key: Uint8Array,
    behind: readonly Uint8Array[] = [],
    algorithm = mlDsaIdentifier(set),
  ): Uint8Array =>
    derSequence(derUnsigned(Uint8Array.of(behind.length > 0 ? 1 : 0)), algorithm, derOctets(key), ...behind);
  const both = (a: Uint8Array, b: Uint8Array): Uint8Array => derSequence(derOctets(a), derOctets(b));
  const own = (key: Uint8Array): Uint8Array => derElement(0x81, Uint8Array.of(0), key);

  test.each([
    ['a seed', derElement(0x80, seed)],
    ['an expanded key', derOctets(secretKey)],
    ['both', both(seed, secretKey)],
  ])('[pq.3] is %s, in DER or PEM', async (_, key) => {
    for (const file of [pkcs8(key), formatPem('PRIVATE KEY', pkcs8(key)), pkcs8(key, [own(publicKey)])]) {
      const signer = keySigner(await open(file), 'key.pem');
      expect(signer.publicKey).toEqual(publicOf(mlDsaSpki(set, publicKey)));
      expect(verifyMlDsa(signer.publicKey, DATA, await signBytes(signer, 'sha256', DATA))).toBe(true);
    }
  });

  test.each([
    ['a seed and another key', pkcs8(both(flipped(seed, 1), secretKey))],
    ['another public key', pkcs8(derElement(0x80, seed), [own(flipped(publicKey, 5))])],
    ['a seed that is too short', pkcs8(derElement(0x80, seed.subarray(1)))],
    ['the expanded key of another set', pkcs8(derOctets(secretKey.subarray(40)))],
    ['three parts', pkcs8(derSequence(derOctets(seed), derOctets(secretKey), derNull()))],
    ['a bare seed', pkcs8(seed)],
    ['parameters', pkcs8(derElement(0x80, seed), [], derSequence(derOid(set.oid), derNull()))],
    ['bytes behind it', pkcs8(concat([derElement(0x80, seed), Uint8Array.of(5, 0)]))],
  ])('[pq.3] with %s is refused', async (_, file) => {
    expect(await codeOfAsync(open(file))).toBe('KEY_UNREADABLE');
    expect(await codeOfAsync(open(formatPem('PRIVATE KEY', file)))).toBe('KEY_UNREADABLE');
  });

  test('[pq.3] is read from an encrypted PKCS#8, on every Node', async () => {
    const file = formatPem('ENCRYPTED PRIVATE KEY', await encrypted(pkcs8(derElement(0x80, seed)), 'secret'));
    const signer = keySigner(await open(file, 'secret'), 'key.pem');
    expect(signer.publicKey).toEqual(publicOf(mlDsaSpki(set, publicKey)));
    expect(await codeOfAsync(open(file, 'wrong'))).toBe('PASSPHRASE_WRONG');
  });
});

/** An EncryptedPrivateKeyInfo: PBES2 of PBKDF2 and AES-256. */
async function encrypted(key: Uint8Array, passphrase: string): Promise<Uint8Array> {
  const { EncryptedData } = await import('pkijs');
  const data = new EncryptedData();
  await data.encrypt({
    password: new Uint8Array(encodeUtf8(passphrase)).buffer,
    contentEncryptionAlgorithm: { name: 'AES-CBC', length: 256 } as never,
    hmacHashAlgorithm: 'SHA-256',
    iterationCount: 1000,
    contentToEncrypt: new Uint8Array(key).buffer,
  });
  const info = data.encryptedContentInfo;
  const content = new Uint8Array(info.getEncryptedContent());
  return derSequence(new Uint8Array(info.contentEncryptionAlgorithm.toSchema().toBER()), derOctets(content));
}

describe('certificates of ML-DSA', () => {
  test('[pq.2] are read and verified on every engine, mixed with others', async () => {
    const ca = await makePqAuthority({ keys: pqKey(65) });
    const leaf = await makePqCertificate({ issuer: ca });
    const classical = await makePqCertificate({ issuer: ca, keys: classicalKey() });
    const rsa = await makeAuthority({ key: 'rsa2048' });
    const under = await makePqCertificate({ issuer: rsa });
    expect(leaf.certificate.key).toEqual({ type: 'ml-dsa-87', label: 'ML-DSA-87' });
    expect(leaf.certificate.fields.signature.name).toBe('ML-DSA-65');
    expect(isSignedBy(leaf.certificate, ca.certificate)).toBe(true);
    expect(isSignedBy(classical.certificate, ca.certificate)).toBe(true);
    expect(isSignedBy(under.certificate, rsa.certificate)).toBe(true);
    expect(isSignedBy(leaf.certificate, rsa.certificate)).toBe(false);
    expect(isSignedBy(under.certificate, ca.certificate)).toBe(false);
    const stranger = await makePqAuthority({ keys: pqKey(65) });
    expect(isSignedBy(leaf.certificate, stranger.certificate)).toBe(false);
    const forged = await makePqCertificate({ issuer: ca, signature: (real) => flipped(real, 9) });
    expect(isSignedBy(forged.certificate, ca.certificate)).toBe(false);
    const short = await makePqCertificate({ issuer: ca, signature: (real) => real.subarray(1) });
    expect(isSignedBy(short.certificate, ca.certificate)).toBe(false);
  });

  test('[pq.2] are refused by the second parser where theirs is not the same certificate', async () => {
    const { der: good } = await makePqCertificate();
    expect(codeOf(() => parseCertificate(concat([good, Uint8Array.of(0)])))).toBe('CERTIFICATE_MALFORMED');
  });
});

describe('a CMS signature of ML-DSA', () => {
  let signer: PqCertificate;
  beforeAll(async () => {
    signer = await makePqCertificate();
  });

  const judge = (cms: Uint8Array, content = DATA, who = [signer.certificate]) => {
    const reading = openCms(parseSignedData(cms, 'the CMS signature'), who);
    reading.update(content);
    return reading.finish()[0];
  };

  /** with attributes over `digest`, or the content itself */
  const make = (by: PqCertificate, digest: string | undefined, name: 44 | 65 | 87): Uint8Array => {
    const attributes = digest ? usualAttributes(DATA, digest) : undefined;
    const over = attributes ? signedForm(attributes) : DATA;
    const { issuer, serial } = by.certificate.fields;
    const oids: Record<string, number> = { sha256: 1, sha384: 2, sha512: 3, 'sha3-512': 10, sha1: 0 };
    const oid = digest === 'sha1' ? '1.3.14.3.2.26' : `2.16.840.1.101.3.4.2.${oids[digest ?? 'sha512']}`;
    const info = derSequence(
      derUnsigned(Uint8Array.of(1)),
      derSequence(issuer.raw, derElement(0x02, Uint8Array.from(Buffer.from(serial, 'hex')))),
      derSequence(derOid(oid)),
      ...(attributes ? [derElement(0xa0, openDer(over, 'x').next().value)] : []),
      mlDsaIdentifier(mlDsa(name)),
      derOctets(by.keys.sign(over)),
    );
    const data = derSequence(
      derUnsigned(Uint8Array.of(1)),
      derElement(0x31, derSequence(derOid(oid))),
      derSequence(derOid(OID.data)),
      derElement(0x31, info),
    );
    return derSequence(derOid(OID.signedData), derElement(0xa0, data));
  };

  test('[pq.4] is over attributes with SHA-512, and says which certificate is meant by its SHA-512', async () => {
    const { signer: by, leaf } = await pqIdentity(signer);
    const contentDigest = digestBytes('sha512', DATA);
    const cms = await signCms({ signer: by, leaf, intermediates: [], digest: 'sha256', contentDigest });
    const [info] = parseSignedData(cms, 'x').signers;
    expect(info?.digest.name).toBe('sha512');
    expect(info?.signedAttributes?.signingCertificates[0]?.digest).toBe('sha512');
    expect(judge(cms)).toMatchObject({ digest: 'sha512', certificate: signer.certificate });
    expect(judge(cms)?.fault).toBeUndefined();
    expect(judge(cms, flipped(DATA, 1))?.fault?.code).toBe('SIGNATURE_INVALID');
    const same = await makePqCertificate({ keys: signer.keys, subject: 'CN=Else' });
    expect(judge(cms, DATA, [same.certificate])?.fault?.code).toBe('SIGNATURE_INVALID');
  });

  test.each([
    [44, 'sha256', undefined],
    [44, 'sha1', 'DIGEST_WEAK'],
    [65, 'sha256', 'DIGEST_WEAK'],
    [65, 'sha384', undefined],
    [87, 'sha384', 'DIGEST_WEAK'],
    [87, 'sha512', undefined],
    [87, 'sha3-512', undefined],
    [87, undefined, undefined],
  ] as const)('[pq.4] of ML-DSA-%s over %s: %s', async (name, digest, fault) => {
    const by = await makePqCertificate({ keys: pqKey(name) });
    const cms = make(by, digest, name);
    expect(judge(cms, DATA, [by.certificate])?.fault?.code).toBe(fault);
    expect(judge(cms, flipped(DATA, 2), [by.certificate])?.fault?.code).toBe('SIGNATURE_INVALID');
  });

  test('[pq.1] that names another parameter set than the key has is none', async () => {
    expect(judge(make(signer, 'sha512', 65))?.fault?.code).toBe('SIGNATURE_INVALID');
  });
});

test('[pq.2] OpenSSL reads the keys that are made here, where it knows them', async () => {
  const pair = pqKey(87);
  const key = publicOf(pair.spki);
  if (!isNative(mlDsa(87))) {
    expect(() => createPrivateKey(pair.pem)).toThrow();
    return;
  }
  let native: ReturnType<typeof createPrivateKey>;
  try {
    native = createPrivateKey(pair.pem);
  } catch {
    return; // one that verifies and knows no private keys
  }
  expect(verifyByPackage(key, DATA, Uint8Array.from(sign(null, DATA, native)))).toBe(true);
  const form = { type: 'pkcs8', format: 'pem' } as const;
  const file = native.export(form).toString();
  expect(keySigner(await open(file), 'k').publicKey).toEqual(key);
  const locked = native.export({ ...form, cipher: 'aes-256-cbc', passphrase: 'x' }).toString();
  expect(keySigner(await open(locked, 'x'), 'k').publicKey).toEqual(key);
});
