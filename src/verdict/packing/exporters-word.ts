import { Digester, type Digests } from '../../crypto/digest.ts';
import { chunkName, type FileReference, memberNames, referenceOf } from '../../formats/ovf/file-reference.ts';
import { type ManifestEntry, parseManifest } from '../../formats/ovf/manifest.ts';
import type { DigestName } from '../../kit/digest-name.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import type { Limits } from '../../kit/limits.ts';
import type { NamedMember } from '../walk/member.ts';

/** A file that is stored in chunks, and has a line for all of it besides. */
interface WholeFile {
  readonly entry: ManifestEntry;
  readonly digester: Digester;
  /** the chunk it ends with */
  readonly last: string;
}

/**
 * What the manifest beside a descriptor says of the files that the descriptor names: the word of the program that exported them,
 * against which each is held as it is read to be packed.
 *
 * @see spec/bundle.md, clauses pack.14 and pack.15
 */
export class ExportersWord {
  readonly #manifest: string;
  readonly #lines: ReadonlyMap<string, ManifestEntry>;
  readonly #needed: readonly string[];
  readonly #descriptor: string;
  /** by the name of the file, which is that of no member */
  readonly #wholes = new Map<string, WholeFile>();
  readonly #hrefOf: (member: string) => string | undefined;

  /** @throws {BundleError} `MANIFEST_SYNTAX`, `MANIFEST_DUPLICATE`, `ALGORITHM_UNSUPPORTED` */
  constructor(
    manifest: NamedMember,
    descriptor: { readonly name: string; readonly references: readonly FileReference[] },
    limits: Limits,
  ) {
    const { references } = descriptor;
    this.#manifest = manifest.name;
    this.#lines = parseManifest(manifest.bytes, limits).byName;
    this.#needed = memberNames(references);
    this.#descriptor = descriptor.name;
    const lookup = referenceOf(references);
    this.#hrefOf = (member) => lookup(member)?.reference.href;
    for (const reference of references) {
      const entry = this.#lines.get(reference.href);
      if (reference.chunkSize === undefined || !entry) continue;
      const last = memberNames([reference]).at(-1) ?? chunkName(reference.href, 0);
      this.#wholes.set(reference.href, { entry, digester: new Digester([entry.algorithm]), last });
    }
  }

  /** The algorithm by which a member is to be hashed, whatever else it is hashed by; undefined where nothing is said of it. */
  algorithmOf(member: string): DigestName | undefined {
    return this.#lines.get(member)?.algorithm;
  }

  /** Takes the bytes of a member as they are read; those of chunks must come in their order. */
  update(member: string, bytes: Uint8Array): void {
    this.#wholeOf(member)?.digester.update(bytes);
  }

  /** [pack.14] What is wrong with a member that has been read: that it, or the file that it is the last chunk of, is not what was exported. */
  faultOf(member: string, digests: Digests): BundleError | undefined {
    const fault = this.#mismatch(member, this.#lines.get(member), digests);
    const whole = this.#wholeOf(member);
    if (fault || whole?.last !== member) return fault;
    return this.#mismatch(whole.entry.name, whole.entry, whole.digester.finish());
  }

  /** [pack.14] Whether the descriptor itself is not the one that was exported: people edit it. */
  isEdited(digest: (algorithm: DigestName) => string): boolean {
    const line = this.#lines.get(this.#descriptor);
    return line !== undefined && digest(line.algorithm) !== line.digest;
  }

  /** [pack.15] The files that the descriptor names, and the manifest does not. */
  unlisted(): readonly string[] {
    return this.#needed.filter((name) => {
      const href = this.#hrefOf(name);
      return !this.#lines.has(name) && (href === undefined || !this.#wholes.has(href));
    });
  }

  /** [pack.15] The files that the manifest lists, and the descriptor does not name. */
  unnamed(): readonly string[] {
    const named = new Set([this.#descriptor, ...this.#needed, ...this.#wholes.keys()]);
    return [...this.#lines.keys()].filter((name) => !named.has(name));
  }

  #wholeOf(member: string): WholeFile | undefined {
    if (this.#wholes.size === 0) return undefined;
    const href = this.#hrefOf(member);
    return href === undefined ? undefined : this.#wholes.get(href);
  }

  #mismatch(name: string, line: ManifestEntry | undefined, digests: Digests): BundleError | undefined {
    const actual = line && digests.get(line.algorithm);
    if (!line || actual === line.digest) return undefined;
    const message = `"${name}" does not match its ${line.algorithm} digest in "${this.#manifest}" line ${line.line}`;
    return new BundleError('DIGEST_MISMATCH', message, {
      why: `the program that exported it wrote ${line.digest}, and the file has ${actual}: it was damaged or changed since, and would be packed and signed so`,
      fix: `copy the export again from where it was made; where the file is meant to be another, export it again, so that "${this.#manifest}" says so`,
    });
  }
}
