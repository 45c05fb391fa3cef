import { digestHex } from '../../crypto/digest.ts';
import type { ByteStream } from '../../kit/bytes.ts';
import type { DigestName } from '../../kit/digest-name.ts';
import type { ByteSink } from '../../kit/streams/byte-sink.ts';
import type { BlockFindings } from './block-damage.ts';

/** Lower-case hex digests by algorithm; a plain object, since there may be many thousand members. */
export type MemberDigests = Readonly<Partial<Record<DigestName, string>>>;

/** A member, and what is known of its content. There may be many thousand: plain objects, none with more than it needs. */
export type Member = KeptMember | HashedMember | BlockwiseMember | UnreadMember;

/**
 * Where a member lies, in bytes of the unpacked archive: its first header, and its content of `size` bytes. One that is a file of its own has no
 * header, and its content from 0 on.
 */
interface MemberPlace {
  readonly name: string;
  readonly size: number;
  readonly offset?: number;
  readonly dataOffset: number;
}

/** The place of an entry alone. */
export function placeOf({ name, size, offset, dataOffset }: MemberPlace): MemberPlace {
  return { name, size, ...(offset !== undefined && { offset }), dataOffset };
}

/** Where a member is, for an error or a report. */
export function offsetOf({ offset }: Pick<MemberPlace, 'offset'>): { readonly offset?: number } {
  return offset === undefined ? {} : { offset };
}

/** A member in memory: one that may be descriptor, manifest, certificate file or timestamp, revocation information, or block digests. */
export interface KeptMember extends MemberPlace {
  readonly kind: 'kept';
  readonly bytes: Uint8Array;
}

/** A small member that speaks about the others, wherever it lies; or one that is to be written. */
export type NamedMember = Pick<KeptMember, 'name' | 'bytes'>;

/** A member that was read to its end, and not kept. */
export interface HashedMember extends MemberPlace {
  readonly kind: 'hashed';
  /** those that were asked for; any other cannot be computed any more */
  readonly digests: MemberDigests;
  /** where it is wrong, when its digest was, and its blocks were compared besides [blocks.8] */
  readonly damage?: BlockFindings;
}

/** A member that was held against the digests of its blocks, in place of the digest of the whole. [blocks.7] */
export interface BlockwiseMember extends MemberPlace {
  readonly kind: 'blocks';
  readonly blocks: BlockFindings;
}

/** A member that was walked past: it is hashed when the walk is over, or checked by whoever reads of it later. [blocks.11] */
export interface UnreadMember extends MemberPlace {
  readonly kind: 'unread';
  /** the digests that it is to get when it is hashed */
  readonly algorithms: readonly DigestName[];
}

/** Makes a sink for each member, or takes a small one whole; then there may be something to wait for before the next. */
export interface BundleSink {
  /**
   * Begins a member that is to have so many bytes: its header says so, and nothing has proven it yet. The buffers that are hashed are
   * handed on; that it is finished says that all of it has come, and not what it is worth.
   */
  create(member: string, size: number): Promise<ByteSink>;
  /** takes all of a small member */
  store(member: string, content: Uint8Array): Promise<void> | void;
}

/** One that may have the first bytes of a member already, from a run before. */
export interface ResumableSink extends BundleSink {
  /** begins a member; what is there of it is read in place of what comes */
  create(member: string, size: number): Promise<ResumedSink>;
}

/** A member that is gone on with. */
interface ResumedSink extends ByteSink {
  /** what it has already of the first bytes of the member */
  readonly kept?: { readonly bytes: number; readonly stream: ByteStream };
}

/** The digest of a member; undefined when it was not computed and cannot be any more. */
export function digestOf(member: Member, algorithm: DigestName): string | undefined {
  switch (member.kind) {
    case 'kept':
      return digestHex(algorithm, member.bytes);
    case 'hashed':
      return member.digests[algorithm];
    case 'blocks':
    case 'unread':
      return undefined;
  }
}

/** The member of this name, when it has been kept in memory. */
export function keptMember(members: readonly Member[], name: string | undefined): KeptMember | undefined {
  const member = members.find((one) => one.name === name);
  return member?.kind === 'kept' ? member : undefined;
}
