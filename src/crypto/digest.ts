import { createHash, type Hash } from 'node:crypto';
import type { DigestName } from '../formats/ovf/digest-name.ts';

/** Lower-case hex digests of one content, by algorithm. */
export type Digests = ReadonlyMap<DigestName, string>;

/** Every digest that a manifest may use. */
export const ALL_DIGESTS: readonly DigestName[] = ['sha1', 'sha256', 'sha384', 'sha512'];

/** Computes one or several digests of a content that arrives in pieces. */
export class Digester {
  readonly #hashes: readonly (readonly [DigestName, Hash])[];

  /** @param algorithms each is computed in the same pass */
  constructor(algorithms: readonly DigestName[]) {
    this.#hashes = algorithms.map((name) => [name, createHash(name)]);
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
  return createHash(algorithm).update(bytes).digest('hex');
}
