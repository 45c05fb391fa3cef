import { blocksSubject } from '../../formats/blocks/block-digests.ts';
import { rolePartOf, sidecarOf } from '../../formats/bundle-part.ts';
import { companionsDisk } from '../../formats/glance/companion.ts';
import type { Descriptor } from '../../formats/ovf/descriptor.ts';
import { chunkName, type FileReference, memberNames, referenceOf } from '../../formats/ovf/file-reference.ts';
import { counted } from '../../kit/encoding.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import type { BundleRoles } from '../walk/bundle-roles.ts';
import { type Member, offsetOf } from '../walk/member.ts';
import { habitBehind } from '../walk/stray-members.ts';

/**
 * Compares the members with the References of a descriptor that may be believed: none missing, none beside them.
 *
 * `unlisted` names the revocation information that the manifest does not list: parts of the bundle like its signature.
 * A size that differs from `ovf:size` is a warning: real producers get it wrong, and the digest has spoken already.
 *
 * @see spec/bundle.md, clause cover.8
 */
export function judgeReferences(
  descriptor: Descriptor,
  members: readonly Member[],
  { roles, unlisted }: { readonly roles: BundleRoles; readonly unlisted: ReadonlySet<string> },
): { readonly errors: readonly BundleError[]; readonly warnings: readonly string[] } {
  const isPart = (name: string): boolean => unlisted.has(name) || playsPart(name, roles);
  const where = { member: roles.descriptor ?? '' };
  const errors: BundleError[] = [];
  const warnings: string[] = [];
  const present = new Map(members.map((member) => [member.name, member]));
  const lookup = referenceOf(descriptor.references);

  for (const name of memberNames(descriptor.references)) {
    if (isPart(name)) {
      // [cover.8] No digest covers the certificate file, nor such a list: as a disk it would be whatever its carrier wants.
      const message = `the descriptor refers to "${name}", which is a part of the bundle itself`;
      errors.push(new BundleError('DESCRIPTOR_SYNTAX', message, { where }));
      continue;
    }
    if (present.has(name)) continue;
    const message = `the descriptor refers to "${name}", and the bundle does not have it`;
    errors.push(new BundleError('FILE_MISSING', message, { where }));
  }
  const chunks = new Map<FileReference, number[]>();
  for (const member of members) {
    if (isPart(member.name)) continue;
    const found = lookup(member.name);
    const disk = companionsDisk(member.name) ?? blocksSubject(member.name);
    // [glance.34] [blocks.9] The manifest lists it, and it is of no use to a machine.
    if (!found && disk !== undefined && lookup(disk)) continue;
    if (!found) {
      const message = `"${member.name}" is in the bundle and not in References of the descriptor`;
      errors.push(
        new BundleError('FILE_UNREFERENCED', message, {
          where: { member: member.name, ...offsetOf(member) },
          ...habitBehind(member.name),
        }),
      );
      continue;
    }
    if (found.chunk !== undefined)
      chunks.set(found.reference, [...(chunks.get(found.reference) ?? []), found.chunk]);
    if (found.size !== undefined && found.size !== member.size) {
      warnings.push(
        `the descriptor gives "${member.name}" ${counted(found.size, 'byte')}; it has ${member.size}`,
      );
    }
  }
  for (const [reference, indexes] of chunks) {
    // [cover.8] Chunk 0 and 2 without 1 are not a file.
    const gap = indexes.sort((a, b) => a - b).findIndex((index, i) => index !== i);
    if (gap < 0) {
      errors.push(
        ...chunkFaults(
          reference,
          indexes.map((index) => present.get(chunkName(reference.href, index))),
        ),
      );
      continue;
    }
    errors.push(
      new BundleError('FILE_MISSING', `chunk ${gap} of "${reference.href}" is not in the bundle`, { where }),
    );
  }
  return { errors, warnings };
}

/** [whole.2] Where a chunk lies in the file follows from the sizes of those before it, by the descriptor or by the members. */
function chunkFaults(
  { href, size, chunkSize = 0 }: FileReference,
  chunks: readonly (Member | undefined)[],
): BundleError[] {
  const total = chunks.reduce((sum, chunk) => sum + (chunk?.size ?? 0), 0);
  const wrong = chunks.find((chunk, i) => {
    const last = i === chunks.length - 1;
    return chunk && (last ? chunk.size > chunkSize : chunk.size !== chunkSize);
  });
  const message = wrong
    ? `the chunk "${wrong.name}" has ${counted(wrong.size, 'byte')}, and chunks of "${href}" have ${chunkSize}`
    : size !== undefined && total !== size
      ? `the chunks of "${href}" have ${counted(total, 'byte')} together, and the descriptor says ${size}`
      : undefined;
  if (message === undefined) return [];
  const where = wrong ? { member: wrong.name, ...offsetOf(wrong) } : {};
  return [new BundleError('DESCRIPTOR_SYNTAX', message, { where })];
}

/** Descriptor, manifest and certificate file, there or not: never a file that the descriptor is about. */
function playsPart(name: string, { base, descriptor, manifest, certificate }: BundleRoles): boolean {
  const part = rolePartOf(name);
  if (part !== undefined && part.base === base && part.kind !== 'ovf') return true;
  if (base !== undefined && sidecarOf(name, base) !== undefined) return true;
  return name === descriptor || name === manifest || name === certificate;
}
