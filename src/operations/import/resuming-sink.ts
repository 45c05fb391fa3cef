import {
  type BlockDigests,
  blocksSubject,
  isBlockDigests,
  parseBlockDigests,
} from '../../formats/blocks/block-digests.ts';
import { printable } from '../../kit/encoding.ts';
import type { Told } from '../../kit/errors/advice.ts';
import type { Limits } from '../../kit/limits.ts';
import { loadLanes } from '../../storage/lanes/lanes.ts';
import type { Staging } from '../../storage/output/staging.ts';
import { FileStream } from '../../storage/sources/file-stream.ts';
import type { LeftFile, LeftFolder } from '../../storage/unfinished/left-folder.ts';
import type { ResumableSink } from '../../verdict/walk/member.ts';

/** Stores members, and goes on with those that an interrupted run has left. */
export interface ResumingSink extends ResumableSink {
  /** what was there already, and is right */
  readonly resumed: readonly { readonly name: string; readonly bytes: number }[];
  /** what of it could not be used: why, and that it is removed; a refusal may have come before anything was looked at [resume.4] */
  unusable(isRefused: boolean): readonly Told[];
}

/**
 * Wraps a staging folder so that a member whose block digests came before it is taken from what was left, as far as its blocks
 * are right, and gone on with behind that.
 *
 * What it saves is fetching: blocks that are there are read from the disk, an address is asked for what is behind them, and a pipe is
 * read past them and not written again. What it costs is reading them twice, for their block digests (by several threads) and for the
 * digest of the whole; a member that no block digests came before is stored anew. No figure is given: it is the line that decides.
 *
 * The block digests only tell how far that is. The digest of the whole is computed over the stored bytes, like that of any
 * member, so nothing is believed because of them.
 *
 * @see spec/blocks.md, clauses resume.1 to resume.4
 */
export function resumingSink(
  staging: Staging,
  left: LeftFolder,
  options: { readonly limits: Limits; readonly signal: AbortSignal | undefined },
): ResumingSink {
  const known = new Map<string, BlockDigests>();
  const resumed: { name: string; bytes: number }[] = [];
  const begun: string[] = [];
  return {
    resumed,
    unusable: (isRefused) => {
      if (resumed.some(({ bytes }) => bytes > 0)) return begun.map(beganAnew);
      const what = 'what an earlier run had left could not be gone on with, and was removed';
      if (isRefused) return [`${what}: this import was refused, and a refusal leaves nothing`];
      if (known.size > 0) return [`${what}: no whole block of it is one of this bundle`];
      return [{ text: `${what}: no block digests have come`, advice: 'write-blocks' }];
    },
    store: (member, content) => {
      const subject = blocksSubject(member);
      const blocks = subject === undefined ? undefined : blocksIn(content);
      if (subject !== undefined && blocks) known.set(subject, blocks);
      return staging.store(member, content);
    },
    create: async (member, size) => {
      const blocks = known.get(member);
      const file = blocks?.size === size ? left.open(member) : undefined;
      if (!blocks || !file) return staging.create(member);
      try {
        const bytes = await rightBytes(file, blocks, options);
        const writer = await staging.adopt(member, file, bytes);
        resumed.push({ name: member, bytes });
        if (bytes === 0) begun.push(member);
        const part = { start: 0, end: bytes };
        return {
          kept: { bytes, stream: new FileStream(file.descriptor, file.path, options.signal, part) },
          write: (chunk) => writer.write(chunk),
          finish: () => writer.finish().finally(file.close),
          discard: () => writer.discard().finally(file.close),
        };
      } catch (error) {
        file.close();
        throw error;
      }
    },
  };
}

function beganAnew(name: string): string {
  return `what an earlier run had left of "${printable(name)}" could not be gone on with, and was removed: no whole block of it is one of this bundle`;
}

function blocksIn(bytes: Uint8Array): BlockDigests | undefined {
  try {
    return isBlockDigests(bytes) ? parseBlockDigests(bytes) : undefined;
  } catch {
    return undefined; // the verdict says what is wrong with them
  }
}

/** How many bytes of a file are right from its beginning, by whole blocks. */
async function rightBytes(
  file: LeftFile,
  { algorithm, blockSize, size, blockDigest }: BlockDigests,
  options: { readonly limits: Limits; readonly signal: AbortSignal | undefined },
): Promise<number> {
  const end = Math.min(file.size, size);
  if (end === 0) return 0;
  const range = { start: 0, end, step: blockSize, algorithms: [algorithm] };
  const hashRanges = await loadLanes();
  const [hashed] = await hashRanges([{ ...range, ...file }], options);
  let right = 0;
  while (right < (hashed?.pieces ?? 0) && hashed?.digest(right, algorithm) === blockDigest(right)) right++;
  return Math.min(right * blockSize, end);
}
