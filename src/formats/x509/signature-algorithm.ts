import { type DerElement, malformed, openDer, readOid, readOnly, TAG } from '../der/cursor.ts';

/** A signature algorithm as a certificate names it. */
export interface SignatureAlgorithm {
  readonly oid: string;
  /** a name to show; the OID when it is not known */
  readonly name: string;
  /** what is signed is this digest (`sha256`, …); undefined when the algorithm is not known */
  readonly digest?: string;
}

const RSA = '1.2.840.113549.1.1';
const ECDSA = '1.2.840.10045.4';
const NIST_DIGEST = '2.16.840.1.101.3.4.2';
const NIST_SIGNATURE = '2.16.840.1.101.3.4.3';
const RSA_PSS = `${RSA}.10`;

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
};

const ALGORITHMS: Readonly<Record<string, readonly [scheme: string, digest: string]>> = {
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

/**
 * The meaning of an AlgorithmIdentifier of a signature; whether it is strong enough is decided in `trust/policy.ts`.
 * @throws `CERTIFICATE_MALFORMED`
 */
export function parseSignatureAlgorithm(element: DerElement, what: string): SignatureAlgorithm {
  if (element.tag !== TAG.sequence) throw malformed(what, 'a signature algorithm that is not a SEQUENCE');
  const cursor = openDer(element.value, what);
  const oid = readOid(cursor.next(), what);
  const parameters = cursor.done() ? undefined : cursor.next();
  cursor.end();
  const known = ALGORITHMS[oid];
  if (known) {
    const [scheme, digest] = known;
    return { oid, name: scheme.startsWith('Ed') ? scheme : `${scheme} with ${showDigest(digest)}`, digest };
  }
  if (oid !== RSA_PSS) return { oid, name: oid };
  const digest = pssDigest(parameters, what);
  if (digest === undefined) return { oid, name: 'RSA-PSS with an unknown digest' };
  return { oid, name: `RSA-PSS with ${showDigest(digest)}`, digest };
}

/** The digest of RSASSA-PSS parameters (RFC 4055 section 3.1): SHA-1 is the default, so absent parameters mean SHA-1. */
function pssDigest(parameters: DerElement | undefined, what: string): string | undefined {
  if (!parameters) return 'sha1';
  const cursor = openDer(readOnly(parameters.raw, TAG.sequence, what).value, what);
  const hash = cursor.optional(0xa0);
  while (!cursor.done()) cursor.next(); // mask generation, salt length: node:crypto obeys them when it verifies
  if (!hash) return 'sha1';
  const algorithm = openDer(readOnly(hash.value, TAG.sequence, what).value, what);
  return DIGESTS[readOid(algorithm.next(), what)];
}

/** A digest's name for people: `SHA-256`. */
export function showDigest(digest: string): string {
  return digest.toUpperCase().replace(/^SHA(?=[0-9]{3}|1)/, 'SHA-');
}
