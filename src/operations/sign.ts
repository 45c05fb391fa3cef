import type { ArchiveEntries, ArchiveEntry } from '../archive/entry.ts';
import { gzip } from '../archive/gzip.ts';
import { openArchive } from '../archive/open-archive.ts';
import { type TarFile, writeTar } from '../archive/tar-writer.ts';
import { Digester } from '../crypto/digest.ts';
import type { DigestName } from '../formats/ovf/digest-name.ts';
import { type Manifest, parseManifest } from '../formats/ovf/manifest.ts';
import { once } from '../kit/bytes.ts';
import { BundleError, toBundleError } from '../kit/errors.ts';
import { DEFAULT_LIMITS } from '../kit/limits.ts';
import type { OnProgress } from '../kit/progress.ts';
import { openSource } from '../storage/open-source.ts';
import { openOutput } from '../storage/output.ts';
import { NO_ALLOWANCES } from '../trust/policy.ts';
import { assignRoles, rolePartOf } from './bundle-roles.ts';
import { judgeContents } from './judge-contents.ts';
import { certificateReport } from './judge-signature.ts';
import { manifestDigests } from './look-ahead.ts';
import type { PackFormat } from './pack.ts';
import { type ReadMember, readMember } from './read-member.ts';
import { makeReport, type Report } from './report.ts';
import { type SigningDigest, type SigningIdentity, signManifest } from './signing-identity.ts';

/** How a bundle is signed again. */
export interface SignOptions {
  /** the file to write, or `-` for standard output */
  readonly output: string;
  readonly format: PackFormat;
  readonly identity: SigningIdentity;
  readonly digest?: SigningDigest;
  readonly overwrite?: boolean;
  readonly mtime?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
}

/**
 * Copies a bundle with a new signature: payload and manifest byte for byte, the certificate file right behind the manifest.
 *
 * The contents are compared with the manifest on the way, and a bundle that an importer would refuse is not signed:
 * the report then has the reasons, and no file is left.
 *
 * @throws {BundleError} when the input cannot be read, or the output not written
 * @see spec/bundle.md, clauses pack.5 and pack.6
 */
export async function sign(input: string, options: SignOptions): Promise<Report> {
  const { signal, identity } = options;
  await using source = await openSource(input, {
    idleMs: DEFAULT_LIMITS.idleMs,
    ...(signal ? { signal } : {}),
  });
  const hint = await manifestDigests(source, DEFAULT_LIMITS);
  await using output = await openOutput(options.output, { overwrite: options.overwrite ?? false });
  const copying = new Copying(options, hint, source.size);
  try {
    const { entries } = await openArchive(source.stream(), DEFAULT_LIMITS);
    const tar = writeTar(copying.files(entries), { mtime: options.mtime ?? 0 });
    for await (const chunk of options.format === 'tgz' ? gzip(tar) : tar) await output.write(chunk);
    source.checkUnchanged();
  } catch (error) {
    throw toBundleError(error).at({ file: source.name });
  }
  const judged = copying.judge();
  if (judged.errors.length === 0) await output.commit();
  return makeReport({
    operation: 'sign',
    input: { name: source.name, ...(source.size === undefined ? {} : { size: source.size }) },
    checks: judged.checks,
    files: judged.files,
    errors: judged.errors,
    warnings: [...judged.warnings, ...identity.warnings],
    result: { output: options.output, format: options.format, signer: certificateReport(identity.leaf) },
  });
}

/** The members of the old bundle as they become those of the new one. */
class Copying {
  readonly #options: SignOptions;
  readonly #hint: readonly DigestName[];
  readonly #total: number | undefined;
  readonly #members: ReadMember[] = [];
  #manifest: Manifest | undefined;
  #signed: string | undefined;

  constructor(options: SignOptions, hint: readonly DigestName[], total: number | undefined) {
    this.#options = options;
    this.#hint = hint;
    this.#total = total;
  }

  async *files(entries: ArchiveEntries): AsyncGenerator<TarFile, void> {
    for await (const entry of entries) {
      const kind = rolePartOf(entry.name)?.kind;
      if (kind === undefined) {
        yield { name: entry.name, size: entry.size, body: this.#hashed(entry) };
        continue;
      }
      const member = await readMember(entry, { algorithms: [], limits: DEFAULT_LIMITS, sink: undefined });
      this.#members.push(member);
      const bytes = member.bytes ?? new Uint8Array(0);
      if (kind === 'cert' && this.#isOldSignature(entry.name)) continue;
      yield { name: entry.name, size: bytes.byteLength, body: once(bytes) };
      if (kind === 'mf' && assignRoles(this.#members.map(({ name }) => name)).manifest === entry.name) {
        yield await this.#signature(entry.name, bytes);
      }
    }
  }

  #isOldSignature(name: string): boolean {
    const base = rolePartOf(name)?.base;
    return this.#members.every((member) => {
      const part = rolePartOf(member.name);
      return part === undefined || part.kind === 'cert' || part.base === base;
    });
  }

  async #signature(manifestName: string, bytes: Uint8Array): Promise<TarFile> {
    this.#signed = manifestName;
    this.#manifest = parseManifest(bytes);
    const { identity, digest } = this.#options;
    const file = await signManifest({ name: manifestName, bytes }, identity, digest ?? 'sha256');
    return { name: `${rolePartOf(manifestName)?.base}.cert`, size: file.byteLength, body: once(file) };
  }

  async *#hashed(entry: ArchiveEntry): AsyncGenerator<Uint8Array, void> {
    const { name, size, offset, dataOffset } = entry;
    const listed = this.#manifest?.entries.find((line) => line.name === name);
    const digester = new Digester(listed ? [listed.algorithm] : this.#hint);
    let bytes = dataOffset;
    for await (const chunk of entry.body) {
      yield chunk;
      digester.update(chunk);
      bytes += chunk.byteLength;
      const total = this.#total === undefined ? {} : { total: this.#total };
      this.#options.onProgress?.({ phase: 'write', bytes, ...total, member: name });
    }
    this.#members.push({ name, size, offset, dataOffset, digests: digester.finish() });
  }

  /** What an importer would say of the contents, the signature being good. */
  judge(): ReturnType<typeof judgeContents> {
    const roles = assignRoles(this.#members.map(({ name }) => name));
    const judged = judgeContents(
      { roles, members: this.#members, complete: true },
      { manifestAccepted: true, signed: true, allowances: NO_ALLOWANCES, limits: DEFAULT_LIMITS },
    );
    if (roles.manifest === this.#signed && roles.manifest !== undefined) return judged;
    const fault = roles.manifest
      ? new BundleError(
          'PACKAGE_AMBIGUOUS',
          `"${this.#signed}" came first, and "${roles.manifest}" is the manifest`,
        )
      : new BundleError('MANIFEST_MISSING', 'the bundle has no manifest to sign', {
          fix: 'unpack it, and pack it again with a manifest: bulla pack NAME.ovf -o NAME.ova --key … --cert …',
        });
    return { ...judged, errors: [fault] };
  }
}
