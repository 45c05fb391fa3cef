import { createHash, createHmac, createPrivateKey } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { nameKind } from '../../formats/credentials/conversion.ts';
import {
  encryptionOfKey,
  encryptionOfPart,
  isModernEncryption,
  type Pkcs12,
  type Pkcs12Bags,
  type Pkcs12Mac,
  parsePkcs12,
  parsePkcs12Bags,
  roundsAsked,
} from '../../formats/credentials/pkcs12.ts';
import { checkAborted } from '../../kit/bytes.ts';
import { unlessAborted } from '../../kit/deadline.ts';
import { BundleError, isBundleError, type Where } from '../../kit/errors/errors.ts';
import type { NamedBytes } from '../../kit/given-bytes.ts';
import { expectRounds } from './key-rounds.ts';
import { mlDsaKeyIn, openMlDsaKey } from './ml-dsa-key.ts';
import type { PrivateKey } from './private-key.ts';

/** A key with the certificates that lie beside it, each in DER. */
interface OpenedPkcs12 {
  readonly key: PrivateKey;
  readonly certificates: readonly Uint8Array[];
}

/** Digests of a MAC by object identifier: OpenSSL wrote SHA-1 until 3.0, and SHA-256 since. */
const MAC_DIGESTS: Readonly<Record<string, { readonly name: string; readonly block: number }>> = {
  '1.3.14.3.2.26': { name: 'sha1', block: 64 },
  '2.16.840.1.101.3.4.2.1': { name: 'sha256', block: 64 },
  '2.16.840.1.101.3.4.2.2': { name: 'sha384', block: 128 },
  '2.16.840.1.101.3.4.2.3': { name: 'sha512', block: 128 },
};
const OLD_WAY = 'encrypted in an old or rare way, and not by PBES2 with AES';
/** After so many rounds timers and signals have their turn: some hundredths of a second. */
const TURN_ROUNDS = 10_000;
/** RFC 7292 appendix B.3: what is derived is the key of a MAC. */
const FOR_MAC = 3;

/** A passphrase that is asked for once, and only where something is encrypted. */
type Secret = () => Promise<string>;

/**
 * Opens a PKCS#12 file: its one private key, and its certificates. `passphrase` is not asked for where nothing is encrypted, nor
 * where an empty one fits and that is seen at once. [pub.24] A signal ends the work. [cli.21]
 *
 * @throws {BundleError} `KEY_UNREADABLE`, `PASSPHRASE_WRONG`, what `passphrase` throws, the reason of the signal
 */
export async function openPkcs12(
  given: NamedBytes,
  passphrase: Secret,
  signal?: AbortSignal,
): Promise<OpenedPkcs12> {
  const where = { file: given.name };
  let unproven = false;
  try {
    const file = parsePkcs12(given.bytes);
    expectModern(file, given);
    const rounds = roundsOf(file);
    expectRounds(rounds, where);
    const known = file.mac && (await secretOf(file.content, file.mac, { where, passphrase, signal }));
    let asked: Promise<string> | undefined;
    const secret: Secret = async () => {
      if (known !== undefined) return known;
      unproven = true;
      asked ??= passphrase();
      return asked;
    };
    const bags: Pkcs12Bags[] = [];
    for (const { encrypted, bytes } of file.parts) {
      const content = encrypted ? await unlessAborted(decrypted(bytes, await secret()), signal) : bytes;
      bags.push(parsePkcs12Bags(content));
    }
    const keys = bags.flatMap((one) => one.keys);
    return {
      key: await openKey(onlyKey(keys, where), { given, rounds, secret }),
      certificates: bags.flatMap((one) => one.certificates),
    };
  } catch (cause) {
    checkAborted(signal);
    if (isBundleError(cause) && cause.code !== 'CERTIFICATE_MALFORMED') throw cause;
    if (isBundleError(cause)) throw new BundleError('KEY_UNREADABLE', cause.message, { where, cause });
    // without a MAC a wrong passphrase shows in what cannot be decrypted
    throw unproven ? wrong(where, cause) : old('what is in it cannot be opened', given, cause);
  }
}

/** The one private key, as PKCS#8 in DER. */
function onlyKey(keys: readonly Uint8Array[], where: Where): Uint8Array {
  const [key] = keys;
  if (key !== undefined && keys.length === 1) return key;
  const found = key ? `${keys.length} private keys` : 'no private key';
  throw new BundleError('KEY_UNREADABLE', `the file holds ${found}`, {
    where,
    fix: 'give a file with the one key that is to sign',
  });
}

/** @param rounds what the rest of the file has asked for */
async function openKey(
  pkcs8: Uint8Array,
  { given, rounds, secret }: { readonly given: NamedBytes; readonly rounds: number; readonly secret: Secret },
): Promise<PrivateKey> {
  const form = { key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' } as const;
  const encryption = encryptionOfKey(pkcs8);
  const where = { file: given.name };
  if (!encryption) return (await openMlDsaKey(pkcs8, where)) ?? createPrivateKey(form);
  // its cipher may be seen in what was decrypted alone
  if (!isModernEncryption(encryption)) throw old(`its private key is ${OLD_WAY}`, { ...given, bytes: pkcs8 });
  expectRounds(rounds + roundsAsked(encryption), where);
  const passphrase = await secret();
  try {
    const key = createPrivateKey({ ...form, passphrase });
    return (await mlDsaKeyIn(key, where)) ?? key;
  } catch (cause) {
    const own = isBundleError(cause) ? undefined : await openMlDsaKey(pkcs8, where, passphrase);
    if (own) return own;
    throw cause;
  }
}

function wrong(where: Where, cause?: unknown): BundleError {
  const message = 'the passphrase does not open the file, or the file is damaged';
  return new BundleError('PASSPHRASE_WRONG', message, { where, cause });
}

/** Old ciphers, and keys that are derived in ways of their own, are for openssl to convert. */
function expectModern({ parts, mac }: Pkcs12, given: NamedBytes): void {
  if (parts.some(({ encrypted, bytes }) => encrypted && !isModernEncryption(encryptionOfPart(bytes))))
    throw old(`its certificates are ${OLD_WAY}`, given);
  if (mac && !Object.hasOwn(MAC_DIGESTS, mac.digest))
    throw old('it is protected in a way that is not known', given);
}

function old(problem: string, given: NamedBytes, cause?: unknown): BundleError {
  const { fix } = nameKind('pkcs12', 'private key', given);
  return new BundleError('KEY_UNREADABLE', `this PKCS#12 file is not read here: ${problem}`, {
    where: { file: given.name },
    ...(fix !== undefined && { fix }),
    cause,
  });
}

/** What the MAC and all encrypted parts ask for together. */
function roundsOf({ parts, mac }: Pkcs12): number {
  const encrypted = parts.filter((part) => part.encrypted);
  return encrypted.reduce(
    (sum, { bytes }) => sum + roundsAsked(encryptionOfPart(bytes)),
    Math.max(0, mac?.rounds ?? 0),
  );
}

async function secretOf(
  content: Uint8Array,
  mac: Pkcs12Mac,
  {
    where,
    passphrase,
    signal,
  }: { readonly where: Where; readonly passphrase: Secret; readonly signal: AbortSignal | undefined },
): Promise<string> {
  const isWithout = async (): Promise<boolean> =>
    (await isMacOf(content, mac, Buffer.alloc(0), signal)) || (await isMacOf(content, mac, bmp(''), signal));
  const isSlow = mac.rounds > TURN_ROUNDS;
  if (!isSlow && (await isWithout())) return '';
  const secret = await passphrase().catch(async (error: unknown) => {
    // nobody is there who could say that it is empty
    if (isSlow && isBundleError(error) && error.code === 'PASSPHRASE_NEEDED' && (await isWithout()))
      return '';
    throw error;
  });
  if (secret === '' ? await isWithout() : await isMacOf(content, mac, bmp(secret), signal)) return secret;
  throw wrong(where);
}

/** RFC 7292 appendix B.2, for a key as long as the digest: one block, whose hash is hashed again and again. */
async function isMacOf(
  content: Uint8Array,
  { digest, salt, rounds, value }: Pkcs12Mac,
  secret: Buffer,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const { name = '', block = 64 } = MAC_DIGESTS[digest] ?? {};
  let key = createHash(name)
    .update(Buffer.alloc(block, FOR_MAC))
    .update(filled(salt, block))
    .update(filled(secret, block))
    .digest();
  for (let i = 1; i < rounds; i++) {
    key = createHash(name).update(key).digest();
    if (i % TURN_ROUNDS !== 0) continue;
    await setImmediate(); // hashing never waits, so without this no signal would ever be seen
    checkAborted(signal);
  }
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
