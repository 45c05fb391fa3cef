import type { Inflater } from '../../engine/engine.ts';
import type { ByteCursor } from '../../kit/byte-cursor.ts';
import { CHUNK_BYTES } from '../../kit/limits.ts';

/** [arc.2] Bytes the engine is given at a time, however they arrive: so what it makes of them is the same. */
export const SLICE_BYTES = CHUNK_BYTES / 4;

/**
 * What an inflater makes of the bytes behind `cursor`; it works on another thread while the reader handles what it
 * made before.
 *
 * An engine that ends early (its format has an end of its own) ends the stream, and the return value is what had been
 * taken from the cursor for it but lies behind that end. Errors of the source and of the engine reach the reader as
 * they are. The cursor stays the caller's to close.
 */
export async function* throughInflater(
  inflater: Inflater,
  cursor: ByteCursor,
): AsyncGenerator<Uint8Array, Uint8Array> {
  const start = cursor.offset;
  let slice: Uint8Array = new Uint8Array(0);
  let over = false;
  const ended = new Promise<void>((resolve) => {
    for (const event of ['end', 'close'] as const) {
      inflater.once(event, () => {
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
        // One at a time: the engine reads the slice while we wait, and the source may reuse it after.
        await Promise.race([new Promise<void>((resolve) => inflater.write(slice, () => resolve())), ended]);
        if (over || inflater.bytesWritten < cursor.offset - start) return;
      }
      inflater.end();
    } catch (error) {
      inflater.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  };
  const feeding = feed();
  try {
    for await (const chunk of inflater) yield chunk;
  } finally {
    inflater.destroy(); // [arc.4]
    await feeding;
  }
  return slice.subarray(slice.byteLength - (cursor.offset - start - inflater.bytesWritten));
}
