import { toBundleError } from '../../kit/errors/errors.ts';
import type { NamedBytes } from '../../kit/given-bytes.ts';
import { splitPem } from '../pem.ts';
import { notPemText } from '../pem-text.ts';
import { parseCertificatesOnly } from './certificates-only.ts';
import { type Named, nameKind } from './conversion.ts';
import { type CredentialKind, kindOfBytes, kindOfLabel } from './credential-kind.ts';
import { decodePemFile } from './pem-file.ts';

/** A certificate in DER, unread, and the line that it begins on. */
export interface CertificateBlock {
  readonly bytes: Uint8Array;
  readonly line?: number;
}

/** How certificates are written in a file; what is not plain PEM other programs may not read. */
type CertificateForm = 'PEM' | 'DER' | 'PKCS#7' | 'UTF-16';

/** The certificates of a file in their order, at least one; or why there are none. */
export type FoundCertificates =
  | { readonly kind: 'found'; readonly form: CertificateForm; readonly blocks: readonly CertificateBlock[] }
  | ({ readonly kind: 'none'; readonly why?: string; readonly line?: number } & Named);

/**
 * Finds the certificates in a file that somebody keeps: one in DER; PKCS#7 with certificates alone; PEM of either, with notes around the
 * blocks, in UTF-16, too. What is in the blocks is for the reader of certificates; what the file is otherwise is named. [pub.19] [pub.21]
 */
export function findCertificates(given: NamedBytes): FoundCertificates {
  const { bytes } = given;
  const kind = kindOfBytes(bytes);
  if (kind === 'pkcs7') return inPkcs7(given, bytes, 'PKCS#7');
  if (kind === 'certificate' || (kind === undefined && isDer(bytes)))
    return { kind: 'found', form: 'DER', blocks: [{ bytes }] };
  if (kind !== undefined) return { kind: 'none', ...nameKind(kind, 'certificate', given) };
  return inPem(given);
}

/** A SEQUENCE of 128 bytes or more: no text begins so, and no certificate otherwise. */
function isDer([tag, length = 0]: Uint8Array): boolean {
  return tag === 0x30 && length >= 0x80 && length < 0x88;
}

function inPem(given: NamedBytes): FoundCertificates {
  const file = decodePemFile(given.bytes);
  if (!file) return { kind: 'none', message: 'this is UTF-16 text that ends within a character' };
  const odd = notPemText(file.text);
  if (odd) return { kind: 'none', ...odd };
  const { blocks, fault } = splitPem(file.text);
  if (fault) return { kind: 'none', ...fault };
  const found: CertificateBlock[] = [];
  let form: CertificateForm = file.utf16 ? 'UTF-16' : 'PEM';
  for (const { label, bytes, line } of blocks) {
    const kind = kindIn(label, bytes);
    if (kind === 'certificate') found.push({ bytes, line });
    if (kind !== 'pkcs7') continue;
    const inside = inPkcs7(given, bytes, form);
    if (inside.kind === 'none') return { ...inside, line };
    found.push(...inside.blocks.map((block) => ({ ...block, line })));
    if (!file.utf16) form = 'PKCS#7';
  }
  if (found.length > 0) return { kind: 'found', form, blocks: found };
  return { kind: 'none', ...nothingIn(blocks, given, file.text) };
}

/** Services of Windows write CERTIFICATE over the PKCS#7 with a whole chain. */
function kindIn(label: string, bytes: Uint8Array): CredentialKind | undefined {
  const kind = kindOfLabel(label);
  return kind === 'certificate' && kindOfBytes(bytes) === 'pkcs7' ? 'pkcs7' : kind;
}

function inPkcs7(given: NamedBytes, bytes: Uint8Array, form: CertificateForm): FoundCertificates {
  try {
    const only = parseCertificatesOnly(bytes);
    if (only.kind === 'certificates' && only.certificates.length > 0)
      return { kind: 'found', form, blocks: only.certificates.map((der) => ({ bytes: der })) };
    if (only.kind === 'certificates')
      return { kind: 'none', message: 'the PKCS#7 file holds no certificate' };
    if (only.kind === 'signature')
      return {
        kind: 'none',
        message: 'this is a signature (PKCS#7, CMS), and no file of certificates',
        why: 'the certificates in it were chosen by whoever signed, and vouch for nobody',
        fix: 'give the certificates as you have them from their owner',
      };
    const { fix } = nameKind('pkcs7', 'certificate', given);
    return {
      kind: 'none',
      message: 'the PKCS#7 file holds revocation lists beside its certificates',
      why: 'lists that are passed over revoke nothing: they are given as lists',
      ...(fix !== undefined && { fix: `${fix}; which is good as certificates and as lists` }),
    };
  } catch (error) {
    return { kind: 'none', message: toBundleError(error).message };
  }
}

/** What is there in the place of certificates, in words. */
function nothingIn(blocks: readonly { readonly label: string }[], given: NamedBytes, text: string): Named {
  for (const { label } of blocks) {
    const kind = kindOfLabel(label);
    if (kind) return nameKind(kind, 'certificate', given);
  }
  if (/^(?:[A-Za-z0-9+/=]{4,}\s+)+$/.test(`${text.trim()}\n`) && text.startsWith('MI'))
    return {
      message: 'this is base64 without the lines around it',
      fix: 'put -----BEGIN CERTIFICATE----- in front of it, and -----END CERTIFICATE----- behind it, each on a line of its own',
    };
  return { message: 'the file holds no certificate' };
}
