import type { TarFile } from '../../archive/tar/tar-writer.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import { CHUNK_BYTES } from '../../kit/limits.ts';
import type { Output } from '../../storage/output/output.ts';

/** A member whose size is known, and whose bytes are not yet. */
interface LateMember {
  readonly name: string;
  readonly size: number;
  offset: number | undefined;
  bytes: Uint8Array | undefined;
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
    const member: LateMember = { name, size, offset: undefined, bytes: undefined };
    this.#members.set(name, member);
    const onPlaced = (offset: number): void => {
      member.offset = offset;
    };
    return { name, size, body: zeros(size), onPlaced };
  }

  /** What goes into the room of a member: exactly as many bytes as it has. */
  fill(name: string, bytes: Uint8Array): void {
    const member = this.#members.get(name);
    if (member?.size !== bytes.byteLength) throw misfit(name);
    member.bytes = bytes;
  }

  /** Writes all of them, when the archive stands. @throws {BundleError} `STORAGE_*` */
  async write(output: Pick<Output, 'patch'>): Promise<void> {
    for (const { name, offset, bytes } of this.#members.values()) {
      if (offset === undefined || bytes === undefined) throw misfit(name);
      await output.patch(offset, bytes);
    }
  }
}

function misfit(name: string): BundleError {
  return new BundleError('INTERNAL', `the room that was left for "${name}" does not fit`);
}

async function* zeros(size: number): AsyncGenerator<Uint8Array, void> {
  const chunk = new Uint8Array(Math.min(size, CHUNK_BYTES));
  for (let left = size; left > 0; left -= chunk.byteLength) yield chunk.subarray(0, left);
}
