import { paysToDeflate } from '../archive/compressibility.ts';
import type { ZipFile } from '../archive/zip-writer.ts';
import { Digester, digestHex } from '../crypto/digest.ts';
import { type ImageSigning, openImageSigning } from '../crypto/image-signature.ts';
import { companionOf } from '../formats/glance/companion.ts';
import { formatManifest } from '../formats/ovf/manifest.ts';
import { type ByteStream, once } from '../kit/bytes.ts';
import { BundleError } from '../kit/errors.ts';
import { DEFAULT_LIMITS } from '../kit/limits.ts';
import type { OnProgress } from '../kit/progress.ts';
import { openInputFile } from '../storage/input-file.ts';
import { expectOtherThan, openOutput } from '../storage/output.ts';
import { companionBytes } from './glance-companion.ts';
import type { ImageSigner } from './glance-sign.ts';
import { makeSignature } from './make-signature.ts';
import { type ApplianceOptions, type PackPlan, type PlannedFile, planPack } from './pack-plan.ts';
import { type FileReport, makeReport, type Report, sweptWarnings } from './report.ts';
import { certificateReport } from './signature-report.ts';
import type { SigningDigest, SigningIdentity } from './signing-identity.ts';
import type { TimestampSource } from './timestamp-source.ts';
import { needsPatching, writeArchive } from './write-archive.ts';

/** The containers that are written. */
export type PackFormat = 'tar' | 'tgz' | 'zip';

/** How many places of a file are looked at, and how much of each. */
const SAMPLES = 16;
const SAMPLE_BYTES = 64 * 1024;

/** How a bundle is packed. */
export interface PackOptions {
  /** the file to write, or `-` for standard output */
  readonly output: string;
  readonly format: PackFormat;
  /** base name of descriptor, manifest and certificate file; a given descriptor keeps its own */
  readonly name: string;
  /** pack the files as they are, without a descriptor */
  readonly plain?: boolean;
  readonly appliance?: ApplianceOptions;
  /** who signs; without it the bundle is unsigned */
  readonly identity?: SigningIdentity;
  readonly digest?: SigningDigest;
  /** whether a CMS signature is added; when left out, it is when there are intermediates */
  readonly cms?: boolean;
  /** who timestamps the signature; nobody when left out */
  readonly timestamp?: TimestampSource;
  /** the most members; importers read 256, unless they are told to read more */
  readonly members?: number;
  /** disk images larger than this are stored as chunks of so many bytes */
  readonly chunkSize?: number;
  /** manifest and signature before the files, or after them (then every file is read once only) */
  readonly order?: 'leading' | 'trailing';
  /** who signs each disk image for Glance; the properties go beside it, as `NAME.glance.json` [glance.34] */
  readonly imageSigner?: ImageSigner;
  readonly overwrite?: boolean;
  /** modification time of the members, seconds since 1970; the same input and time give the same bytes */
  readonly mtime?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
}

/**
 * Packs files into a bundle: descriptor, manifest, signature if there is a signer, then the files.
 *
 * `inputs` is one `.ovf` (its files are found beside it), bare disk images (a descriptor is made for them), or with
 * `plain` any files. Nothing stands under the final name before the bundle is complete.
 *
 * @throws {BundleError} `USAGE`, `FILE_*`, `FILE_CHANGED`, `FORMAT_UNSUPPORTED`, `ARCHIVE_NAME`, `DESTINATION_EXISTS`, `STORAGE_*`
 * @see spec/bundle.md, clauses pack.1 to pack.6
 */
export async function pack(inputs: readonly string[], options: PackOptions): Promise<Report> {
  const plan = await planPack(inputs, {
    base: options.name,
    plain: options.plain ?? false,
    appliance: options.appliance ?? {},
    ...(options.chunkSize === undefined ? {} : { chunkSize: options.chunkSize }),
    ...(options.members === undefined ? {} : { members: options.members }),
    signDisks: options.imageSigner !== undefined,
  });
  expectOtherThan(options.output, [
    ...inputs,
    ...plan.files.map(({ path }) => path),
    ...(options.identity?.files ?? []),
    ...(options.imageSigner?.files ?? []),
  ]);
  const { format, overwrite = false, mtime = 0, signal } = options;
  await using output = await openOutput(options.output, {
    overwrite,
    patched: needsPatching(format),
    signal,
  });
  const limits = { ...DEFAULT_LIMITS, members: options.members ?? DEFAULT_LIMITS.members };
  const packing = new Packing(plan, options);
  const bytes = await writeArchive(format, packing.files(), output, { mtime, limits });
  await output.commit();
  return makeReport({
    operation: 'pack',
    errors: [],
    files: packing.reports(),
    warnings: [
      ...plan.warnings,
      ...(options.identity?.warnings ?? []),
      ...(options.imageSigner?.warnings ?? []),
      ...sweptWarnings(output.swept),
    ],
    result: {
      output: options.output,
      format: options.format,
      bytes,
      signed: options.identity !== undefined,
      timestamped: options.identity !== undefined && options.timestamp !== undefined,
      ...(options.identity ? { signer: certificateReport(options.identity.leaf) } : {}),
    },
  });
}

/** The members of a bundle in their order, digests computed on the way. */
class Packing {
  readonly #plan: PackPlan;
  readonly #options: PackOptions;
  readonly #digest: SigningDigest;
  readonly #digests = new Map<string, string>();
  /** the properties of disk images, as soon as those have been read */
  readonly #companions = new Map<string, Uint8Array>();
  #hashed = 0;

  constructor(plan: PackPlan, options: PackOptions) {
    this.#plan = plan;
    this.#options = options;
    this.#digest = options.digest ?? 'sha256';
  }

  async *files(): AsyncGenerator<ZipFile, void> {
    const { descriptor, files } = this.#plan;
    if (descriptor) {
      this.#digests.set(descriptor.name, digestHex(this.#digest, descriptor.bytes));
      yield inMemory(descriptor.name, descriptor.bytes);
    }
    if (this.#options.order === 'trailing') {
      for (const file of files) yield* this.#written(file);
      yield* this.#manifest();
      return;
    }
    // [pack.3] The manifest comes first, so every file is read twice; what is read then must be what was read before.
    for (const file of files) {
      for await (const _ of this.#read(file, 'hash')); // the digest is taken as the bytes go by
    }
    yield* this.#manifest();
    for (const file of files) yield* this.#written(file);
  }

  /** A file, and what belongs beside it. */
  async *#written(file: PlannedFile): AsyncGenerator<ZipFile, void> {
    const { name, size } = file;
    const member = { name, size, body: this.#read(file, 'write') };
    yield this.#options.format === 'zip' ? { ...member, deflate: await isCompressible(file) } : member;
    const companion = this.#companions.get(file.name);
    if (companion) yield inMemory(companionOf(file.name), companion);
  }

  /** The members that the manifest lists, in its order. */
  #listed(): readonly {
    readonly name: string;
    readonly size: number;
    readonly role: 'descriptor' | 'file';
  }[] {
    const { descriptor, files } = this.#plan;
    const others = files.flatMap(({ name, size }) => {
      const companion = this.#companions.get(name);
      const beside = companion
        ? [{ name: companionOf(name), size: companion.byteLength, role: 'file' as const }]
        : [];
      return [{ name, size, role: 'file' as const }, ...beside];
    });
    if (!descriptor) return others;
    return [{ name: descriptor.name, size: descriptor.bytes.byteLength, role: 'descriptor' }, ...others];
  }

  async *#manifest(): AsyncGenerator<ZipFile, void> {
    const { base } = this.#plan;
    const entries = this.#listed().map(({ name }) => ({
      name,
      algorithm: this.#digest,
      digest: this.#digests.get(name) ?? '',
    }));
    const manifest = { name: `${base}.mf`, bytes: formatManifest(entries) };
    yield inMemory(manifest.name, manifest.bytes);
    const { identity, cms, timestamp } = this.#options;
    if (!identity) return;
    const made = await makeSignature(manifest, identity, {
      digest: this.#digest,
      ...(cms !== undefined && { cms }),
      ...(timestamp && { timestamp }),
    });
    yield inMemory(`${base}.cert`, made.certificate);
    if (made.timestamp) yield inMemory(`${base}.tst`, made.timestamp);
  }

  async *#read(file: PlannedFile, phase: 'hash' | 'write'): AsyncGenerator<Uint8Array, void> {
    const { signal, onProgress, order } = this.#options;
    const reads = order === 'trailing' ? 1 : 2;
    const total = reads * this.#plan.files.reduce((sum, { size }) => sum + size, 0);
    const digester = new Digester([this.#digest]);
    const signing = this.#openSigning(file.name);
    await using input = await openInputFile(file.path);
    for await (const chunk of file.part ? input.part(rangeOf(file), signal) : input.stream(signal)) {
      yield chunk;
      digester.update(chunk);
      signing?.update(chunk);
      this.#hashed += chunk.byteLength;
      onProgress?.({ phase, bytes: this.#hashed, total, member: file.name });
    }
    const digest = digester.finish().get(this.#digest) ?? '';
    const before = this.#digests.get(file.name);
    if (before !== undefined && before !== digest) {
      throw new BundleError('FILE_CHANGED', `"${file.name}" changed while it was packed`, {
        where: { file: file.path },
      });
    }
    this.#digests.set(file.name, digest);
    const { imageSigner } = this.#options;
    if (!signing || !imageSigner) return;
    const companion = companionBytes(imageSigner, signing.finish());
    this.#companions.set(file.name, companion);
    this.#digests.set(companionOf(file.name), digestHex(this.#digest, companion));
  }

  /** [glance.34] A disk image is signed as it is read for the first time. */
  #openSigning(name: string): ImageSigning | undefined {
    const { imageSigner: signer } = this.#options;
    if (!signer || !this.#plan.signedDisks.includes(name) || this.#companions.has(name)) return undefined;
    return openImageSigning(signer.privateKey, signer.hash);
  }

  /** What was packed, in the order of the manifest. */
  reports(): readonly FileReport[] {
    return this.#listed().map((file) => ({
      ...file,
      algorithm: this.#digest,
      actual: this.#digests.get(file.name) ?? '',
      status: 'ok',
    }));
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

function inMemory(name: string, bytes: Uint8Array): ZipFile {
  const body: ByteStream = once(bytes);
  return { name, size: bytes.byteLength, body };
}
