import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { HASH_METHOD_NAMES, KEY_TYPES, type KeyTypeName } from '../../../src/formats/glance/names.ts';
import { parseProperties } from '../../../src/formats/glance/properties.ts';
import { plain } from '../../../src/kit/errors/advice.ts';
import { isBundleError } from '../../../src/kit/errors/errors.ts';
import {
  type ImageSignerFiles,
  loadImageSigner,
  type SignImageOptions,
  signImage,
} from '../../../src/operations/glance/sign-image.ts';
import { verifyImage } from '../../../src/operations/glance/verify-image.ts';
import { makeCertificate, NOON } from '../../factory/certificates.ts';
import { IMAGE, keeping, rsaCertificate, UUID } from '../../factory/images.ts';
import { makeSandbox } from '../../factory/sandbox.ts';

function keyOf(keyType: KeyTypeName): KeyObject {
  const type = KEY_TYPES[keyType];
  if (type.curve) return generateKeyPairSync('ec', { namedCurve: type.curve }).privateKey;
  if (type.kind === 'rsa') return generateKeyPairSync('rsa', { modulusLength: 2049 }).privateKey;
  return generateKeyPairSync('dsa', { modulusLength: 2048, divisorLength: 256 }).privateKey;
}

const pemOf = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();

async function failure(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'none';
  } catch (error) {
    if (isBundleError(error)) return `${error.code}: ${error.message}`;
    throw error;
  }
}

/** The failure to load a signer for this key. */
async function refusalOf(
  key: KeyObject | string,
  more: Partial<ImageSignerFiles> = {},
  certificateUuid = UUID,
): Promise<string> {
  using sandbox = makeSandbox();
  const file = sandbox.write('key.pem', typeof key === 'string' ? key : pemOf(key));
  return failure(loadImageSigner({ key: file, ...more }, { certificateUuid, at: NOON }));
}

describe('[glance.7] signatures', () => {
  test.each(Object.keys(KEY_TYPES) as KeyTypeName[])(
    '%s with every hash method, strictly and as Glance has it',
    async (keyType) => {
      using sandbox = makeSandbox();
      const privateKey = keyOf(keyType);
      const certificate = await makeCertificate({ key: privateKey });
      const key = sandbox.write('key.pem', pemOf(privateKey));
      const image = sandbox.write('image.raw', IMAGE);
      for (const hash of HASH_METHOD_NAMES) {
        const signer = await loadImageSigner(
          { key },
          { hash, certificateUuid: UUID.toUpperCase(), at: NOON },
        );
        const { properties, text } = await signImage(image, { signer });
        expect(properties).toMatchObject({ hashMethod: hash, keyType, certificateUuid: UUID });
        const options = { properties: parseProperties(text), certificates: keeping(certificate), at: NOON };
        const trust = { anchors: [sandbox.write('signer.pem', certificate.pem)] };
        expect((await verifyImage(image, { ...options, trust })).verdict).toBe('trusted');
        expect((await verifyImage(image, { ...options, compat: true })).result?.cursive).toEqual({
          verdict: 'accept',
        });
      }
    },
  );

  test('of an image that is empty, or comes in pieces', async () => {
    using sandbox = makeSandbox();
    const certificate = await rsaCertificate();
    const key = sandbox.write('key.pem', certificate.privateKeyPem);
    const signer = await loadImageSigner({ key }, { certificateUuid: UUID, at: NOON });
    for (const bytes of [new Uint8Array(), IMAGE]) {
      const pieces = async function* (): AsyncGenerator<Uint8Array> {
        for (const byte of bytes) yield Uint8Array.of(byte);
      };
      const { properties } = await signImage(pieces(), { signer });
      const whole = sandbox.write('image.raw', bytes);
      const options = {
        properties: { image: properties, legacy: {} },
        certificates: keeping(certificate),
        at: NOON,
      };
      expect((await verifyImage(whole, options)).result).toMatchObject({ signature: 'valid' });
    }
  });

  test('a key too short for the hash is refused', async () => {
    using sandbox = makeSandbox();
    const key = sandbox.write(
      'key.pem',
      pemOf(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey),
    );
    const use = { certificateUuid: UUID, at: NOON };
    const signer = await loadImageSigner({ key, allowWeakKeys: true }, { ...use, hash: 'SHA-512' });
    expect(signer.warnings.map(plain).join()).toMatch(/1024 bits.* \(allowed: weakKeys\)/);
    const { properties } = await signImage(sandbox.write('image', IMAGE), { signer });
    expect(Buffer.from(properties.signature, 'base64')).toHaveLength(128);
  });
});

describe('[glance.26] what is refused before anything is signed', () => {
  test('keys that Glance has no name for', async () => {
    expect(await refusalOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)).toMatch(
      /USAGE: the key is P-256: Glance has no name/,
    );
    expect(await refusalOf(generateKeyPairSync('ed25519').privateKey)).toMatch(/USAGE: the key is Ed25519/);
  });

  test('a key of another type than was said, too short, or not the certificate’s', async () => {
    const { privateKey } = await rsaCertificate();
    expect(await refusalOf(privateKey, { keyType: 'DSA' })).toMatch(/that is RSA-PSS, not DSA/);
    expect(await refusalOf(privateKey, { keyType: 'RSA-PSS' })).toBe('none');
    expect(await refusalOf(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey)).toMatch(
      /^KEY_WEAK: the file has an RSA key of 1024 bits/,
    );
    using sandbox = makeSandbox();
    const other = await rsaCertificate(3072);
    expect(await refusalOf(privateKey, { certificate: sandbox.write('other.pem', other.pem) })).toMatch(
      /^KEY_MISMATCH/,
    );
    const expired = await rsaCertificate(2048, { notAfter: new Date('2026-06-01') });
    expect(await refusalOf(privateKey, { certificate: sandbox.write('expired.pem', expired.pem) })).toMatch(
      /^CERTIFICATE_EXPIRED/,
    );
  });

  test('a UUID that is none, and files that are no keys', async () => {
    const { privateKey, pem } = await rsaCertificate();
    expect(await refusalOf(privateKey, {}, 'acme')).toMatch(/USAGE: "acme" is no UUID/);
    expect(await refusalOf(pem)).toMatch(/^KEY_UNREADABLE/);
    const locked = privateKey
      .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'mice' })
      .toString();
    expect(await refusalOf(locked)).toMatch(/^PASSPHRASE_NEEDED/);
    expect(await refusalOf(locked, { passphrase: async () => 'rats' })).toMatch(/^PASSPHRASE_WRONG/);
    expect(await refusalOf(locked, { passphrase: async () => 'mice' })).toBe('none');
  });
});

describe('[glance.26] what is warned about', () => {
  async function warningsOf(key: KeyObject, options: Partial<SignImageOptions> = {}): Promise<string> {
    using sandbox = makeSandbox();
    const file = sandbox.write('key.pem', pemOf(key));
    const signer = await loadImageSigner({ key: file }, { certificateUuid: UUID, at: NOON });
    const { report } = await signImage(sandbox.write('image', IMAGE), { signer, ...options });
    return report.warnings.join();
  }

  test('DSA, binary curves, and 255 characters', async () => {
    expect(await warningsOf(keyOf('DSA'))).toMatch(/FIPS 186-5/);
    expect(await warningsOf(keyOf('ECC_SECT409K1'))).toMatch(/binary curve/);
    const { privateKey } = await rsaCertificate();
    expect(await warningsOf(privateKey)).toBe('');
    expect(await warningsOf(privateKey, { oldGlance: true })).toMatch(/344 characters/);
    expect(await warningsOf(keyOf('ECC_SECP384R1'), { oldGlance: true })).toBe('');
  });
});

describe('the file of properties', () => {
  test('replaces nothing unasked, and never the image or the key', async () => {
    using sandbox = makeSandbox();
    const certificate = await rsaCertificate();
    const key = sandbox.write('key.pem', certificate.privateKeyPem);
    const image = sandbox.write('image', IMAGE);
    const signer = await loadImageSigner({ key }, { certificateUuid: UUID, at: NOON });
    const output = sandbox.path('image.json');
    await signImage(image, { signer, output });
    expect(await failure(signImage(image, { signer, output }))).toMatch(/^DESTINATION_EXISTS/);
    await signImage(image, { signer, output, overwrite: true });
    for (const path of [image, key]) {
      expect(await failure(signImage(image, { signer, output: path, overwrite: true }))).toMatch(/^USAGE/);
    }
    expect(sandbox.list()).toEqual(['image', 'image.json', 'key.pem']);
  });
});
