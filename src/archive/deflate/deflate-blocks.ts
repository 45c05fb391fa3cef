import { engine } from '#engine';
import { ByteCursor } from '../../kit/byte-cursor.ts';
import type { ByteStream } from '../../kit/bytes.ts';
import type { BundleError } from '../../kit/errors/errors.ts';
import type { Limits } from '../../kit/limits.ts';
import { InflationGuard } from './inflation-guard.ts';

/** What one thread compresses at a time. */
const BLOCK_BYTES = 256 * 1024;
/** Blocks under way at once: enough for all cores to go on while this thread waits for its turn on a busy machine. */
const AHEAD = 8;
/** How far back deflate looks. */
const WINDOW_BYTES = 32 * 1024;
const LEVEL = 6;
/** The reader counts whole MiBs, in the middle of a block too; so the writer is stricter than it, by more than some MiB. */
const MARGIN = 0.9;

/** What has been deflated for one archive, so that its reader will take it. [gz.6] [zip.16] */
export class Deflation {
  readonly #guard: InflationGuard;
  readonly #refusal: (() => BundleError) | undefined;
  #compressed = 0;

  /** What would take the archive over the ratio of `limits` ends it with `refusal`; without that, it is stored inside of the deflate data. */
  constructor(limits: Limits, refusal?: () => BundleError) {
    const { inflateRatio, inflateFree } = limits;
    const stricter = { inflateRatio: inflateRatio * MARGIN, inflateFree: inflateFree * MARGIN };
    this.#guard = new InflationGuard({ ...limits, ...stricter });
    this.#refusal = refusal;
  }

  /** The block as it may be written. */
  settle(block: Uint8Array, deflated: Uint8Array, last: boolean): Uint8Array {
    this.#guard.add(block);
    const fits = this.#guard.allows(this.#compressed + deflated.byteLength);
    if (!fits && this.#refusal) throw this.#refusal();
    const result = fits ? deflated : engine.deflate(block, { level: 0, goesOn: !last });
    this.#compressed += result.byteLength;
    return result;
  }
}

/**
 * Deflates on all cores: blocks are compressed side by side, each with the end of the one before as its dictionary, and
 * joined to one stream, as pigz does. The same bytes come of the same content, however it arrives.
 */
export async function* deflateBlocks(
  source: ByteStream,
  deflation: Deflation,
): AsyncGenerator<Uint8Array, void> {
  const cursor = new ByteCursor(source);
  const queue: { block: Uint8Array; last: boolean; deflated: Promise<Uint8Array> }[] = [];
  let dictionary: Uint8Array | undefined;
  try {
    let block: Uint8Array | undefined = await takeBlock(cursor);
    while (block || queue.length > 0) {
      while (block && queue.length < AHEAD) {
        const following = await takeBlock(cursor); // which block is the last one is known only by the one after it
        const last = following.byteLength === 0;
        queue.push({ block, last, deflated: deflate(block, last, dictionary) });
        dictionary = block.subarray(-WINDOW_BYTES);
        block = last ? undefined : following;
      }
      const next = queue.shift();
      if (next) yield deflation.settle(next.block, await next.deflated, next.last);
    }
  } finally {
    await Promise.allSettled(queue.map(({ deflated }) => deflated)); // none of them still runs when the reader is gone
    await cursor.close();
  }
}

/** A copy of the next bytes, a whole block of them unless the source ends. */
async function takeBlock(cursor: ByteCursor): Promise<Uint8Array> {
  const block = new Uint8Array(BLOCK_BYTES);
  let filled = 0;
  while (filled < BLOCK_BYTES) {
    const part = await cursor.takeSome(BLOCK_BYTES - filled);
    if (!part) break;
    block.set(part, filled);
    filled += part.byteLength;
  }
  return block.subarray(0, filled);
}

function deflate(block: Uint8Array, last: boolean, dictionary: Uint8Array | undefined): Promise<Uint8Array> {
  const result = engine.deflateAside(block, { level: LEVEL, goesOn: !last, dictionary });
  result.catch(() => {}); // met by whoever awaits it; not "unhandled" until then
  return result;
}
