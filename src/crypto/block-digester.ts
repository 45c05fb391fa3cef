import { engine } from '#engine';
import type { Hash } from '../engine/engine.ts';
import { concat } from '../kit/bytes.ts';
import type { DigestName } from '../kit/digest-name.ts';

/** Computes the digest of each block of a content that arrives in pieces of any size. */
export class BlockDigester {
  readonly #algorithm: DigestName;
  readonly #blockSize: number;
  readonly #digests: Uint8Array[] = [];
  #hash: Hash;
  /** bytes that the block at hand still takes */
  #room: number;

  constructor(algorithm: DigestName, blockSize: number) {
    this.#algorithm = algorithm;
    this.#blockSize = blockSize;
    this.#hash = engine.openHash(algorithm);
    this.#room = blockSize;
  }

  /** Takes the next bytes; they may be reused afterwards. */
  update(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.byteLength; ) {
      const part = bytes.subarray(at, at + this.#room);
      this.#hash.update(part);
      this.#room -= part.byteLength;
      at += part.byteLength;
      if (this.#room === 0) this.#endBlock();
    }
  }

  /** The digests of all blocks, one after another; the object is spent. */
  finish(): Uint8Array {
    if (this.#room < this.#blockSize) this.#endBlock();
    return concat(this.#digests);
  }

  #endBlock(): void {
    this.#digests.push(this.#hash.digest());
    this.#hash = engine.openHash(this.#algorithm);
    this.#room = this.#blockSize;
  }
}
