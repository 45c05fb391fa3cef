import type { BlockDigests } from '../../formats/blocks/block-digests.ts';
import { counted } from '../../kit/encoding.ts';

/** The block digests of a member, and the member that they are in. */
export interface FoundBlocks extends BlockDigests {
  readonly file: string;
}

/** The ranges that are named of a damaged member; the blocks are all counted. */
const MOST_RANGES = 16;

/** What came out when a member was held against the digests of its blocks. Offsets count from the first byte of the member. */
export interface BlockFindings {
  /** the member with the digests */
  readonly file: string;
  readonly count: number;
  readonly blockSize: number;
  /** blocks that do not match */
  readonly damaged: number;
  /** where they are, those side by side in one; the first 16 */
  readonly ranges: readonly { readonly offset: number; readonly length: number }[];
}

/** Compares the digests of all blocks. [blocks.8] */
export function compareBlocks(blocks: FoundBlocks, digestOf: (block: number) => string): BlockFindings {
  const ranges: { offset: number; length: number }[] = [];
  let damaged = 0;
  for (let block = 0; block < blocks.count; block++) {
    if (digestOf(block) === blocks.blockDigest(block)) continue;
    damaged++;
    const offset = block * blocks.blockSize;
    const length = Math.min(blocks.blockSize, blocks.size - offset);
    const last = ranges.at(-1);
    if (last && last.offset + last.length === offset) last.length += length;
    else if (ranges.length < MOST_RANGES) ranges.push({ offset, length });
  }
  const { file, count, blockSize } = blocks;
  return { file, count, blockSize, damaged, ranges };
}

/** The damage in words: how many blocks, and which bytes. */
export function describeDamage({ count, blockSize, damaged, ranges }: BlockFindings): string {
  const spans = ranges.map(({ offset, length }) => `${offset} to ${offset + length - 1}`);
  const named = ranges.reduce((sum, { length }) => sum + Math.ceil(length / blockSize), 0);
  const more = named < damaged ? ', …' : '';
  return `${damaged} of ${counted(count, 'block')} ${damaged === 1 ? 'differs' : 'differ'}, bytes ${spans.join(', ')}${more}`;
}
