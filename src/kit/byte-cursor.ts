import { type ByteStream, concat, copyBytes } from './bytes.ts';
import { isSeekable, type RandomAccess, watchAccess } from './random-access.ts';

/** A stream that can leave bytes out without reading them; a file can, a pipe cannot. */
export interface SkippableStream extends ByteStream {
  /** Leaves out the next `count` bytes, counted after the chunks already pulled. */
  skip(count: number): void;
}

/**
 * Reads a `ByteStream` by counts instead of chunks, and knows the offset.
 *
 * What it returns is a view of the source's chunk where possible: valid as `ByteStream` says.
 */
export class ByteCursor {
  readonly #source: ByteStream;
  readonly #iterator: AsyncIterator<Uint8Array>;
  #chunk: Uint8Array = new Uint8Array(0);
  #used = 0;
  #offset = 0;

  /** Starts at the first byte of `source`. */
  constructor(source: ByteStream) {
    this.#source = source;
    this.#iterator = source[Symbol.asyncIterator]();
  }

  /** Bytes taken so far. */
  get offset(): number {
    return this.#offset;
  }

  /** The byte that comes after the next `count`, when it is at hand. */
  byteBehind(count: number): number | undefined {
    return this.#chunk[this.#used + count];
  }

  /** The next `count` bytes when they are at hand, without waiting; else undefined, and nothing is taken. */
  takeBuffered(count: number): Uint8Array | undefined {
    if (this.#chunk.byteLength - this.#used < count) return undefined;
    const view = this.#chunk.subarray(this.#used, this.#used + count);
    this.#used += count;
    this.#offset += count;
    return view;
  }

  /** The next `count` bytes; fewer when the source ends. */
  async take(count: number): Promise<Uint8Array> {
    const ready = this.takeBuffered(count);
    if (ready) return ready;
    const parts: Uint8Array[] = [];
    for (let missing = count; missing > 0; ) {
      const part = await this.takeSome(missing);
      if (!part) break;
      parts.push(copyBytes(part));
      missing -= part.byteLength;
    }
    return concat(parts);
  }

  /** The next bytes, at least one and at most `limit`; undefined at the end of the source. */
  async takeSome(limit: number): Promise<Uint8Array | undefined> {
    while (this.#used === this.#chunk.byteLength) {
      const next = await this.#iterator.next();
      if (next.done) return undefined;
      this.#chunk = next.value;
      this.#used = 0;
    }
    return this.takeBuffered(Math.min(limit, this.#chunk.byteLength - this.#used));
  }

  /**
   * Leaves out `count` bytes; returns how many there were.
   *
   * A source that can skip is not asked whether it has the bytes: whoever reads on finds out.
   */
  async skip(count: number): Promise<number> {
    let left = count - Math.min(count, this.#chunk.byteLength - this.#used);
    this.takeBuffered(count - left);
    if (left > 0 && isSkippable(this.#source) && Number.isSafeInteger(this.#offset + left)) {
      this.#source.skip(left);
      this.#offset += left;
      return count;
    }
    while (left > 0) {
      const part = await this.takeSome(left);
      if (!part) break;
      left -= part.byteLength;
    }
    return count - left;
  }

  /** Takes back bytes that were taken last, so that they come again. */
  giveBack(bytes: Uint8Array): void {
    this.#offset -= bytes.byteLength;
    if (this.#used >= bytes.byteLength) this.#used -= bytes.byteLength;
    else {
      this.#chunk = concat([bytes, this.#chunk.subarray(this.#used)]);
      this.#used = 0;
    }
  }

  /** Everything that is left, chunk by chunk. */
  async *rest(): AsyncGenerator<Uint8Array, void> {
    for (;;) {
      const part = await this.takeSome(Number.MAX_SAFE_INTEGER);
      if (!part) return;
      yield part;
    }
  }

  /** Closes the source; what is left of it is not read. */
  async close(): Promise<void> {
    await this.#iterator.return?.();
  }
}

/** Whether bytes can be left out without reading them. */
export function isSkippable(source: ByteStream): source is SkippableStream {
  return 'skip' in source && typeof source.skip === 'function';
}

/** A stream's first `count` bytes (fewer when it is shorter), and the stream again from its beginning. */
export async function peek(
  source: ByteStream,
  count: number,
): Promise<{ readonly head: Uint8Array; readonly stream: ByteStream & AsyncIterator<Uint8Array> }> {
  const iterator = source[Symbol.asyncIterator]();
  const parts: Uint8Array[] = [];
  for (let length = 0; length < count; ) {
    const next = await iterator.next();
    if (next.done) break;
    parts.push(copyBytes(next.value));
    length += next.value.byteLength;
  }
  const start = concat(parts);
  let unread = start;
  const stream = {
    async next(): Promise<IteratorResult<Uint8Array>> {
      if (unread.byteLength === 0) return iterator.next();
      const value = unread;
      unread = unread.subarray(value.byteLength);
      return { done: false, value };
    },
    async return(): Promise<IteratorResult<Uint8Array>> {
      await iterator.return?.();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
    ...(isSkippable(source) && { skip }),
    ...(isSeekable(source) && { randomAccess: (rest: ByteStream) => source.randomAccess(rest) }),
  };
  function skip(bytes: number): void {
    const here = Math.min(bytes, unread.byteLength);
    unread = unread.subarray(here);
    if (bytes > here && isSkippable(source)) source.skip(bytes - here);
  }
  return { head: start.subarray(0, count), stream };
}

/** The same stream, with `onBytes` told how many bytes have been pulled each time there are more. */
export function watch(source: ByteStream, onBytes: (bytes: number) => void): ByteStream {
  const iterator = source[Symbol.asyncIterator]();
  let bytes = 0;
  return {
    ...(isSkippable(source) && { skip: (count: number) => source.skip(count) }),
    ...(isSeekable(source) && {
      randomAccess: async (rest: ByteStream): Promise<RandomAccess> => {
        const farther = (at: number): void => {
          if (at <= bytes) return;
          bytes = at;
          onBytes(bytes);
        };
        return watchAccess(await source.randomAccess(rest), farther);
      },
    }),
    [Symbol.asyncIterator]: () => ({
      async next() {
        const next = await iterator.next();
        if (!next.done) {
          bytes += next.value.byteLength;
          onBytes(bytes);
        }
        return next;
      },
      async return() {
        await iterator.return?.();
        return { done: true, value: undefined };
      },
    }),
  };
}
