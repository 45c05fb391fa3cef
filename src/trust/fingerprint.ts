import type { Certificate } from '../crypto/certificate.ts';
import { printable } from '../kit/encoding.ts';
import { BundleError } from '../kit/errors/errors.ts';

/** The names of digests as openssl, browsers, keytool and certutil write them in front of a fingerprint. */
const LABEL =
  /^(?:cert(?:ificate)? hash ?\()?(md5|sha-?(?:[23]-)?\d+)(?: ?\([^()]*\)|\))?(?: (?:fingerprints?|thumbprint))?(?:\s*[:=]\s*|\s+)/i;

const HEX_DIGITS = 64;
/** What a count of hex digits is the digest of. */
const OTHERS: Readonly<Record<number, string>> = { 32: 'MD5', 40: 'SHA-1', 96: 'SHA-384', 128: 'SHA-512' };

/**
 * The SHA-256 that a text from openssl, a browser or the system states, in lower hex: with or without its name in front (`SHA256 Fingerprint=`,
 * `sha256:`), colons or blanks between the digits, either case. [path.26]
 *
 * @throws {BundleError} `USAGE` for anything else; SHA-1 and other digests are named
 */
export function parseFingerprint(text: string): string {
  // a mark of direction comes along when it is copied from a window of Windows
  const bare = text.replace(/[\u200e\u200f\ufeff]/g, '').trim();
  const label = LABEL.exec(bare);
  const digest = label?.[1]?.toLowerCase().replaceAll('-', '');
  const digits = bare.slice(label?.[0].length ?? 0).replace(/[:\s]/g, '');
  const isHex = /^[0-9a-f]+$/i.test(digits);
  const named = digest === undefined || digest === 'sha256' || digest === 'sha2256';
  if (named && isHex && digits.length === HEX_DIGITS) return digits.toLowerCase();
  const other = named ? undefined : digest.toUpperCase().replace(/^SHA(?=1$)/, 'SHA-');
  const counted = isHex && digest === undefined ? OTHERS[digits.length] : undefined;
  const stated = other ?? counted;
  if (stated !== undefined) throw ofAnotherDigest(text, stated);
  throw new BundleError('USAGE', `"${printable(text)}" is no SHA-256 fingerprint`, {
    fix: { text: 'give 64 hex digits, as openssl and browsers show them', advice: 'give-pin' },
  });
}

function ofAnotherDigest(text: string, digest: string): BundleError {
  const broken = digest === 'SHA-1' || digest === 'MD5';
  return new BundleError('USAGE', `"${printable(text)}" is a fingerprint of ${digest}; SHA-256 is needed`, {
    why: broken
      ? `two certificates with one ${digest} can be made, so it does not say which of them is meant`
      : 'one kind of fingerprint is compared everywhere, so that two of the same certificate are alike',
    fix: 'ask its owner for the SHA-256 fingerprint, which is printed by: openssl x509 -in CERT -noout -fingerprint -sha256',
  });
}

/** What of a certificate a fingerprint is of: all of it, or its public key (SubjectPublicKeyInfo), which says nothing about the name and dates beside it. */
export type Fingerprinted = 'certificate' | 'key';

/**
 * What of each certificate the fingerprints are of, by its own: nothing that no fingerprint is of is let pass, and no fingerprint that is of
 * nothing. [pub.23]
 *
 * @throws {BundleError} `CONFIG_INVALID`; `USAGE` for what is no fingerprint
 */
export function expectFingerprints(
  certificates: readonly Certificate[],
  texts: readonly string[],
): ReadonlyMap<string, Fingerprinted> {
  const stated = texts.map((text) => ({ text, sha256: parseFingerprint(text) }));
  const matched = new Map<string, Fingerprinted>();
  for (const { fingerprint, spkiSha256, fields } of certificates) {
    if (stated.some(({ sha256 }) => sha256 === fingerprint)) matched.set(fingerprint, 'certificate');
    else if (stated.some(({ sha256 }) => sha256 === spkiSha256)) matched.set(fingerprint, 'key');
    else
      throw mismatch(
        `no fingerprint that is given is of "${printable(fields.subject.text)}", nor of its key`,
      );
  }
  const unused = stated.find(({ sha256 }) =>
    certificates.every((one) => one.fingerprint !== sha256 && one.spkiSha256 !== sha256),
  );
  if (unused) throw mismatch(`no certificate that is given has the fingerprint ${printable(unused.text)}`);
  return matched;
}

function mismatch(message: string): BundleError {
  return new BundleError('CONFIG_INVALID', message, {
    why: 'the certificate is not the one that its owner has named, or more certificates are given than fingerprints',
    fix: 'ask the owner, by a way you trust, for the fingerprint of each certificate; give a file with those alone',
  });
}
