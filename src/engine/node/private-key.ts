import { createPrivateKey, type KeyObject } from 'node:crypto';
import { BundleError } from '../../kit/errors/errors.ts';

/**
 * Parses a PEM private key: PKCS#8 plain or encrypted, PKCS#1, SEC1, and OpenSSL's old encrypted forms.
 *
 * `passphrase` is asked for only when the key is encrypted.
 *
 * @throws {BundleError} `KEY_UNREADABLE`, `PASSPHRASE_WRONG`, and what `passphrase` throws
 */
export async function parsePrivateKey(
  pem: string,
  passphrase: () => Promise<string>,
  file: string,
): Promise<KeyObject> {
  const where = { file };
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem)) {
    const what = pem.includes('-----BEGIN CERTIFICATE-----')
      ? 'a certificate, not a private key'
      : 'no PEM private key';
    throw new BundleError('KEY_UNREADABLE', `the file holds ${what}`, { where });
  }
  const encrypted = /-----BEGIN ENCRYPTED PRIVATE KEY-----|Proc-Type: 4,ENCRYPTED/.test(pem);
  const secret = encrypted ? await passphrase() : undefined;
  try {
    return createPrivateKey({
      key: pem,
      format: 'pem',
      ...(secret !== undefined && { passphrase: secret }),
    });
  } catch (cause) {
    if (encrypted)
      throw new BundleError('PASSPHRASE_WRONG', 'the passphrase does not open the key', { where, cause });
    throw new BundleError('KEY_UNREADABLE', 'the private key is damaged, or of a kind that is not known', {
      where,
      cause,
    });
  }
}
