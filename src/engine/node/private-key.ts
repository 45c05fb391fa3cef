import { createPrivateKey, type KeyObject, type PrivateKeyInput } from 'node:crypto';
import { nameKind } from '../../formats/credentials/conversion.ts';
import { type CredentialKind, kindOfBytes, kindOfLabel } from '../../formats/credentials/credential-kind.ts';
import { decodePemFile } from '../../formats/credentials/pem-file.ts';
import { encryptionOfKey, roundsAsked } from '../../formats/credentials/pkcs12.ts';
import { readOnly, TAG } from '../../formats/der/cursor.ts';
import { type PemParts, splitPem } from '../../formats/pem.ts';
import { BundleError, isBundleError } from '../../kit/errors/errors.ts';
import type { NamedBytes } from '../../kit/given-bytes.ts';
import { expectRounds } from './key-rounds.ts';
import { type MlDsaKey, mlDsaKeyIn, openMlDsaKey } from './ml-dsa-key.ts';

/** A private key as the platform holds it, or as we do where not every platform can. */
export type PrivateKey = KeyObject | MlDsaKey;

/** How a key stands in a file, as the platform is told. */
interface KeyForm {
  readonly input: PrivateKeyInput;
  readonly encrypted: boolean;
}

/** Structures of DER that are keys, as the platform calls them. */
const DER_TYPES: Partial<Record<CredentialKind, 'pkcs8' | 'pkcs1' | 'sec1'>> = {
  pkcs8: 'pkcs8',
  'encrypted pkcs8': 'pkcs8',
  pkcs1: 'pkcs1',
  sec1: 'sec1',
};

/**
 * Reads a private key: PKCS#8 plain or encrypted, PKCS#1 and SEC1 in PEM or DER, and OpenSSL's old encrypted forms of PEM, which may be
 * UTF-16 and have other blocks and notes around it. [pub.22] A key of ML-DSA is PKCS#8 alone. [pq.3]
 *
 * `passphrase` is asked for only when the key is encrypted.
 *
 * @throws {BundleError} `KEY_UNREADABLE`, `PASSPHRASE_WRONG`, and what `passphrase` throws
 */
export async function parsePrivateKey(
  given: NamedBytes,
  passphrase: () => Promise<string>,
): Promise<PrivateKey> {
  const where = { file: given.name };
  const { input, encrypted } = formOf(given);
  if (encrypted) expectRounds(roundsOf(given), where);
  const secret = encrypted ? await passphrase() : undefined;
  const pkcs8 = pkcs8In(given);
  const own = pkcs8 && !encrypted ? await openMlDsaKey(pkcs8, where) : undefined;
  if (own) return own;
  try {
    const key = createPrivateKey({ ...input, ...(secret !== undefined && { passphrase: secret }) });
    return (await mlDsaKeyIn(key, where)) ?? key;
  } catch (cause) {
    if (isBundleError(cause)) throw cause;
    const unknown = pkcs8 && encrypted ? await openMlDsaKey(pkcs8, where, secret) : undefined;
    if (unknown) return unknown;
    if (encrypted)
      throw new BundleError('PASSPHRASE_WRONG', 'the passphrase does not open the key', { where, cause });
    throw new BundleError('KEY_UNREADABLE', 'the private key is damaged, or of a kind that is not known', {
      where,
      cause,
    });
  }
}

/** Opens a key whose passphrase is asked for, again while it is wrong, so often at most: a file says the same each time, a person may not. [cli.8] */
export async function openInTries<T>(tries: number, open: () => Promise<T>): Promise<T> {
  for (let left = tries; ; left--) {
    try {
      return await open();
    } catch (error) {
      if (left <= 1 || !(error instanceof BundleError) || error.code !== 'PASSPHRASE_WRONG') throw error;
    }
  }
}

/** Of an encrypted PKCS#8; OpenSSL's old forms of PEM have one round, always. [pub.25] */
function roundsOf({ bytes }: NamedBytes): number {
  const pem = blocksOf(bytes).find(({ label }) => label === 'ENCRYPTED PRIVATE KEY');
  const key = pem?.bytes ?? (kindOfBytes(bytes) === 'encrypted pkcs8' ? bytes : undefined);
  try {
    const encryption = key && encryptionOfKey(key);
    return encryption ? roundsAsked(encryption) : 0;
  } catch {
    return 0; // it is damaged, as the platform will say
  }
}

function blocksOf(bytes: Uint8Array): PemParts['blocks'] {
  return splitPem(decodePemFile(bytes)?.text ?? '').blocks;
}

/** The key in PKCS#8 (DER), encrypted or not; undefined for one in another form. */
function pkcs8In({ bytes }: NamedBytes): Uint8Array | undefined {
  const kind = kindOfBytes(bytes);
  if (kind) return kind === 'pkcs8' || kind === 'encrypted pkcs8' ? bytes : undefined;
  const key = blocksOf(bytes).find(({ label }) => label.endsWith('PRIVATE KEY'));
  return key?.label === 'PRIVATE KEY' || key?.label === 'ENCRYPTED PRIVATE KEY' ? key.bytes : undefined;
}

function formOf(given: NamedBytes): KeyForm {
  const { name, bytes } = given;
  const kind = kindOfBytes(bytes);
  const type = kind && DER_TYPES[kind];
  if (type) {
    expectWhole(given);
    return {
      input: { key: Buffer.from(bytes), format: 'der', type },
      encrypted: kind === 'encrypted pkcs8',
    };
  }
  if (kind) throw unreadable(given, nameKind(kind, 'private key', given));
  const text = decodePemFile(bytes)?.text ?? '';
  const labels = [...text.matchAll(/^-----BEGIN ([A-Z0-9 ]+)-----/gm)].map(([, label = '']) => label);
  const label = labels.find((one) => one.endsWith('PRIVATE KEY'));
  const found = [label ?? '', ...labels].flatMap((one) => kindOfLabel(one) ?? []);
  if (label === undefined || found[0] === 'openssh key') {
    const [other] = found;
    throw unreadable(
      { name, bytes },
      other ? nameKind(other, 'private key', given) : { message: 'the file holds no private key' },
    );
  }
  return {
    input: { key: text, format: 'pem' },
    encrypted: /-----BEGIN ENCRYPTED PRIVATE KEY-----|Proc-Type: 4,ENCRYPTED/.test(text),
  };
}

/** The platform reads over bytes behind a key, which are in the file and in nobody's view of it. [der.3] */
function expectWhole(given: NamedBytes): void {
  try {
    readOnly(given.bytes, TAG.sequence, 'the private key');
  } catch (cause) {
    const message = cause instanceof BundleError ? cause.message : 'the private key is damaged';
    throw unreadable(given, { message }, cause);
  }
}

function unreadable(
  { name }: NamedBytes,
  { message, fix }: { readonly message: string; readonly fix?: string },
  cause?: unknown,
): BundleError {
  return new BundleError('KEY_UNREADABLE', message, {
    where: { file: name },
    ...(fix !== undefined && { fix }),
    cause,
  });
}
