import type { KeyDescription } from '../formats/x509/public-key.ts';
import { showDigest } from '../formats/x509/signature-algorithm.ts';
import { allowed, type Told } from '../kit/errors/advice.ts';
import { BundleError } from '../kit/errors/errors.ts';

/** What the user gave up on purpose; each shows in the report as a warning when it mattered. */
export interface Allowances {
  /** a bundle without a signature */
  readonly unsigned: boolean;
  /** SHA-1, in the manifest and in signatures */
  readonly sha1: boolean;
  /** RSA and DSA keys of 1024 to 2047 bits, and ML-DSA-44 */
  readonly weakKeys: boolean;
  /** a manifest that does not list the descriptor */
  readonly unlistedDescriptor: boolean;
}

/** The default: nothing is given up. */
export const NO_ALLOWANCES: Allowances = {
  unsigned: false,
  sha1: false,
  weakKeys: false,
  unlistedDescriptor: false,
};

/** What the caller gives up, and nothing besides. */
export function allowancesOf({ allow }: { readonly allow?: Partial<Allowances> }): Allowances {
  return { ...NO_ALLOWANCES, ...allow };
}

/** Something to object to; `allowed` says what turns it into a warning: an allowance, or leniency that the specification names. */
export interface Finding {
  readonly error: BundleError;
  readonly allowed?: keyof Allowances | 'lenient';
}

/** A finding that was allowed, as a warning: by the name of the allowance, where it is one. */
export function warningOf({ error: { message }, allowed: by }: Finding): Told {
  return by === undefined || by === 'lenient' ? message : allowed(message, by);
}

/** of an RSA or DSA modulus: what is needed, and what is the least that can be allowed */
const BITS = 2048;
const BITS_EVER = 1024;
const RSA_BITS_MOST = 16_384;
const DSA_BITS_MOST = 4096;
/** FIPS 186-5 section 5.1 bounds the exponent so; a longer one serves only to make verifying slow. */
const RSA_EXPONENT_LIMIT = 1n << 256n;

const CURVES: ReadonlySet<string> = new Set([
  'prime256v1',
  'secp384r1',
  'secp521r1',
  'secp256k1',
  'brainpoolP256r1',
  'brainpoolP320r1',
  'brainpoolP384r1',
  'brainpoolP512r1',
  'brainpoolP256t1',
  'brainpoolP320t1',
  'brainpoolP384t1',
  'brainpoolP512t1',
  'sect283k1',
  'sect283r1',
  'sect409k1',
  'sect409r1',
  'sect571k1',
  'sect571r1',
]);

const DIGESTS: ReadonlySet<string> = new Set([
  'sha224',
  'sha256',
  'sha384',
  'sha512',
  'sha512-224',
  'sha512-256',
  'sha3-224',
  'sha3-256',
  'sha3-384',
  'sha3-512',
  'shake256',
]);

/** The rule about a key that signs; `owner` names it in the message: `certificate "CN=…"`. [path.14] */
export function judgeKey(key: KeyDescription, owner: string, allowances: Allowances): Finding | undefined {
  const refuse = (problem: string, why?: string): Finding => ({
    error: new BundleError('KEY_WEAK', `${owner} ${problem}`, why === undefined ? {} : { why }),
  });
  const weak = (problem: string, bits: number): Finding =>
    allowances.weakKeys && bits >= BITS_EVER ? { ...refuse(problem), allowed: 'weakKeys' } : refuse(problem);
  switch (key.type) {
    case 'rsa':
    case 'rsa-pss': {
      const { bits = 0, exponent = 0n } = key;
      // with e = 1 every message is its own signature
      if (exponent < 3n || exponent % 2n === 0n || exponent >= RSA_EXPONENT_LIMIT) {
        const why = 'with such an exponent a signature proves nothing, or is slow to verify on purpose';
        return refuse(`has an RSA key with the public exponent ${showExponent(exponent)}`, why);
      }
      if (bits > RSA_BITS_MOST) {
        return refuse(
          `has an RSA key of ${bits} bits; at most ${RSA_BITS_MOST} are used`,
          'a key this long serves only to keep the verifier busy',
        );
      }
      if (bits >= BITS) return undefined;
      return weak(`has an RSA key of ${bits} bits; at least ${BITS} are needed`, bits);
    }
    case 'ec':
      if (CURVES.has(key.curve ?? '')) return undefined;
      return refuse(`has a key on the elliptic curve ${key.label}, which is not accepted`);
    case 'ed25519':
    case 'ed448':
    case 'ml-dsa-65':
    case 'ml-dsa-87':
      return undefined;
    case 'ml-dsa-44':
      return weak('has an ML-DSA-44 key; ML-DSA-65 or ML-DSA-87 is needed', BITS_EVER); // [pq.6]
    case 'dsa': {
      const { bits = 0 } = key;
      if (bits > DSA_BITS_MOST)
        return refuse(`has a DSA key of ${bits} bits; at most ${DSA_BITS_MOST} are used`);
      if (bits >= BITS) return undefined;
      return weak(`has a DSA key of ${bits} bits; at least ${BITS} are needed`, bits);
    }
    case 'other':
      return refuse(`has a key of the kind ${key.label}, which is not accepted`);
  }
}

function showExponent(exponent: bigint): string {
  return exponent >= RSA_EXPONENT_LIMIT ? 'of more than 256 bits' : exponent.toString();
}

/** The rule about a digest under a signature; `undefined` is an algorithm that is not known. [path.15] */
export function judgeDigest(
  digest: string | undefined,
  owner: string,
  allowances: Allowances,
): Finding | undefined {
  if (digest !== undefined && DIGESTS.has(digest)) return undefined;
  if (digest === 'sha1' || digest === 'md5' || digest === 'md2') {
    const allowed = digest === 'sha1' && allowances.sha1;
    const error = new BundleError('DIGEST_WEAK', `${owner} is signed with ${showDigest(digest)}`);
    return { error, ...(allowed && { allowed: 'sha1' }) };
  }
  const error = new BundleError(
    'ALGORITHM_UNSUPPORTED',
    `${owner} is signed with an algorithm that is not known`,
  );
  return { error };
}
