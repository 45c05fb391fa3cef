import { isSignedBy } from '../../crypto/certificate.ts';
import { formatCarried } from '../../formats/cms/format-carried.ts';
import type { Vouched } from '../../trust/vouched.ts';
import { cmsParts, fingerprintOf, isOfTrusted } from './carried-cms.ts';
import type { Sidecar } from './read-sidecar.ts';

/** Bytes in certificates of pinned keys that nobody has signed, beside the keys themselves: the signature of a stranger's CA may be of 4.6 KB. */
const KEPT_BYTES = 8 * 1024;

/**
 * What is handed on of a signature beside the manifest: in canonical form the signers who are trusted, and how many bytes stood beside that;
 * a clause where nothing is; undefined where that has been told. [side.6]
 */
export function carriedSidecar(
  { der, cms, unknown }: Sidecar,
  vouched: Vouched,
): { readonly bytes: Uint8Array; readonly beside: number } | string | undefined {
  if (!cms || unknown.length === cms.found.length) return undefined;
  const trusted = cms.found.flatMap(({ signer, fault }) =>
    signer && !fault && vouched.signers.has(signer.fingerprint) ? [signer] : [],
  );
  if (trusted.length === 0) return 'is by nobody who is trusted here';
  const isKept = (certificate: Uint8Array): boolean => isOfTrusted(certificate, vouched);
  // a key that is pinned is trusted, and so is what it has signed itself
  const stranger = trusted
    .filter((one) => !vouched.certificates.has(one.fingerprint) && !isSignedBy(one, one))
    .filter(({ fingerprint }) => cms.data.certificates.some((one) => fingerprintOf(one) === fingerprint))
    .reduce((sum, { raw, fields }) => sum + raw.byteLength - fields.spki.byteLength, 0);
  if (stranger > KEPT_BYTES)
    return `has ${stranger} bytes in certificates that nobody who is trusted has signed`;
  const bytes = formatCarried(der, cmsParts(cms, isKept, vouched), 'the signature');
  return { bytes, beside: Math.max(0, der.byteLength - bytes.byteLength) };
}
