import type { DigestName } from '../../kit/digest-name.ts';

/** A digest named in a file, and what is odd about the spelling. */
export interface ParsedDigestName {
  readonly name: DigestName;
  readonly note?: string;
}

const PLAIN: ReadonlyMap<string, DigestName> = new Map([
  ['SHA1', 'sha1'],
  ['SHA256', 'sha256'],
  ['SHA384', 'sha384'],
  ['SHA512', 'sha512'],
]);

/**
 * The digest a word in front of `(name)` stands for, or undefined when bulla does not know it.
 *
 * [mf.3] Two other spellings are in use and can mean nothing else: `SHA2-256`, which `openssl dgst` prints since
 * OpenSSL 3, and `SHA-256`. Both are read, and noted, since vCenter refuses them.
 */
export function parseDigestName(word: string): ParsedDigestName | undefined {
  const plain = PLAIN.get(word);
  if (plain) return { name: plain };
  const dashed = PLAIN.get(word.replace(/^SHA2?-/, 'SHA'));
  if (!dashed || (word.startsWith('SHA2-') && dashed === 'sha1')) return undefined;
  const origin = word.startsWith('SHA2-')
    ? `"${word}" is how OpenSSL 3 spells ${dashed.toUpperCase()}; VMware tools refuse it`
    : `"${word}" stands for ${dashed.toUpperCase()}; VMware tools refuse the spelling`;
  return { name: dashed, note: origin };
}

/**
 * The digest that a signature line names, or undefined when bulla does not know it.
 *
 * [cert.6] `openssl dgst -sign -hex` prints what kind of key has signed in front: `RSA-SHA2-256`, `EC-SHA384`. Which key it
 * was is found by the certificate whose key fits, so the word can mean nothing else; it is noted.
 */
export function parseSignatureName(word: string): ParsedDigestName | undefined {
  const digest = parseDigestName(word.replace(/^(?:RSA|EC|ECDSA)-/, ''));
  if (!digest || !/^(?:RSA|EC|ECDSA)-/.test(word)) return digest;
  const plain = digest.name.toUpperCase();
  const note = `"${word}" is how openssl dgst -sign -hex spells ${plain}; VMware tools and VirtualBox want ${plain}`;
  return { name: digest.name, note };
}
