import type { ArchiveEntry } from '../../archive/entry.ts';
import { blocksSubject } from '../../formats/blocks/block-digests.ts';
import { isEvidence, type PartKind, rolePartOf } from '../../formats/bundle-part.ts';
import { collect } from '../../kit/bytes.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import type { Limits } from '../../kit/limits.ts';
import { type BundleSink, type KeptMember, offsetOf, placeOf } from './member.ts';

/** What is kept in memory of a bundle, each kind with a limit of its own. */
type KeptKind = PartKind | 'revocation' | 'blocks';

/** How many bytes of each kind are kept in memory of one bundle; begin with an empty one. */
export type KeptBytes = Map<KeptKind, number>;

/** How members are kept. */
export interface KeepOptions {
  readonly limits: Limits;
  /** of those read before it, which share the limit of what is kept in memory; what it keeps itself is added */
  readonly kept: KeptBytes;
  readonly sink?: BundleSink | undefined;
}

/** What a bundle can do without. */
const OPTIONAL: ReadonlySet<KeptKind> = new Set(['tst', 'p7s', 'revocation', 'blocks']);

/**
 * Reads a member that is kept in memory, since by its name it may speak about the others: each of a kind may turn out to be
 * the one that counts. Undefined for any other member, of which nothing is read.
 *
 * @throws {BundleError} `ARCHIVE_LIMIT` for one that a bundle cannot do without, and that is too large
 */
export function keepMember(entry: ArchiveEntry, options: KeepOptions): Promise<KeptMember> | undefined {
  const kind = keptKindOf(entry.name);
  if (kind === undefined) return undefined;
  const room = limitOf(kind, options.limits) - (options.kept.get(kind) ?? 0);
  // Beyond its limit such a member is none: an ordinary file, which the manifest must list.
  if (entry.size > room && OPTIONAL.has(kind)) return undefined;
  return keep(entry, { ...options, kind, room });
}

async function keep(
  entry: ArchiveEntry,
  { limits, kept, sink, kind, room }: KeepOptions & { readonly kind: KeptKind; readonly room: number },
): Promise<KeptMember> {
  const { name, size, body } = entry;
  const bytes = await collect(body, room, () => tooLarge(entry, kind, limits));
  kept.set(kind, (kept.get(kind) ?? 0) + size);
  await sink?.store(name, bytes);
  return { kind: 'kept', ...placeOf(entry), bytes };
}

function keptKindOf(name: string): KeptKind | undefined {
  if (isEvidence(name)) return 'revocation';
  return blocksSubject(name) === undefined ? rolePartOf(name)?.kind : 'blocks';
}

function limitOf(kind: KeptKind, limits: Limits): number {
  switch (kind) {
    case 'ovf':
      return limits.descriptorBytes;
    case 'mf':
      return limits.manifestBytes;
    case 'cert':
      return limits.certificateFileBytes;
    case 'tst':
      return limits.timestampBytes;
    case 'p7s':
      return limits.sidecarBytes;
    case 'revocation':
      return limits.evidenceBytes;
    case 'blocks':
      return limits.blocksBytes;
  }
}

function tooLarge(entry: ArchiveEntry, kind: KeptKind, limits: Limits): BundleError {
  const { name } = entry;
  const message = `"${name}" takes the .${kind} members over the limit of ${limitOf(kind, limits)} bytes`;
  return new BundleError('ARCHIVE_LIMIT', message, { where: { member: name, ...offsetOf(entry) } });
}
