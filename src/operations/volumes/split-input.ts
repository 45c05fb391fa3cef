import { basename, join } from 'node:path';
import { type TarFile, writeTar } from '../../archive/tar/tar-writer.ts';
import { rolePartOf } from '../../formats/bundle-part.ts';
import { type ByteStream, zeros } from '../../kit/bytes.ts';
import { toBundleError } from '../../kit/errors/errors.ts';
import { DEFAULT_LIMITS } from '../../kit/limits.ts';
import { isPackage, type PackageSource, sourceOptions } from '../../kit/source.ts';
import { openInputFile } from '../../storage/sources/input-file.ts';
import { openBundle, packagePlace } from '../../storage/sources/open-bundle.ts';
import { openPackage } from '../../verdict/walk/package-entries.ts';

/** What is cut into volumes: a file, or the archive that a package of files would be. It is read from its beginning, twice. */
export interface SplitInput extends AsyncDisposable {
  /** what it is called when it is joined again */
  readonly name: string;
  readonly size: number;
  /** whether it is a file of its own */
  readonly isFile: boolean;
  /** the files that are read of it, as far as they could be meant by a name of a volume */
  readonly readings: readonly string[];
  /** The `length` bytes from `start` on, which is where the last part ended, or 0. */
  part(range: { readonly start: number; readonly length: number }, signal?: AbortSignal): ByteStream;
  /** @throws {BundleError} `FILE_CHANGED` */
  expectUnchanged(): void;
}

/** Opens what is to be cut. [vol.11] @throws {BundleError} `FILE_*`, `PACKAGE_*`, `ARCHIVE_*` */
export async function openSplitInput(
  path: string,
  options: { readonly mtime: number; readonly signal?: AbortSignal },
): Promise<SplitInput> {
  const place = packagePlace(path);
  if (place) return openLoose(path, { ...options, folder: place.folder });
  const file = await openInputFile(path);
  return {
    name: basename(path),
    size: file.size,
    isFile: true,
    readings: [path],
    part: (range, signal) => file.part(range, signal),
    expectUnchanged: () => file.expectUnchanged(file.stamp, 'split'),
    [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
  };
}

async function openLoose(
  path: string,
  options: { readonly mtime: number; readonly signal?: AbortSignal; readonly folder: string },
): Promise<SplitInput> {
  const source = await openBundle(path, sourceOptions(options));
  try {
    if (!isPackage(source)) throw new Error('a package of files was asked for');
    const members = await membersOf(source);
    const files = members.map(({ name, size }): TarFile => ({ name, size, body: zeros(size) }));
    let size = 0;
    for await (const chunk of writeTar(files, options)) size += chunk.byteLength;
    const archive = new Archive(() => writeTar(filesOf(source), options));
    const named = members.find(({ name }) => rolePartOf(name)?.kind === 'ovf') ?? members[0];
    const { kind, base } = rolePartOf(named?.name ?? '') ?? {};
    return {
      name: `${base}.${kind === 'ovf' ? 'ova' : 'tar'}`, // the extensions by which they are known
      size,
      isFile: false,
      readings: members.map(({ name }) => join(options.folder, name)).filter((one) => /\.\d{3}$/.test(one)),
      part: (range) => archive.part(range),
      expectUnchanged: () => source.checkUnchanged(),
      [Symbol.asyncDispose]: async () => {
        await archive.end();
        await source[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await source[Symbol.asyncDispose]();
    throw toBundleError(error).at({ file: path });
  }
}

/** The members in the order in which `normalize` has them: their names and sizes, and nothing of them is read at length. */
async function membersOf(source: PackageSource): Promise<readonly Pick<TarFile, 'name' | 'size'>[]> {
  const members: Pick<TarFile, 'name' | 'size'>[] = [];
  for await (const { name, size } of filesOf(source)) members.push({ name, size });
  return members;
}

/** [norm.2] A package gives them in that order. */
async function* filesOf(source: PackageSource): AsyncGenerator<TarFile, void> {
  const { entries } = openPackage(source, { limits: DEFAULT_LIMITS, onBytes: () => {}, onTotal: () => {} });
  for await (const { name, size, body } of entries) yield { name, size, body };
}

/** An archive that is made as it is read, from its beginning to its end, and again. */
class Archive {
  readonly #make: () => AsyncGenerator<Uint8Array, void>;
  #made: AsyncGenerator<Uint8Array, void> | undefined;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(make: () => AsyncGenerator<Uint8Array, void>) {
    this.#make = make;
  }

  async *part({
    start,
    length,
  }: {
    readonly start: number;
    readonly length: number;
  }): AsyncGenerator<Uint8Array, void> {
    if (start === 0) {
      await this.end();
      this.#made = this.#make();
    }
    for (let left = length; left > 0; ) {
      if (this.#rest.byteLength === 0) {
        const next = await this.#made?.next();
        if (!next || next.done) return; // shorter than it was: seen by who counts
        this.#rest = next.value;
      }
      const piece = this.#rest.subarray(0, left);
      this.#rest = this.#rest.subarray(piece.byteLength);
      left -= piece.byteLength;
      if (piece.byteLength > 0) yield piece;
    }
  }

  async end(): Promise<void> {
    await this.#made?.return();
    this.#made = undefined;
    this.#rest = new Uint8Array(0);
  }
}
