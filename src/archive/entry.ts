import type { ByteStream } from '../kit/bytes.ts';

/** One member of a bundle. Offsets count bytes of the unpacked archive (of the tar, not of the gzip around it), or of a file of its own. */
export interface ArchiveEntry {
  readonly name: string;
  readonly size: number;
  /** where the member's first header begins; left out for a file of its own, which has none */
  readonly offset?: number;
  /** where its content begins */
  readonly dataOffset: number;
  /** The content, exactly `size` bytes, valid until the next entry is asked for; what is not read is skipped. */
  readonly body: ByteStream;
  /** The whole content when it is at hand already, so that a small member costs no waiting; taken instead of `body`. */
  takeAll(): Uint8Array | undefined;
  /** Leaves out the next `count` bytes of `body`; a tar can, and where its source can as well they are not read at all. */
  skip?(count: number): Promise<void>;
  /** Keeps a file of its own open until the source is closed, so that it can be read in any order; false when that cannot be. */
  hold?(): boolean;
}

/** The members of an archive, in order; the archive is proven sound only when the sequence has ended. */
export type ArchiveEntries = AsyncIterable<ArchiveEntry>;
