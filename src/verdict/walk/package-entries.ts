import type { ArchiveEntries, ArchiveEntry } from '../../archive/entry.ts';
import { MemberNames } from '../../archive/member-names.ts';
import type { ArchiveFormat } from '../../archive/open-archive.ts';
import { isEvidence, isPackagePart } from '../../formats/bundle-part.ts';
import { memberNameFault } from '../../formats/member-name.ts';
import { parseDescriptor } from '../../formats/ovf/descriptor.ts';
import { chunkCount, chunkName } from '../../formats/ovf/file-reference.ts';
import { parseManifest } from '../../formats/ovf/manifest.ts';
import { isSkippable } from '../../kit/byte-cursor.ts';
import { type ByteStream, collect } from '../../kit/bytes.ts';
import { BundleError, toBundleError } from '../../kit/errors/errors.ts';
import type { Limits } from '../../kit/limits.ts';
import type { PackageFile, PackageSource } from '../../kit/source.ts';
import { assignRoles, type BundleRoles } from './bundle-roles.ts';

/** What a bundle is read from: an archive, or files of their own. */
export type BundleFormat = ArchiveFormat | 'files';

/** How the files of a package are read. */
interface PackageOptions {
  readonly limits: Limits;
  /** told how many bytes have been read of all files */
  readonly onBytes: (bytes: number) => void;
  /** told how many there are, as soon as that can be said */
  readonly onTotal: (bytes: number) => void;
}

/**
 * The members of a package of files: descriptor, manifest, certificate file, timestamp, signatures beside the manifest and evidence, then what the manifest lists
 * and the descriptor refers to, as far as it is there. Any other file beside them is nobody's, and is not opened.
 *
 * Nothing is believed because of what is read here for names: it is judged as if the members had come in an archive.
 *
 * @throws {BundleError} while iterating `PACKAGE_UNKNOWN`, `ARCHIVE_TYPE`, `ARCHIVE_DUPLICATE`, `ARCHIVE_LIMIT`, `FILE_*`, `REMOTE_*`
 * @see spec/package.md
 */
export function openPackage(
  source: PackageSource,
  options: PackageOptions,
): { readonly format: 'files'; readonly entries: ArchiveEntries } {
  return { format: 'files', entries: entriesOf(source, options) };
}

async function* entriesOf(
  source: PackageSource,
  options: PackageOptions,
): AsyncGenerator<ArchiveEntry, void> {
  const { limits } = options;
  const reading = new PackageReading(source, options);
  const partNames = source.partNames();
  const roles = rolesAmong(partNames);
  const { base = '', descriptor, manifest, certificate, timestamp } = roles;
  if (descriptor === undefined && manifest === undefined) throw unknown();
  const text = new Map<string, Uint8Array>();
  for (const [name, most] of [
    [descriptor, limits.descriptorBytes],
    [manifest, limits.manifestBytes],
  ] as const) {
    if (name !== undefined) yield* reading.member(name, (bytes) => text.set(name, bytes), most);
  }
  const sidecars = partNames.filter((name) => /\.p7s$/i.test(name) && isPackagePart(name, base));
  for (const name of [certificate, timestamp, ...sidecars, ...partNames.filter(isEvidence)])
    if (name !== undefined && !reading.has(name)) yield* reading.member(name);

  const listed = listedIn(text.get(manifest ?? ''), limits);
  const series = [...listed.map((name) => [name]), ...referencedIn(text.get(descriptor ?? ''), limits)];
  options.onTotal(reading.bytes + sizeOf(source, listed, reading));
  for (const names of series) {
    for (const name of names) {
      if (reading.has(name)) continue;
      if (memberNameFault(name, limits) !== undefined) break; // [pkg.3] no member could have that name: it is missing
      yield* reading.member(name);
      if (!reading.has(name)) break;
    }
  }
}

/** Opens the members one after another, each once. */
class PackageReading {
  readonly #source: PackageSource;
  readonly #options: PackageOptions;
  readonly #names: MemberNames;
  readonly #seen = new Set<string>();
  /** those of the files that have been read */
  bytes = 0;

  constructor(source: PackageSource, options: PackageOptions) {
    this.#source = source;
    this.#options = options;
    this.#names = new MemberNames(options.limits);
  }

  has(name: string): boolean {
    return this.#seen.has(name);
  }

  /** The entry of a file, if there is one; its bytes are handed to `onText` as well when they are no more than `most`. */
  async *member(
    name: string,
    onText?: (bytes: Uint8Array) => void,
    most = 0,
  ): AsyncGenerator<ArchiveEntry, void> {
    await using file = await this.#source.open(name);
    if (!file) return;
    this.#seen.add(name);
    this.#names.add(name);
    const { size } = file;
    if (onText && size <= most) {
      const bytes = await collect(this.#exactly(name, file, file.stream()), size, () => changed(name));
      onText(bytes);
      yield { name, size, dataOffset: 0, body: once(bytes), takeAll: () => bytes };
    } else {
      let held = false;
      const stream = file.stream();
      let skipped = 0;
      const body = this.#exactly(name, file, stream, () => skipped);
      yield {
        name,
        size,
        dataOffset: 0,
        body,
        takeAll: () => undefined,
        ...(isSkippable(stream) && {
          skip: async (count: number) => {
            stream.skip(count);
            skipped += count;
          },
        }),
        hold: () => {
          held = file.hold();
          return held;
        },
      };
      if (held) return;
    }
    this.bytes += size;
  }

  async *#exactly(
    name: string,
    { size }: PackageFile,
    stream: ByteStream,
    skipped: () => number = () => 0,
  ): AsyncGenerator<Uint8Array, void> {
    let read = 0;
    for await (const chunk of stream) {
      read += chunk.byteLength;
      this.#options.onBytes(this.bytes + skipped() + read);
      yield chunk;
    }
    if (read + skipped() !== size) throw changed(name);
  }
}

/** [pkg.2] [pkg.4] Which of two counts is for nobody to choose but for whoever names it. */
function rolesAmong(names: readonly string[]): BundleRoles {
  try {
    return assignRoles(names);
  } catch (error) {
    const { code, message, where, why } = toBundleError(error);
    const lower = names.map((name) => name.toLowerCase());
    const isTwice = new Set(lower).size < names.length; // named or not, many file systems have room for one of them alone
    throw new BundleError(code, message, {
      where,
      why,
      fix: isTwice
        ? 'see which of the two, whose names differ in their capitals alone, is the one that was meant, and move the other away'
        : 'give one of the two by its name, in place of the folder; or give each package a folder of its own',
    });
  }
}

/** The names in a manifest; one that cannot be read is refused by the judgement, and what looks like a name in it is told of. */
function listedIn(bytes: Uint8Array | undefined, limits: Limits): readonly string[] {
  if (!bytes) return [];
  try {
    return parseManifest(bytes, limits).entries.map(({ name }) => name);
  } catch {
    const lines = new TextDecoder().decode(bytes).split(/[\r\n]/);
    return lines.flatMap((line) => {
      const [start, end] = [line.indexOf('(') + 1, line.lastIndexOf(')')];
      return start > 0 && end >= start ? line.slice(start, end) : [];
    });
  }
}

/** The names of the files that a descriptor refers to, those of the chunks of one together: each belongs to the one before it. */
function referencedIn(bytes: Uint8Array | undefined, limits: Limits): readonly Iterable<string>[] {
  try {
    const references = bytes ? parseDescriptor(bytes, limits).references : [];
    return references.map((reference) => {
      const { href, chunkSize } = reference;
      return chunkSize === undefined
        ? [href]
        : chunkNames(href, Math.min(chunkCount(reference) ?? Number.POSITIVE_INFINITY, limits.members + 1));
    });
  } catch {
    return [];
  }
}

function* chunkNames(href: string, count: number): Generator<string, void> {
  for (let index = 0; index < count; index++) yield chunkName(href, index);
}

function sizeOf(source: PackageSource, names: readonly string[], reading: PackageReading): number {
  return names.reduce((sum, name) => sum + (reading.has(name) ? 0 : (source.sizeOf(name) ?? 0)), 0);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void> {
  if (bytes.byteLength > 0) yield bytes;
}

function changed(name: string): BundleError {
  return new BundleError('FILE_CHANGED', 'the file changed while it was read', { where: { member: name } });
}

function unknown(): BundleError {
  return new BundleError('PACKAGE_UNKNOWN', 'there is neither a descriptor nor a manifest here', {
    fix: 'give the archive itself (such as an .ova), or the folder that has the descriptor (.ovf) at its top',
  });
}
