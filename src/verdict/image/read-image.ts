import { openHash } from '../../crypto/digest.ts';
import type { ImageProperties } from '../../formats/glance/properties.ts';
import { DIGEST_BYTES, isDigestHex } from '../../kit/digest-name.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import type { OnProgress } from '../../kit/progress.ts';
import type { Source } from '../../kit/source.ts';
import type { Check } from '../report/report.ts';

/** What was read of an image: how much, and the digests that were asked for, lower-case hex. */
export interface ImageRead {
  readonly size: number;
  readonly digests: ReadonlyMap<string, string>;
}

/** Reads an image once, giving every piece to all who need it. [glance.23] @throws {BundleError} `FILE_*`, `INPUT_STALLED`, … */
export async function readImage(
  source: Source,
  readings: readonly { readonly update: (chunk: Uint8Array) => void }[],
  algorithms: readonly string[],
  onProgress?: OnProgress,
): Promise<ImageRead> {
  const hashes = [...new Set(algorithms)].map((name) => [name, openHash(name)] as const);
  const total = source.size === undefined ? {} : { total: source.size };
  let size = 0;
  for await (const chunk of source.stream()) {
    for (const reading of readings) reading.update(chunk);
    for (const [, hash] of hashes) hash.update(chunk);
    size += chunk.byteLength;
    onProgress?.({ phase: 'read', bytes: size, ...total });
  }
  source.checkUnchanged();
  return { size, digests: new Map(hashes.map(([name, hash]) => [name, hash.digest('hex')])) };
}

/** A digest that the properties state beside the signature. */
export interface StatedDigest {
  readonly property: 'checksum' | 'os_hash_value';
  readonly algorithm: keyof typeof DIGEST_BYTES;
  readonly value: string;
}

/** Glance's option hashing_algorithm takes what Python's hashlib has; these have the same meaning everywhere. */
function isKnownHash(algorithm: string): algorithm is keyof typeof DIGEST_BYTES {
  return Object.hasOwn(DIGEST_BYTES, algorithm);
}

/** The digests that the properties state: Glance's own, which prove nothing by themselves. [glance.24] @throws {BundleError} `PROPERTIES_MALFORMED`, `ALGORITHM_UNSUPPORTED` */
export function statedDigests(properties: ImageProperties): readonly StatedDigest[] {
  const { checksum, hashAlgorithm, hashValue } = properties;
  const stated: StatedDigest[] = [];
  if (checksum !== undefined) stated.push({ property: 'checksum', algorithm: 'md5', value: checksum });
  if (hashAlgorithm !== undefined && !isKnownHash(hashAlgorithm)) {
    throw new BundleError(
      'ALGORITHM_UNSUPPORTED',
      `os_hash_algo is "${hashAlgorithm.slice(0, 40)}", which is not known`,
      {
        fix: 'leave os_hash_algo and os_hash_value out of the file: the signature stands for itself',
      },
    );
  }
  if ((hashAlgorithm === undefined) !== (hashValue === undefined)) {
    throw new BundleError('PROPERTIES_MALFORMED', 'of os_hash_algo and os_hash_value, only one is there');
  }
  if (hashAlgorithm !== undefined && hashValue !== undefined) {
    stated.push({ property: 'os_hash_value', algorithm: hashAlgorithm, value: hashValue });
  }
  for (const { property, algorithm, value } of stated) {
    if (isDigestHex(value.toLowerCase(), algorithm)) continue;
    throw new BundleError('PROPERTIES_MALFORMED', `${property} is no ${algorithm} digest in hex`);
  }
  return stated;
}

/** Compares the stated digests with those of the bytes. [glance.24] */
export function judgeDigests(
  stated: readonly StatedDigest[],
  { digests }: ImageRead,
): { readonly checks: readonly Check[]; readonly errors: readonly BundleError[] } {
  if (stated.length === 0) return { checks: [], errors: [] };
  const errors = stated.flatMap(({ property, algorithm, value }) => {
    const actual = digests.get(algorithm);
    if (actual === value.toLowerCase()) return [];
    return new BundleError(
      'DIGEST_MISMATCH',
      `${property} is ${value.toLowerCase()}, and the ${algorithm} of the image is ${actual}`,
      {
        where: { member: property },
        why: 'these are not the bytes that Glance has stored under these properties',
        fix: 'fetch the image and its properties again, both from the same image',
      },
    );
  });
  const detail =
    errors[0]?.message ?? stated.map(({ property, algorithm }) => `${property} (${algorithm})`).join(', ');
  return { checks: [{ id: 'image.digests', status: errors.length > 0 ? 'fail' : 'pass', detail }], errors };
}
