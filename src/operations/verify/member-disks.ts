import type { DiskProbe } from '../../formats/disk/disk-probe.ts';
import { endsOf, type ImageEnds, PassingEnds, readEnds } from '../../formats/disk/image-ends.ts';
import { probeDisk } from '../../formats/disk/probe.ts';
import { isBundleError } from '../../kit/errors/errors.ts';
import type { SourceParts } from '../../kit/source.ts';
import type { BundleSink, Member } from '../../verdict/walk/member.ts';

/** What the image header of each member says that is a disk image; a sink that keeps the ends of what goes by, and stores nothing. */
export class MemberDisks implements BundleSink {
  readonly #found: Map<string, DiskProbe> = new Map();

  /** Of the members that have been read, by name. */
  among(members: readonly Member[]): Readonly<Record<string, DiskProbe>> {
    const disks: Record<string, DiskProbe> = Object.create(null); // a member may be named __proto__
    for (const { name } of members) {
      const probe = this.#found.get(name);
      if (probe) disks[name] = probe;
    }
    return disks;
  }

  store(member: string, content: Uint8Array): undefined {
    this.#note(member, endsOf(content));
  }

  async create(member: string): ReturnType<BundleSink['create']> {
    const passing = new PassingEnds();
    return {
      write: async (chunk) => passing.add(chunk),
      finish: async () => this.#note(member, passing.ends()),
      discard: async () => {},
    };
  }

  /** Looks at one that the walk goes past. @throws {BundleError} `FILE_UNREADABLE`, `FILE_CHANGED`, `INTERRUPTED` */
  async lookAt({ name, size, dataOffset }: Member, parts: SourceParts): Promise<void> {
    this.#note(
      name,
      await readEnds({ readAt: (at, length) => parts.readAt(at, length, name) }, { start: dataOffset, size }),
    );
  }

  #note(name: string, image: ImageEnds): void {
    try {
      this.#found.set(name, probeDisk(...image));
    } catch (error) {
      if (!isBundleError(error)) throw error; // any other file than a disk image, which is nothing to report
    }
  }
}
