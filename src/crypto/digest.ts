import { engine } from '#engine';
import type { Hash } from '../engine/engine.ts';
import type { DigestName } from '../kit/digest-name.ts';

/** Lower-case hex digests of one content, by algorithm. */
export type Digests = ReadonlyMap<DigestName, string>;

/** Every digest that a manifest may use. */
export const ALL_DIGESTS: readonly DigestName[] = ['sha1', 'sha256', 'sha384', 'sha512'];

/** Computes one or several digests of a content that arrives in pieces. */
export class Digester {
  readonly #hashes: readonly (readonly [DigestName, Hash])[];

  /** @param algorithms each is computed in the same pass */
  constructor(algorithms: readonly DigestName[]) {
    this.#hashes = algorithms.map((name) => [name, engine.openHash(name)]);
  }

  /** Takes the next bytes; they may be reused afterwards. */
  update(bytes: Uint8Array): void {
    for (const [, hash] of this.#hashes) hash.update(bytes);
  }

  /** The digests of everything taken; the object is spent. */
  finish(): Digests {
    return new Map(this.#hashes.map(([name, hash]) => [name, hash.digest('hex')]));
  }
}

/** The lower-case hex digest of bytes in memory. */
export function digestHex(algorithm: DigestName, bytes: Uint8Array): string {
  return engine.hashHex(algorithm, bytes);
}

/** The digest of bytes in memory, by any algorithm of the engine; SHAKE256 with the 64 bytes that CMS has beside Ed448. */
export function digestBytes(algorithm: string, ...parts: readonly Uint8Array[]): Uint8Array {
  const hash = openHash(algorithm);
  for (const part of parts) hash.update(part);
  return Uint8Array.from(hash.digest());
}

/** A hash of any algorithm of the engine, as `digestBytes` uses it. */
export function openHash(algorithm: string): Hash {
  return engine.openHash(algorithm);
}
