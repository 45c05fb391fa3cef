import { paysToDeflate } from '../../archive/deflate/compressibility.ts';
import { type TarFile, wholeFile } from '../../archive/tar/tar-writer.ts';
import type { ZipFile } from '../../archive/zip/zip-writer.ts';
import { Digester, type Digests, digestHex } from '../../crypto/digest.ts';
import type { Signing } from '../../engine/engine.ts';
import { blocksNameOf } from '../../formats/blocks/block-digests.ts';
import type { DiskProbe } from '../../formats/disk/disk-probe.ts';
import { companionOf } from '../../formats/glance/companion.ts';
import type { ManifestEntry } from '../../formats/ovf/manifest.ts';
import type { DigestName } from '../../kit/digest-name.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import { openInputFile, WholeReader } from '../../storage/sources/input-file.ts';
import type { FileReport } from '../../verdict/report/report.ts';
import { expectWholeContent } from '../disks/probe-disk-file.ts';
import { companionBytes } from '../glance/companion.ts';
import { openSigning } from '../glance/image-signer.ts';
import type { SigningDigest } from '../sign/signing.ts';
import type { PackOptions } from './options.ts';
import { PackedBlocks } from './pack-blocks.ts';
import { isSmall } from './pack-plan.ts';
import type { PackPlan, PlannedFile } from './plan.ts';

/** How many places of a file are looked at, and how much of each. */
const SAMPLES = 16;
const SAMPLE_BYTES = 64 * 1024;

/** A member that the manifest lists. */
interface ListedMember {
  readonly name: string;
  readonly size: number;
  readonly role: 'descriptor' | 'file';
}

/**
 * The files of a bundle, and what is learnt of each as it is read for the first time: its digest, the digests of its blocks, and the
 * properties that an image gets. In which order they are written is for others to say.
 */
export class PackedFiles {
  readonly #plan: PackPlan;
  readonly #options: PackOptions;
  readonly #digest: SigningDigest;
  readonly #small: WholeReader;
  readonly #digests = new Map<string, string>();
  /** the properties of disk images, as soon as those have been read */
  readonly #companions = new Map<string, Uint8Array>();
  readonly #blocks: PackedBlocks;
  readonly #images: Map<string, DiskProbe>;
  readonly #total: number;
  #hashed = 0;

  /** @param readings how often each file is read, for the total of progress */
  constructor(plan: PackPlan, options: PackOptions, readings: 1 | 2) {
    this.#plan = plan;
    this.#options = options;
    this.#digest = options.digest ?? 'sha256';
    this.#blocks = new PackedBlocks(plan.disksInBlocks, this.#digest);
    this.#images = new Map(plan.images);
    this.#small = new WholeReader(options.signal);
    this.#total = readings * plan.files.reduce((sum, { size }) => sum + size, 0);
  }

  /** The descriptor, which is there from the beginning, if there is one. */
  descriptor(): readonly TarFile[] {
    const { descriptor } = this.#plan;
    if (!descriptor) return [];
    this.#digests.set(descriptor.name, digestHex(this.#digest, descriptor.bytes));
    return [wholeFile(descriptor.name, descriptor.bytes)];
  }

  /** Reads a file to learn of it what there is to know, and writes nothing. */
  async learn(file: PlannedFile): Promise<void> {
    if (isSmall(file)) await this.#readWhole(file, 'hash');
    else for await (const _ of this.#read(file, 'hash')); // the digest is taken as the bytes go by
  }

  /** A file as a member; what is not known of it yet is learnt as it is written. @throws {BundleError} `FILE_CHANGED` when it is not what was read before */
  async member(file: PlannedFile): Promise<ZipFile> {
    const { name, size } = file;
    if (isSmall(file)) return wholeFile(name, await this.#readWhole(file, 'write'));
    const member = { name, size, body: this.#read(file, 'write') };
    return this.#options.format === 'zip' ? { ...member, deflate: await isCompressible(file) } : member;
  }

  /** Name and size of the block digests beside a file, known before it has been read; undefined when it gets none. [blocks.9] */
  blocksBeside(file: PlannedFile): { readonly name: string; readonly size: number } | undefined {
    return this.#blocks.beside(file);
  }

  /** The block digests of a file that has been read, as a member. */
  blocks(name: string): { readonly name: string; readonly bytes: Uint8Array } {
    return { name: blocksNameOf(name), bytes: this.#blocks.bytesFor(name) };
  }

  /** The properties of an image that has been read, as a member; nothing when it gets none. */
  companion(name: string): readonly TarFile[] {
    const companion = this.#companions.get(name);
    return companion ? [wholeFile(companionOf(name), companion)] : [];
  }

  /** The lines of the manifest, each with its digest unless one is given. */
  entries(given?: string): readonly Omit<ManifestEntry, 'line'>[] {
    return this.#listed().map(({ name }) => ({
      name,
      algorithm: this.#digest,
      digest: given ?? this.#digests.get(name) ?? '',
    }));
  }

  /** What the header of each file says that is a disk image, by name. */
  images(): Readonly<Record<string, DiskProbe>> {
    return Object.fromEntries(this.#images);
  }

  /** What was packed, in the order of the manifest. */
  reports(): readonly FileReport[] {
    return this.#listed().map(({ name, size, role }) => ({
      name,
      size,
      role,
      algorithm: this.#digest,
      actual: this.#digests.get(name) ?? '',
      status: 'ok',
    }));
  }

  /** The members that the manifest lists, in its order, which is theirs in the bundle. */
  #listed(): readonly ListedMember[] {
    const { descriptor, files } = this.#plan;
    const listed: ListedMember[] = [];
    if (descriptor)
      listed.push({ name: descriptor.name, size: descriptor.bytes.byteLength, role: 'descriptor' });
    for (const file of files) {
      const { name, size } = file;
      const blocks = this.#blocks.beside(file);
      const isLast = this.#options.order === 'trailing';
      if (blocks && !isLast) listed.push({ ...blocks, role: 'file' });
      listed.push({ name, size, role: 'file' });
      if (blocks && isLast) listed.push({ ...blocks, role: 'file' });
      const companion = this.#companions.get(name);
      if (companion) listed.push({ name: companionOf(name), size: companion.byteLength, role: 'file' });
    }
    return listed;
  }

  /** All of a small file. */
  async #readWhole(file: PlannedFile, phase: 'hash' | 'write'): Promise<Uint8Array> {
    const bytes = await this.#small.read(file.path, file.stamp);
    if (!this.#digests.has(file.name)) {
      const probe = expectWholeContent(file.path, bytes);
      if (probe) this.#images.set(file.name, probe);
    }
    const digester = new Digester(this.#algorithmsFor(file));
    const signing = this.#openSigning(file.name);
    const blocks = this.#blocks.open(file);
    digester.update(bytes);
    signing?.update(bytes);
    blocks?.update(bytes);
    this.#heard(file, bytes);
    this.#progress(file, phase, bytes.byteLength);
    await this.#keep(file, digester.finish(), { signing, blocks });
    return bytes;
  }

  async *#read(file: PlannedFile, phase: 'hash' | 'write'): AsyncGenerator<Uint8Array, void> {
    const { signal } = this.#options;
    const digester = new Digester(this.#algorithmsFor(file));
    const signing = this.#openSigning(file.name);
    const blocks = this.#blocks.open(file);
    await using input = await openInputFile(file.path);
    for await (const chunk of file.part ? input.part(rangeOf(file), signal) : input.stream(signal)) {
      yield chunk;
      digester.update(chunk);
      signing?.update(chunk);
      blocks?.update(chunk);
      this.#heard(file, chunk);
      this.#progress(file, phase, chunk.byteLength);
    }
    input.expectUnchanged(file.stamp, 'packed');
    await this.#keep(file, digester.finish(), { signing, blocks });
  }

  /** [pack.14] The exporter's algorithm besides, when a file is read for the first time. */
  #algorithmsFor({ name }: PlannedFile): readonly DigestName[] {
    const theirs = this.#digests.has(name) ? undefined : this.#plan.word?.algorithmOf(name);
    return theirs === undefined || theirs === this.#digest ? [this.#digest] : [this.#digest, theirs];
  }

  #heard({ name }: PlannedFile, bytes: Uint8Array): void {
    if (!this.#digests.has(name)) this.#plan.word?.update(name, bytes);
  }

  #progress({ name }: PlannedFile, phase: 'hash' | 'write', bytes: number): void {
    this.#hashed += bytes;
    this.#options.onProgress?.({ phase, bytes: this.#hashed, total: this.#total, member: name });
  }

  /** Keeps what has been learnt by reading a file. */
  async #keep(
    file: PlannedFile,
    digests: Digests,
    made: { readonly signing: Signing | undefined; readonly blocks: ReturnType<PackedBlocks['open']> },
  ): Promise<void> {
    const digest = digests.get(this.#digest) ?? '';
    const before = this.#digests.get(file.name);
    const fault = before === undefined ? this.#plan.word?.faultOf(file.name, digests) : undefined;
    if (fault) throw fault.at({ file: file.path }); // [pack.14] before a signature is over it
    if (before !== undefined && before !== digest) {
      throw new BundleError('FILE_CHANGED', `"${file.name}" changed while it was packed`, {
        where: { file: file.path },
      });
    }
    this.#digests.set(file.name, digest);
    if (made.blocks) {
      const bytes = this.#blocks.make(file, digest, made.blocks);
      this.#digests.set(blocksNameOf(file.name), digestHex(this.#digest, bytes));
    }
    const { imageSigner } = this.#options;
    const { signing } = made;
    if (!signing || !imageSigner) return;
    const companion = companionBytes(imageSigner, await signing.finish());
    this.#companions.set(file.name, companion);
    this.#digests.set(companionOf(file.name), digestHex(this.#digest, companion));
  }

  /** [glance.34] A disk image is signed as it is read for the first time. */
  #openSigning(name: string): Signing | undefined {
    const { imageSigner: signer } = this.#options;
    if (!signer || !this.#plan.signedDisks.includes(name) || this.#companions.has(name)) return undefined;
    return openSigning(signer, this.#options.signal);
  }
}

/** Looks at places all over the file: the first of a disk image say little about the rest. */
async function isCompressible({ path }: PlannedFile): Promise<boolean> {
  await using file = await openInputFile(path);
  const samples: Uint8Array[] = [];
  for (let i = 0; i < SAMPLES; i++) {
    samples.push(await file.readAt(Math.floor((file.size / SAMPLES) * i), SAMPLE_BYTES));
  }
  return paysToDeflate(file.size, samples);
}

/** The last part reads to the end, so that a file that grows is noticed. */
function rangeOf({ size, part }: PlannedFile): { readonly start: number; readonly length: number } {
  return { start: part?.start ?? 0, length: part?.last ? Number.MAX_SAFE_INTEGER : size };
}
