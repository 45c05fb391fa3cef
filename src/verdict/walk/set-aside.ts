import type { ArchiveEntry } from '../../archive/entry.ts';
import type { DigestName } from '../../kit/digest-name.ts';
import type { Limits } from '../../kit/limits.ts';
import { type BundleSource, type HashRange, isPackage, type SourceParts } from '../../kit/source.ts';
import { compareBlocks, type FoundBlocks } from './block-damage.ts';
import {
  type BlockwiseMember,
  type HashedMember,
  type Member,
  placeOf,
  type UnreadMember,
} from './member.ts';
import type { BundleFormat } from './package-entries.ts';

/** The block digests that may stand for the digest of the whole, by the name of their subject. */
export type UsableBlocks = ReadonlyMap<string, FoundBlocks>;

/** How the hashing of what was set aside goes. */
export interface FinishOptions {
  readonly onBytes: (bytes: number) => void;
  /** asked when the walk is over, and everything that speaks for block digests is known */
  readonly blocksOf?: (members: readonly Member[]) => UsableBlocks;
  /** members with block digests are not hashed: whoever reads of them checks what is read [blocks.11] */
  readonly later?: boolean;
}

/** The members of a bundle when the hashing is over: all that were walked to, or with an error those before the first one set aside. */
export interface Finished {
  readonly members: readonly Member[];
  readonly error?: unknown;
}

/**
 * Members that are not read while the archive is walked through: they are hashed in the end, several at a time, by as
 * many threads as there are free cores. Only a tar on its own in a regular file, and a folder, have the members where they can be
 * read in any order.
 *
 * The door of blocks in reading: a member that would keep the other threads waiting is held against the digests of its blocks, where
 * the manifest lists such, in place of the digest of the whole. Without that a member is hashed by one thread, however large it is.
 * Blocks cost a file of 0.006 % of the disk, and a second hashing of each buffer when they are packed (4 GiB: 5.8 s of user time in place of 3.2 s); in
 * reading they cost nothing when all is well. They are not used where there is one thread, or where members share the threads evenly.
 *
 * What comes out is what reading them on the way would have given: their bytes are read once, and one that the file
 * does not hold to its end is read on the way, where its end is missed. [lane.1]
 *
 * @see spec/decisions/0010-several-lanes.md and 0011-block-digests.md
 */
export class SetAside {
  readonly #parts: SourceParts;
  /** of the archive; undefined where members are files of their own */
  readonly #size: number | undefined;
  readonly #limits: Limits;

  private constructor(parts: SourceParts, size: number | undefined, limits: Limits) {
    this.#parts = parts;
    this.#size = size;
    this.#limits = limits;
  }

  /** A place for the members of this bundle, if they can wait. */
  static of(source: BundleSource, format: BundleFormat, limits: Limits): SetAside | undefined {
    if (!source.parts) return undefined;
    if (isPackage(source)) return new SetAside(source.parts, undefined, limits);
    if (format !== 'tar' || source.size === undefined) return undefined;
    return new SetAside(source.parts, source.size, limits);
  }

  /** The member as one that is walked past; undefined when it is to be read now. */
  take(entry: ArchiveEntry, algorithms: readonly DigestName[]): UnreadMember | undefined {
    const { size, dataOffset } = entry;
    if (size < this.#limits.laneBytes) return undefined;
    if (this.#size === undefined ? !entry.hold?.() : dataOffset + size > this.#size) return undefined;
    return { kind: 'unread', ...placeOf(entry), algorithms };
  }

  /**
   * Hashes what was set aside of `members`, and finds where those are wrong that do not match. Nothing is thrown: what could
   * not be hashed, and all behind it, is left out as never reached, and the error is told beside.
   */
  async finish(members: readonly Member[], options: FinishOptions): Promise<Finished> {
    try {
      const usable = options.blocksOf?.(members) ?? new Map();
      return { members: await this.#locate(await this.#hash(members, usable, options), usable) };
    } catch (error) {
      const first = members.findIndex(({ kind }) => kind === 'unread');
      return { members: first < 0 ? members : members.slice(0, first), error };
    }
  }

  /** The members, those that were set aside as they come out; but for those that are checked later. */
  async #hash(
    members: readonly Member[],
    usable: UsableBlocks,
    { onBytes, later = false }: FinishOptions,
  ): Promise<readonly Member[]> {
    const unread = members.filter((member) => member.kind === 'unread');
    const now = unread.filter(({ name }) => !(later && usable.has(name)));
    if (now.length === 0) return members;
    const total = now.reduce((sum, { size }) => sum + size, 0);
    const lanes = this.#parts.lanes(total, this.#limits);
    const plans = now.map((member) => {
      // [blocks.7] Only what would keep the others waiting is held against its blocks: a digest of the whole says more.
      const isLongest = lanes > 1 && member.size > total / lanes;
      const blocks = isLongest ? usable.get(member.name) : undefined;
      return { member, blocks, range: blocks ? inBlocks(member, blocks) : whole(member) };
    });
    const all = this.#size ?? members.reduce((sum, { size }) => sum + size, 0);
    const found = await this.#parts.hash(
      plans.map(({ range }) => range),
      { limits: this.#limits, onBytes: (bytes) => onBytes(all - total + bytes) },
    );
    const results = new Map<Member, Member>();
    for (const [i, { member, blocks }] of plans.entries()) {
      const digest = (piece: number, name: DigestName): string => found[i]?.digest(piece, name) ?? '';
      results.set(member, blocks ? blockwise(member, blocks, digest) : hashed(member, digest));
    }
    return members.map((member) => results.get(member) ?? member);
  }

  async #locate(members: readonly Member[], usable: UsableBlocks): Promise<readonly Member[]> {
    if (usable.size === 0) return members;
    const located: Member[] = [];
    for (const member of members) located.push(await this.#located(member, usable));
    return located;
  }

  /** [blocks.8] Reads a member again that is not what it should be, to find where. */
  async #located(member: Member, usable: UsableBlocks): Promise<Member> {
    const blocks = usable.get(member.name);
    if (member.kind !== 'hashed' || !blocks) return member;
    const digest = member.digests[blocks.algorithm];
    if (digest === undefined || digest === blocks.digest) return member;
    const [found] = await this.#parts.hash([inBlocks(member, blocks)], { limits: this.#limits });
    return {
      ...member,
      damage: compareBlocks(blocks, (block) => found?.digest(block, blocks.algorithm) ?? ''),
    };
  }
}

/** The digest of a piece of a range, as lower-case hex. */
type PieceDigest = (piece: number, algorithm: DigestName) => string;

function whole({ name, dataOffset, size, algorithms }: UnreadMember): HashRange {
  return { member: name, start: dataOffset, end: dataOffset + size, algorithms };
}

function inBlocks({ name, dataOffset, size }: Member, blocks: FoundBlocks): HashRange {
  return {
    member: name,
    start: dataOffset,
    end: dataOffset + size,
    step: blocks.blockSize,
    algorithms: [blocks.algorithm],
  };
}

function hashed(member: UnreadMember, digest: PieceDigest): HashedMember {
  const digests = Object.fromEntries(member.algorithms.map((algorithm) => [algorithm, digest(0, algorithm)]));
  return { kind: 'hashed', ...placeOf(member), digests };
}

function blockwise(member: UnreadMember, blocks: FoundBlocks, digest: PieceDigest): BlockwiseMember {
  const findings = compareBlocks(blocks, (block) => digest(block, blocks.algorithm));
  return { kind: 'blocks', ...placeOf(member), blocks: findings };
}
