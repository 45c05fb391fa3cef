import { equalBytes } from '../../kit/bytes.ts';
import { formatHex } from '../../kit/encoding.ts';
import {
  type DerCursor,
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
import { NO_EXTENSIONS, parseExtensions, type X509Extensions } from './extensions.ts';
import { parseName, type X509Name } from './name.ts';
import { parseSignatureAlgorithm, type SignatureAlgorithm } from './signature-algorithm.ts';

/** What a certificate says, without believing it. Byte arrays are views into the input. */
export interface X509Fields {
  readonly version: 1 | 2 | 3;
  /** lower hex of the INTEGER's contents */
  readonly serial: string;
  readonly signature: SignatureAlgorithm;
  /** the signature itself, and what it is over, DER */
  readonly signatureValue: Uint8Array;
  readonly tbs: Uint8Array;
  readonly issuer: X509Name;
  readonly subject: X509Name;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** the SubjectPublicKeyInfo, DER */
  readonly spki: Uint8Array;
  readonly extensions: X509Extensions;
}

const EC_PUBLIC_KEY = '1.2.840.10045.2.1';
const MAX_SERIAL_BYTES = 64;
/** Those in use have a few KiB; the largest is for a list of names that no honest certificate has. [x509.14] */
const MAX_CERTIFICATE_BYTES = 128 * 1024;

/**
 * The fields of one X.509 certificate in DER.
 *
 * It decides only whether the bytes are one certificate that can be read in one way; signature, time and use are for others.
 * @throws `CERTIFICATE_MALFORMED` and nothing else [x509.1]
 */
export function parseX509(der: Uint8Array): X509Fields {
  const what = 'a certificate';
  if (der.byteLength > MAX_CERTIFICATE_BYTES) {
    throw malformed(what, `it has ${der.byteLength} bytes; at most ${MAX_CERTIFICATE_BYTES} are read`);
  }
  const outer = openDer(readOnly(der, TAG.sequence, what).value, what);
  const tbs = outer.next(TAG.sequence);
  const outerAlgorithm = outer.next(TAG.sequence);
  const signatureValue = readBitString(outer.next(TAG.bitString), what);
  if (signatureValue.unused !== 0) {
    throw malformed(what, 'a signature that is not whole bytes');
  }
  outer.end();

  const cursor = openDer(tbs.value, what);
  const version = parseVersion(cursor, what);
  const serial = cursor.next(TAG.integer);
  readInteger(serial, what, MAX_SERIAL_BYTES);
  const innerAlgorithm = cursor.next(TAG.sequence);
  // [x509.2] only the inner one is signed; whoever swaps the outer one makes verifiers compute another digest
  if (!equalBytes(innerAlgorithm.raw, outerAlgorithm.raw)) {
    throw malformed(what, 'its two signature algorithms differ');
  }
  const issuer = parseName(cursor.next(TAG.sequence), what);
  if (issuer.attributes.length === 0) throw malformed(what, 'its issuer has no name'); // [x509.7]
  const validity = openDer(cursor.next(TAG.sequence).value, what);
  const notBefore = readTime(validity.next(), what);
  const notAfter = readTime(validity.next(), what);
  validity.end();
  const subject = parseName(cursor.next(TAG.sequence), what);
  const spki = cursor.next(TAG.sequence);
  checkPublicKeyForm(spki, what);
  const extensions = parseTail(cursor, version, what);
  return {
    version,
    serial: formatHex(serial.value),
    signature: parseSignatureAlgorithm(innerAlgorithm, what),
    signatureValue: signatureValue.bytes,
    tbs: tbs.raw,
    issuer,
    subject,
    notBefore,
    notAfter,
    spki: spki.raw,
    extensions,
  };
}

function parseVersion(cursor: DerCursor, what: string): 1 | 2 | 3 {
  const explicit = cursor.optional(0xa0);
  if (!explicit) return 1;
  const number = readInteger(readOnly(explicit.value, TAG.integer, what), what);
  if (number === 1n) return 2;
  if (number === 2n) return 3;
  throw malformed(
    what,
    `its version is ${number === 0n ? 'spelled out though 1 is the default' : 'unknown'}`,
  );
}

/** Unique identifiers (v2, unused) and extensions (v3 only). */
function parseTail(cursor: DerCursor, version: 1 | 2 | 3, what: string): X509Extensions {
  if (version >= 2) {
    cursor.optional(0x81);
    cursor.optional(0x82);
  }
  // [x509.3] extensions in a v1 certificate are seen by some programs and skipped by others
  const extensions = version === 3 ? cursor.optional(0xa3) : undefined;
  cursor.end();
  return extensions ? parseExtensions(extensions.value, what) : NO_EXTENSIONS;
}

/** The outer form of a SubjectPublicKeyInfo; the key itself is read in `public-key.ts`. */
function checkPublicKeyForm(spki: DerElement, what: string): void {
  const cursor = openDer(spki.value, what);
  const algorithm = openDer(cursor.next(TAG.sequence).value, what);
  readBitString(cursor.next(TAG.bitString), what);
  cursor.end();
  // [x509.8] a curve spelled out by its parameters may have a generator of the attacker's choice, who then knows
  // the private key to someone else's public key (CVE-2020-0601)
  if (readOid(algorithm.next(), what) !== EC_PUBLIC_KEY) return;
  if (algorithm.done() || algorithm.next().tag !== TAG.oid) {
    throw malformed(what, 'its elliptic curve is not given by name');
  }
}
