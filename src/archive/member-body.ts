import type { ByteCursor } from '../kit/byte-cursor.ts';
import { counted } from '../kit/encoding.ts';
import { BundleError } from '../kit/errors/errors.ts';

/** The content of one member: at most once, from the cursor it shares with the reader. */
export class MemberBody implements AsyncIterable<Uint8Array> {
  readonly #cursor: ByteCursor;
  readonly #name: string;
  #left: number;

  /** The next `size` bytes of `cursor` are the content. */
  constructor(cursor: ByteCursor, name: string, size: number) {
    this.#cursor = cursor;
    this.#name = name;
    this.#left = size;
  }

  /** Whether all of it has been taken. */
  get isSpent(): boolean {
    return this.#left === 0;
  }

  /** All of it, when it is at hand. */
  takeAll(): Uint8Array | undefined {
    const bytes = this.#cursor.takeBuffered(this.#left);
    if (bytes) this.#left = 0;
    return bytes;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void> {
    while (this.#left > 0) {
      const part = await this.#cursor.takeSome(this.#left);
      if (!part) throw this.#cut();
      this.#left -= part.byteLength;
      yield part;
    }
  }

  /** Leaves out the next bytes. @throws {BundleError} `ARCHIVE_TRUNCATED` */
  async skip(count: number): Promise<void> {
    const skipped = await this.#cursor.skip(count);
    this.#left -= skipped;
    if (skipped < count) throw this.#cut();
  }

  /** Leaves out what has not been taken. @throws {BundleError} `ARCHIVE_TRUNCATED` */
  async skipRest(): Promise<void> {
    if (this.#left > 0) await this.skip(this.#left);
  }

  #cut(): BundleError {
    return new BundleError(
      'ARCHIVE_TRUNCATED',
      `the archive ends ${counted(this.#left, 'byte')} before the end of "${this.#name}"`,
      {
        where: { member: this.#name, offset: this.#cursor.offset },
      },
    );
  }
}
