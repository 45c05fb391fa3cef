import type { ZipHeader } from '../../formats/zip/records.ts';

/** A member as both of its headers describe it. `offset` is where its first header begins, `dataOffset` its data. */
export interface ZipMember {
  readonly name: string;
  readonly size: number;
  readonly compressedSize: number;
  readonly crc: number;
  readonly deflated: boolean;
  readonly offset: number;
  readonly dataOffset: number;
}

/** What the directory says of a member, and the bytes that the header before its data must repeat. */
export interface DirectoryEntry {
  readonly name: string;
  readonly nameBytes: Uint8Array;
  readonly header: ZipHeader;
  readonly size: number;
  readonly compressedSize: number;
  readonly offset: number;
  /** where it stands in the directory */
  readonly at: number;
}
