import { digestHex } from '../../crypto/digest.ts';
import {
  type BlockDigests,
  blocksSubject,
  isBlockDigests,
  parseBlockDigests,
} from '../../formats/blocks/block-digests.ts';
import type { Manifest, ManifestEntry } from '../../formats/ovf/manifest.ts';
import { counted } from '../../kit/encoding.ts';
import { BundleError, toBundleError } from '../../kit/errors/errors.ts';
import type { FoundBlocks } from '../walk/block-damage.ts';
import { digestOf, type KeptMember, type Member, offsetOf } from '../walk/member.ts';

/**
 * Finds the block digests that the manifest lists, and compares what they say of their subjects with what the manifest says.
 *
 * `usable`, by the name of the subject, has those that stand for the digest of the whole: the same signer says so, of a content
 * of this size. Another size is no fault of theirs as long as the digest of the whole speaks against the subject as well.
 *
 * @see spec/blocks.md, clauses blocks.5 and blocks.6
 */
export function judgeBlocks(
  members: readonly Member[],
  manifest: Manifest,
): { readonly usable: ReadonlyMap<string, FoundBlocks>; readonly errors: readonly BundleError[] } {
  const usable = new Map<string, FoundBlocks>();
  const errors: BundleError[] = [];
  const found = members.filter(holdsBlocks);
  if (found.length === 0) return { usable, errors };
  const lines = new Map(manifest.entries.map((entry) => [entry.name, entry]));
  for (const member of found) {
    const { name, bytes } = member;
    const where = { member: name, ...offsetOf(member) };
    const own = lines.get(name);
    // [blocks.5] What nobody has signed says nothing; that it is not listed, or changed, is told elsewhere.
    if (!own || digestHex(own.algorithm, bytes) !== own.digest) continue;
    try {
      const blocks = { ...parseBlockDigests(bytes), file: name };
      const subject = blocksSubject(name) ?? '';
      const member = members.find((one) => one.name === subject);
      const fault = conflictOf(blocks, { subject, line: lines.get(subject), member });
      if (fault) errors.push(conflict(`"${name}" ${fault}`, where));
      else if (member?.size === blocks.size) usable.set(subject, blocks);
    } catch (error) {
      errors.push(toBundleError(error).at(where));
    }
  }
  return { usable, errors };
}

function holdsBlocks(member: Member): member is KeptMember {
  return member.kind === 'kept' && blocksSubject(member.name) !== undefined && isBlockDigests(member.bytes);
}

/** [blocks.6] What the block digests say otherwise than the manifest. */
function conflictOf(
  { name, size, algorithm, digest }: BlockDigests,
  about: {
    readonly subject: string;
    readonly line: ManifestEntry | undefined;
    readonly member: Member | undefined;
  },
): string | undefined {
  const { subject, line, member } = about;
  if (name !== subject) return `speaks of another file: "${name}"`;
  if (!line) return `speaks of "${subject}", which the manifest does not list`;
  if (algorithm !== line.algorithm)
    return `has ${algorithm} digests, and the manifest a ${line.algorithm} digest`;
  if (digest !== line.digest) return `gives "${subject}" another digest than the manifest`;
  if (member && member.size !== size && digestOf(member, algorithm) === digest)
    return `gives "${subject}" ${counted(size, 'byte')}, and it has ${member.size}`;
  return undefined;
}

function conflict(
  message: string,
  where: { readonly member: string; readonly offset?: number },
): BundleError {
  return new BundleError('BLOCKS_CONFLICT', message, { where });
}
