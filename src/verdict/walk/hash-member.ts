import type { ArchiveEntry } from '../../archive/entry.ts';
import { Digester, digestHex } from '../../crypto/digest.ts';
import { type ByteStream, collect } from '../../kit/bytes.ts';
import type { DigestName } from '../../kit/digest-name.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import { CHUNK_BYTES } from '../../kit/limits.ts';
import { type HashedMember, type MemberDigests, placeOf, type ResumableSink } from './member.ts';

/** A member of so many bytes is read whole before it is hashed and stored: each piece would cost more than a copy. */
const SMALL_BYTES = CHUNK_BYTES / 4;

/** How a member is hashed. */
export interface HashOptions {
  readonly algorithms: readonly DigestName[];
  /** where its bytes go as well */
  readonly sink?: ResumableSink | undefined;
}

/** Reads one member once: the buffers that are hashed are those that are stored. At once when it is small and at hand. */
export function hashMember(entry: ArchiveEntry, options: HashOptions): HashedMember | Promise<HashedMember> {
  const whole = entry.takeAll();
  return whole ? hashWhole(entry, whole, options) : hashInPieces(entry, options);
}

/** Hashes a member on its way to somebody else, who pulls its content; the value at the end is what came out. */
export async function* hashInPassing(
  entry: ArchiveEntry,
  algorithms: readonly DigestName[],
): AsyncGenerator<Uint8Array, HashedMember, undefined> {
  const digester = new Digester(algorithms);
  for await (const chunk of entry.body) {
    yield chunk; // it is under way while the same buffer is hashed
    digester.update(chunk);
  }
  return hashed(entry, Object.fromEntries(digester.finish()));
}

function hashed(entry: ArchiveEntry, digests: MemberDigests): HashedMember {
  return { kind: 'hashed', ...placeOf(entry), digests };
}

function hashWhole(
  entry: ArchiveEntry,
  whole: Uint8Array,
  { algorithms, sink }: HashOptions,
): HashedMember | Promise<HashedMember> {
  const member = hashed(entry, digestsOf(algorithms, whole));
  const storing = sink?.store(entry.name, whole);
  return storing === undefined ? member : storing.then(() => member);
}

async function hashInPieces(entry: ArchiveEntry, options: HashOptions): Promise<HashedMember> {
  const { name, size } = entry;
  if (size <= SMALL_BYTES) return hashWhole(entry, await wholeOf(entry), options);

  const sink = await options.sink?.create(name, size);
  const digester = new Digester(options.algorithms);
  try {
    for await (const chunk of sink?.kept?.stream ?? []) digester.update(chunk);
    for await (const chunk of await bodyBehind(entry, sink?.kept?.bytes ?? 0)) {
      await sink?.write(chunk); // it is under way while the same buffer is hashed
      digester.update(chunk);
    }
  } catch (error) {
    await sink?.discard();
    throw error;
  }
  await sink?.finish();
  return hashed(entry, Object.fromEntries(digester.finish()));
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
