import { gunzip } from '../../archive/deflate/gunzip.ts';
import type { DiskProbe } from '../../formats/disk/disk-probe.ts';
import { type ImageEnds, PassingEnds } from '../../formats/disk/image-ends.ts';
import { probeDisk } from '../../formats/disk/probe.ts';
import type { Descriptor } from '../../formats/ovf/descriptor.ts';
import type { FileReference } from '../../formats/ovf/file-reference.ts';
import type { ByteStream } from '../../kit/bytes.ts';
import { counted } from '../../kit/encoding.ts';
import { BundleError, isBundleError, toBundleError } from '../../kit/errors/errors.ts';
import type { Limits } from '../../kit/limits.ts';
import type { FileWriter } from '../../storage/output/file-writer.ts';
import type { Staging } from '../../storage/output/staging.ts';
import type { PlannedAssembly } from '../../verdict/packing/plan-assembly.ts';

/** What bounds the making. */
interface AssembleOptions {
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
  options: AssembleOptions & { readonly descriptor: Descriptor | undefined },
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

async function store(
  staging: Staging,
  { name, parts, inflates }: PlannedAssembly,
  { limits, signal }: AssembleOptions,
): Promise<{ readonly size: number; readonly probe: DiskProbe | undefined }> {
  // A member of the very name has to step aside first.
  const own = parts.some((part) => part.name === name) ? await staging.rename(name) : undefined;
  const names = parts.map((part) => (part.name === name && own !== undefined ? own : part.name));
  const stored = readParts(staging, names, signal);
  const ends = new PassingEnds();
  let writer: FileWriter | undefined;
  try {
    writer = await staging.create(name);
    for await (const chunk of inflates ? gunzip(stored, limits, { signed: true }) : stored) {
      // [whole.4] The limit of a member counts for what becomes of it, too.
      if (ends.size + chunk.byteLength > limits.memberBytes) {
        throw new BundleError('ARCHIVE_LIMIT', `"${name}" inflates to more than ${limits.memberBytes} bytes`);
      }
      await writer.write(chunk);
      ends.add(chunk);
    }
    await writer.finish();
  } catch (error) {
    await writer?.discard();
    // [resume.1] What is not whole makes way for what it was made of, so that a later run finds that.
    if (writer) await staging.remove(name).catch(() => {});
    if (own !== undefined) await staging.rename(own, name).catch(() => {});
    const fault = toBundleError(error);
    const { compressedOffset: memberOffset } = fault.where; // what is compressed here is the member
    throw fault.at({ member: name, ...(memberOffset !== undefined && { memberOffset }) });
  }
  return { size: ends.size, probe: inflates ? probed(ends.ends()) : undefined };
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

/** What image the stored bytes are; undefined when they are none, or none that we know. */
function probed(ends: ImageEnds): DiskProbe | undefined {
  try {
    return probeDisk(...ends);
  } catch (error) {
    if (isBundleError(error)) return undefined;
    throw error;
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
  return `the descriptor gives the disk in "${name}" ${counted(capacity, 'byte')}; its image has ${probe.virtualSize}`;
}
