import { formatHex } from '../../kit/encoding.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import { guarded } from '../crl/crl.ts';
import { type Revocation, readEnumerated, reasonName } from '../crl/crl-entries.ts';
import { readExtensions } from '../crl/crl-extensions.ts';
import {
  childrenOf,
  type DerElement,
  malformed,
  openDer,
  readBitString,
  readInteger,
  readOid,
  readOnly,
  readTime,
  TAG,
} from '../der/cursor.ts';
import { parseName, type X509Name } from '../x509/name.ts';
import {
  parseDigestAlgorithm,
  parseSignatureAlgorithm,
  type SignatureAlgorithm,
} from '../x509/signature-algorithm.ts';

/** Whom a response speaks of: digests of the issuer's name and key, and a serial number (RFC 6960 section 4.1.1). */
export interface CertificateId {
  /** as node:crypto names it; undefined when it is not known */
  readonly digest: string | undefined;
  readonly issuerNameHash: Uint8Array;
  readonly issuerKeyHash: Uint8Array;
  /** lower hex */
  readonly serial: string;
}

/** What a response says about one certificate. */
interface SingleResponse {
  readonly id: CertificateId;
  readonly status: 'good' | 'revoked' | 'unknown';
  readonly revocation?: Revocation;
  readonly thisUpdate: Date;
  readonly nextUpdate?: Date;
}

/** An OCSP response (RFC 6960 section 4.2), nothing of it believed. Byte arrays are views into the input. */
export interface OcspResponse {
  readonly source: string;
  readonly responder:
    | { readonly name: X509Name }
    | { /** SHA-1 of the key's bits, lower hex */ readonly keyHash: string };
  readonly producedAt: Date;
  readonly responses: readonly SingleResponse[];
  /** OIDs of critical extensions that are not known, of the response or of a part of it */
  readonly unknownCritical: readonly string[];
  /** what is signed, by what, and the signature */
  readonly tbs: Uint8Array;
  readonly algorithm: SignatureAlgorithm;
  readonly signature: Uint8Array;
  /** DER of the certificates that came with it */
  readonly certificates: readonly Uint8Array[];
}

const WHAT = 'the OCSP response';
const BASIC = '1.3.6.1.5.5.7.48.1.1';
const NONCE = '1.3.6.1.5.5.7.48.1.2';
const MAX_RESPONSES = 256;
const MAX_CERTIFICATES = 16;
const STATUSES = [
  'successful',
  'malformedRequest',
  'internalError',
  'tryLater',
  '',
  'sigRequired',
  'unauthorized',
];

/** One OCSP response in DER. @throws {BundleError} `REVOCATION_MALFORMED` and nothing else [ocsp.1] [ocsp.2] */
export function parseOcspResponse(der: Uint8Array, source: string): OcspResponse {
  return guarded(() => readResponse(der, source));
}

function readResponse(der: Uint8Array, source: string): OcspResponse {
  const outer = openDer(readOnly(der, TAG.sequence, WHAT).value, WHAT);
  const status = readEnumerated(outer.next(0x0a));
  if (status !== 0) {
    const name = STATUSES[status] || `status ${status}`;
    throw new BundleError('REVOCATION_MALFORMED', `${WHAT} is an error of the responder: ${name}`); // [ocsp.2]
  }
  const bytes = openDer(readOnly(outer.next(0xa0).value, TAG.sequence, WHAT).value, WHAT);
  outer.end();
  if (readOid(bytes.next(), WHAT) !== BASIC) throw malformed(WHAT, 'it is of an unknown type');
  const basic = openDer(readOnly(bytes.next(TAG.octetString).value, TAG.sequence, WHAT).value, WHAT);
  bytes.end();
  const tbs = basic.next(TAG.sequence);
  const algorithm = parseSignatureAlgorithm(basic.next(TAG.sequence), WHAT);
  const signature = readBitString(basic.next(TAG.bitString), WHAT);
  const certificates = basic.optional(0xa0);
  basic.end();
  if (signature.unused !== 0) throw malformed(WHAT, 'a signature that is not whole bytes');
  const list = certificates && readOnly(certificates.value, TAG.sequence, WHAT);
  const ders = list ? childrenOf(list, WHAT, MAX_CERTIFICATES, 'certificates') : [];
  return {
    source,
    ...readData(tbs),
    tbs: tbs.raw,
    algorithm,
    signature: signature.bytes,
    certificates: ders.map(({ raw }) => raw),
  };
}

function readData(
  tbs: DerElement,
): Pick<OcspResponse, 'responder' | 'producedAt' | 'responses' | 'unknownCritical'> {
  const cursor = openDer(tbs.value, WHAT);
  const version = cursor.optional(0xa0);
  if (version && readInteger(readOnly(version.value, TAG.integer, WHAT), WHAT) !== 0n)
    throw malformed(WHAT, 'its version is unknown');
  const responder = readResponder(cursor.next());
  const producedAt = readTime(cursor.next(TAG.generalizedTime), WHAT);
  const list = childrenOf(cursor.next(TAG.sequence), WHAT, MAX_RESPONSES, 'answers');
  const extensions = cursor.optional(0xa1);
  cursor.end();
  const parts = list.map(readSingle);
  return {
    responder,
    producedAt,
    responses: parts.map(({ response }) => response),
    unknownCritical: [...unknownIn(extensions), ...parts.flatMap(({ unknown }) => unknown)],
  };
}

function readResponder({ tag, value }: DerElement): OcspResponse['responder'] {
  if (tag === 0xa1) return { name: parseName(readOnly(value, TAG.sequence, WHAT), WHAT) };
  if (tag === 0xa2) return { keyHash: formatHex(readOnly(value, TAG.octetString, WHAT).value) };
  throw malformed(WHAT, 'a responder that is named in an unknown way');
}

function unknownIn(extensions: DerElement | undefined): readonly string[] {
  if (!extensions) return [];
  const list = readExtensions(readOnly(extensions.value, TAG.sequence, WHAT), WHAT);
  return [...list.values()].filter(({ critical, oid }) => critical && oid !== NONCE).map(({ oid }) => oid);
}

function readSingle(element: DerElement): {
  readonly response: SingleResponse;
  readonly unknown: readonly string[];
} {
  if (element.tag !== TAG.sequence) throw malformed(WHAT, 'an answer that is not a SEQUENCE');
  const cursor = openDer(element.value, WHAT);
  const id = readId(cursor.next(TAG.sequence));
  const status = cursor.next();
  const thisUpdate = readTime(cursor.next(TAG.generalizedTime), WHAT);
  const next = cursor.optional(0xa0);
  const extensions = cursor.optional(0xa1);
  cursor.end();
  const nextUpdate = next && readTime(readOnly(next.value, TAG.generalizedTime, WHAT), WHAT);
  return {
    response: { id, ...readStatus(status), thisUpdate, ...(nextUpdate !== undefined && { nextUpdate }) },
    unknown: unknownIn(extensions),
  };
}

function readId(element: DerElement): CertificateId {
  const cursor = openDer(element.value, WHAT);
  const { name: digest } = parseDigestAlgorithm(cursor.next(), WHAT);
  const issuerNameHash = cursor.next(TAG.octetString).value;
  const issuerKeyHash = cursor.next(TAG.octetString).value;
  const serial = cursor.next(TAG.integer);
  readInteger(serial, WHAT);
  cursor.end();
  return { digest, issuerNameHash, issuerKeyHash, serial: formatHex(serial.value) };
}

function readStatus({ tag, value }: DerElement): Pick<SingleResponse, 'status' | 'revocation'> {
  if (tag === 0x80 && value.byteLength === 0) return { status: 'good' };
  if (tag === 0x82 && value.byteLength === 0) return { status: 'unknown' };
  if (tag !== 0xa1) throw malformed(WHAT, 'an unknown status');
  const cursor = openDer(value, WHAT);
  const at = readTime(cursor.next(TAG.generalizedTime), WHAT);
  const reason = cursor.optional(0xa0);
  cursor.end();
  const name = reason && reasonName(readEnumerated(readOnly(reason.value, 0x0a, WHAT)), WHAT);
  return { status: 'revoked', revocation: { at, ...(name !== undefined && { reason: name }) } };
}
