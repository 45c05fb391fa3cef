import { createPrivateKey, type KeyObject, sign } from 'node:crypto';
import { promisify } from 'node:util';
import { type MlDsaPrivateKey, parseMlDsaPrivateKey } from '../../formats/credentials/ml-dsa-key.ts';
import { encryptionOfKey, isModernEncryption } from '../../formats/credentials/pkcs12.ts';
import { childrenOf, readOnly, TAG } from '../../formats/der/cursor.ts';
import { derElement, derOid, derSequence, derUnsigned } from '../../formats/der/writer.ts';
import { type MlDsa, mlDsaSpki } from '../../formats/x509/ml-dsa.ts';
import type { PublicKey } from '../../formats/x509/public-key.ts';
import { equalBytes } from '../../kit/bytes.ts';
import { BundleError, isBundleError, type Where } from '../../kit/errors/errors.ts';
import { packaged } from './ml-dsa.ts';

const signAsync = promisify(sign);

/** A private key of ML-DSA; OpenSSL holds such keys in newer Nodes alone. */
export class MlDsaKey {
  readonly publicKey: PublicKey;
  readonly #set: MlDsa;
  readonly #pkcs8: Uint8Array;
  readonly #expanded: Uint8Array;

  constructor(
    set: MlDsa,
    key: { readonly pkcs8: Uint8Array; readonly expanded: Uint8Array; readonly public: Uint8Array },
  ) {
    this.publicKey = { spki: mlDsaSpki(set, key.public), key: { type: set.type, label: set.label } };
    this.#set = set;
    this.#pkcs8 = key.pkcs8;
    this.#expanded = key.expanded;
  }

  /** Pure ML-DSA with an empty context, hedged: by OpenSSL, which keeps the time it takes from telling of the key, where it can. [pq.2] */
  async sign(data: Uint8Array): Promise<Uint8Array> {
    let native: KeyObject;
    try {
      native = createPrivateKey({ key: Buffer.from(this.#pkcs8), format: 'der', type: 'pkcs8' });
      return Uint8Array.from((await signAsync(null, data, native)) as Uint8Array);
    } catch {
      return packaged(this.#set).sign(data, this.#expanded);
    }
  }
}

/**
 * The ML-DSA key in a PKCS#8 (DER), which is encrypted where there is a passphrase; undefined for keys of other kinds, and for what is
 * not opened by the passphrase. [pq.3]
 *
 * @throws {BundleError} `KEY_UNREADABLE` for one whose parts do not belong together
 */
export async function openMlDsaKey(
  pkcs8: Uint8Array,
  where: Where,
  passphrase?: string,
): Promise<MlDsaKey | undefined> {
  try {
    const plain = passphrase === undefined ? pkcs8 : await decrypted(pkcs8, passphrase);
    const parsed = plain && parseMlDsaPrivateKey(plain);
    return parsed && keyOf(parsed, plain, where);
  } catch (cause) {
    if (!isBundleError(cause) || cause.code !== 'CERTIFICATE_MALFORMED') throw cause;
    if (passphrase !== undefined) return undefined; // a wrong one gives anything
    throw new BundleError('KEY_UNREADABLE', cause.message, { where, cause });
  }
}

/** The key that OpenSSL has opened, where it is of ML-DSA. */
export async function mlDsaKeyIn(key: KeyObject, where: Where): Promise<MlDsaKey | undefined> {
  if (USUAL.has(key.asymmetricKeyType ?? '')) return undefined;
  return openMlDsaKey(Uint8Array.from(key.export({ type: 'pkcs8', format: 'der' })), where);
}

const USUAL: ReadonlySet<string> = new Set(['rsa', 'rsa-pss', 'ec', 'ed25519', 'ed448', 'dsa', 'dh']);

function keyOf(parsed: MlDsaPrivateKey, pkcs8: Uint8Array, where: Where): MlDsaKey {
  const { set, seed, expanded, publicKey } = parsed;
  const { keygen, getPublicKey } = packaged(set);
  const made = seed && keygen(seed);
  const secret = made?.secretKey ?? expanded ?? new Uint8Array();
  const own = made?.publicKey ?? getPublicKey(secret);
  const isOne =
    (expanded === undefined || equalBytes(expanded, secret)) &&
    (publicKey === undefined || equalBytes(publicKey, own));
  if (isOne) return new MlDsaKey(set, { pkcs8, expanded: secret, public: own });
  throw new BundleError('KEY_UNREADABLE', `the parts of the ${set.label} key do not belong together`, {
    where,
    why: 'seed, expanded key and public key say one thing in several ways: where they differ, each program signs with another key',
    fix: 'have the key exported anew, from where it was made',
  });
}

/** What OpenSSL would decrypt if it knew the key inside: an EncryptedPrivateKeyInfo is an EncryptedData but for its frame (RFC 5958 section 3). */
async function decrypted(pkcs8: Uint8Array, passphrase: string): Promise<Uint8Array | undefined> {
  const encryption = encryptionOfKey(pkcs8);
  if (!encryption || !isModernEncryption(encryption)) return undefined;
  const what = 'the private key';
  const [algorithm, content] = childrenOf(readOnly(pkcs8, TAG.sequence, what), what);
  if (!algorithm || !content) return undefined;
  const data = derSequence(
    derUnsigned(Uint8Array.of(0)),
    derSequence(derOid('1.2.840.113549.1.7.1'), algorithm.raw, derElement(0x80, content.value)),
  );
  const { EncryptedData } = await import('pkijs');
  try {
    const parsed = EncryptedData.fromBER(data.slice().buffer);
    return new Uint8Array(await parsed.decrypt({ password: new Uint8Array(Buffer.from(passphrase)).buffer }));
  } catch {
    return undefined;
  }
}
