import type { ArchiveEntry } from '../archive/entry.ts';
import type { ArchiveFormat } from '../archive/open-archive.ts';
import type { DigestName } from '../formats/ovf/digest-name.ts';
import type { Limits } from '../kit/limits.ts';
import type { Source, SourceParts } from '../storage/source.ts';
import { isEvidence, rolePartOf } from './bundle-roles.ts';
import type { ReadMember } from './read-member.ts';

/** A member that has been walked past, to be hashed when the walk is over. */
interface Waiting {
  readonly start: number;
  readonly end: number;
  readonly algorithms: readonly DigestName[];
  /** filled in by the hashing; empty until then */
  readonly digests: Partial<Record<DigestName, string>>;
}

/**
 * Members that are not read while the archive is walked through: they are hashed in the end, several at a time, by as
 * many threads as there are free cores. Only a tar on its own in a regular file has its members where they can be read
 * in any order.
 *
 * What comes out is what reading them on the way would have given: their bytes are read once, and one that the file
 * does not hold to its end is read on the way, where its end is missed. [arc.5]
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
    if (rolePartOf(name) || isEvidence(name)) return undefined;
    const digests: Partial<Record<DigestName, string>> = {};
    this.#waiting.push({ start: dataOffset, end, algorithms, digests });
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
  async finish<T>(walk: Promise<T>, members: ReadMember[], onBytes: (bytes: number) => void): Promise<T> {
    const [walked] = await Promise.allSettled([walk]);
    try {
      await this.#hash(onBytes);
    } catch (error) {
      const first = members.findIndex(({ digests }) => digests === this.#waiting[0]?.digests);
      members.splice(first);
      if (walked.status === 'fulfilled') throw error;
    }
    return walk;
  }

  async #hash(onBytes: (bytes: number) => void): Promise<void> {
    if (this.#waiting.length === 0) return;
    const walked = this.#waiting.reduce((left, { start, end }) => left - (end - start), this.#size);
    const hashed = await this.#parts.hash(this.#waiting, {
      limits: this.#limits,
      onBytes: (bytes) => onBytes(walked + bytes),
    });
    for (const [i, { algorithms, digests }] of this.#waiting.entries()) {
      for (const name of algorithms) digests[name] = hashed[i]?.digest(0, name) ?? '';
    }
  }
}
