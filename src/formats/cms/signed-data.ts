import { BundleError, isBundleError } from '../../kit/errors/errors.ts';
import { toDefiniteLengths } from '../der/ber.ts';
import { childrenOf, type DerElement, openDer, readInteger, readOid, readOnly, TAG } from '../der/cursor.ts';
import { parseDigestAlgorithm } from '../x509/signature-algorithm.ts';
import { parseSignerInfo, type SignerInfo } from './signer-info.ts';

/** What a CMS SignedData (RFC 5652 section 5.1) says, nothing of it believed. */
export interface SignedData {
  /** OID of what is signed: `1.2.840.113549.1.7.1` is plain data */
  readonly contentType: string;
  /** the content itself when it is inside */
  readonly content?: Uint8Array;
  /** DER of each X.509 certificate; other kinds are left out */
  readonly certificates: readonly Uint8Array[];
  /** DER of each CRL, and of each OCSP response */
  readonly crls: readonly Uint8Array[];
  readonly ocsps: readonly Uint8Array[];
  /** at least one */
  readonly signers: readonly SignerInfo[];
  /** what is in it besides, which nobody has signed and nobody reads, in words [cms.11] */
  readonly unread: readonly string[];
}

/** OIDs of contents. */
export const CONTENT = {
  data: '1.2.840.113549.1.7.1',
  signedData: '1.2.840.113549.1.7.2',
  timestampInfo: '1.2.840.113549.1.9.16.1.4',
} as const;

/** OID of an OCSP response among the revocation information (RFC 5940). */
export const OCSP_RESPONSE = '1.3.6.1.5.5.7.16.2';
const MAX_BYTES = 32 * 1024 * 1024;
const MAX_CERTIFICATES = 64;
const MAX_SIGNERS = 16;
/** Signers that have signed the content itself: for each all of it is hashed anew, whatever its size. [cms.3] */
const MAX_DIRECT_SIGNERS = 2;
/** of each kind there is one, and some are named twice */
const MAX_DIGESTS = 64;
/** CRLs and OCSP responses together */
const MAX_EVIDENCE = 64;

/**
 * A SignedData in DER, or in BER as programs write it that do not know the length beforehand.
 *
 * It decides only whether it can be read in one way; who signed, and whether that fits, is decided in `crypto/cms.ts`.
 *
 * @param what names the structure in errors: `the CMS signature`
 * @throws {BundleError} `CMS_SYNTAX` and nothing else [cms.1] [cms.2] [cms.3]
 */
export function parseSignedData(bytes: Uint8Array, what: string): SignedData {
  if (bytes.byteLength > MAX_BYTES) throw refused(`${what} has more than ${MAX_BYTES} bytes`);
  try {
    return readSignedData(toDefiniteLengths(bytes, what), what);
  } catch (error) {
    if (!isBundleError(error) || error.code !== 'CERTIFICATE_MALFORMED') throw error;
    throw refused(error.message, error);
  }
}

/** The OID of what a ContentInfo says that it is, whatever that holds. @throws {BundleError} `CMS_SYNTAX` and nothing else [cms.1] */
export function contentTypeOf(bytes: Uint8Array, what: string): string {
  if (bytes.byteLength > MAX_BYTES) throw refused(`${what} has more than ${MAX_BYTES} bytes`);
  try {
    const der = toDefiniteLengths(bytes, what);
    const contentInfo = openDer(readOnly(der, TAG.sequence, what).value, what);
    const type = readOid(contentInfo.next(), what);
    contentInfo.next(0xa0);
    contentInfo.end();
    return type;
  } catch (error) {
    if (!isBundleError(error) || error.code !== 'CERTIFICATE_MALFORMED') throw error;
    throw refused(error.message, error);
  }
}

function readSignedData(der: Uint8Array, what: string): SignedData {
  const contentInfo = openDer(readOnly(der, TAG.sequence, what).value, what);
  if (readOid(contentInfo.next(), what) !== CONTENT.signedData) throw refused(`${what} is no SignedData`);
  const explicit = contentInfo.next(0xa0);
  contentInfo.end();
  const cursor = openDer(readOnly(explicit.value, TAG.sequence, what).value, what);
  const version = readInteger(cursor.next(), what);
  if (![1n, 3n, 4n, 5n].includes(version)) throw refused(`${what} has the unknown version ${version}`);
  const digests = childrenOf(cursor.next(TAG.set), what, MAX_DIGESTS, 'digest algorithms');
  const digestAlgorithms = new Set(digests.map((one) => parseDigestAlgorithm(one, what).oid));
  const { contentType, content } = readContent(cursor.next(TAG.sequence), what);
  const certificates = cursor.optional(0xa0);
  const revocation = cursor.optional(0xa1);
  const signers = childrenOf(cursor.next(TAG.set), what, MAX_SIGNERS, 'signers'); // [cms.3]
  cursor.end();
  if (signers.length === 0) throw refused(`${what} has no signer`);
  const parsed = signers.map((signer) => parseSignerInfo(signer, what));
  if (parsed.filter(({ signedAttributes }) => !signedAttributes).length > MAX_DIRECT_SIGNERS)
    throw refused(`${what} has more than ${MAX_DIRECT_SIGNERS} signers without signed attributes`);
  const used = new Set(parsed.map(({ digest }) => digest.oid));
  const { certificates: ders, others } = readCertificates(certificates, what);
  const { crls, ocsps, others: otherInfo } = readRevocation(revocation, what);
  return {
    contentType,
    ...(content !== undefined && { content }),
    certificates: ders,
    crls,
    ocsps,
    signers: parsed,
    unread: [
      ...[...digestAlgorithms].filter((oid) => !used.has(oid)).map((oid) => `the digest ${oid}`),
      ...others,
      ...otherInfo,
      ...parsed.flatMap(({ unreadAttributes }) =>
        unreadAttributes.map((oid) => `the unsigned attribute ${oid}`),
      ),
    ],
  };
}

function readContent(element: DerElement, what: string): Pick<SignedData, 'contentType' | 'content'> {
  const cursor = openDer(element.value, what);
  const contentType = readOid(cursor.next(), what);
  const explicit = cursor.optional(0xa0);
  cursor.end();
  if (!explicit) return { contentType };
  return { contentType, content: readOnly(explicit.value, TAG.octetString, what).value };
}

/** [cms.2] Attribute certificates and other kinds are counted and left out. */
function readCertificates(
  element: DerElement | undefined,
  what: string,
): { readonly certificates: readonly Uint8Array[]; readonly others: readonly string[] } {
  const all = element ? childrenOf(element, what, MAX_CERTIFICATES, 'certificates') : [];
  const certificates = all.filter(({ tag }) => tag === TAG.sequence).map(({ raw }) => raw);
  const others = all
    .filter(({ tag }) => tag !== TAG.sequence)
    .map(() => 'a certificate that is not of X.509');
  return { certificates, others };
}

/** CRLs, and OCSP responses in the form of RFC 5940. */
function readRevocation(
  element: DerElement | undefined,
  what: string,
): Pick<SignedData, 'crls' | 'ocsps'> & { readonly others: readonly string[] } {
  const all = element ? childrenOf(element, what, MAX_EVIDENCE, 'revocation lists') : [];
  const crls = all.filter(({ tag }) => tag === TAG.sequence).map(({ raw }) => raw);
  const ocsps = all.flatMap(({ tag, value }) => {
    if (tag !== 0xa1) return [];
    const cursor = openDer(value, what);
    const isOcsp = readOid(cursor.next(), what) === OCSP_RESPONSE;
    const response = cursor.next();
    cursor.end();
    return isOcsp ? [response.raw] : [];
  });
  const count = all.length - crls.length - ocsps.length;
  return { crls, ocsps, others: count > 0 ? ['revocation information of an unknown kind'] : [] };
}

function refused(problem: string, cause?: unknown): BundleError {
  return new BundleError('CMS_SYNTAX', problem, { cause });
}
