import type { ArchiveEntry } from '../../archive/entry.ts';
import { Digester, digestHex } from '../../crypto/digest.ts';
import { blocksSubject } from '../../formats/blocks/block-digests.ts';
import { isEvidence, type PartKind, rolePartOf } from '../../formats/bundle-part.ts';
import { type ByteStream, collect } from '../../kit/bytes.ts';
import type { DigestName } from '../../kit/digest-name.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import { CHUNK_BYTES, type Limits } from '../../kit/limits.ts';
import type { BundleSink, MemberDigests, ReadMember } from './member.ts';

/** A member of so many bytes is read whole before it is hashed and stored: each piece would cost more than a copy. */
const SMALL_BYTES = CHUNK_BYTES / 4;

/** Reads one member once: its bytes are hashed, kept when they are small and speak about the others, and stored. */
export function readMember(entry: ArchiveEntry, options: ReadOptions): ReadMember | Promise<ReadMember> {
  const whole = keptKindOf(entry.name) === undefined ? entry.takeAll() : undefined;
  return whole ? readWhole(entry, whole, options) : readInPieces(entry, options);
}

/** How a member is read. */
interface ReadOptions {
  readonly algorithms: readonly DigestName[];
  readonly limits: Limits;
  readonly sink: BundleSink | undefined;
  /** of those read before it, which share the limit of what is kept in memory; what it keeps itself is added */
  readonly kept: KeptBytes;
}

/** How many bytes of each kind are kept in memory of one bundle; begin with an empty one. */
export type KeptBytes = Map<KeptKind, number>;

function readWhole(
  { name, size, offset, dataOffset }: ArchiveEntry,
  whole: Uint8Array,
  { algorithms, sink }: ReadOptions,
): ReadMember | Promise<ReadMember> {
  const member = { name, size, offset, dataOffset, digests: digestsOf(algorithms, whole) };
  const storing = sink?.store(name, whole);
  return storing === undefined ? member : storing.then(() => member);
}

async function readInPieces(entry: ArchiveEntry, options: ReadOptions): Promise<ReadMember> {
  const { name, size, offset, dataOffset } = entry;
  const room = roomFor(entry, options);
  if (room !== undefined) {
    const bytes = await collect(entry.body, room, () => tooLarge(name, options.limits, offset));
    const kind = keptKindOf(name);
    if (kind) options.kept.set(kind, (options.kept.get(kind) ?? 0) + size);
    await options.sink?.store(name, bytes);
    return { name, size, offset, dataOffset, digests: {}, bytes };
  }
  if (size <= SMALL_BYTES) return readWhole(entry, await wholeOf(entry), options);

  const sink = await options.sink?.create(name, size);
  try {
    const digester = new Digester(options.algorithms);
    for await (const chunk of sink?.kept?.stream ?? []) digester.update(chunk);
    for await (const chunk of await bodyBehind(entry, sink?.kept?.bytes ?? 0)) {
      await sink?.write(chunk); // it is under way while the same buffer is hashed
      digester.update(chunk);
    }
    await sink?.finish();
    return { name, size, offset, dataOffset, digests: Object.fromEntries(digester.finish()) };
  } catch (error) {
    await sink?.discard();
    throw error;
  }
}

function digestsOf(algorithms: readonly DigestName[], bytes: Uint8Array): MemberDigests {
  const digests: Partial<Record<DigestName, string>> = {};
  for (const name of algorithms) digests[name] = digestHex(name, bytes);
  return digests;
}

/** The content of a member without its first bytes, which are at hand. */
async function bodyBehind({ body, skip }: ArchiveEntry, count: number): Promise<ByteStream> {
  if (count === 0) return body;
  if (!skip) return without(body, count);
  await skip(count);
  return body;
}

async function* without(body: ByteStream, count: number): AsyncGenerator<Uint8Array, void> {
  let left = count;
  for await (const chunk of body) {
    const rest = chunk.subarray(left);
    left -= chunk.byteLength - rest.byteLength;
    if (rest.byteLength > 0) yield rest;
  }
}

function wholeOf({ body, size, name }: ArchiveEntry): Promise<Uint8Array> {
  return collect(body, size, () => new BundleError('INTERNAL', `"${name}" is longer than its size`));
}

/** What is kept in memory of a bundle, each kind with a limit of its own. */
type KeptKind = PartKind | 'revocation' | 'blocks';

/** What a bundle can do without. */
const OPTIONAL: ReadonlySet<KeptKind> = new Set(['tst', 'revocation', 'blocks']);

function keptKindOf(name: string): KeptKind | undefined {
  if (isEvidence(name)) return 'revocation';
  return blocksSubject(name) === undefined ? rolePartOf(name)?.kind : 'blocks';
}

/** Whether a member is kept in memory, or refused because it should be and is too large. */
export function isHeld(entry: ArchiveEntry, options: Parameters<typeof roomFor>[1]): boolean {
  return roomFor(entry, options) !== undefined;
}

/** Bytes that a member may have to be kept; undefined when it is not. Each of a kind may turn out to be the one that counts. */
function roomFor(
  { name, size }: ArchiveEntry,
  { limits, kept }: Pick<ReadOptions, 'limits' | 'kept'>,
): number | undefined {
  const kind = keptKindOf(name);
  if (kind === undefined) return undefined;
  const room = limitOf(kind, limits) - (kept.get(kind) ?? 0);
  // Beyond its limit such a member is none: an ordinary file, which the manifest must list.
  return size > room && OPTIONAL.has(kind) ? undefined : room;
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
    case 'revocation':
      return limits.evidenceBytes;
    case 'blocks':
      return limits.blocksBytes;
  }
}

function tooLarge(name: string, limits: Limits, offset: number): BundleError {
  const kind = keptKindOf(name) ?? 'mf';
  const message = `"${name}" takes the .${kind} members over the limit of ${limitOf(kind, limits)} bytes`;
  return new BundleError('ARCHIVE_LIMIT', message, { where: { member: name, offset } });
}
