import type { ByteStream } from '../bytes.ts';
import { BundleError } from '../errors/errors.ts';
import { CHUNK_BYTES } from '../limits.ts';
import type { RandomAccess, SeekableStream } from '../random-access.ts';
import type { Source, SourceOptions } from '../source.ts';
import { callerStream } from './caller-stream.ts';

/** Bytes, or a stream of them, as a source that needs nothing of any platform. A zip can be read from bytes, and not from a stream. */
export function dataSource(data: Uint8Array | ByteStream, options: SourceOptions): Source {
  const isWhole = data instanceof Uint8Array;
  const name = isWhole ? '(bytes)' : '(stream)';
  const size = isWhole ? data.byteLength : undefined;
  return {
    name,
    ...(size !== undefined && { size }),
    repeatable: isWhole,
    stream: () => (isWhole ? seekable(data, name, options) : callerStream(data, name, options, turn)),
    checkUnchanged: () => {
      if (isWhole) expectThere(data, size, name);
    },
    [Symbol.asyncDispose]: async () => {},
  };
}

/** [stream.7] Memory that was handed on to somebody else, or cut, has no bytes any more: that says nothing about the bundle. */
function expectThere(bytes: Uint8Array, size: number | undefined, name: string): void {
  if (bytes.byteLength === size) return;
  throw new BundleError('FILE_CHANGED', 'the bytes were taken away while they were read', {
    where: { file: name },
    fix: 'leave their memory as it is until the answer has come, or give a copy',
  });
}

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

function seekable(bytes: Uint8Array, name: string, options: SourceOptions): SeekableStream {
  const size = bytes.byteLength;
  const atHand = { ...options, idleMs: Number.MAX_SAFE_INTEGER, minimumRate: 0 }; // nobody sends them, so nobody stalls
  const range = (start: number, end: number): AsyncGenerator<Uint8Array, void> =>
    callerStream(inPieces(bytes, start, Math.min(end, size)), name, atHand, turn);
  const access: RandomAccess = {
    size,
    copied: false,
    readAt: async (offset, length) => {
      expectThere(bytes, size, name);
      return new Uint8Array(bytes.subarray(offset, offset + length));
    },
    range,
    [Symbol.asyncDispose]: async () => {},
  };
  return {
    [Symbol.asyncIterator]: () => range(0, size),
    randomAccess: async (rest) => {
      await rest[Symbol.asyncIterator]().return?.();
      return access;
    },
  };
}

/** The bytes from `start` up to `end`, as long as they are there: what is missing then, `checkUnchanged` says. */
async function* inPieces(bytes: Uint8Array, start: number, end: number): AsyncGenerator<Uint8Array, void> {
  for (let at = start; at < end && bytes.byteLength > 0; at += CHUNK_BYTES)
    yield bytes.subarray(at, Math.min(at + CHUNK_BYTES, end));
}
