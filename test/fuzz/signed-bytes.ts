import { childrenOf, readOnly, TAG } from '../../src/formats/der/cursor.ts';
import { isBundleError } from '../../src/kit/errors/errors.ts';
import { sha256 } from './seeds/pki.ts';
import { expectThat } from './target.ts';

/** Bytes that somebody did sign; whatever verifies and is none of them is a forgery. */
export interface SignedBytes {
  readonly add: (bytes: Uint8Array) => void;
  /** @throws {Violation} when nobody has signed this */
  readonly expect: (bytes: Uint8Array, what: string) => void;
}

/** What was signed before anything was changed. */
export function openSignedBytes(): SignedBytes {
  const known = new Set<string>();
  const key = (bytes: Uint8Array): string => Buffer.from(sha256(bytes)).toString('hex');
  return {
    add: (bytes) => known.add(key(bytes)),
    expect: (bytes, what) => expectThat(known.has(key(bytes)), `${what} verifies, and nobody has signed it`),
  };
}

/** What is signed in a certificate or a revocation list: its first element; undefined when it cannot be read. */
export function tbsOf(der: Uint8Array): Uint8Array | undefined {
  try {
    return childrenOf(readOnly(der, TAG.sequence, 'a seed'), 'a seed')[0]?.raw;
  } catch (error) {
    if (isBundleError(error)) return undefined;
    throw error;
  }
}

/** What a call gives, or undefined when it is refused with a BundleError. */
export function unlessRefused<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    if (isBundleError(error)) return undefined;
    throw error;
  }
}
