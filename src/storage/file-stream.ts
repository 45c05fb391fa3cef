import { fstatSync, readSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import type { SkippableStream } from '../kit/byte-cursor.ts';
import { type ByteStream, checkAborted } from '../kit/bytes.ts';
import { CHUNK_BYTES } from '../kit/limits.ts';
import type { RandomAccess, SeekableStream } from '../kit/random-access.ts';
import { readError } from './io-errors.ts';

/** Bytes read between two looks at signals and timers. */
const TURN_BYTES = 32 * CHUNK_BYTES;

/** The bytes of a file through two buffers in turn, which is what the `ByteStream` contract needs and no more. */
export class FileStream implements SkippableStream, SeekableStream, AsyncIterator<Uint8Array> {
  readonly #descriptor: number;
  readonly #path: string;
  readonly #signal: AbortSignal | undefined;
  readonly #buffers: readonly [Uint8Array, Uint8Array];
  readonly #end: number;
  #position: number;
  #turn = 0;
  #sinceYield = 0;

  /** Reads the file behind `descriptor`, which stays the caller's to close, or a part of it. */
  constructor(
    descriptor: number,
    path: string,
    signal: AbortSignal | undefined,
    part: { readonly start: number; readonly end: number } = { start: 0, end: Number.POSITIVE_INFINITY },
  ) {
    const size = Math.max(1, Math.min(CHUNK_BYTES, part.end - part.start));
    this.#buffers = [plainBuffer(size), plainBuffer(size)];
    this.#position = part.start;
    this.#end = part.end;
    this.#descriptor = descriptor;
    this.#path = path;
    this.#signal = signal;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  skip(count: number): void {
    this.#position += count;
  }

  async randomAccess(_rest?: ByteStream): Promise<RandomAccess> {
    try {
      return fileAccess(this.#descriptor, this.#path, fstatSync(this.#descriptor).size, this.#signal);
    } catch (error) {
      throw readError(error, this.#path);
    }
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    if (this.#sinceYield >= TURN_BYTES) {
      this.#sinceYield = 0;
      await setImmediate(); // reading never waits, so without this no signal would ever be seen
    }
    checkAborted(this.#signal);
    const buffer = this.#buffers[this.#turn === 0 ? 0 : 1];
    this.#turn = 1 - this.#turn;
    const count = this.#read(buffer);
    if (count === 0) return { done: true, value: undefined };
    this.#position += count;
    this.#sinceYield += count;
    return { done: false, value: buffer.subarray(0, count) };
  }

  #read(buffer: Uint8Array): number {
    try {
      const length = Math.max(0, Math.min(buffer.length, this.#end - this.#position));
      return length === 0 ? 0 : readSync(this.#descriptor, buffer, 0, length, this.#position);
    } catch (error) {
      throw readError(error, this.#path);
    }
  }
}

/** Not a `Buffer`: many views are made of each, and views of that are slow to make. */
function plainBuffer(size: number): Uint8Array {
  return new Uint8Array(Buffer.allocUnsafeSlow(size).buffer);
}

/** Random access to an open file, which stays the caller's to close. */
export function fileAccess(
  descriptor: number,
  path: string,
  size: number,
  signal: AbortSignal | undefined,
): RandomAccess {
  return {
    size,
    copied: false,
    readAt: async (offset, length) => {
      const bytes = new Uint8Array(Math.max(0, Math.min(length, size - offset)));
      let filled = 0;
      try {
        while (filled < bytes.byteLength) {
          const count = readSync(descriptor, bytes, filled, bytes.byteLength - filled, offset + filled);
          if (count === 0) break;
          filled += count;
        }
      } catch (error) {
        throw readError(error, path);
      }
      return bytes.subarray(0, filled);
    },
    range: (start, end) => new FileStream(descriptor, path, signal, { start, end }),
    [Symbol.asyncDispose]: async () => {},
  };
}
