import type { ByteStream } from '../bytes.ts';
import { CHUNK_BYTES } from '../limits.ts';
import type { RandomAccess, SeekableStream } from '../random-access.ts';
import type { Source, SourceOptions } from '../source.ts';
import { callerStream } from './caller-stream.ts';

/** Bytes, or a stream of them, as a source that needs nothing of any platform. A zip can be read from bytes, and not from a stream. */
export function dataSource(data: Uint8Array | ByteStream, options: SourceOptions): Source {
  const isWhole = data instanceof Uint8Array;
  const name = isWhole ? '(bytes)' : '(stream)';
  return {
    name,
    ...(isWhole && { size: data.byteLength }),
    repeatable: isWhole,
    stream: () => (isWhole ? seekable(data, name, options) : callerStream(data, name, options, turn)),
    checkUnchanged: () => {},
    [Symbol.asyncDispose]: async () => {},
  };
}

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

function seekable(bytes: Uint8Array, name: string, options: SourceOptions): SeekableStream {
  const range = (start: number, end: number): AsyncGenerator<Uint8Array, void> =>
    callerStream(inPieces(bytes.subarray(start, end)), name, options, turn);
  const access: RandomAccess = {
    size: bytes.byteLength,
    copied: false,
    readAt: async (offset, length) => new Uint8Array(bytes.subarray(offset, offset + length)),
    range,
    [Symbol.asyncDispose]: async () => {},
  };
  return {
    [Symbol.asyncIterator]: () => range(0, bytes.byteLength),
    randomAccess: async (rest) => {
      await rest[Symbol.asyncIterator]().return?.();
      return access;
    },
  };
}

async function* inPieces(bytes: Uint8Array): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < bytes.byteLength; at += CHUNK_BYTES) yield bytes.subarray(at, at + CHUNK_BYTES);
}
