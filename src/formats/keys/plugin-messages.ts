import type { DigestName } from '../../kit/digest-name.ts';
import { formatBase64, parseBase64 } from '../../kit/encoding.ts';

/** The contract of Notary plugins that is spoken: https://github.com/notaryproject/specifications, plugin-extensibility.md. [key.9] */
const PLUGIN_CONTRACT = '1.0';
/** That a plugin signs what it is handed. */
const RAW_SIGNATURES = 'SIGNATURE_GENERATOR.RAW';
/** Ours: that it makes RSA signatures of PKCS#1 v1.5, and signs a digest where that is given. [key.11] */
export const PKCS1_SIGNATURES = 'SIGNATURE_GENERATOR.RAW.RSA-PKCS1';

/** What a plugin is asked to do. */
export type PluginCommand = 'get-plugin-metadata' | 'describe-key' | 'generate-signature';

/** What a plugin says of itself. */
export interface PluginMetadata {
  readonly name: string;
  readonly version: string;
  readonly capabilities: readonly string[];
}

/** A kind of key, the curve of it where it is on one, and the digest that the contract binds it to. */
export interface KeySpec {
  readonly name: string;
  readonly family: 'rsa' | 'ec';
  readonly curve?: string;
  readonly digest: PluginDigest;
}

/** A digest that plugins know. */
export type PluginDigest = Exclude<DigestName, 'sha1'>;

const KEY_SPECS: readonly KeySpec[] = [
  { name: 'RSA-2048', family: 'rsa', digest: 'sha256' },
  { name: 'RSA-3072', family: 'rsa', digest: 'sha384' },
  { name: 'RSA-4096', family: 'rsa', digest: 'sha512' },
  { name: 'EC-256', family: 'ec', curve: 'prime256v1', digest: 'sha256' },
  { name: 'EC-384', family: 'ec', curve: 'secp384r1', digest: 'sha384' },
  { name: 'EC-521', family: 'ec', curve: 'secp521r1', digest: 'sha512' },
];

const HASHES: Readonly<Record<PluginDigest, string>> = {
  sha256: 'SHA-256',
  sha384: 'SHA-384',
  sha512: 'SHA-512',
};

/** What a plugin is asked to sign, and how. */
export interface PluginSignatureRequest {
  readonly keyId: string;
  readonly spec: KeySpec;
  readonly scheme: 'pkcs1' | 'pss' | 'ecdsa';
  readonly digest: PluginDigest;
  readonly digestValue: Uint8Array;
  readonly payload?: Uint8Array;
}

/** What a plugin has signed. */
export interface PluginSignature {
  readonly signature: Uint8Array;
  /** the signer's first, DER */
  readonly chain: readonly Uint8Array[];
}

/** More than a path has room for. */
const MOST_CERTIFICATES = 16;

/** The body of `describe-key`. [key.9] */
export function formatDescribeKey(keyId: string): object {
  return { contractVersion: PLUGIN_CONTRACT, keyId };
}

/** The body of `generate-signature`; PKCS#1 v1.5 is named in it, and has the digest beside what is signed. [key.9] [key.11] */
export function formatGenerateSignature(request: PluginSignatureRequest): object {
  const { keyId, spec, scheme, digest, digestValue, payload } = request;
  return {
    contractVersion: PLUGIN_CONTRACT,
    keyId,
    keySpec: spec.name,
    hashAlgorithm: HASHES[digest],
    ...(payload !== undefined && { payload: formatBase64(payload) }),
    ...(scheme === 'pkcs1' && {
      signingAlgorithm: algorithmName(request),
      digest: formatBase64(digestValue),
    }),
  };
}

function algorithmName({ scheme, digest }: Pick<PluginSignatureRequest, 'scheme' | 'digest'>): string {
  const names = { pkcs1: 'RSASSA-PKCS1-v1_5', pss: 'RSASSA-PSS', ecdsa: 'ECDSA' } as const;
  return `${names[scheme]}-${HASHES[digest]}`;
}

/** What a plugin says of itself; a text says what is wrong with it. [key.9] */
export function readMetadata(answer: object, name: string): PluginMetadata | string {
  const { name: own, version, supportedContractVersions: versions, capabilities } = answer as Fields;
  if (own !== name) return `it says that its name is ${quoted(own)}`;
  if (!isTexts(versions) || !versions.includes(PLUGIN_CONTRACT))
    return `it does not speak version ${PLUGIN_CONTRACT} of the contract`;
  if (!isTexts(capabilities)) return 'it does not say what it can do';
  if (!capabilities.includes(RAW_SIGNATURES) && !capabilities.includes(PKCS1_SIGNATURES))
    return `it makes no signatures for others: it can do ${capabilities.map(quoted).join(', ') || 'nothing'}, and not ${RAW_SIGNATURES}`;
  return { name, version: typeof version === 'string' ? version : '', capabilities };
}

/** What a plugin says of a key; a text says what is wrong with it. [key.9] */
export function readKeySpec(answer: object, keyId: string): KeySpec | string {
  const { keyId: own, keySpec } = answer as Fields;
  if (own !== keyId) return `it describes the key ${quoted(own)} in place of the one that was named`;
  const spec = KEY_SPECS.find(({ name }) => name === keySpec);
  return spec ?? `its key is of the kind ${quoted(keySpec)}, which the contract does not have`;
}

/** What a plugin has signed; a text says what is wrong with it. Whether the signature fits is for whoever has the key. [key.9] */
export function readSignature(
  answer: object,
  asked: Pick<PluginSignatureRequest, 'keyId' | 'scheme' | 'digest'>,
): PluginSignature | string {
  const { keyId, signature, signingAlgorithm, certificateChain } = answer as Fields;
  if (keyId !== asked.keyId)
    return `it has signed with the key ${quoted(keyId)} in place of the one that was named`;
  if (!isAlgorithm(signingAlgorithm, asked))
    return `it has signed by ${quoted(signingAlgorithm)}, where ${algorithmName(asked)} was asked for`;
  const bytes = typeof signature === 'string' ? unwrapped(signature) : undefined;
  if (!bytes || bytes.byteLength === 0) return 'its signature is no base64';
  if (!isTexts(certificateChain) || certificateChain.length === 0)
    return 'it gives no certificate of its key';
  if (certificateChain.length > MOST_CERTIFICATES)
    return `it gives ${certificateChain.length} certificates, more than a path has`;
  const chain = certificateChain.map(unwrapped);
  if (!chain.every((one) => one !== undefined)) return 'a certificate that it gives is no base64';
  return { signature: bytes, chain };
}

/** PKCS#1 v1.5 is not in the contract, so nobody else has a spelling for it. */
function isAlgorithm(given: unknown, asked: Pick<PluginSignatureRequest, 'scheme' | 'digest'>): boolean {
  if (asked.scheme !== 'pkcs1') return given === algorithmName(asked);
  const digits = asked.digest.slice('sha'.length);
  return typeof given === 'string' && new RegExp(`^RSASSA-PKCS1(-v1_5)?-SHA-?${digits}$`, 'i').test(given);
}

/** What a plugin says of its failure, on standard error. */
export interface PluginFault {
  readonly code: string;
  readonly message: string;
}

/** The error of a plugin, cut to what can be shown; undefined for what is none. [key.10] */
export function readPluginFault(answer: object | undefined): PluginFault | undefined {
  const { errorCode, errorMessage } = (answer ?? {}) as Fields;
  if (typeof errorCode !== 'string' || !/^[A-Z_]{1,64}$/.test(errorCode)) return undefined;
  return { code: errorCode, message: typeof errorMessage === 'string' ? errorMessage.slice(0, 400) : '' };
}

type Fields = Readonly<Record<string, unknown>>;

/** Tools break base64 into lines; the contract's own implementation reads over that. */
function unwrapped(text: string): Uint8Array | undefined {
  return parseBase64(text.replace(/[\r\n]/g, ''));
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}

function quoted(value: unknown): string {
  return typeof value === 'string' ? `"${value.slice(0, 80)}"` : 'that it does not name';
}
