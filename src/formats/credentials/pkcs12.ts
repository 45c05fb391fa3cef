import { BundleError } from '../../kit/errors/errors.ts';
import { toDefiniteLengths } from '../der/ber.ts';
import {
  childrenOf,
  type DerCursor,
  type DerElement,
  openDer,
  readInteger,
  readOid,
  readOnly,
  TAG,
} from '../der/cursor.ts';

/** What proves that whoever knows the passphrase wrote the content (RFC 7292 section 4, MacData). */
export interface Pkcs12Mac {
  /** object identifier of the digest */
  readonly digest: string;
  readonly value: Uint8Array;
  readonly salt: Uint8Array;
  readonly rounds: number;
}

/** A PKCS#12 file, as far as it is read without its passphrase. */
export interface Pkcs12 {
  /** what `mac` is over */
  readonly content: Uint8Array;
  readonly mac?: Pkcs12Mac;
  /** its parts: bags in the clear, and EncryptedData (RFC 5652 section 8) whose content are bags */
  readonly parts: readonly { readonly encrypted: boolean; readonly bytes: Uint8Array }[];
}

/** What is in bags: keys as PKCS#8 in DER, encrypted or not, and certificates in DER. Other bags are passed over. */
export interface Pkcs12Bags {
  readonly keys: readonly Uint8Array[];
  readonly certificates: readonly Uint8Array[];
}

/** In one file: a whole chain has some few. */
const MOST_BAGS = 1024;
const DATA = '1.2.840.113549.1.7.1';
const ENCRYPTED = '1.2.840.113549.1.7.6';
const KEY_BAGS = new Set(['1.2.840.113549.1.12.10.1.1', '1.2.840.113549.1.12.10.1.2']);
const CERTIFICATE_BAG = '1.2.840.113549.1.12.10.1.3';
const EXPLICIT_0 = 0xa0;
const X509 = '1.2.840.113549.1.9.22.1';
const PBES2 = '1.2.840.113549.1.5.13';
const PBKDF2 = '1.2.840.113549.1.5.12';
const SCRYPT = '1.3.6.1.4.1.11591.4.11';
const AES_CBC = new Set([2, 22, 42].map((mode) => `2.16.840.1.101.3.4.1.${mode}`));
const WHAT = 'the PKCS#12 file';

/**
 * Reads a PKCS#12 file (RFC 7292), in DER or BER, to its last byte. Nothing is decrypted, and nothing believed. [pub.24]
 * @throws {BundleError} `CERTIFICATE_MALFORMED`, `ALGORITHM_UNSUPPORTED` where a certificate seals it in place of a passphrase
 */
export function parsePkcs12(bytes: Uint8Array): Pkcs12 {
  const outer = openDer(readOnly(toDefiniteLengths(bytes, WHAT), TAG.sequence, WHAT).value, WHAT);
  readInteger(outer.next(TAG.integer), WHAT);
  const sealed = infoOf(outer.next(TAG.sequence));
  if (sealed.type !== DATA) throw unsupported('is sealed with a certificate');
  const content = readOnly(sealed.content, TAG.octetString, WHAT).value;
  const macData = outer.optional(TAG.sequence);
  outer.end();
  const mac = macData === undefined ? undefined : macOf(openDer(macData.value, WHAT));
  const parts = sequenceIn(content).map((element) => {
    const { type, content: part } = infoOf(element);
    if (type === ENCRYPTED) return { encrypted: true, bytes: part };
    if (type === DATA) return { encrypted: false, bytes: readOnly(part, TAG.octetString, WHAT).value };
    throw unsupported('is encrypted for a certificate');
  });
  return { content, ...(mac !== undefined && { mac }), parts };
}

/** The bags of a part that is in the clear, or has been decrypted. @throws {BundleError} `CERTIFICATE_MALFORMED` */
export function parsePkcs12Bags(part: Uint8Array): Pkcs12Bags {
  const keys: Uint8Array[] = [];
  const certificates: Uint8Array[] = [];
  for (const { value } of sequenceIn(toDefiniteLengths(part, WHAT))) {
    const bag = openDer(value, WHAT);
    const type = readOid(bag.next(TAG.oid), WHAT);
    const content = bag.next(EXPLICIT_0).value;
    if (KEY_BAGS.has(type)) keys.push(content);
    if (type !== CERTIFICATE_BAG) continue;
    const certificate = openDer(readOnly(content, TAG.sequence, WHAT).value, WHAT);
    if (readOid(certificate.next(TAG.oid), WHAT) !== X509) continue;
    certificates.push(readOnly(certificate.next(EXPLICIT_0).value, TAG.octetString, WHAT).value);
  }
  return { keys, certificates };
}

/** How an encrypted key in PKCS#8 is encrypted: an AlgorithmIdentifier in DER; undefined for a key in the clear. */
export function encryptionOfKey(pkcs8: Uint8Array): Uint8Array | undefined {
  const [first] = childrenOf(readOnly(pkcs8, TAG.sequence, WHAT), WHAT);
  return first?.tag === TAG.sequence ? first.raw : undefined;
}

/** The same of an EncryptedData. @throws {BundleError} `CERTIFICATE_MALFORMED` */
export function encryptionOfPart(encryptedData: Uint8Array): Uint8Array {
  const data = openDer(readOnly(encryptedData, TAG.sequence, WHAT).value, WHAT);
  readInteger(data.next(TAG.integer), WHAT);
  const info = openDer(data.next(TAG.sequence).value, WHAT);
  info.next(TAG.oid);
  return info.next(TAG.sequence).raw;
}

/** Whether an AlgorithmIdentifier is PBES2 with PBKDF2 and AES in CBC (RFC 8018 section 6.2), which is what is read here. [pub.24] */
export function isModernEncryption(algorithm: Uint8Array): boolean {
  const outer = openDer(readOnly(algorithm, TAG.sequence, WHAT).value, WHAT);
  if (readOid(outer.next(TAG.oid), WHAT) !== PBES2) return false;
  const parameters = openDer(outer.next(TAG.sequence).value, WHAT);
  const named = (): string => readOid(openDer(parameters.next(TAG.sequence).value, WHAT).next(TAG.oid), WHAT);
  return named() === PBKDF2 && AES_CBC.has(named());
}

/**
 * The work that an AlgorithmIdentifier asks for: the rounds of PBES1 and PBKDF2, N times r times p of scrypt (RFC 7914), whichever of them it is.
 * Whoever wrote the file chose it, and the platform goes on for as long as that takes. [pub.25]
 */
export function roundsAsked(algorithm: Uint8Array): number {
  const parts = openDer(algorithm, WHAT);
  let [most, isScrypt] = [0, false];
  while (!parts.done()) {
    const { tag, value, raw } = parts.next();
    if (tag === TAG.oid) isScrypt = readOid({ tag, value, raw }, WHAT) === SCRYPT;
    if (tag === TAG.integer) most = Math.max(most, Number(readInteger({ tag, value, raw }, WHAT)));
    if (tag === TAG.sequence) most = Math.max(most, isScrypt ? costOfScrypt(value) : roundsAsked(value));
  }
  return most;
}

/** In units of some microseconds, as a round of PBKDF2 is. */
function costOfScrypt(parameters: Uint8Array): number {
  const given = openDer(parameters, WHAT);
  given.next(TAG.octetString);
  const number = (): number => Number(readInteger(given.next(TAG.integer), WHAT));
  return number() * number() * number();
}

function infoOf({ value }: DerElement): { readonly type: string; readonly content: Uint8Array } {
  const info = openDer(value, WHAT);
  const type = readOid(info.next(TAG.oid), WHAT);
  return { type, content: info.next(EXPLICIT_0).value };
}

function macOf(macData: DerCursor): Pkcs12Mac {
  const info = openDer(macData.next(TAG.sequence).value, WHAT);
  const digest = readOid(openDer(info.next(TAG.sequence).value, WHAT).next(TAG.oid), WHAT);
  const { value } = info.next(TAG.octetString);
  const salt = macData.next(TAG.octetString).value;
  const rounds = macData.optional(TAG.integer);
  return { digest, value, salt, rounds: rounds ? Number(readInteger(rounds, WHAT)) : 1 };
}

function sequenceIn(bytes: Uint8Array): readonly DerElement[] {
  return childrenOf(readOnly(bytes, TAG.sequence, WHAT), WHAT, MOST_BAGS);
}

function unsupported(problem: string): BundleError {
  return new BundleError('ALGORITHM_UNSUPPORTED', `${WHAT} ${problem}, and not with a passphrase`);
}
