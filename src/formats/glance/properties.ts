import { BundleError } from '../../kit/errors/errors.ts';
import { text as textRule } from '../../kit/shape.ts';
import { repeatedKey } from './json-keys.ts';

/** The four values of an image signature, as they stand. [glance.1] */
export interface SignatureProperties {
  readonly signature: string;
  readonly hashMethod: string;
  readonly keyType: string;
  readonly certificateUuid: string;
}

/** The legacy signature of Liberty and Mitaka, over the MD5 checksum. [glance.20] */
export interface LegacyProperties extends SignatureProperties {
  readonly maskGenAlgorithm: string;
  readonly pssSaltLength: string;
}

/** What the properties of an image say about its bytes; whatever is not there is left out. */
export interface ImageProperties {
  readonly image: Partial<SignatureProperties>;
  readonly legacy: Partial<LegacyProperties>;
  /** lower-case hex MD5 */
  readonly checksum?: string;
  readonly hashAlgorithm?: string;
  readonly hashValue?: string;
  /** what Cinder writes on volumes; it must not be on an image [glance.14] */
  readonly signatureVerified?: string;
}

/** The property names of the four values. */
export const PROPERTY_NAMES = {
  signature: 'img_signature',
  hashMethod: 'img_signature_hash_method',
  keyType: 'img_signature_key_type',
  certificateUuid: 'img_signature_certificate_uuid',
} as const satisfies Record<keyof SignatureProperties, string>;

/** The same of Liberty and Mitaka. */
export const LEGACY_NAMES = {
  signature: 'signature',
  hashMethod: 'signature_hash_method',
  keyType: 'signature_key_type',
  certificateUuid: 'signature_certificate_uuid',
  maskGenAlgorithm: 'mask_gen_algorithm',
  pssSaltLength: 'pss_salt_length',
} as const satisfies Record<keyof LegacyProperties, string>;

/**
 * The properties in a JSON text: an object of them, an image as Glance or the openstack client shows it, or a JSON patch
 * that adds them.
 *
 * @throws {BundleError} `PROPERTIES_MALFORMED` [glance.6]
 */
export function parseProperties(text: string): ImageProperties {
  textRule(text, 'text');
  const values = valuesIn(parsedJson(text));
  const read = <K extends string>(names: Readonly<Record<K, string>>): Partial<Record<K, string>> => {
    const found: Partial<Record<K, string>> = {};
    for (const key of Object.keys(names) as K[]) {
      const value = textOf(values, names[key]);
      if (value !== undefined) found[key] = value;
    }
    return found;
  };
  const { checksum, hashAlgorithm, hashValue, signatureVerified } = read({
    checksum: 'checksum',
    hashAlgorithm: 'os_hash_algo',
    hashValue: 'os_hash_value',
    signatureVerified: 'signature_verified',
  });
  return {
    image: read(PROPERTY_NAMES),
    legacy: read(LEGACY_NAMES),
    ...(checksum !== undefined && { checksum }),
    ...(hashAlgorithm !== undefined && { hashAlgorithm }),
    ...(hashValue !== undefined && { hashValue }),
    ...(signatureVerified !== undefined && { signatureVerified }),
  };
}

type Values = ReadonlyMap<string, unknown>;

function parsedJson(text: string): unknown {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (cause) {
    throw malformed('the image properties are not JSON', cause);
  }
  const twice = repeatedKey(text);
  if (twice !== undefined) throw malformed(`the image properties have "${twice}" twice`);
  return parsed;
}

function valuesIn(parsed: unknown): Values {
  if (Array.isArray(parsed)) return valuesOfPatch(parsed);
  if (!isRecord(parsed)) throw malformed('the image properties are no JSON object');
  const values = new Map(Object.entries(parsed).filter(([name]) => name !== 'properties'));
  const nested = parsed['properties'];
  if (nested === undefined || nested === null) return values;
  if (!isRecord(nested)) {
    throw malformed(
      '"properties" is no JSON object',
      undefined,
      'take it from: openstack image show -f json IMAGE',
    );
  }
  for (const [name, value] of Object.entries(nested)) {
    if (values.has(name) && JSON.stringify(values.get(name)) !== JSON.stringify(value))
      throw malformed(`"${name}" has two values`);
    values.set(name, value);
  }
  return values;
}

/** The operations of a JSON patch that set something; others make no sense in a file of properties. */
function valuesOfPatch(operations: readonly unknown[]): Values {
  const values = new Map<string, unknown>();
  for (const one of operations) {
    const { op, path, value } = isRecord(one) ? one : {};
    if ((op !== 'add' && op !== 'replace') || typeof path !== 'string' || !path.startsWith('/')) {
      throw malformed('the image properties are a list, and no JSON patch that adds properties');
    }
    const name = path.slice(1).replaceAll('~1', '/').replaceAll('~0', '~');
    if (values.has(name)) throw malformed(`the patch sets "${name}" twice`);
    values.set(name, value);
  }
  return values;
}

function textOf(values: Values, name: string): string | undefined {
  const value = values.get(name);
  if (value === undefined || value === null) return undefined; // what Glance has not computed yet is null
  if (typeof value === 'string') return value;
  throw malformed(`the property "${name}" is not a text`);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function malformed(message: string, cause?: unknown, fix?: string): BundleError {
  return new BundleError('PROPERTIES_MALFORMED', message, { cause, ...(fix !== undefined && { fix }) });
}
