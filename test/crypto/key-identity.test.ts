import { createPrivateKey, createPublicKey, ECDH, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { keyIdentity, sameKey } from '../../src/crypto/key-identity.ts';
import { childrenOf, readBitString, readOnly, TAG } from '../../src/formats/der/cursor.ts';
import { derElement, derOid, derSequence } from '../../src/formats/der/writer.ts';
import { concat } from '../../src/kit/bytes.ts';
import { makeCertificate, rsaKeyWithExponent } from '../factory/certificates.ts';
import { flipped } from '../factory/damage.ts';
import { ownKey } from '../factory/keys.ts';

const spkiOf = (key: KeyObject): Uint8Array =>
  Uint8Array.from(
    (key.type === 'public' ? key : createPublicKey(key)).export({ type: 'spki', format: 'der' }),
  );

function partsOf(key: KeyObject): { algorithm: Uint8Array; bits: Uint8Array } {
  const [algorithm, bits] = childrenOf(readOnly(spkiOf(key), TAG.sequence, 'a key'), 'a key');
  if (!algorithm || !bits) throw new Error('no key');
  return { algorithm: algorithm.raw, bits: readBitString(bits, 'a key').bytes };
}

const withBits = (key: KeyObject, bits: Uint8Array, algorithm = partsOf(key).algorithm): Uint8Array =>
  derSequence(algorithm, derElement(TAG.bitString, concat([Uint8Array.of(0), bits])));

/** The identity of a key that is spelled so in a certificate, and the digest that a pin would have. */
async function identityOf(
  key: KeyObject,
  spki = spkiOf(key),
): Promise<readonly [identity: string, pin: string]> {
  const { certificate } = await makeCertificate({ key, spki });
  return [keyIdentity(certificate), certificate.spkiSha256];
}

async function expectOne(key: KeyObject, spellings: readonly Uint8Array[]): Promise<void> {
  const all = await Promise.all([spkiOf(key), ...spellings].map((spki) => identityOf(key, spki)));
  expect(new Set(all.map(([identity]) => identity)).size).toBe(1);
  expect(new Set(all.map(([, pin]) => pin)).size).toBe(spellings.length + 1);
}

test('[path.25] asking whether keys of two kinds are one leaves nothing behind for whoever reads a key next', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const der = privateKey.export({ type: 'pkcs8', format: 'der' });
  const kinds = [
    publicKey,
    generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey,
    generateKeyPairSync('x25519').publicKey,
    generateKeyPairSync('x448').publicKey,
  ].map(ownKey);
  for (const one of kinds)
    for (const other of kinds) {
      expect(sameKey(one, other)).toBe(one === other);
      expect(() => createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })).not.toThrow();
    }
});

describe('one key, however it is spelled', () => {
  test.each(['P-256', 'P-521', 'secp256k1', 'brainpoolP384r1', 'sect283k1'])(
    '[path.25] a point of %s compressed, plain, and its negative',
    async (namedCurve) => {
      const { privateKey } = generateKeyPairSync('ec', { namedCurve });
      const { bits } = partsOf(privateKey);
      const curve = createPublicKey(privateKey).asymmetricKeyDetails?.namedCurve ?? '';
      const compressed = Uint8Array.from(
        ECDH.convertKey(bits, curve, undefined, undefined, 'compressed') as Buffer,
      );
      const negative = compressed.slice();
      negative[0] = compressed[0] === 2 ? 3 : 2;
      const forms = [compressed, negative];
      await expectOne(
        privateKey,
        forms.map((form) => withBits(privateKey, form)),
      );
    },
  );

  test('[path.25] a modulus for PSS alone, with parameters, or with another exponent', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const { bits } = partsOf(privateKey);
    const pss = derOid('1.2.840.113549.1.1.10');
    const sha256 = derSequence(derOid('2.16.840.1.101.3.4.2.1'));
    const bound = derSequence(
      pss,
      derSequence(
        derElement(0xa0, sha256),
        derElement(0xa1, derSequence(derOid('1.2.840.113549.1.1.8'), sha256)),
        derElement(0xa2, derElement(TAG.integer, Uint8Array.of(32))),
      ),
    );
    await expectOne(privateKey, [
      withBits(privateKey, bits, derSequence(pss)),
      withBits(privateKey, bits, bound),
      spkiOf(rsaKeyWithExponent(privateKey, Uint8Array.of(3))),
    ]);
  });

  test('[path.25] a modulus with zeros before it, where OpenSSL reads such', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const [modulus, exponent] = childrenOf(readOnly(partsOf(privateKey).bits, TAG.sequence, 'n'), 'n');
    if (!modulus || !exponent) throw new Error('no key');
    const padded = derElement(TAG.integer, concat([new Uint8Array(3), modulus.value]));
    const spelled = withBits(privateKey, derSequence(padded, exponent.raw));
    const found = await identityOf(privateKey, spelled).catch(({ code }) => code);
    // an OpenSSL that refuses it is as good
    if (typeof found !== 'string') expect(found[0]).toBe((await identityOf(privateKey))[0]);
    else expect(found).toMatch(/^(CERTIFICATE_MALFORMED|ALGORITHM_UNSUPPORTED)$/);
  });

  test.each(['ed25519', 'ed448'] as const)('[path.25] the sign of an %s point', async (type) => {
    const { privateKey } = type === 'ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ed448');
    const negative = flipped(partsOf(privateKey).bits, -1, 7);
    await expectOne(privateKey, [withBits(privateKey, negative)]);
  });

  test('[path.25] and two keys are two', async () => {
    const keys = [
      generateKeyPairSync('ec', { namedCurve: 'P-256' }),
      generateKeyPairSync('ec', { namedCurve: 'P-256' }),
      generateKeyPairSync('ec', { namedCurve: 'secp256k1' }),
      generateKeyPairSync('ed25519'),
      generateKeyPairSync('ed25519'),
      generateKeyPairSync('rsa', { modulusLength: 2048 }),
      generateKeyPairSync('rsa', { modulusLength: 2048 }),
      generateKeyPairSync('dsa', { modulusLength: 2048, divisorLength: 256 }),
    ];
    const all = await Promise.all(keys.map(({ privateKey }) => identityOf(privateKey)));
    expect(new Set(all.map(([identity]) => identity)).size).toBe(keys.length);
  });
});
