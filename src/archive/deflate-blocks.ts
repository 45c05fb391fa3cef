import { constants, deflateRaw, deflateRawSync, type ZlibOptions } from 'node:zlib';
import { ByteCursor } from '../kit/byte-cursor.ts';
import { type ByteStream, copyBytes } from '../kit/bytes.ts';
import type { Limits } from '../kit/limits.ts';
import { InflationGuard } from './inflation-guard.ts';

/** What one thread compresses at a time. */
const BLOCK_BYTES = 512 * 1024;
/** Blocks under way at once: enough for two cores, and for one to be ready when it is asked for. */
const AHEAD = 4;
/** How far back deflate looks. */
const WINDOW_BYTES = 32 * 1024;
const LEVEL = 6;
/** The reader counts whole MiBs, in the middle of a block too; so the writer is stricter than it, by more than some MiB. */
const MARGIN = 0.9;

/**
 * What has been deflated for one archive, so that its reader will take it: a block that would take the archive over the
 * ratio of `Limits` is stored inside of the deflate data instead. [zip.16]
 */
export class Deflation {
  readonly #guard: InflationGuard;
  #compressed = 0;

  constructor(limits: Limits) {
    const { inflateRatio, inflateFree } = limits;
    const stricter = { inflateRatio: inflateRatio * MARGIN, inflateFree: inflateFree * MARGIN };
    this.#guard = new InflationGuard({ ...limits, ...stricter });
  }

  /** The block as it may be written. */
  settle(block: Uint8Array, deflated: Uint8Array, last: boolean): Uint8Array {
    this.#guard.add(block);
    const fits = this.#guard.allows(this.#compressed + deflated.byteLength);
    const result = fits ? deflated : deflateRawSync(block, { level: 0, finishFlush: flushOf(last) });
    this.#compressed += result.byteLength;
    return result;
  }
}

/**
 * Deflates `size` bytes on all cores: blocks are compressed side by side, each with the end of the one before as its
 * dictionary, and joined to one stream. The same bytes come of the same content, however it arrives.
 *
 * A source that is longer or shorter is read to its end; that it is not `size` bytes long is for the caller to see.
 */
export async function* deflateBlocks(
  source: ByteStream,
  size: number,
  deflation: Deflation,
): AsyncGenerator<Uint8Array, void> {
  const cursor = new ByteCursor(source);
  const queue: { block: Uint8Array; last: boolean; deflated: Promise<Uint8Array> }[] = [];
  let dictionary: Uint8Array | undefined;
  let over = false;
  try {
    while (!over || queue.length > 0) {
      while (!over && queue.length < AHEAD) {
        const block = copyBytes(await cursor.take(BLOCK_BYTES));
        const last = cursor.offset >= size;
        over = last || block.byteLength === 0;
        if (block.byteLength === 0) break;
        queue.push({ block, last, deflated: deflate(block, last, dictionary) });
        dictionary = block.subarray(-WINDOW_BYTES);
      }
      const next = queue.shift();
      if (next) yield deflation.settle(next.block, await next.deflated, next.last);
    }
    await cursor.takeSome(1); // lets the source see that it is read to its end, or show that it goes on
  } finally {
    await Promise.allSettled(queue.map(({ deflated }) => deflated)); // none of them still runs when the reader is gone
    await cursor.close();
  }
}

function deflate(block: Uint8Array, last: boolean, dictionary: Uint8Array | undefined): Promise<Uint8Array> {
  const options: ZlibOptions = {
    level: LEVEL,
    finishFlush: flushOf(last),
    chunkSize: BLOCK_BYTES,
    ...(dictionary && { dictionary }),
  };
  const result = new Promise<Uint8Array>((resolve, reject) => {
    deflateRaw(block, options, (error, bytes) => (error ? reject(error) : resolve(bytes)));
  });
  result.catch(() => {}); // met by whoever awaits it; not "unhandled" until then
  return result;
}

function flushOf(last: boolean): number {
  return last ? constants.Z_FINISH : constants.Z_SYNC_FLUSH;
}
