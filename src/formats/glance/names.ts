/** A hash method as the property spells it. [glance.3] */
export type HashMethod = 'SHA-224' | 'SHA-256' | 'SHA-384' | 'SHA-512';

/** The hash methods of image signatures, with the names that digests have elsewhere. */
export const HASH_METHODS: Readonly<Record<HashMethod, 'sha224' | 'sha256' | 'sha384' | 'sha512'>> = {
  'SHA-224': 'sha224',
  'SHA-256': 'sha256',
  'SHA-384': 'sha384',
  'SHA-512': 'sha512',
};

/** A key type as the property spells it. [glance.4] */
export type KeyTypeName =
  | 'RSA-PSS'
  | 'DSA'
  | 'ECC_SECT571K1'
  | 'ECC_SECT409K1'
  | 'ECC_SECT571R1'
  | 'ECC_SECT409R1'
  | 'ECC_SECP521R1'
  | 'ECC_SECP384R1';

/** The kind of key that a key type names; of elliptic curves, the curve as OpenSSL names it. */
interface KeyKind {
  readonly kind: 'rsa' | 'dsa' | 'ec';
  readonly curve?: string;
}

/** The key types of image signatures. */
export const KEY_TYPES: Readonly<Record<KeyTypeName, KeyKind>> = {
  'RSA-PSS': { kind: 'rsa' },
  DSA: { kind: 'dsa' },
  ECC_SECT571K1: { kind: 'ec', curve: 'sect571k1' },
  ECC_SECT409K1: { kind: 'ec', curve: 'sect409k1' },
  ECC_SECT571R1: { kind: 'ec', curve: 'sect571r1' },
  ECC_SECT409R1: { kind: 'ec', curve: 'sect409r1' },
  ECC_SECP521R1: { kind: 'ec', curve: 'secp521r1' },
  ECC_SECP384R1: { kind: 'ec', curve: 'secp384r1' },
};

/** The names of all hash methods and key types, for messages and choices. */
export const HASH_METHOD_NAMES = Object.keys(HASH_METHODS) as readonly HashMethod[];
export const KEY_TYPE_NAMES = Object.keys(KEY_TYPES) as readonly KeyTypeName[];

/** True for exactly the four spellings; case counts. */
export function isHashMethod(text: string): text is HashMethod {
  return Object.hasOwn(HASH_METHODS, text);
}

/** True for exactly the eight spellings; case counts. */
export function isKeyTypeName(text: string): text is KeyTypeName {
  return Object.hasOwn(KEY_TYPES, text);
}

/** What somebody who wrote this may have meant: `SHA256` for SHA-256, `SECT571K1` for ECC_SECT571K1. [glance.13] */
export function meantName(text: string): HashMethod | KeyTypeName | undefined {
  const wanted = bare(text);
  if (wanted === 'RSA' || wanted === 'RSASSAPSS') return 'RSA-PSS';
  const names: readonly (HashMethod | KeyTypeName)[] = [...HASH_METHOD_NAMES, ...KEY_TYPE_NAMES];
  return names.find((name) => bare(name) === wanted || bare(name) === `ECC${wanted}`);
}

function bare(text: string): string {
  return text.toUpperCase().replace(/[^A-Z0-9]/g, '');
}

/** The key type for a kind of key, if Glance has one. */
export function keyTypeFor(kind: string, curve: string | undefined): KeyTypeName | undefined {
  return KEY_TYPE_NAMES.find(
    (name) => KEY_TYPES[name].kind === kind && KEY_TYPES[name].curve === (kind === 'ec' ? curve : undefined),
  );
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** True for a UUID in its usual form, in either case; nothing else may come near an address or a path. [glance.5] */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}
