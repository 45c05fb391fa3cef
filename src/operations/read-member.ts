import type { ArchiveEntry } from '../archive/entry.ts';
import { Digester, type Digests, digestHex } from '../crypto/digest.ts';
import type { DigestName } from '../formats/ovf/digest-name.ts';
import { collect } from '../kit/bytes.ts';
import { BundleError } from '../kit/errors.ts';
import type { Limits } from '../kit/limits.ts';
import { rolePartOf } from './bundle-roles.ts';

/** A member that has been read to its end. */
export interface ReadMember {
  readonly name: string;
  readonly size: number;
  readonly offset: number;
  readonly dataOffset: number;
  /** digests that were computed on the way */
  readonly digests: Digests;
  /** the content of a member that may be descriptor, manifest or certificate file */
  readonly bytes?: Uint8Array;
}

/** Where the bytes of a member go besides the digest; the same buffers are hashed and handed on. */
interface MemberSink {
  write(chunk: Uint8Array): Promise<void>;
  finish(): Promise<void>;
  discard(): Promise<void>;
}

/** Makes a sink for each member. */
export interface BundleSink {
  create(member: string): Promise<MemberSink>;
}

/** Reads one member once: its bytes are hashed, kept when they are small and speak about the others, and stored. */
export async function readMember(
  entry: ArchiveEntry,
  options: {
    readonly algorithms: readonly DigestName[];
    readonly limits: Limits;
    readonly sink: BundleSink | undefined;
  },
): Promise<ReadMember> {
  const { name, size, offset, dataOffset } = entry;
  const sink = await options.sink?.create(name);
  try {
    const limit = keepLimit(name, options.limits);
    if (limit !== undefined) {
      const bytes = await collect(entry.body, limit, () => tooLarge(name, limit, offset));
      await sink?.write(bytes);
      await sink?.finish();
      return { name, size, offset, dataOffset, digests: new Map(), bytes };
    }

    const digester = new Digester(options.algorithms);
    const whole = entry.takeAll();
    if (whole) {
      digester.update(whole);
      await sink?.write(whole);
    } else {
      for await (const chunk of entry.body) {
        await sink?.write(chunk); // it is under way while the same buffer is hashed
        digester.update(chunk);
      }
    }
    await sink?.finish();
    return { name, size, offset, dataOffset, digests: digester.finish() };
  } catch (error) {
    await sink?.discard();
    throw error;
  }
}

/** The digest of a member; undefined when it was not computed and cannot be any more. */
export function digestOf(member: ReadMember, algorithm: DigestName): string | undefined {
  return member.bytes ? digestHex(algorithm, member.bytes) : member.digests.get(algorithm);
}

function keepLimit(name: string, limits: Limits): number | undefined {
  switch (rolePartOf(name)?.kind) {
    case 'ovf':
      return limits.descriptorBytes;
    case 'mf':
      return limits.manifestBytes;
    case 'cert':
      return limits.certificateFileBytes;
    case undefined:
      return undefined;
  }
}

function tooLarge(name: string, limit: number, offset: number): BundleError {
  return new BundleError('ARCHIVE_LIMIT', `"${name}" is larger than ${limit} bytes`, {
    where: { member: name, offset },
  });
}
