import { gunzip } from '../archive/gunzip.ts';
import { MemberNames } from '../archive/member-names.ts';
import { playsPart } from '../archive/second-name.ts';
import type { DiskProbe } from '../formats/disk/disk-probe.ts';
import { PROBE_HEAD_BYTES, PROBE_TAIL_BYTES, probeDisk } from '../formats/disk/probe.ts';
import { memberNameFault } from '../formats/member-name.ts';
import type { Descriptor } from '../formats/ovf/descriptor.ts';
import { type FileReference, referenceOf } from '../formats/ovf/file-reference.ts';
import { type ByteStream, concat, copyBytes } from '../kit/bytes.ts';
import { BundleError, isBundleError, toBundleError } from '../kit/errors.ts';
import type { Limits } from '../kit/limits.ts';
import type { Staging } from '../storage/staging.ts';
import type { ReadMember } from './read-member.ts';

/** What is to be made of the members of a file that is stored in chunks or compressed. */
export interface AssembleOptions {
  /** whether chunks are joined, and whether gzip is undone */
  readonly join: boolean;
  readonly decompress: boolean;
  readonly limits: Limits;
  readonly signal: AbortSignal | undefined;
}

/** A file that was made of members, which are gone from the staging folder. */
interface AssembledFile {
  readonly name: string;
  readonly size: number;
}

/** All that was made, and what is to be said about it. */
export interface Assembly {
  readonly files: readonly AssembledFile[];
  readonly warnings: readonly string[];
}

/** One file that is to be made. */
export interface PlannedAssembly {
  readonly name: string;
  readonly reference: FileReference;
  readonly parts: readonly ReadMember[];
  readonly inflates: boolean;
}

/**
 * What is to be made of the `kept` members, of which nothing else is to be published.
 *
 * @throws {BundleError} `ARCHIVE_NAME`, `ARCHIVE_DUPLICATE`, `PACKAGE_AMBIGUOUS`, `FORMAT_UNSUPPORTED`, `USAGE`
 */
export function planAssembly(
  descriptor: Descriptor | undefined,
  members: readonly ReadMember[],
  options: Pick<AssembleOptions, 'join' | 'decompress' | 'limits'>,
): readonly PlannedAssembly[] {
  if (!descriptor) return [];
  const planned = plannedOf(descriptor, members, options);
  expectNoOtherPart(planned, members, options.limits);
  return planned;
}

/** [whole.3] What is made must not stand in for something that was not there when the bundle was judged. */
function expectNoOtherPart(
  planned: readonly PlannedAssembly[],
  members: readonly ReadMember[],
  limits: Limits,
): void {
  if (planned.length === 0) return;
  const parts = new Set(planned.flatMap((plan) => plan.parts));
  const names = new MemberNames(limits);
  for (const member of members) if (!parts.has(member)) names.add(member.name, member.offset);
  for (const { name, parts: stored } of planned) {
    names.add(name, stored[0]?.offset ?? 0);
    if (!playsPart(name)) continue;
    throw new BundleError(
      'PACKAGE_AMBIGUOUS',
      `the file "${name}" would be a part of the bundle that nobody has judged`,
      {
        where: { member: name },
        why: 'it is stored under another name, in chunks or compressed, and was judged as an ordinary file',
        fix: 'ask the publisher for another name; bulla import --keep-chunks, without --decompress, leaves it as it is stored',
      },
    );
  }
}

function plannedOf(
  descriptor: Descriptor,
  members: readonly ReadMember[],
  options: Pick<AssembleOptions, 'join' | 'decompress' | 'limits'>,
): readonly PlannedAssembly[] {
  return partsOf(descriptor, members).flatMap(([reference, parts]) => {
    const joins = reference.chunkSize !== undefined && options.join;
    const inflates = reference.compression !== 'identity' && options.decompress;
    if (!joins && !inflates) return [];
    if (inflates) expectInflatable(reference, joins);
    const name = inflates ? reference.href.replace(/\.gz$/i, '') : reference.href;
    const fault = memberNameFault(name, options.limits); // [whole.3] it hid behind the number of a chunk
    if (fault)
      throw new BundleError('ARCHIVE_NAME', `the file "${name}": ${fault}`, { where: { member: name } });
    return [{ name, reference, parts, inflates }];
  });
}

/**
 * Makes the files that a descriptor means of the members that they are stored as, in the staging folder, after the
 * verdict: the digests are over the stored bytes.
 *
 * @throws {BundleError} `GZIP_MALFORMED`, `ARCHIVE_LIMIT`, `ARCHIVE_TRUNCATED`, `STORAGE_*`
 * @see spec/bundle.md, clauses whole.1 to whole.5
 */
export async function assemble(
  staging: Staging,
  planned: readonly PlannedAssembly[],
  options: Pick<AssembleOptions, 'limits' | 'signal'> & { readonly descriptor: Descriptor | undefined },
): Promise<Assembly> {
  const files: AssembledFile[] = [];
  const warnings: string[] = [];
  for (const plan of planned) {
    const { name, reference, inflates } = plan;
    const { size, probe } = await store(staging, plan, options);
    files.push({ name, size });
    const note = inflates ? capacityNote(options.descriptor, reference, name, probe) : undefined;
    if (note) warnings.push(note);
  }
  return { files, warnings };
}

/** The members of each reference, chunks in their order. */
function partsOf(
  descriptor: Descriptor,
  members: readonly ReadMember[],
): readonly (readonly [FileReference, readonly ReadMember[]])[] {
  const lookup = referenceOf(descriptor.references);
  const found = new Map<FileReference, { readonly chunk: number; readonly member: ReadMember }[]>();
  for (const member of members) {
    const { reference, chunk = 0 } = lookup(member.name) ?? {};
    if (reference) found.set(reference, [...(found.get(reference) ?? []), { chunk, member }]);
  }
  return [...found].map(([reference, parts]) => [
    reference,
    parts.sort((a, b) => a.chunk - b.chunk).map(({ member }) => member),
  ]);
}

function expectInflatable({ href, compression, chunkSize }: FileReference, joins: boolean): void {
  const where = { member: href };
  if (compression === 'bzip2') {
    throw new BundleError(
      'FORMAT_UNSUPPORTED',
      `"${href}" is compressed with bzip2, which is not decompressed`,
      {
        where,
        fix: 'import it without --decompress, then: bunzip2 FILE',
      },
    );
  }
  if (chunkSize === undefined || joins) return;
  throw new BundleError(
    'USAGE',
    `"${href}" is in chunks, and can be decompressed only when they are joined`,
    {
      where,
      fix: 'leave out --keep-chunks, or --decompress',
    },
  );
}

async function store(
  staging: Staging,
  { name, parts, inflates }: PlannedAssembly,
  { limits, signal }: Pick<AssembleOptions, 'limits' | 'signal'>,
): Promise<{ readonly size: number; readonly probe: DiskProbe | undefined }> {
  const names: string[] = [];
  // A member of the very name has to step aside first.
  for (const part of parts) names.push(part.name === name ? await staging.rename(name) : part.name);
  const stored = readParts(staging, names, signal);
  const writer = await staging.create(name);
  const ends = new Ends();
  try {
    for await (const chunk of inflates ? gunzip(stored, limits) : stored) {
      // [whole.4] The limit of a member counts for what becomes of it, too.
      if (ends.size + chunk.byteLength > limits.memberBytes) {
        throw new BundleError('ARCHIVE_LIMIT', `"${name}" inflates to more than ${limits.memberBytes} bytes`);
      }
      await writer.write(chunk);
      ends.add(chunk);
    }
    await writer.finish();
  } catch (error) {
    await writer.discard();
    throw toBundleError(error).at({ member: name });
  }
  return { size: ends.size, probe: inflates ? ends.probe() : undefined };
}

/** The bytes of the parts, one after another; each is removed when it has been read, so they take room but once. */
async function* readParts(
  staging: Staging,
  names: readonly string[],
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void> {
  for (const name of names) {
    const { stream, close }: { stream: ByteStream; close(): void } = staging.read(name, signal);
    try {
      yield* stream;
    } finally {
      close();
    }
    await staging.remove(name);
  }
}

/** The first and last bytes of a file that goes by, which tell what image it is. */
class Ends {
  size = 0;
  readonly #head: Uint8Array[] = [];
  #tail: Uint8Array = new Uint8Array(0);

  add(chunk: Uint8Array): void {
    if (this.size < PROBE_HEAD_BYTES)
      this.#head.push(copyBytes(chunk.subarray(0, PROBE_HEAD_BYTES - this.size)));
    this.#tail = copyBytes(
      concat([this.#tail, chunk.subarray(-PROBE_TAIL_BYTES)]).subarray(-PROBE_TAIL_BYTES),
    );
    this.size += chunk.byteLength;
  }

  probe(): DiskProbe | undefined {
    try {
      return probeDisk(concat([new Uint8Array(0), ...this.#head]), this.#tail, this.size);
    } catch (error) {
      if (isBundleError(error)) return undefined; // no image, or none that we know
      throw error;
    }
  }
}

/** [whole.5] No digest covers the inflated bytes; but the signed descriptor says how large the disk is. */
function capacityNote(
  descriptor: Descriptor | undefined,
  { id }: FileReference,
  name: string,
  probe: DiskProbe | undefined,
): string | undefined {
  const capacity = descriptor?.disks.find(({ fileId }) => fileId === id)?.capacity;
  if (capacity === undefined || probe === undefined || probe.virtualSize === capacity) return undefined;
  return `the descriptor gives the disk in "${name}" ${capacity} bytes; its image has ${probe.virtualSize}`;
}
