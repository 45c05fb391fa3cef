/** The digests that manifests and signature lines may use. Which of them are good enough is policy. */
export type DigestName = 'sha1' | 'sha256' | 'sha384' | 'sha512';
