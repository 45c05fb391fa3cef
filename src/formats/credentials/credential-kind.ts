import { formatHex } from '../../kit/encoding.ts';
import { TAG } from '../der/cursor.ts';

/** What a file of certificates or keys is, as its first bytes or the label of its PEM block say; nothing of it is believed. */
export type CredentialKind =
  | 'certificate'
  | 'trusted certificate'
  | 'pkcs7'
  | 'pkcs12'
  | 'pkcs8'
  | 'encrypted pkcs8'
  | 'pkcs1'
  | 'sec1'
  | 'openssh key'
  | 'pvk'
  | 'public key'
  | 'request'
  | 'crl'
  | 'ocsp'
  | 'java keystore'
  | 'pgp';

/** PEM labels (RFC 7468, and what tools wrote before it) and what stands under them. */
const LABELS: Readonly<Record<string, CredentialKind>> = {
  CERTIFICATE: 'certificate',
  'X509 CERTIFICATE': 'certificate',
  'TRUSTED CERTIFICATE': 'trusted certificate',
  PKCS7: 'pkcs7',
  CMS: 'pkcs7',
  'PRIVATE KEY': 'pkcs8',
  'ENCRYPTED PRIVATE KEY': 'encrypted pkcs8',
  'RSA PRIVATE KEY': 'pkcs1',
  'EC PRIVATE KEY': 'sec1',
  'OPENSSH PRIVATE KEY': 'openssh key',
  'PUBLIC KEY': 'public key',
  'RSA PUBLIC KEY': 'public key',
  'CERTIFICATE REQUEST': 'request',
  'NEW CERTIFICATE REQUEST': 'request',
  'X509 CRL': 'crl',
};

/** What a PEM block of this label holds, by the label; undefined for one that is not known. */
export function kindOfLabel(label: string): CredentialKind | undefined {
  if (label.startsWith('PGP ')) return 'pgp';
  return Object.hasOwn(LABELS, label) ? LABELS[label] : undefined;
}

const SIGNED_DATA = '2a864886f70d010702';
const MAGIC: Readonly<Record<string, CredentialKind>> = {
  feedfeed: 'java keystore',
  cececece: 'java keystore',
  '1ef1b5b0': 'pvk',
};

/**
 * What these bytes are, when they are DER, BER or another binary form; undefined for anything else.
 *
 * It looks at the first few elements and nothing more, so it says which reader is to be asked, or what a file is called that nobody
 * reads: what follows may be damaged. No text is taken for one of them.
 */
export function kindOfBytes(bytes: Uint8Array): CredentialKind | undefined {
  const magic = MAGIC[formatHex(bytes.subarray(0, 4))];
  if (magic) return magic;
  const outer = headAt(bytes, 0);
  if (outer?.tag !== TAG.sequence) return undefined;
  // a length below 128 is a letter of ASCII: then nothing may follow
  if ((bytes[1] ?? 0) < 0x80 && outer.end !== bytes.byteLength) return undefined;
  const first = headAt(bytes, outer.start);
  const second = first && headAt(bytes, first.end);
  switch (first?.tag) {
    case TAG.oid:
      return formatHex(bytes.subarray(first.start, first.end)) === SIGNED_DATA ? 'pkcs7' : undefined;
    case 0x0a:
      return 'ocsp';
    case TAG.integer:
      return kindOfNumbered(bytes[first.start], second?.tag);
    case TAG.sequence:
      return kindOfNested(bytes, first.start, second?.tag);
    default:
      return undefined;
  }
}

/** A structure that begins with its version: PKCS#8, PKCS#1, SEC1, PKCS#12. */
function kindOfNumbered(version: number | undefined, next: number | undefined): CredentialKind | undefined {
  if (next === TAG.sequence) return version === 3 ? 'pkcs12' : 'pkcs8';
  if (next === TAG.integer) return 'pkcs1';
  return next === TAG.octetString ? 'sec1' : undefined;
}

/** A structure that begins with another: an algorithm and a key, or what is signed. */
function kindOfNested(
  bytes: Uint8Array,
  start: number,
  next: number | undefined,
): CredentialKind | undefined {
  const inner = headAt(bytes, start);
  if (inner?.tag === 0xa0) return 'certificate';
  if (inner?.tag === TAG.oid) {
    if (next === TAG.octetString) return 'encrypted pkcs8';
    return next === TAG.bitString ? 'public key' : undefined;
  }
  if (inner?.tag === TAG.sequence)
    // a list of the first version begins with its algorithm
    return headAt(bytes, inner.start)?.tag === TAG.oid ? 'crl' : undefined;
  if (inner?.tag !== TAG.integer) return undefined;
  const algorithm = headAt(bytes, inner.end);
  const name = algorithm && headAt(bytes, algorithm.end);
  const third = name && headAt(bytes, name.end);
  if (!algorithm || headAt(bytes, algorithm.start)?.tag !== TAG.oid) return 'request';
  return third?.tag === TAG.utcTime || third?.tag === TAG.generalizedTime ? 'crl' : 'certificate';
}

/** Where an element begins and ends; one without a length (BER) is said to end at its beginning. */
function headAt(
  bytes: Uint8Array,
  at: number,
): { readonly tag: number; readonly start: number; readonly end: number } | undefined {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined || first > 0x84) return undefined;
  const count = first > 0x80 ? first - 0x80 : 0;
  const start = at + 2 + count;
  let length = first < 0x80 ? first : 0;
  for (let i = 0; i < count; i++) length = length * 256 + (bytes[at + 2 + i] ?? 0);
  return { tag, start, end: start + length };
}
