import type { ByteStream } from '../kit/bytes.ts';

/** One member of an archive. Offsets count bytes of the unpacked archive (of the tar, not of the gzip around it). */
export interface ArchiveEntry {
  readonly name: string;
  readonly size: number;
  /** where the member's first header begins, and where its content does */
  readonly offset: number;
  readonly dataOffset: number;
  /** The content, exactly `size` bytes, valid until the next entry is asked for; what is not read is skipped. */
  readonly body: ByteStream;
  /** The whole content when it is at hand already, so that a small member costs no waiting; taken instead of `body`. */
  takeAll(): Uint8Array | undefined;
  /** Leaves out the next `count` bytes of `body`; a tar can, and where its source can as well they are not read at all. */
  skip?(count: number): Promise<void>;
}

/** The members of an archive, in order; the archive is proven sound only when the sequence has ended. */
export type ArchiveEntries = AsyncIterable<ArchiveEntry>;
