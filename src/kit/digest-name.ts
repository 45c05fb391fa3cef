/** The digests that manifests and signature lines may use. Which of them are good enough is policy. */
export type DigestName = 'sha1' | 'sha256' | 'sha384' | 'sha512';

/** How long digests are, in bytes; `sha224` is under signatures of images only. */
export const DIGEST_BYTES: Readonly<Record<DigestName | 'sha224', number>> = {
  sha1: 20,
  sha224: 28,
  sha256: 32,
  sha384: 48,
  sha512: 64,
};
