import { zeros } from '../../kit/bytes.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import type { TarFile } from './tar-writer.ts';

/** Where an archive has been written, and can be written again. */
interface Patchable {
  patch(offset: number, bytes: Uint8Array): Promise<void>;
}

/** A member whose bytes come when what stands behind it has been read, and how far that is. */
type LateMember = ReservedMember | PlacedMember | FilledMember;

/** One of which the archive writer has been told its size. */
interface ReservedMember {
  readonly kind: 'reserved';
  readonly size: number;
}

/** One for which zeros stand in the archive. */
interface PlacedMember {
  readonly kind: 'placed';
  readonly size: number;
  readonly offset: number;
}

/** One whose bytes are known, and are as many as there is room for. */
interface FilledMember {
  readonly kind: 'filled';
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/**
 * Members whose bytes come when what stands behind them has been read: room is left for them, and filled in the end. [pack.3]
 *
 * For a tar in an output that can be written again, and nothing else.
 */
export class LateMembers {
  readonly #members = new Map<string, LateMember>();

  /** The member as the archive gets it: zeros, which take no room on the disk. */
  reserve(name: string, size: number): TarFile {
    this.#members.set(name, { kind: 'reserved', size });
    const onPlaced = (offset: number): void => {
      this.#members.set(name, { kind: 'placed', size, offset });
    };
    return { name, size, body: zeros(size), onPlaced };
  }

  /** Whether a member has exactly as many bytes as room was left for. */
  fits(name: string, bytes: Uint8Array): boolean {
    const member = this.#members.get(name);
    return member?.kind === 'placed' && member.size === bytes.byteLength;
  }

  /** What goes into the room of a member that stands in the archive. @throws {BundleError} `INTERNAL` when it does not fit */
  fill(name: string, bytes: Uint8Array): void {
    const member = this.#members.get(name);
    if (member?.kind !== 'placed' || member.size !== bytes.byteLength) throw misfit(name);
    this.#members.set(name, { kind: 'filled', offset: member.offset, bytes });
  }

  /** Writes all of them, when the archive stands. @throws {BundleError} `STORAGE_*`; `INTERNAL` when one has not been filled */
  async write(output: Patchable): Promise<void> {
    for (const [name, member] of this.#members) {
      if (member.kind !== 'filled') throw misfit(name);
      await output.patch(member.offset, member.bytes);
    }
  }
}

function misfit(name: string): BundleError {
  return new BundleError('INTERNAL', `the room that was left for "${name}" does not fit`);
}
