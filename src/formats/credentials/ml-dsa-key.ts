import {
  childrenOf,
  malformed,
  openDer,
  readBitString,
  readInteger,
  readOid,
  readOnly,
  TAG,
} from '../der/cursor.ts';
import { type MlDsa, mlDsaOf } from '../x509/ml-dsa.ts';

/** A private key of ML-DSA as PKCS#8 has it: a seed, what that expands to, or both. */
export interface MlDsaPrivateKey {
  readonly set: MlDsa;
  readonly seed?: Uint8Array;
  readonly expanded?: Uint8Array;
  /** the public key that some write behind it */
  readonly publicKey?: Uint8Array;
}

const SEED_BYTES = 32;
const SEED = 0x80;
const PUBLIC_KEY = 0x81;
const WHAT = 'the private key';

/**
 * The ML-DSA key in a PrivateKeyInfo (RFC 9881 section 6, RFC 5958), in DER; undefined for keys of other kinds.
 *
 * Whether seed, expanded key and public key belong together is for who can compute it. [pq.3]
 *
 * @throws {BundleError} `CERTIFICATE_MALFORMED`
 */
export function parseMlDsaPrivateKey(pkcs8: Uint8Array): MlDsaPrivateKey | undefined {
  const set = setOf(pkcs8);
  if (!set) return undefined;
  const info = openDer(readOnly(pkcs8, TAG.sequence, WHAT).value, WHAT);
  const version = readInteger(info.next(TAG.integer), WHAT);
  if (version !== 0n && version !== 1n) throw malformed(WHAT, `it has the unknown version ${version}`);
  if (childrenOf(info.next(TAG.sequence), WHAT).length > 1)
    throw malformed(WHAT, 'its algorithm has parameters that it has not');
  const key = info.next(TAG.octetString).value;
  info.optional(0xa0); // attributes, which nobody reads
  const own = info.optional(PUBLIC_KEY);
  info.end();
  return {
    set,
    ...secretsIn(key, set),
    ...(own !== undefined && {
      publicKey: readBitString({ ...own, tag: TAG.bitString }, WHAT).bytes,
    }),
  };
}

/** The parameter set, by the OID; undefined for keys of other kinds, and where none can be found. */
function setOf(pkcs8: Uint8Array): MlDsa | undefined {
  try {
    const [, algorithm] = childrenOf(openDer(pkcs8, WHAT).next(TAG.sequence), WHAT);
    const [oid] = algorithm ? childrenOf(algorithm, WHAT) : [];
    return oid && mlDsaOf(readOid(oid, WHAT));
  } catch {
    return undefined;
  }
}

function secretsIn(
  key: Uint8Array,
  { expandedBytes, label }: MlDsa,
): Pick<MlDsaPrivateKey, 'seed' | 'expanded'> {
  const form = key[0];
  const read = (bytes: Uint8Array, size: number, name: string): Uint8Array => {
    if (bytes.byteLength === size) return bytes;
    throw malformed(
      WHAT,
      `the ${name} of its ${label} key has ${bytes.byteLength} bytes in place of ${size}`,
    );
  };
  const seedOf = (bytes: Uint8Array): Uint8Array => read(bytes, SEED_BYTES, 'seed');
  const expandedOf = (bytes: Uint8Array): Uint8Array => read(bytes, expandedBytes, 'expanded form');
  if (form === SEED) return { seed: seedOf(readOnly(key, SEED, WHAT).value) };
  if (form === TAG.octetString) return { expanded: expandedOf(readOnly(key, TAG.octetString, WHAT).value) };
  const [seed, expanded, ...more] = childrenOf(readOnly(key, TAG.sequence, WHAT), WHAT);
  if (seed?.tag !== TAG.octetString || expanded?.tag !== TAG.octetString || more.length > 0)
    throw malformed(WHAT, `its ${label} key is neither a seed, nor an expanded key, nor both`);
  return { seed: seedOf(seed.value), expanded: expandedOf(expanded.value) };
}
