import { paysToDeflate } from '../../archive/deflate/compressibility.ts';
import { wholeFile } from '../../archive/tar/tar-writer.ts';
import type { ZipFile } from '../../archive/zip/zip-writer.ts';
import type { BlockDigester } from '../../crypto/block-digester.ts';
import { Digester, digestHex } from '../../crypto/digest.ts';
import type { Signing } from '../../engine/engine.ts';
import { blocksNameOf } from '../../formats/blocks/block-digests.ts';
import { companionOf } from '../../formats/glance/companion.ts';
import { draftManifest, formatManifest } from '../../formats/ovf/manifest.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import type { Output } from '../../storage/output/output.ts';
import { openInputFile, WholeReader } from '../../storage/sources/input-file.ts';
import type { FileReport } from '../../verdict/report/report.ts';
import type { NamedMember } from '../../verdict/walk/member.ts';
import { expectWholeContent } from '../disks/probe-disk-file.ts';
import { companionBytes } from '../glance/companion.ts';
import { openSigning } from '../glance/image-signer.ts';
import { makeSignature } from '../sign/make-signature.ts';
import type { SigningDigest } from '../sign/signing.ts';
import { LateMembers } from './late-members.ts';
import type { PackOptions } from './options.ts';
import { PackedBlocks } from './pack-blocks.ts';
import { isSmall } from './pack-plan.ts';
import type { PackPlan, PlannedFile } from './plan.ts';

/** How many places of a file are looked at, and how much of each. */
const SAMPLES = 16;
const SAMPLE_BYTES = 64 * 1024;

/** Signatures made to learn how long one is, where their lengths differ, and signatures made until one has that length. */
const DRAFTS = 9;
const TRIES = 200;

/** Whether manifest and signature can be written last and stand first: then every file is read once only. [pack.3] */
export function isOnePass({ format, output, order, timestamp, imageSigner }: PackOptions): boolean {
  const seekable = format === 'tar' && typeof output === 'string' && output !== '-';
  const known = timestamp === undefined && imageSigner === undefined; // nobody knows how long an authority's answer is
  return seekable && known && order !== 'trailing';
}

/** The members of a bundle in their order, digests computed on the way. */
export class Packing {
  readonly #plan: PackPlan;
  readonly #options: PackOptions;
  readonly #digest: SigningDigest;
  readonly #late: LateMembers | undefined;
  readonly #small: WholeReader;
  readonly #digests = new Map<string, string>();
  /** the properties of disk images, as soon as those have been read */
  readonly #companions = new Map<string, Uint8Array>();
  readonly #blocks: PackedBlocks;
  /** the sizes of the parts for which room was left */
  #sizes: readonly number[] = [];
  readonly #total: number;
  #hashed = 0;

  /** @param onePass whether room is left for what comes later; then `complete` has to be called */
  constructor(plan: PackPlan, options: PackOptions, onePass: boolean) {
    this.#plan = plan;
    this.#options = options;
    this.#digest = options.digest ?? 'sha256';
    this.#blocks = new PackedBlocks(plan.disksInBlocks, this.#digest);
    this.#late = onePass ? new LateMembers() : undefined;
    this.#small = new WholeReader(options.signal);
    const readings = onePass || options.order === 'trailing' ? 1 : 2;
    this.#total = readings * plan.files.reduce((sum, { size }) => sum + size, 0);
  }

  async *files(): AsyncGenerator<ZipFile, void> {
    const { descriptor, files } = this.#plan;
    if (descriptor) {
      this.#digests.set(descriptor.name, digestHex(this.#digest, descriptor.bytes));
      yield wholeFile(descriptor.name, descriptor.bytes);
    }
    if (this.#options.order === 'trailing') {
      yield* this.#members();
      yield* this.#manifest();
      return;
    }
    if (this.#late) yield* this.#reserved(this.#late);
    else {
      // [pack.3] What is read the second time must be what was read before.
      for (const file of files) {
        if (isSmall(file)) await this.#readWhole(file, 'hash');
        else for await (const _ of this.#read(file, 'hash')); // the digest is taken as the bytes go by
      }
      yield* this.#manifest();
    }
    yield* this.#members();
  }

  /** Fills the room that was left. False when no signature fits, which has to be done in two readings then. */
  async complete(output: Pick<Output, 'patch'>): Promise<boolean> {
    const late = this.#late;
    if (!late) return true;
    for (const name of this.#plan.disksInBlocks) late.fill(blocksNameOf(name), this.#blocks.bytesFor(name));
    const manifest = formatManifest(this.#entries());
    for (let tries = 0; tries < TRIES; tries++) {
      const parts = await this.#parts(manifest);
      if (!parts.every(({ bytes }, i) => bytes.byteLength === this.#sizes[i])) continue;
      for (const { name, bytes } of parts) late.fill(name, bytes);
      await late.write(output);
      return true;
    }
    return false;
  }

  /** Manifest and signature as they will be, but for the digests. */
  async *#reserved(late: LateMembers): AsyncGenerator<ZipFile, void> {
    const digest = '0'.repeat(digestHex(this.#digest, new Uint8Array(0)).length);
    const type = this.#options.identity?.signer.publicKey.key.type;
    const draft = draftManifest(this.#entries(digest));
    const drafts: (readonly NamedMember[])[] = [];
    for (let i = 0; i < (type === 'ec' || type === 'dsa' ? DRAFTS : 1); i++)
      drafts.push(await this.#parts(draft));
    drafts.sort((a, b) => bytesOf(a) - bytesOf(b));
    const likely = drafts[drafts.length >> 1] ?? [];
    this.#sizes = likely.map(({ bytes }) => bytes.byteLength);
    for (const { name, bytes } of likely) yield late.reserve(name, bytes.byteLength);
  }

  /** The files, and what belongs beside them. */
  async *#members(): AsyncGenerator<ZipFile, void> {
    for (const file of this.#plan.files) {
      const { name, size } = file;
      const blocks = this.#blocks.beside(file);
      const isLast = this.#options.order === 'trailing';
      // [blocks.9] Before the image, so that it can be held against them as it comes.
      if (blocks && !isLast) yield this.#late?.reserve(blocks.name, blocks.size) ?? this.#blocksMember(name);
      if (isSmall(file)) yield wholeFile(name, await this.#readWhole(file, 'write'));
      else {
        const member = { name, size, body: this.#read(file, 'write') };
        yield this.#options.format === 'zip' ? { ...member, deflate: await isCompressible(file) } : member;
      }
      if (blocks && isLast) yield this.#blocksMember(name);
      const companion = this.#companions.get(name);
      if (companion) yield wholeFile(companionOf(name), companion);
    }
  }

  #blocksMember(name: string): ZipFile {
    return wholeFile(blocksNameOf(name), this.#blocks.bytesFor(name));
  }

  /** The members that the manifest lists, in its order. */
  #listed(): readonly {
    readonly name: string;
    readonly size: number;
    readonly role: 'descriptor' | 'file';
  }[] {
    const { descriptor, files } = this.#plan;
    const listed: { name: string; size: number; role: 'descriptor' | 'file' }[] = [];
    if (descriptor)
      listed.push({ name: descriptor.name, size: descriptor.bytes.byteLength, role: 'descriptor' });
    for (const { name, size } of files) {
      const blocks = this.#blocks.beside({ name, size });
      const isLast = this.#options.order === 'trailing';
      if (blocks && !isLast) listed.push({ ...blocks, role: 'file' });
      listed.push({ name, size, role: 'file' });
      if (blocks && isLast) listed.push({ ...blocks, role: 'file' });
      const companion = this.#companions.get(name);
      if (companion) listed.push({ name: companionOf(name), size: companion.byteLength, role: 'file' });
    }
    return listed;
  }

  async *#manifest(): AsyncGenerator<ZipFile, void> {
    const parts = await this.#parts(formatManifest(this.#entries()));
    for (const { name, bytes } of parts) yield wholeFile(name, bytes);
  }

  /** The lines of the manifest, each with its digest unless one is given. */
  #entries(given?: string): Parameters<typeof formatManifest>[0] {
    return this.#listed().map(({ name }) => ({
      name,
      algorithm: this.#digest,
      digest: given ?? this.#digests.get(name) ?? '',
    }));
  }

  /** The manifest, and what signs it. */
  async #parts(bytes: Uint8Array): Promise<readonly NamedMember[]> {
    const { base } = this.#plan;
    const manifest = { name: `${base}.mf`, bytes };
    const { identity, cms, timestamp, signal } = this.#options;
    if (!identity) return [manifest];
    const made = await makeSignature(manifest, identity, {
      digest: this.#digest,
      ...(cms !== undefined && { cms }),
      ...(timestamp !== undefined && { timestamp }),
      signal,
    });
    return [
      manifest,
      { name: `${base}.cert`, bytes: made.certificate },
      ...(made.timestamp ? [{ name: `${base}.tst`, bytes: made.timestamp }] : []),
    ];
  }

  /** All of a small file. */
  async #readWhole(file: PlannedFile, phase: 'hash' | 'write'): Promise<Uint8Array> {
    const bytes = await this.#small.read(file.path, file.stamp);
    if (!this.#digests.has(file.name)) expectWholeContent(file.path, bytes);
    const signing = this.#openSigning(file.name);
    const blocks = this.#blocks.open(file);
    signing?.update(bytes);
    blocks?.update(bytes);
    this.#progress(file, phase, bytes.byteLength);
    await this.#learn(file, digestHex(this.#digest, bytes), { signing, blocks });
    return bytes;
  }

  async *#read(file: PlannedFile, phase: 'hash' | 'write'): AsyncGenerator<Uint8Array, void> {
    const { signal } = this.#options;
    const digester = new Digester([this.#digest]);
    const signing = this.#openSigning(file.name);
    const blocks = this.#blocks.open(file);
    await using input = await openInputFile(file.path);
    for await (const chunk of file.part ? input.part(rangeOf(file), signal) : input.stream(signal)) {
      yield chunk;
      digester.update(chunk);
      signing?.update(chunk);
      blocks?.update(chunk);
      this.#progress(file, phase, chunk.byteLength);
    }
    input.expectUnchanged(file.stamp, 'packed');
    await this.#learn(file, digester.finish().get(this.#digest) ?? '', { signing, blocks });
  }

  #progress({ name }: PlannedFile, phase: 'hash' | 'write', bytes: number): void {
    this.#hashed += bytes;
    this.#options.onProgress?.({ phase, bytes: this.#hashed, total: this.#total, member: name });
  }

  /** What has been learnt by reading a file. */
  async #learn(
    file: PlannedFile,
    digest: string,
    made: { readonly signing: Signing | undefined; readonly blocks: BlockDigester | undefined },
  ): Promise<void> {
    const before = this.#digests.get(file.name);
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
}

function bytesOf(members: readonly NamedMember[]): number {
  return members.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
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
