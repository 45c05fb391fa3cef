import type { Transform } from 'node:stream';
import type { ByteCursor } from '../../kit/byte-cursor.ts';
import { CHUNK_BYTES } from '../../kit/limits.ts';

/** [arc.2] Bytes the engine is given at a time, however they arrive: so what it makes of them is the same. */
export const SLICE_BYTES = CHUNK_BYTES / 4;

/**
 * Options of every engine: it makes one chunk, then waits until that is taken.
 *
 * So it is one chunk ahead of the reader and never more, and what the reader sees before an error does not depend
 * on which of the two threads was faster.
 */
export const ENGINE_OPTIONS = { chunkSize: CHUNK_BYTES, readableHighWaterMark: 1 };

/** A zlib stream, and how many bytes of its input it has used. */
export type ZlibEngine = Transform & { readonly bytesWritten: number };

/**
 * What a zlib engine makes of the bytes behind `cursor`; it works on another thread while the reader handles what it
 * made before. `onSlice` sees the bytes before the engine does, always in slices of `SLICE_BYTES`.
 *
 * An engine that ends early (its format has an end of its own) ends the stream, and the return value is what had been
 * taken from the cursor for it but lies behind that end. Errors of the source and of the engine reach the reader as
 * they are. The cursor stays the caller's to close.
 */
export async function* throughZlib(
  engine: ZlibEngine,
  cursor: ByteCursor,
  onSlice?: (slice: Uint8Array) => void,
): AsyncGenerator<Uint8Array, Uint8Array> {
  const start = cursor.offset;
  let slice: Uint8Array = new Uint8Array(0);
  let over = false;
  const ended = new Promise<void>((resolve) => {
    for (const event of ['end', 'close']) {
      engine.once(event, () => {
        over = true;
        resolve();
      });
    }
  });
  const feed = async (): Promise<void> => {
    try {
      for (;;) {
        const next = await cursor.take(SLICE_BYTES);
        if (next.byteLength === 0) break;
        slice = next;
        onSlice?.(slice);
        // One at a time: the engine reads the slice while we wait, and the source may reuse it after.
        await Promise.race([new Promise<void>((resolve) => engine.write(slice, () => resolve())), ended]);
        if (over || engine.bytesWritten < cursor.offset - start) return;
      }
      engine.end();
    } catch (error) {
      engine.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  };
  const feeding = feed();
  try {
    for await (const chunk of engine) yield chunk as Uint8Array;
  } finally {
    engine.destroy(); // [arc.4]
    await feeding;
  }
  return slice.subarray(slice.byteLength - (cursor.offset - start - engine.bytesWritten));
}
