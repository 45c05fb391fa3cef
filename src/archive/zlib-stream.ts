import type { Transform } from 'node:stream';
import type { ByteStream } from '../kit/bytes.ts';

/**
 * What a zlib engine makes of `source`; it works on another thread while the reader handles what it made before.
 *
 * An engine that ends early (its format has an end of its own) ends the stream; `source` is then not read on.
 * Errors of the source and of the engine reach the reader as they are.
 */
export async function* throughZlib(engine: Transform, source: ByteStream): AsyncGenerator<Uint8Array, void> {
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
      for await (const chunk of source) {
        // One at a time: the engine reads the chunk while we wait, and the source may reuse it after.
        await Promise.race([new Promise<void>((resolve) => engine.write(chunk, () => resolve())), ended]);
        if (over) return;
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
    engine.destroy();
    await feeding;
  }
}
