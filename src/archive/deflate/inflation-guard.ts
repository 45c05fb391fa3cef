import { isZero } from '../../kit/bytes.ts';
import { CHUNK_BYTES, type Limits } from '../../kit/limits.ts';

/**
 * Tells an archive that compresses well from one that is made to fill a disk.
 *
 * A window of `CHUNK_BYTES` that holds nothing but zeros does not count: empty parts of disk images are honest and
 * shrink a thousandfold, and a file of zeros is stored as a hole. Everything else counts whole.
 */
export class InflationGuard {
  readonly #limits: Limits;
  #counted = 0;
  #filled = 0;
  #occupied = false;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** Takes note of the next inflated bytes. */
  add(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.byteLength; ) {
      const part = bytes.subarray(at, at + CHUNK_BYTES - this.#filled);
      if (!this.#occupied && !isZero(part)) {
        this.#occupied = true;
        this.#counted += this.#filled;
      }
      if (this.#occupied) this.#counted += part.byteLength;
      this.#filled += part.byteLength;
      at += part.byteLength;
      if (this.#filled < CHUNK_BYTES) continue;
      this.#filled = 0;
      this.#occupied = false;
    }
  }

  /** True when so many compressed bytes may have become all this. */
  allows(compressedBytes: number): boolean {
    const { inflateFree, inflateRatio } = this.#limits;
    return this.#counted <= Math.max(inflateFree, compressedBytes * inflateRatio);
  }
}
