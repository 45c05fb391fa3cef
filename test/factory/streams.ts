import type { SkippableStream } from '../../src/kit/byte-cursor.ts';
import { type ByteStream, copyBytes } from '../../src/kit/bytes.ts';
import type { ByteSink } from '../../src/kit/streams/byte-sink.ts';

/** A source made of bytes, and what became of it. */
export interface TestSource extends ByteStream {
  /** pulls so far, and whether the reader closed it before its end */
  readonly seen: { pulls: number; closed: boolean; ended: boolean };
}

interface SourceOptions {
  /** the size of each next chunk, by where it begins */
  readonly sizes: (offset: number) => number;
  /** two buffers in turn, overwritten as soon as the contract of `ByteStream` allows */
  readonly hostile?: boolean;
  /** thrown in place of the chunk at this offset */
  readonly failAt?: { readonly offset: number; readonly error: Error };
}

/** The bytes as a stream of chunks. */
export function sourceOf(bytes: Uint8Array, options: SourceOptions): TestSource {
  const seen = { pulls: 0, closed: false, ended: false };
  const lent: Uint8Array[] = [];
  let offset = 0;
  return {
    seen,
    [Symbol.asyncIterator]: () => ({
      async next() {
        seen.pulls++;
        await Promise.resolve();
        if (options.hostile && lent.length >= 2) lent.shift()?.fill(0xee);
        if (options.failAt && offset >= options.failAt.offset) throw options.failAt.error;
        if (offset >= bytes.byteLength) {
          seen.ended = true;
          return { done: true, value: undefined };
        }
        const limit = options.failAt ? options.failAt.offset - offset : Number.POSITIVE_INFINITY;
        const size = Math.min(limit, Math.max(1, options.sizes(offset)));
        const value = copyBytes(bytes.subarray(offset, offset + size));
        offset += value.byteLength;
        lent.push(value);
        return { done: false, value };
      },
      async return() {
        seen.closed = true;
        return { done: true, value: undefined };
      },
    }),
  };
}

/** The bytes in chunks of one size. */
export function chunked(bytes: Uint8Array, size = Number.POSITIVE_INFINITY): TestSource {
  return sourceOf(bytes, { sizes: () => size });
}

/** Bytes at both ends of a member's data that come one by one. */
const EDGE = 2048;

/** The bytes one by one, but for the midst of large members, given by where their headers begin: there every byte is like the one before. */
export function byteByByte(
  bytes: Uint8Array,
  members: readonly { readonly offset?: number; readonly size?: number }[],
): TestSource {
  const midsts = members.flatMap(({ offset = 0, size = 0 }) =>
    size > 4 * EDGE ? [{ start: offset + EDGE, end: offset + size - EDGE }] : [],
  );
  return sourceOf(bytes, {
    sizes: (at) => (midsts.find(({ start, end }) => at >= start && at < end)?.end ?? at + 1) - at,
  });
}

/** Chunk sizes that look random and are the same in every run. */
export function irregular(seed: number, most = 2000): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return 1 + ((state >>> 8) % most);
  };
}

/** A source that can leave bytes out, as a file can. */
export function skippable(
  bytes: Uint8Array,
  size: number,
): TestSource & SkippableStream & { skipped: number } {
  let offset = 0;
  const seen = { pulls: 0, closed: false, ended: false };
  const stream = {
    seen,
    skipped: 0,
    skip: (count: number) => {
      offset += count;
      stream.skipped += count;
    },
    [Symbol.asyncIterator]: () => ({
      async next(): Promise<IteratorResult<Uint8Array, undefined>> {
        seen.pulls++;
        const value = bytes.slice(Math.min(offset, bytes.byteLength), offset + size);
        offset += value.byteLength;
        if (value.byteLength > 0) return { done: false, value };
        seen.ended = true;
        return { done: true, value: undefined };
      },
      async return(): Promise<IteratorResult<Uint8Array, undefined>> {
        seen.closed = true;
        return { done: true, value: undefined };
      },
    }),
  };
  return stream;
}

/** Every way in that a content can take: whole, in chunks of several sizes, and from a source that reuses its buffers. */
export function waysIn(bytes: Uint8Array): readonly (readonly [way: string, source: () => TestSource])[] {
  const sizes = [Number.POSITIVE_INFINITY, 1, 7, 511, 512, 513, 65_536].filter(
    (size) => size > 1 || bytes.byteLength < 65_536,
  );
  return [
    ...sizes.map((size) => [`chunks of ${size}`, () => chunked(bytes, size)] as const),
    ...[1, 2, 3].map(
      (seed) => [`random chunks ${seed}`, () => sourceOf(bytes, { sizes: irregular(seed) })] as const,
    ),
    ...sizes.map((size) => {
      return [
        `hostile chunks of ${size}`,
        () => sourceOf(bytes, { sizes: () => size, hostile: true }),
      ] as const;
    }),
    ...[4, 5].map((seed) => {
      return [
        `hostile random chunks ${seed}`,
        () => sourceOf(bytes, { sizes: irregular(seed), hostile: true }),
      ] as const;
    }),
  ];
}

/** A sink that keeps all that it gets, whatever becomes of it. */
export function gatheringSink(): { readonly output: ByteSink; readonly gathered: () => Buffer } {
  const chunks: Uint8Array[] = [];
  const output = {
    write: async (chunk: Uint8Array) => void chunks.push(Buffer.from(chunk)),
    finish: async () => {},
    discard: async () => {},
  };
  return { output, gathered: () => Buffer.concat(chunks) };
}
