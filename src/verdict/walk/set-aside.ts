import type { ArchiveEntry } from '../../archive/entry.ts';
import type { ArchiveFormat } from '../../archive/open-archive.ts';
import { playsPart } from '../../formats/bundle-part.ts';
import type { DigestName } from '../../kit/digest-name.ts';
import type { Limits } from '../../kit/limits.ts';
import type { HashRange, Source, SourceParts } from '../../kit/source.ts';
import { compareBlocks, type FoundBlocks } from './block-damage.ts';
import type { ReadMember } from './member.ts';

/** The block digests that may stand for the digest of the whole, by the name of their subject. */
export type UsableBlocks = ReadonlyMap<string, FoundBlocks>;

/** A member that has been walked past, to be hashed when the walk is over. */
interface Waiting {
  readonly name: string;
  readonly start: number;
  readonly end: number;
  readonly algorithms: readonly DigestName[];
  /** filled in by the hashing; empty until then */
  readonly digests: Partial<Record<DigestName, string>>;
}

/** How the hashing of what was set aside goes. */
export interface FinishOptions {
  readonly onBytes: (bytes: number) => void;
  /** asked when the walk is over, and everything that speaks for block digests is known */
  readonly blocksOf?: () => UsableBlocks;
  /** members with block digests are not hashed: whoever reads of them checks what is read [blocks.11] */
  readonly later?: boolean;
}

/**
 * Members that are not read while the archive is walked through: they are hashed in the end, several at a time, by as
 * many threads as there are free cores. Only a tar on its own in a regular file has its members where they can be read
 * in any order.
 *
 * What comes out is what reading them on the way would have given: their bytes are read once, and one that the file
 * does not hold to its end is read on the way, where its end is missed. [lane.1]
 */
export class SetAside {
  readonly #parts: SourceParts;
  readonly #size: number;
  readonly #limits: Limits;
  readonly #waiting: Waiting[] = [];

  private constructor(parts: SourceParts, size: number, limits: Limits) {
    this.#parts = parts;
    this.#size = size;
    this.#limits = limits;
  }

  /** A place for the members of this archive, if they can wait. */
  static of(source: Source, format: ArchiveFormat, limits: Limits): SetAside | undefined {
    if (format !== 'tar' || !source.parts || source.size === undefined) return undefined;
    return new SetAside(source.parts, source.size, limits);
  }

  /** The member as one that has been read, its digests to come; undefined when it is to be read now. */
  take(entry: ArchiveEntry, algorithms: readonly DigestName[]): ReadMember | undefined {
    const { name, size, offset, dataOffset } = entry;
    const end = dataOffset + size;
    if (size < this.#limits.laneBytes || end > this.#size) return undefined;
    if (playsPart(name)) return undefined; // kept in memory
    const digests: Partial<Record<DigestName, string>> = {};
    this.#waiting.push({ name, start: dataOffset, end, algorithms, digests });
    return { name, size, offset, dataOffset, digests };
  }

  /** The first and last bytes of a member that waits. */
  readAt(offset: number, length: number): Promise<Uint8Array> {
    return this.#parts.readAt(offset, length);
  }

  /**
   * Waits for the end of the walk, and hashes what was set aside. A fault that has ended the walk is told after that, since
   * what came before it counts; what could not be hashed is taken out of `members`, as never reached.
   *
   * @throws {BundleError} what the walk throws; `FILE_UNREADABLE`, `FILE_CHANGED`, `INTERRUPTED`
   */
  async finish<T>(walk: Promise<T>, members: ReadMember[], options: FinishOptions): Promise<T> {
    const [walked] = await Promise.allSettled([walk]);
    try {
      const usable = options.blocksOf?.() ?? new Map();
      await this.#hash(members, usable, options);
      await this.#locate(members, usable);
    } catch (error) {
      const first = members.findIndex(({ digests }) => digests === this.#waiting[0]?.digests);
      if (first >= 0) members.splice(first);
      if (walked.status === 'fulfilled') throw error;
    }
    return walk;
  }

  async #hash(members: ReadMember[], usable: UsableBlocks, options: FinishOptions): Promise<void> {
    const { onBytes, later = false } = options;
    const waits = (name: string): boolean => later && usable.has(name);
    for (const { name } of this.#waiting.filter((waiting) => waits(waiting.name)))
      noteUnread(members, name, usable);
    const now = this.#waiting.filter(({ name }) => !waits(name));
    if (now.length === 0) return;
    const total = now.reduce((sum, { start, end }) => sum + end - start, 0);
    const lanes = this.#parts.lanes(total, this.#limits);
    const plans = now.map((waiting) => {
      // [blocks.7] Only what would keep the others waiting is held against its blocks: a digest of the whole says more.
      const isLongest = lanes > 1 && waiting.end - waiting.start > total / lanes;
      return { waiting, blocks: isLongest ? usable.get(waiting.name) : undefined };
    });
    const hashed = await this.#parts.hash(
      plans.map(({ waiting, blocks }) => (blocks ? inBlocks(waiting, blocks) : waiting)),
      { limits: this.#limits, onBytes: (bytes) => onBytes(this.#size - total + bytes) },
    );
    for (const [i, { waiting, blocks }] of plans.entries()) {
      const digest = (piece: number, name: DigestName): string => hashed[i]?.digest(piece, name) ?? '';
      if (blocks) {
        note(
          members,
          waiting.name,
          compareBlocks(blocks, (block) => digest(block, blocks.algorithm)),
        );
      } else {
        for (const name of waiting.algorithms) waiting.digests[name] = digest(0, name);
      }
    }
  }

  /** [blocks.8] Reads a member again that is not what it should be, to find where. */
  async #locate(members: ReadMember[], usable: UsableBlocks): Promise<void> {
    for (const { name, size, dataOffset, digests, blocks: known } of [...members]) {
      const blocks = usable.get(name);
      const digest = blocks && digests[blocks.algorithm];
      if (!blocks || known || digest === undefined || digest === blocks.digest) continue;
      const range = inBlocks({ start: dataOffset, end: dataOffset + size }, blocks);
      const [hashed] = await this.#parts.hash([range], { limits: this.#limits });
      note(
        members,
        name,
        compareBlocks(blocks, (block) => hashed?.digest(block, blocks.algorithm) ?? ''),
      );
    }
  }
}

function inBlocks({ start, end }: Pick<HashRange, 'start' | 'end'>, blocks: FoundBlocks): HashRange {
  return { start, end, step: blocks.blockSize, algorithms: [blocks.algorithm] };
}

/** Nothing speaks against it yet. */
function noteUnread(members: ReadMember[], name: string, usable: UsableBlocks): void {
  const blocks = usable.get(name);
  if (!blocks) return;
  const { file, count, blockSize } = blocks;
  note(members, name, { file, count, blockSize, damaged: 0, ranges: [] });
}

function note(members: ReadMember[], name: string, blocks: NonNullable<ReadMember['blocks']>): void {
  const index = members.findIndex((member) => member.name === name);
  const member = members[index];
  if (member) members[index] = { ...member, blocks };
}
