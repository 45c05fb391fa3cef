import { equalBytes } from '../../kit/bytes.ts';
import { decodeLatin1, printable } from '../../kit/encoding.ts';
import { BundleError, isBundleError } from '../../kit/errors/errors.ts';
import { decodePemFile } from '../credentials/pem-file.ts';
import {
  type DerElement,
  openDer,
  readBitString,
  readInteger,
  readOnly,
  readTime,
  TAG,
} from '../der/cursor.ts';
import { splitPem } from '../pem.ts';
import { notPemText } from '../pem-text.ts';
import { parseName, type X509Name } from '../x509/name.ts';
import { parseSignatureAlgorithm, type SignatureAlgorithm } from '../x509/signature-algorithm.ts';
import { checkEntries } from './crl-entries.ts';
import { type CrlExtensions, NO_CRL_EXTENSIONS, parseCrlExtensions } from './crl-extensions.ts';

/** A certificate revocation list (RFC 5280 section 5), nothing of it believed. Byte arrays are views into the input. */
export interface Crl {
  /** what the report calls it: a file, or where in a bundle it was */
  readonly source: string;
  readonly issuer: X509Name;
  readonly thisUpdate: Date;
  readonly nextUpdate?: Date;
  readonly extensions: CrlExtensions;
  /** the revoked certificates as they stand, for `findEntry`; a list may have a million */
  readonly entries: Uint8Array;
  readonly entryCount: number;
  /** an entry has a critical extension that is not known */
  readonly unknownCriticalEntry: boolean;
  /** what is signed, by what, and the signature */
  readonly tbs: Uint8Array;
  readonly algorithm: SignatureAlgorithm;
  readonly signature: Uint8Array;
}

const WHAT = 'the revocation list';
/** As much as a whole certificate may have: names in a distribution point are compared with those of certificates. */
const MAX_EXTENSION_BYTES = 128 * 1024;

/** One CRL in DER. @throws {BundleError} `REVOCATION_MALFORMED` and nothing else [crl.1] */
export function parseCrl(der: Uint8Array, source: string): Crl {
  return guarded(() => readCrl(der, source));
}

/**
 * The CRLs in a file: one in DER, or any number in PEM; with `alone`, and nothing else.
 * @throws {BundleError} `REVOCATION_MALFORMED` [crl.2] [crl.12]
 */
export function parseCrls(
  bytes: Uint8Array,
  source: string,
  { alone = false }: { readonly alone?: boolean } = {},
): readonly Crl[] {
  if (bytes[0] === TAG.sequence) return [parseCrl(bytes, source)];
  const text = alone ? decodeLatin1(bytes) : decodePemFile(bytes)?.text; // [pub.21] what people keep may be UTF-16
  if (text === undefined)
    throw new BundleError('REVOCATION_MALFORMED', 'this is UTF-16 text that ends within a character');
  const odd = alone ? undefined : notPemText(text); // [pub.19]
  if (odd) throw new BundleError('REVOCATION_MALFORMED', odd.message, { why: odd.why });
  const { blocks, outside, fault } = splitPem(text);
  const found = blocks.filter(({ label }) => label === 'X509 CRL');
  if (fault || found.length === 0) {
    throw new BundleError('REVOCATION_MALFORMED', fault?.message ?? 'the file holds no revocation list');
  }
  const other = blocks.find(({ label }) => label !== 'X509 CRL' && label !== 'CERTIFICATE');
  if (other) {
    const problem = `the block "${printable(other.label)}" in line ${other.line} is no revocation list by its label`;
    throw new BundleError('REVOCATION_MALFORMED', problem, {
      where: { line: other.line },
      why: 'a list that is passed over for its label may be the one that revokes',
      fix: 'label it "X509 CRL", or take it out of the file',
    }); // [crl.2]
  }
  const [stray = blocks.find((block) => !found.includes(block))] = outside;
  if (alone && stray) {
    const problem = `line ${stray.line} does not belong to a revocation list`;
    throw new BundleError('REVOCATION_MALFORMED', problem, {
      where: { line: stray.line },
      why: 'text around a revocation list is signed by nobody, and another program may read it',
    });
  }
  return found.map((block) => parseCrl(block.bytes, source));
}

/** Runs a reader of revocation information, and gives its errors the name they have there. */
export function guarded<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!isBundleError(error) || error.code !== 'CERTIFICATE_MALFORMED') throw error;
    throw new BundleError('REVOCATION_MALFORMED', error.message, { cause: error });
  }
}

function readCrl(der: Uint8Array, source: string): Crl {
  const outer = openDer(readOnly(der, TAG.sequence, WHAT).value, WHAT);
  const tbs = outer.next(TAG.sequence);
  const outerAlgorithm = outer.next(TAG.sequence);
  const signature = readBitString(outer.next(TAG.bitString), WHAT);
  outer.end();
  if (signature.unused !== 0) throw malformedCrl('a signature that is not whole bytes');

  const cursor = openDer(tbs.value, WHAT);
  const versionField = cursor.optional(TAG.integer);
  if (versionField && readInteger(versionField, WHAT) !== 1n) throw malformedCrl('its version is unknown');
  const innerAlgorithm = cursor.next(TAG.sequence);
  // [crl.1] only the inner one is signed
  if (!equalBytes(innerAlgorithm.raw, outerAlgorithm.raw))
    throw malformedCrl('its two signature algorithms differ');
  const issuer = parseName(cursor.next(TAG.sequence), WHAT);
  const thisUpdate = readTime(cursor.next(), WHAT);
  const next = cursor.optional(TAG.utcTime) ?? cursor.optional(TAG.generalizedTime);
  const revoked = cursor.optional(TAG.sequence);
  const extensions = versionField ? cursor.optional(0xa0) : undefined;
  cursor.end();
  if (extensions && extensions.value.byteLength > MAX_EXTENSION_BYTES)
    throw malformedCrl(`extensions of more than ${MAX_EXTENSION_BYTES} bytes`);
  const entries = revoked?.value ?? new Uint8Array();
  const { count, unknownCritical } = checkEntries(entries, versionField !== undefined);
  return {
    source,
    issuer,
    thisUpdate,
    ...(next !== undefined && { nextUpdate: readTime(next, WHAT) }),
    extensions: extensions ? parseCrlExtensions(onlySequence(extensions), WHAT) : NO_CRL_EXTENSIONS,
    entries,
    entryCount: count,
    unknownCriticalEntry: unknownCritical,
    tbs: tbs.raw,
    algorithm: parseSignatureAlgorithm(innerAlgorithm, WHAT),
    signature: signature.bytes,
  };
}

function onlySequence(element: DerElement): DerElement {
  return readOnly(element.value, TAG.sequence, WHAT);
}

function malformedCrl(problem: string): BundleError {
  return new BundleError('REVOCATION_MALFORMED', `${WHAT} is malformed: ${problem}`);
}
