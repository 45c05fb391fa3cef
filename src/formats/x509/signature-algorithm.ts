import { type DerElement, malformed, openDer, readInteger, readOid, readOnly, TAG } from '../der/cursor.ts';
import { mlDsaOf } from './ml-dsa.ts';

/** The kinds of signature there are. */
export type SignatureScheme = 'rsa' | 'rsa-pss' | 'ecdsa' | 'dsa' | 'eddsa' | 'ml-dsa';

/** A signature algorithm as a certificate or a CMS names it. */
export interface SignatureAlgorithm {
  readonly oid: string;
  /** the AlgorithmIdentifier, DER */
  readonly raw: Uint8Array;
  /** a name to show; the OID when it is not known */
  readonly name: string;
  /** undefined when it is not known */
  readonly scheme?: SignatureScheme;
  /** what is signed is this digest (`sha256`, …); undefined when that is not known, or for the digest beside it to say */
  readonly digest?: string;
  /** of RSA-PSS */
  readonly pss?: PssParameters;
}

/** Parameters of RSASSA-PSS (RFC 4055 section 3.1); a digest that is not known is undefined. */
export interface PssParameters {
  readonly digest: string | undefined;
  readonly mgfDigest: string | undefined;
  /** bytes */
  readonly saltLength: number;
}

const RSA = '1.2.840.113549.1.1';
const ECDSA = '1.2.840.10045.4';
const NIST_DIGEST = '2.16.840.1.101.3.4.2';
const NIST_SIGNATURE = '2.16.840.1.101.3.4.3';
const RSA_PSS = `${RSA}.10`;
const MGF1 = `${RSA}.8`;

const SHAKE_WITH_LENGTH = `${NIST_DIGEST}.18`;

const DIGESTS: Readonly<Record<string, string>> = {
  '1.2.840.113549.2.5': 'md5',
  '1.3.14.3.2.26': 'sha1',
  [`${NIST_DIGEST}.1`]: 'sha256',
  [`${NIST_DIGEST}.2`]: 'sha384',
  [`${NIST_DIGEST}.3`]: 'sha512',
  [`${NIST_DIGEST}.4`]: 'sha224',
  [`${NIST_DIGEST}.5`]: 'sha512-224',
  [`${NIST_DIGEST}.6`]: 'sha512-256',
  [`${NIST_DIGEST}.7`]: 'sha3-224',
  [`${NIST_DIGEST}.8`]: 'sha3-256',
  [`${NIST_DIGEST}.9`]: 'sha3-384',
  [`${NIST_DIGEST}.10`]: 'sha3-512',
  [`${NIST_DIGEST}.12`]: 'shake256',
  [SHAKE_WITH_LENGTH]: 'shake256',
};

const ALGORITHMS: Readonly<Record<string, readonly [scheme: string, digest?: string]>> = {
  [`${RSA}.1`]: ['RSA'],
  '1.2.840.10045.2.1': ['ECDSA'],
  '1.2.840.10040.4.1': ['DSA'],
  [`${RSA}.2`]: ['RSA', 'md2'],
  [`${RSA}.4`]: ['RSA', 'md5'],
  [`${RSA}.5`]: ['RSA', 'sha1'],
  '1.3.14.3.2.29': ['RSA', 'sha1'],
  [`${RSA}.11`]: ['RSA', 'sha256'],
  [`${RSA}.12`]: ['RSA', 'sha384'],
  [`${RSA}.13`]: ['RSA', 'sha512'],
  [`${RSA}.14`]: ['RSA', 'sha224'],
  [`${RSA}.15`]: ['RSA', 'sha512-224'],
  [`${RSA}.16`]: ['RSA', 'sha512-256'],
  [`${NIST_SIGNATURE}.13`]: ['RSA', 'sha3-224'],
  [`${NIST_SIGNATURE}.14`]: ['RSA', 'sha3-256'],
  [`${NIST_SIGNATURE}.15`]: ['RSA', 'sha3-384'],
  [`${NIST_SIGNATURE}.16`]: ['RSA', 'sha3-512'],
  [`${ECDSA}.1`]: ['ECDSA', 'sha1'],
  [`${ECDSA}.3.1`]: ['ECDSA', 'sha224'],
  [`${ECDSA}.3.2`]: ['ECDSA', 'sha256'],
  [`${ECDSA}.3.3`]: ['ECDSA', 'sha384'],
  [`${ECDSA}.3.4`]: ['ECDSA', 'sha512'],
  [`${NIST_SIGNATURE}.9`]: ['ECDSA', 'sha3-224'],
  [`${NIST_SIGNATURE}.10`]: ['ECDSA', 'sha3-256'],
  [`${NIST_SIGNATURE}.11`]: ['ECDSA', 'sha3-384'],
  [`${NIST_SIGNATURE}.12`]: ['ECDSA', 'sha3-512'],
  '1.2.840.10040.4.3': ['DSA', 'sha1'],
  [`${NIST_SIGNATURE}.1`]: ['DSA', 'sha224'],
  [`${NIST_SIGNATURE}.2`]: ['DSA', 'sha256'],
  [`${NIST_SIGNATURE}.3`]: ['DSA', 'sha384'],
  [`${NIST_SIGNATURE}.4`]: ['DSA', 'sha512'],
  '1.3.101.112': ['Ed25519', 'sha512'],
  '1.3.101.113': ['Ed448', 'shake256'],
};

/** What ML-DSA puts the data through by itself (FIPS 204 section 5.2). */
const ML_DSA_DIGEST = 'shake256';

const SCHEMES: Readonly<Record<string, SignatureScheme>> = {
  RSA: 'rsa',
  ECDSA: 'ecdsa',
  DSA: 'dsa',
  Ed25519: 'eddsa',
  Ed448: 'eddsa',
};

/**
 * The meaning of an AlgorithmIdentifier of a signature; whether it is strong enough is decided in `trust/policy.ts`.
 * @throws `CERTIFICATE_MALFORMED` [sigalg.1]
 */
export function parseSignatureAlgorithm(element: DerElement, what: string): SignatureAlgorithm {
  const { oid, parameters } = readAlgorithm(element, what);
  const { raw } = element;
  if (oid === RSA_PSS) return pssAlgorithm(raw, parsePssParameters(parameters, what));
  const mlDsa = mlDsaOf(oid);
  if (mlDsa) {
    if (parameters) throw malformed(what, 'a signature algorithm with parameters it has not'); // [pq.1]
    return { oid, raw, name: mlDsa.label, scheme: 'ml-dsa', digest: ML_DSA_DIGEST };
  }
  const [scheme, digest] = ALGORITHMS[oid] ?? [];
  if (scheme === undefined) return { oid, raw, name: oid };
  if (!isNone(parameters) || (parameters && scheme.startsWith('Ed')))
    throw malformed(what, 'a signature algorithm with parameters it has not');
  const name =
    digest === undefined || scheme.startsWith('Ed') ? scheme : `${scheme} with ${showDigest(digest)}`;
  const known = SCHEMES[scheme];
  return {
    oid,
    raw,
    name,
    ...(known !== undefined && { scheme: known }),
    ...(digest !== undefined && { digest }),
  };
}

function pssAlgorithm(raw: Uint8Array, pss: PssParameters): SignatureAlgorithm {
  const { digest } = pss;
  const name = digest === undefined ? 'RSA-PSS with an unknown digest' : `RSA-PSS with ${showDigest(digest)}`;
  return { oid: RSA_PSS, raw, name, scheme: 'rsa-pss', ...(digest !== undefined && { digest }), pss };
}

function readAlgorithm(
  element: DerElement,
  what: string,
): { oid: string; parameters: DerElement | undefined } {
  if (element.tag !== TAG.sequence) throw malformed(what, 'an algorithm that is not a SEQUENCE');
  const cursor = openDer(element.value, what);
  const oid = readOid(cursor.next(), what);
  const parameters = cursor.done() ? undefined : cursor.next();
  cursor.end();
  return { oid, parameters };
}

/** RFC 4055 section 3.1: SHA-1, MGF1 with SHA-1 and 20 bytes of salt are what absent fields mean. [sigalg.2] */
export function parsePssParameters(parameters: DerElement | undefined, what: string): PssParameters {
  const defaults = { digest: 'sha1', mgfDigest: 'sha1', saltLength: 20 };
  if (!parameters) return defaults;
  const cursor = openDer(readOnly(parameters.raw, TAG.sequence, what).value, what);
  const hash = cursor.optional(0xa0);
  const mask = cursor.optional(0xa1);
  const salt = cursor.optional(0xa2);
  const trailer = cursor.optional(0xa3);
  cursor.end();
  if (trailer && readInteger(readOnly(trailer.value, TAG.integer, what), what) !== 1n) {
    throw malformed(what, 'RSA-PSS parameters with another trailer');
  }
  const length = salt ? readInteger(readOnly(salt.value, TAG.integer, what), what) : 20n;
  if (length < 0n || length > 2048n) throw malformed(what, 'RSA-PSS parameters with an impossible salt');
  return {
    digest: hash
      ? parseDigestAlgorithm(readOnly(hash.value, TAG.sequence, what), what).name
      : defaults.digest,
    mgfDigest: mask ? parseMask(readOnly(mask.value, TAG.sequence, what), what) : defaults.mgfDigest,
    saltLength: Number(length),
  };
}

function parseMask(element: DerElement, what: string): string | undefined {
  const { oid, parameters } = readAlgorithm(element, what);
  return oid === MGF1 && parameters ? parseDigestAlgorithm(parameters, what).name : undefined;
}

/** A digest as an AlgorithmIdentifier names it; `name` (as node:crypto has it) is undefined when it is not known. */
export interface DigestAlgorithm {
  readonly oid: string;
  readonly name: string | undefined;
}

/** The meaning of an AlgorithmIdentifier of a digest. @throws `CERTIFICATE_MALFORMED` [sigalg.1] */
export function parseDigestAlgorithm(element: DerElement, what: string): DigestAlgorithm {
  const { oid, parameters } = readAlgorithm(element, what);
  const fits = oid === SHAKE_WITH_LENGTH ? isShakeLength(parameters) : isNone(parameters);
  if (!fits) throw malformed(what, 'a digest algorithm with parameters it has not');
  return { oid, name: DIGESTS[oid] };
}

/** RFC 8702 section 3.1: the length of what SHAKE256 gives, which is 512 bits beside Ed448 (RFC 8419 section 3). */
function isShakeLength(parameters: DerElement | undefined): boolean {
  return parameters?.tag === TAG.integer && readInteger(parameters, 'a digest algorithm') === 512n;
}

/** [sigalg.1] Parameters that nobody looks at are room for bytes of the attacker's choice. */
function isNone(parameters: DerElement | undefined): boolean {
  return parameters === undefined || (parameters.tag === TAG.null && parameters.value.byteLength === 0);
}

/** The OID of a digest; undefined when it has none here. */
export function digestOid(name: string): string | undefined {
  return Object.entries(DIGESTS).find(([, digest]) => digest === name)?.[0];
}

/** A digest's name for people: `SHA-256`. */
export function showDigest(digest: string): string {
  return digest.toUpperCase().replace(/^SHA(?=[0-9]{3}|1)/, 'SHA-');
}
