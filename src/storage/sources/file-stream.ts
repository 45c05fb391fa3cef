import { fstatSync, read, readSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import type { SkippableStream } from '../../kit/byte-cursor.ts';
import { type ByteStream, checkAborted } from '../../kit/bytes.ts';
import { CHUNK_BYTES } from '../../kit/limits.ts';
import type { RandomAccess, SeekableStream } from '../../kit/random-access.ts';
import { readError } from '../io-errors.ts';

/** Bytes read between two looks at signals and timers. */
export const TURN_BYTES = 32 * CHUNK_BYTES;

/** Chunks pulled in a row before the next is read ahead; whoever skips pulls few. */
const IN_ORDER = 2;

/** Which bytes of a file are read, all of them when nothing is said; and whether the next are read while some are handled. */
interface FilePart {
  readonly start?: number;
  readonly end?: number;
  readonly ahead?: boolean;
}

/** A chunk that is being read on another thread while the one before it is handled. */
interface Ahead {
  readonly position: number;
  readonly count: Promise<number>;
}

/**
 * The bytes of a file through buffers in turn: two as the `ByteStream` contract needs them, and one to read ahead.
 *
 * Reading ahead is for whoever handles chunks longer than it takes to read them, and reads everything in order.
 */
export class FileStream implements SkippableStream, SeekableStream, AsyncIterator<Uint8Array> {
  readonly #descriptor: number;
  readonly #path: string;
  readonly #signal: AbortSignal | undefined;
  readonly #buffers: readonly Uint8Array[];
  readonly #start: number;
  readonly #end: number;
  #position: number;
  #turn = 0;
  #sinceYield = 0;
  #inOrder: number;
  #ahead: Ahead | undefined;

  /** Reads the file behind `descriptor`, which stays the caller's to close, or a part of it. */
  constructor(
    descriptor: number,
    path: string,
    signal: AbortSignal | undefined,
    { start = 0, end = Number.POSITIVE_INFINITY, ahead = false }: FilePart = {},
  ) {
    const size = Math.max(1, Math.min(CHUNK_BYTES, end - start));
    this.#buffers = Array.from({ length: ahead ? 3 : 2 }, () => plainBuffer(size));
    this.#inOrder = ahead ? 0 : Number.NEGATIVE_INFINITY;
    this.#start = start;
    this.#position = start;
    this.#end = end;
    this.#descriptor = descriptor;
    this.#path = path;
    this.#signal = signal;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  skip(count: number): void {
    this.#position += count;
    this.#inOrder = Math.min(this.#inOrder, 0);
  }

  /** Nothing is being read any more, so that the descriptor may be closed. */
  async return(): Promise<IteratorResult<Uint8Array>> {
    await this.#ahead?.count.catch(() => {});
    this.#ahead = undefined;
    this.#inOrder = Number.NEGATIVE_INFINITY;
    return { done: true, value: undefined };
  }

  async randomAccess(_rest?: ByteStream): Promise<RandomAccess> {
    try {
      const size = Math.max(0, fstatSync(this.#descriptor).size - this.#start);
      return fileAccess(this.#descriptor, this.#path, { start: this.#start, size }, this.#signal);
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
    const buffer = this.#nextBuffer();
    const count = (await this.#takeAhead()) ?? this.#read(buffer);
    if (count === 0) return { done: true, value: undefined };
    this.#position += count;
    this.#sinceYield += count;
    if (++this.#inOrder >= IN_ORDER && count === buffer.length) this.#readAhead();
    return { done: false, value: buffer.subarray(0, count) };
  }

  #nextBuffer(): Uint8Array {
    this.#turn = (this.#turn + 1) % this.#buffers.length;
    return this.#buffers[this.#turn] as Uint8Array;
  }

  #readAhead(): void {
    const position = this.#position;
    const buffer = this.#buffers[(this.#turn + 1) % this.#buffers.length] as Uint8Array;
    const count = new Promise<number>((resolve, reject) => {
      const length = Math.max(0, Math.min(buffer.length, this.#end - position));
      read(this.#descriptor, buffer, 0, length, position, (error, bytes) => {
        if (error) reject(readError(error, this.#path));
        else resolve(bytes);
      });
    });
    count.catch(() => {}); // told by the pull that wants these bytes
    this.#ahead = { position, count };
  }

  /** What has been read ahead into the next buffer, if it is what comes next. */
  async #takeAhead(): Promise<number | undefined> {
    if (!this.#ahead) return undefined;
    const { position, count } = this.#ahead;
    this.#ahead = undefined;
    if (position === this.#position) return count;
    await count.catch(() => {}); // whatever came of it, the buffer is free only then
    return undefined;
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

/** Random access to an open file from `start` on, which stays the caller's to close. */
export function fileAccess(
  descriptor: number,
  path: string,
  { start = 0, size }: { readonly start?: number; readonly size: number },
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
          const count = readSync(
            descriptor,
            bytes,
            filled,
            bytes.byteLength - filled,
            start + offset + filled,
          );
          if (count === 0) break;
          filled += count;
        }
      } catch (error) {
        throw readError(error, path);
      }
      return bytes.subarray(0, filled);
    },
    range: (from, to) => new FileStream(descriptor, path, signal, { start: start + from, end: start + to }),
    [Symbol.asyncDispose]: async () => {},
  };
}
