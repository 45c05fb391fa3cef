import { concat, copyBytes } from '../../kit/bytes.ts';
import type { RandomAccess } from '../../kit/random-access.ts';
import { PROBE_HEAD_BYTES, PROBE_TAIL_BYTES } from './probe.ts';

/** What `probeDisk` wants of an image: its first bytes, its last, and how many it has in all. */
export type ImageEnds = readonly [head: Uint8Array, tail: Uint8Array, size: number];

/** The ends of an image whose content is at hand. */
export function endsOf(content: Uint8Array): ImageEnds {
  return [content.subarray(0, PROBE_HEAD_BYTES), content.subarray(-PROBE_TAIL_BYTES), content.byteLength];
}

/** The ends of an image of `size` bytes that lies in a file from `start` on. @throws what `readAt` does */
export async function readEnds(
  file: Pick<RandomAccess, 'readAt'>,
  { start, size }: { readonly start: number; readonly size: number },
): Promise<ImageEnds> {
  const tail = Math.min(size, PROBE_TAIL_BYTES);
  return [
    await file.readAt(start, Math.min(size, PROBE_HEAD_BYTES)),
    await file.readAt(start + size - tail, tail),
    size,
  ];
}

/** Keeps the ends of an image that goes by. */
export class PassingEnds {
  /** bytes that have gone by */
  size = 0;
  readonly #head: Uint8Array[] = [];
  #tail: Uint8Array = new Uint8Array(0);

  /** The next bytes; what is kept of them is copied. */
  add(chunk: Uint8Array): void {
    if (this.size < PROBE_HEAD_BYTES)
      this.#head.push(copyBytes(chunk.subarray(0, PROBE_HEAD_BYTES - this.size)));
    this.#tail = copyBytes(
      concat([this.#tail, chunk.subarray(-PROBE_TAIL_BYTES)]).subarray(-PROBE_TAIL_BYTES),
    );
    this.size += chunk.byteLength;
  }

  /** The ends, once all has gone by. */
  ends(): ImageEnds {
    return [concat(this.#head), this.#tail, this.size];
  }
}
