import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { ALL_DIGESTS, Digester, digestHex } from '../../src/crypto/digest.ts';
import { isMessageSigned, openImageSigning } from '../../src/crypto/image-signature.ts';
import { isSignatureValid } from '../../src/crypto/signature.ts';
import { signBytes } from '../../src/crypto/signer.ts';
import { engine } from '../../src/engine/node/engine.ts';
import { keySigner } from '../../src/engine/node/key-signer.ts';
import { parsePrivateKey } from '../../src/engine/node/private-key.ts';
import { childrenOf, readOnly, TAG } from '../../src/formats/der/cursor.ts';
import { derNull, derOid, derSequence } from '../../src/formats/der/writer.ts';
import { type PublicKey, parsePublicKey } from '../../src/formats/x509/public-key.ts';
import { concat } from '../../src/kit/bytes.ts';
import { encodeUtf8 } from '../../src/kit/encoding.ts';
import { makeCertificate } from '../factory/certificates.ts';
import { flipped } from '../factory/damage.ts';
import { hex } from '../factory/der.ts';
import { codeOf, codeOfAsync } from '../factory/errors.ts';
import { ownKey } from '../factory/keys.ts';
import { makePkcs7, utf16 } from '../factory/pkcs7.ts';

const DATA = encodeUtf8('SHA256(disk.img)= …\n');
const MADE: Readonly<Record<string, { publicKey: KeyObject; privateKey: KeyObject }>> = {
  rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  'rsa-pss': generateKeyPairSync('rsa-pss', {
    modulusLength: 2048,
    hashAlgorithm: 'sha256',
    mgf1HashAlgorithm: 'sha256',
  }),
  p256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  p521: generateKeyPairSync('ec', { namedCurve: 'P-521' }),
  ed25519: generateKeyPairSync('ed25519'),
  ed448: generateKeyPairSync('ed448'),
};

describe('a signature', () => {
  test.each(Object.entries(MADE))(
    '[sig.4] by a key of the kind %s is valid over its data alone',
    async (kind, { privateKey, publicKey }) => {
      const signer = keySigner(privateKey, 'key.pem');
      expect(signer.publicKey).toEqual(ownKey(publicKey));
      for (const algorithm of kind === 'rsa-pss' ? (['sha256'] as const) : ALL_DIGESTS) {
        const signature = await signBytes(signer, algorithm, DATA);
        expect(isSignatureValid(algorithm, DATA, ownKey(publicKey), signature)).toBe(true);
        expect(isSignatureValid(algorithm, flipped(DATA, 3), ownKey(publicKey), signature)).toBe(false);
        expect(isSignatureValid(algorithm, DATA, ownKey(publicKey), flipped(signature, 9))).toBe(false);
        expect(isSignatureValid(algorithm, DATA, ownKey(publicKey), signature.subarray(1))).toBe(false);
      }
    },
  );

  test('[sig.4] of RSA is PKCS#1 v1.5 over the digest that is named, and of ECDSA a DER sequence', async () => {
    const { rsa, p256 } = MADE;
    if (!rsa || !p256) throw new Error('no keys');
    const signature = await signBytes(keySigner(rsa.privateKey, 'key.pem'), 'sha256', DATA);
    expect(Buffer.compare(signature, sign('sha256', DATA, rsa.privateKey))).toBe(0);
    expect(isSignatureValid('sha512', DATA, ownKey(rsa.publicKey), signature)).toBe(false);
    const pss = sign('sha256', DATA, { key: rsa.privateKey, padding: 6 });
    expect(isSignatureValid('sha256', DATA, ownKey(rsa.publicKey), pss)).toBe(false);
    const raw = sign('sha256', DATA, { key: p256.privateKey, dsaEncoding: 'ieee-p1363' });
    expect(isSignatureValid('sha256', DATA, ownKey(p256.publicKey), raw)).toBe(false);
  });

  test('[sig.4] of Ed25519 is over the data itself, whatever digest is named', async () => {
    const { ed25519 } = MADE;
    if (!ed25519) throw new Error('no key');
    const signature = sign(null, DATA, ed25519.privateKey);
    for (const algorithm of ALL_DIGESTS)
      expect(isSignatureValid(algorithm, DATA, ownKey(ed25519.publicKey), signature)).toBe(true);
  });

  test('is not valid by a key that cannot sign', () => {
    const { publicKey } = generateKeyPairSync('x25519');
    expect(isSignatureValid('sha256', DATA, ownKey(publicKey), new Uint8Array(64))).toBe(false);
  });
});

/** The same RSA key under the name that X.509 of 1988 had for it. */
function underAlias(publicKey: KeyObject): PublicKey {
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const [, bits] = childrenOf(readOnly(spki, TAG.sequence, 'a key'), 'a key');
  const alias = derSequence(derOid('2.5.8.1.1'), derNull());
  return parsePublicKey(derSequence(alias, bits?.raw ?? new Uint8Array()), 'a key');
}

describe('a key of a kind that has no rules here', () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const alias = underAlias(publicKey);

  test('[x509.9] is asked no question, though OpenSSL would verify with it', () => {
    const signature = sign('sha256', DATA, privateKey);
    expect(isSignatureValid('sha256', DATA, ownKey(publicKey), signature)).toBe(true);
    expect(alias.key.type).toBe('other');
    expect(engine.verify({ key: alias, signature, digest: 'sha256' }, DATA)).toBe(true);
    expect(isSignatureValid('sha256', DATA, alias, signature)).toBe(false);
    expect(isMessageSigned(alias, signature, { hash: 'SHA-256' }, DATA)).toBe(false);
  });

  test('[x509.9] in a certificate is refused, for OpenSSL takes it for another', async () => {
    const own = Uint8Array.from(publicKey.export({ type: 'spki', format: 'der' }));
    expect((await makeCertificate({ key: privateKey, spki: own })).certificate.key.type).toBe('rsa');
    const spelled = makeCertificate({ key: privateKey, spki: alias.spki });
    expect(await codeOfAsync(spelled)).toBe('ALGORITHM_UNSUPPORTED');
  });
});

describe('a key in memory', () => {
  test('[x509.15] whose public half no certificate may have is refused, and its file named', () => {
    const { privateKey } = generateKeyPairSync('rsa-pss', {
      modulusLength: 2048,
      hashAlgorithm: 'sha3-256',
      mgf1HashAlgorithm: 'sha3-256',
    });
    expect(() => keySigner(privateKey, 'my.key')).toThrowError(
      expect.objectContaining({ code: 'KEY_UNREADABLE', where: { file: 'my.key' } }),
    );
  });

  test('[sig.4] says when it is too short for a signature', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const signing = keySigner(privateKey, 'my.key').open({ digest: 'sha512', saltLength: 100 });
    signing.update(DATA);
    await expect(signing.finish()).rejects.toMatchObject({ code: 'USAGE' });
  });

  test('[glance.7] signs no image under a name that Glance has for other keys, nor with a salt that is too long for it', () => {
    const { privateKey } = generateKeyPairSync('rsa-pss', {
      modulusLength: 1024,
      hashAlgorithm: 'sha256',
      mgf1HashAlgorithm: 'sha256',
      ...({ saltLength: 100 } as object), // a number, which the typings have as a string
    });
    const use = { hash: 'SHA-256', keyType: 'RSA-PSS' } as const;
    expect(codeOf(() => openImageSigning(keySigner(privateKey, 'my.key'), use))).toBe('KEY_WEAK');
    for (const kind of ['ed25519', 'p256'] as const) {
      const key = MADE[kind]?.privateKey as KeyObject;
      expect(codeOf(() => openImageSigning(keySigner(key, 'my.key'), use))).toBe('USAGE');
    }
    expect(() =>
      openImageSigning(keySigner(MADE['rsa']?.privateKey as KeyObject, 'my.key'), use),
    ).not.toThrow();
  });
});

describe('digests', () => {
  test('are those of all pieces, in one pass', () => {
    const digester = new Digester(ALL_DIGESTS);
    const buffer = new Uint8Array(2);
    for (const pair of [
      [1, 2],
      [3, 4],
    ]) {
      buffer.set(pair);
      digester.update(buffer);
    }
    const digests = digester.finish();
    for (const algorithm of ALL_DIGESTS) {
      const expected = createHash(algorithm)
        .update(Uint8Array.of(1, 2, 3, 4))
        .digest('hex');
      expect(digests.get(algorithm)).toBe(expected);
      expect(digestHex(algorithm, Uint8Array.of(1, 2, 3, 4))).toBe(expected);
    }
    expect(new Digester([]).finish().size).toBe(0);
  });
});

describe('a private key', () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const curve = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const secret = { cipher: 'aes-256-cbc', passphrase: 'mice' } as const;
  const never = async (): Promise<string> => Promise.reject(new Error('asked'));
  const text = (key: KeyObject, options: object): string => key.export(options as never).toString();

  const plain = (key: KeyObject): string => text(key, { type: 'pkcs8', format: 'pem' });
  const file = (pem: string) => ({ name: 'key.pem', bytes: new TextEncoder().encode(pem) });

  test.each([
    ['PKCS#8', text(privateKey, { type: 'pkcs8', format: 'pem' }), never],
    ['PKCS#1', text(privateKey, { type: 'pkcs1', format: 'pem' }), never],
    ['SEC1', text(curve, { type: 'sec1', format: 'pem' }), never],
    ['PKCS#8, locked', text(privateKey, { type: 'pkcs8', format: 'pem', ...secret }), async () => 'mice'],
    ['PKCS#1, locked', text(privateKey, { type: 'pkcs1', format: 'pem', ...secret }), async () => 'mice'],
    [
      'PKCS#8, behind a certificate',
      `-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n${text(privateKey, { type: 'pkcs8', format: 'pem' })}`,
      never,
    ],
  ])('is read: %s', async (_, pem, passphrase) => {
    const key = (await parsePrivateKey(file(pem), passphrase)) as KeyObject;
    expect([plain(privateKey), plain(curve)]).toContain(plain(key));
  });

  const locked = text(privateKey, { type: 'pkcs8', format: 'pem', ...secret });
  test.each([
    ['nothing', '', 'KEY_UNREADABLE'],
    ['a certificate', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n', 'KEY_UNREADABLE'],
    ['a public key', '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n', 'KEY_UNREADABLE'],
    ['a damaged key', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n', 'KEY_UNREADABLE'],
    ['a locked key and another passphrase', locked, 'PASSPHRASE_WRONG'],
    ['a locked key that is damaged', locked.replace(/\n.{10}/, '\nAAAAAAAAAA'), 'PASSPHRASE_WRONG'],
  ])('is not read: %s', async (_, pem, code) => {
    const reading = parsePrivateKey(file(pem), async () => 'men');
    await expect(reading).rejects.toMatchObject({ code, where: { file: 'key.pem' } });
  });

  test('[pub.22] is read in DER, to the last byte, and in UTF-16', async () => {
    const bytes = (key: KeyObject, options: object): Uint8Array =>
      Uint8Array.from(key.export({ format: 'der', ...options } as never) as unknown as Uint8Array);
    const forms: readonly (readonly [Uint8Array, () => Promise<string>])[] = [
      [bytes(privateKey, { type: 'pkcs8' }), never],
      [bytes(privateKey, { type: 'pkcs1' }), never],
      [bytes(curve, { type: 'sec1' }), never],
      [bytes(privateKey, { type: 'pkcs8', ...secret }), async () => 'mice'],
      [utf16(plain(privateKey)), never],
      [utf16(locked), async () => 'mice'],
    ];
    for (const [form, passphrase] of forms) {
      const key = (await parsePrivateKey({ name: 'key.der', bytes: form }, passphrase)) as KeyObject;
      expect([plain(privateKey), plain(curve)]).toContain(plain(key));
      const longer = { name: 'key.der', bytes: concat([form, Uint8Array.of(0)]) };
      if (form[0] !== 0x30) continue;
      await expect(parsePrivateKey(longer, passphrase)).rejects.toMatchObject({ code: 'KEY_UNREADABLE' });
    }
  });

  test('[pub.22] is named when it is of another form', async () => {
    const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
    const openssh = '-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n';
    for (const [bytes, message, fix] of [
      [spki, 'this is a public key, and no private key', 'PKCS#8'],
      [makePkcs7([]), 'this is a PKCS#7 file (.p7b), and no private key', 'PKCS#8'],
      [
        hex('1ef1b5b0'),
        'this is a private key in the form of Microsoft (.pvk), which is not read here',
        'openssl rsa -inform PVK',
      ],
      [
        file(openssh).bytes,
        'this is a private key in the form of OpenSSH, which is not read here',
        'ssh-keygen -p -m PKCS8',
      ],
    ] as const) {
      const reading = parsePrivateKey({ name: 'a.key', bytes }, never);
      await expect(reading).rejects.toMatchObject({
        code: 'KEY_UNREADABLE',
        message,
        fix: expect.stringContaining(fix),
      });
    }
  });

  test('is asked for its passphrase once, and what goes wrong there is told as it is', async () => {
    const failing = async (): Promise<string> => Promise.reject(new Error('no terminal'));
    await expect(parsePrivateKey(file(locked), failing)).rejects.toThrow('no terminal');
  });
});

describe('an RSA key with a long exponent', () => {
  const ask = (bits: number, exponentBits: bigint): boolean => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: bits });
    const own = ownKey(publicKey);
    const key = { ...own, key: { ...own.key, exponent: 2n ** exponentBits + 1n } };
    return isSignatureValid('sha256', DATA, key, sign('sha256', DATA, privateKey));
  };

  test('[sigalg.6] of RSA-PSS is whole: zeros in front are no more left out than put there', () => {
    const { publicKey, privateKey } = MADE['rsa-pss'] ?? {};
    if (!publicKey || !privateKey) throw new Error('no keys');
    const key = ownKey(publicKey);
    let data = DATA;
    let signature = new Uint8Array(sign('sha256', data, privateKey));
    for (let i = 0; signature[0] !== 0; i++) {
      data = encodeUtf8(`${i}`);
      signature = new Uint8Array(sign('sha256', data, privateKey));
    }
    const inPieces = (bytes: Uint8Array): boolean | undefined => {
      const verifying = engine.openVerifying({ key, digest: 'sha256' });
      verifying?.update(data);
      return verifying?.finish(bytes);
    };
    const answers = [signature, signature.subarray(1), concat([Uint8Array.of(0), signature])].map((bytes) => [
      isSignatureValid('sha256', data, key, bytes),
      inPieces(bytes),
    ]);
    expect(answers).toEqual([
      [true, true],
      [false, false],
      [false, false],
    ]);
  });

  test('[sigalg.5] of more than 3072 bits and 64 bits made no signature, whatever the engine would say', () => {
    expect(ask(3072, 64n)).toBe(true);
    expect(ask(3080, 63n)).toBe(true);
    expect(ask(3080, 64n)).toBe(false);
  });
});
