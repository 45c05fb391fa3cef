import { digestHex } from '../../crypto/digest.ts';
import type { ByteStream } from '../../kit/bytes.ts';
import type { DigestName } from '../../kit/digest-name.ts';
import type { BlockFindings } from './block-damage.ts';

/** Lower-case hex digests by algorithm; a plain object, since there may be many thousand members. */
export type MemberDigests = Readonly<Partial<Record<DigestName, string>>>;

/** A member that has been read to its end. */
export interface ReadMember {
  readonly name: string;
  readonly size: number;
  readonly offset: number;
  readonly dataOffset: number;
  /** digests that were computed on the way */
  readonly digests: MemberDigests;
  /** the content of a member that may be descriptor, manifest, certificate file or timestamp, or is revocation information */
  readonly bytes?: Uint8Array;
  /** what came out when it was held against the digests of its blocks; without `digests` that was done in place of those */
  readonly blocks?: BlockFindings;
}

/** Where the bytes of a member go besides the digest; the same buffers are hashed and handed on. */
interface MemberSink {
  /** what it has already of the first bytes of the member */
  readonly kept?: { readonly bytes: number; readonly stream: ByteStream };
  write(chunk: Uint8Array): Promise<void>;
  finish(): Promise<void>;
  discard(): Promise<void>;
}

/** Makes a sink for each member, or takes a small one whole; then there may be something to wait for before the next. */
export interface BundleSink {
  create(member: string, size: number): Promise<MemberSink>;
  store(member: string, content: Uint8Array): Promise<void> | undefined;
}

/** The digest of a member; undefined when it was not computed and cannot be any more. */
export function digestOf(member: ReadMember, algorithm: DigestName): string | undefined {
  return member.bytes ? digestHex(algorithm, member.bytes) : member.digests[algorithm];
}
