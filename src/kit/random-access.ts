import type { ByteStream } from './bytes.ts';

/** Bytes that can be read anywhere and more than once, as a zip needs it; whoever opened it disposes it. */
export interface RandomAccess extends AsyncDisposable {
  readonly size: number;
  /** true when it is a copy, made because the bytes came in order and once */
  readonly copied: boolean;
  /** The `length` bytes from `offset` on, the caller's own; fewer at the end. */
  readAt(offset: number, length: number): Promise<Uint8Array>;
  /** The bytes from `start` up to `end`, in order; fewer when they end before. */
  range(start: number, end: number): ByteStream;
}

/** A stream that random access to the same bytes can be had for: a file has it, what a pipe gives can be copied. */
export interface SeekableStream extends ByteStream {
  /** Random access in place of the stream; `rest` gives its bytes from the beginning, and is used up or closed. */
  randomAccess(rest: ByteStream): Promise<RandomAccess>;
}

/** Whether random access can be had. */
export function isSeekable(stream: ByteStream): stream is SeekableStream {
  return 'randomAccess' in stream && typeof stream.randomAccess === 'function';
}

/** The same access, with `onBytes` told how far into the bytes it has read in order, whenever it is farther than before. */
export function watchAccess(access: RandomAccess, onBytes: (bytes: number) => void): RandomAccess {
  return {
    size: access.size,
    copied: access.copied,
    readAt: (offset, length) => access.readAt(offset, length),
    range: (start, end) => counted(access.range(start, end), start, onBytes),
    [Symbol.asyncDispose]: () => access[Symbol.asyncDispose](),
  };
}

async function* counted(
  source: ByteStream,
  start: number,
  onBytes: (bytes: number) => void,
): AsyncGenerator<Uint8Array, void> {
  let bytes = start;
  for await (const chunk of source) {
    bytes += chunk.byteLength;
    onBytes(bytes);
    yield chunk;
  }
}
