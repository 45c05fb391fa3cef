import { createHash, createHmac, createPrivateKey, type KeyObject } from 'node:crypto';
import { nameKind } from '../../formats/credentials/conversion.ts';
import {
  encryptionOfKey,
  encryptionOfPart,
  largestNumber,
  type Pkcs12,
  type Pkcs12Mac,
  parsePkcs12,
  parsePkcs12Bags,
} from '../../formats/credentials/pkcs12.ts';
import { openDer, readOid, readOnly, TAG } from '../../formats/der/cursor.ts';
import { BundleError, isBundleError, type Where } from '../../kit/errors/errors.ts';
import type { NamedBytes } from '../../kit/given-bytes.ts';
import { expectRounds } from './key-rounds.ts';

/** A key with the certificates that lie beside it, each in DER. */
interface OpenedPkcs12 {
  readonly key: KeyObject;
  readonly certificates: readonly Uint8Array[];
}

/** Digests of a MAC by object identifier: OpenSSL wrote SHA-1 until 3.0, and SHA-256 since. */
const MAC_DIGESTS: Readonly<Record<string, { readonly name: string; readonly block: number }>> = {
  '1.3.14.3.2.26': { name: 'sha1', block: 64 },
  '2.16.840.1.101.3.4.2.1': { name: 'sha256', block: 64 },
  '2.16.840.1.101.3.4.2.2': { name: 'sha384', block: 128 },
  '2.16.840.1.101.3.4.2.3': { name: 'sha512', block: 128 },
};
const PBES2 = '1.2.840.113549.1.5.13';
/** RFC 7292 appendix B.3: what is derived is the key of a MAC. */
const FOR_MAC = 3;

/**
 * Opens a PKCS#12 file: its one private key, and its certificates. A file without a passphrase, or with an empty one, needs none. [pub.24]
 *
 * @throws {BundleError} `KEY_UNREADABLE`, `PASSPHRASE_WRONG`, and what `passphrase` throws
 */
export async function openPkcs12(
  given: NamedBytes,
  passphrase: () => Promise<string>,
): Promise<OpenedPkcs12> {
  const where = { file: given.name };
  let sealed = false;
  try {
    const file = parsePkcs12(given.bytes);
    sealed = file.mac !== undefined;
    expectModern(file, given);
    const secret = await secretOf(file, given, passphrase);
    const bags = await Promise.all(
      file.parts.map(async ({ encrypted, bytes }) =>
        parsePkcs12Bags(encrypted ? await decrypted(bytes, secret) : bytes),
      ),
    );
    const key = onlyKey(
      bags.flatMap((one) => one.keys),
      where,
    );
    return {
      key: createPrivateKey({ key: Buffer.from(key), format: 'der', type: 'pkcs8', passphrase: secret }),
      certificates: bags.flatMap((one) => one.certificates),
    };
  } catch (cause) {
    if (isBundleError(cause) && cause.code !== 'CERTIFICATE_MALFORMED') throw cause;
    // without a MAC a wrong passphrase shows in what cannot be decrypted
    if (!sealed && !isBundleError(cause)) throw wrong(where, cause);
    const message = isBundleError(cause) ? cause.message : 'the PKCS#12 file is damaged';
    throw new BundleError('KEY_UNREADABLE', message, { where, cause });
  }
}

/** The one private key, as PKCS#8 in DER. */
function onlyKey(keys: readonly Uint8Array[], where: Where): Uint8Array {
  const [key] = keys;
  if (key === undefined || keys.length > 1) {
    const found = key ? `${keys.length} private keys` : 'no private key';
    throw new BundleError('KEY_UNREADABLE', `the file holds ${found}`, {
      where,
      fix: 'give a file with the one key that is to sign',
    });
  }
  const encryption = encryptionOfKey(key);
  if (encryption) expectRounds(largestNumber(encryption), where);
  return key;
}

function wrong(where: Where, cause?: unknown): BundleError {
  const message = 'the passphrase does not open the file, or the file is damaged';
  return new BundleError('PASSPHRASE_WRONG', message, { where, cause });
}

/** Old ciphers, and keys that are derived in ways of their own, are for openssl to convert. */
function expectModern({ parts, mac }: Pkcs12, given: NamedBytes): void {
  for (const { encrypted, bytes } of parts) {
    if (!encrypted) continue;
    const encryption = encryptionOfPart(bytes);
    expectRounds(largestNumber(encryption), { file: given.name });
    const name = readOid(
      openDer(readOnly(encryption, TAG.sequence, 'the encryption').value, 'the encryption').next(TAG.oid),
      'the encryption',
    );
    if (name !== PBES2) throw old('its certificates are encrypted in an old way (RC2, RC4 or 3DES)', given);
  }
  if (mac && !Object.hasOwn(MAC_DIGESTS, mac.digest))
    throw old('it is protected in a way that is not known', given);
}

function old(problem: string, given: NamedBytes): BundleError {
  const { fix } = nameKind('pkcs12', 'private key', given);
  return new BundleError('KEY_UNREADABLE', `this PKCS#12 file is not read here: ${problem}`, {
    where: { file: given.name },
    ...(fix !== undefined && { fix }),
  });
}

async function secretOf(
  { content, mac }: Pkcs12,
  { name }: NamedBytes,
  passphrase: () => Promise<string>,
): Promise<string> {
  if (!mac) return passphrase();
  expectRounds(mac.rounds, { file: name });
  if ([Buffer.alloc(0), bmp('')].some((secret) => isMacOf(content, mac, secret))) return '';
  const secret = await passphrase();
  if (isMacOf(content, mac, bmp(secret))) return secret;
  throw wrong({ file: name });
}

/** RFC 7292 appendix B.2, for a key as long as the digest: one block, whose hash is hashed again and again. */
function isMacOf(content: Uint8Array, { digest, salt, rounds, value }: Pkcs12Mac, secret: Buffer): boolean {
  const { name = '', block = 64 } = MAC_DIGESTS[digest] ?? {};
  let key = createHash(name)
    .update(Buffer.alloc(block, FOR_MAC))
    .update(filled(salt, block))
    .update(filled(secret, block))
    .digest();
  for (let i = 1; i < rounds; i++) key = createHash(name).update(key).digest();
  return createHmac(name, key).update(content).digest().equals(value);
}

/** Repeated until it fills a number of blocks. */
function filled(bytes: Uint8Array, block: number): Buffer {
  return bytes.byteLength === 0
    ? Buffer.alloc(0)
    : Buffer.alloc(Math.ceil(bytes.byteLength / block) * block, bytes);
}

/** UTF-16 with the high byte first and a zero behind it (RFC 7292 appendix B.1). */
function bmp(text: string): Buffer {
  return Buffer.from(`${text}\0`, 'utf16le').swap16();
}

async function decrypted(encryptedData: Uint8Array, secret: string): Promise<Uint8Array> {
  const { EncryptedData } = await import('pkijs');
  const data = EncryptedData.fromBER(new Uint8Array(encryptedData).buffer);
  return new Uint8Array(await data.decrypt({ password: new Uint8Array(Buffer.from(secret)).buffer }));
}
