const LEAST = 1024 * 1024;

/** The most blocks of a file: their digests are held in memory. */
export const MOST_BLOCKS = 128 * 1024;

/**
 * The bytes of a block of a file of so many bytes: 1 MiB, or the smallest power of two in which it has no more than
 * `MOST_BLOCKS`. There is no choice, so the same file has the same block digests, whoever makes them. [blocks.4]
 */
export function blockSizeFor(size: number): number {
  let blockSize = LEAST;
  while (Math.ceil(size / blockSize) > MOST_BLOCKS) blockSize *= 2;
  return blockSize;
}

/** How many blocks a file of so many bytes has. */
export function blockCountOf(size: number): number {
  return Math.ceil(size / blockSizeFor(size));
}
