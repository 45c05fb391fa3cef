/** The digests that manifests and signature lines may use. Which of them are good enough is policy. */
export type DigestName = 'sha1' | 'sha256' | 'sha384' | 'sha512';

/** How long digests are, in bytes; `md5` and `sha224` are of images only. */
export const DIGEST_BYTES: Readonly<Record<DigestName | 'md5' | 'sha224', number>> = {
  md5: 16,
  sha1: 20,
  sha224: 28,
  sha256: 32,
  sha384: 48,
  sha512: 64,
};

/** Whether a text is a digest of this algorithm in hex, in lower case. */
export function isDigestHex(text: string, algorithm: keyof typeof DIGEST_BYTES): boolean {
  return text.length === 2 * DIGEST_BYTES[algorithm] && /^[0-9a-f]*$/.test(text);
}
