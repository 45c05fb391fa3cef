import { BlockDigester } from '../../crypto/block-digester.ts';
import {
  type BlockAlgorithm,
  blockDigestsSize,
  blocksNameOf,
  formatBlockDigests,
} from '../../formats/blocks/block-digests.ts';
import { blockSizeFor } from '../../formats/blocks/block-size.ts';
import type { Descriptor } from '../../formats/ovf/descriptor.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import { diskImagesOf } from '../../verdict/bundle/disk-images.ts';
import type { PlannedFile } from './plan.ts';

type Subject = Pick<PlannedFile, 'name' | 'size'>;

/**
 * The block digests of disk images that are packed, made as those are read for the first time: the door of blocks in packing. [blocks.9]
 *
 * They let a verifier hash one disk by several threads (`verdict/walk/set-aside.ts`), and read a part of it. They cost a second hashing of each buffer:
 * 4 GiB take 5.8 s of user time in place of 3.2 s. They are made where `blockDigests` asks for them, and not of chunks.
 *
 * @see spec/decisions/0011-block-digests.md
 */
export class PackedBlocks {
  readonly #disks: ReadonlySet<string>;
  readonly #algorithm: BlockAlgorithm;
  readonly #made = new Map<string, Uint8Array>();

  constructor(disks: readonly string[], algorithm: BlockAlgorithm) {
    this.#disks = new Set(disks);
    this.#algorithm = algorithm;
  }

  /** The member beside a file, whose size is known before it is made; undefined when it is to have none. */
  beside({ name, size }: Subject): Subject | undefined {
    if (!this.#disks.has(name)) return undefined;
    return { name: blocksNameOf(name), size: blockDigestsSize({ name, size, algorithm: this.#algorithm }) };
  }

  /** The bytes of the member beside a file that has been read. */
  bytesFor(name: string): Uint8Array {
    const bytes = this.#made.get(name);
    if (!bytes) throw new BundleError('INTERNAL', `the blocks of "${name}" have not been hashed`);
    return bytes;
  }

  /** What takes the bytes of a file, when it is read for the first time and is to have block digests. */
  open({ name, size }: Subject): BlockDigester | undefined {
    if (!this.#disks.has(name) || this.#made.has(name)) return undefined;
    return new BlockDigester(this.#algorithm, blockSizeFor(size));
  }

  /** Makes the block digests of a file that has been read: as many bytes as were planned, with this digest. */
  make({ name, size }: Subject, digest: string, digester: BlockDigester): Uint8Array {
    const bytes = formatBlockDigests({ name, size, algorithm: this.#algorithm, digest }, digester.finish());
    this.#made.set(name, bytes);
    return bytes;
  }
}

/** The disk images among files that get block digests. @throws {BundleError} `USAGE` when there is none */
export function disksInBlocks(
  names: readonly string[],
  descriptor: Descriptor | undefined,
): readonly string[] {
  const disks = diskImagesOf(names, descriptor);
  if (disks.length > 0) return disks;
  throw new BundleError('USAGE', 'there is no disk image to make block digests of', {
    fix: { text: 'ask for no block digests', advice: 'pack-without-blocks' },
  });
}

/** Chunks are verified side by side as they are. `USAGE` */
export function noBlocksOfChunks(): BundleError {
  return new BundleError('USAGE', 'disks in chunks get no block digests', {
    why: 'each chunk is a file of its own, so they are hashed side by side without',
    fix: { text: 'ask for chunks or for block digests', advice: 'chunks-or-blocks' },
  });
}
