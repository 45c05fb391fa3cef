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
import { expectOtherThan, openOutput } from '../storage/output.ts';
import { NO_ALLOWANCES } from '../trust/policy.ts';
import { assignRoles, type BundleRoles, rolePartOf } from './bundle-roles.ts';
import { type ContentsJudgement, judgeContents } from './judge-contents.ts';
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
  expectOtherThan(options.output, identity.files);
  await using output = await openOutput(options.output, { overwrite: options.overwrite ?? false });
  const copying = new Copying(options, hint, source.size);
  try {
    const { entries } = await openArchive(source.stream(), DEFAULT_LIMITS);
    const tar = writeTar(copying.files(entries), { mtime: options.mtime ?? 0 });
    for await (const chunk of options.format === 'tgz' ? gzip(tar) : tar) await output.write(chunk);
    source.checkUnchanged();
    await output.commit();
  } catch (error) {
    if (copying.judged.errors.length === 0) throw toBundleError(error).at({ file: source.name });
  }
  const { judged } = copying;
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
  /** those of the new bundle, but for the new certificate file */
  readonly #members: ReadMember[] = [];
  readonly #leftOut: string[] = [];
  #manifest: Manifest | undefined;
  #signed: string | undefined;
  /** [pack.5] What an importer would say of the new bundle, once all of it has been copied. */
  judged: ContentsJudgement = { files: [], checks: [], errors: [], warnings: [] };

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
      const before = this.#members;
      const member = await readMember(entry, {
        algorithms: [],
        limits: DEFAULT_LIMITS,
        sink: undefined,
        before,
      });
      if (kind === 'cert' && this.#isOldSignature(entry.name)) {
        this.#leftOut.push(entry.name);
        continue;
      }
      this.#members.push(member);
      const bytes = member.bytes ?? new Uint8Array(0);
      yield { name: entry.name, size: bytes.byteLength, body: once(bytes) };
      if (kind === 'mf' && this.#isManifest(entry.name)) yield await this.#signature(entry.name, bytes);
    }
    this.judged = this.#judge();
    // Thrown before the end mark is written: what went to standard output by then is no archive.
    const [fault] = this.judged.errors;
    if (fault) throw fault;
  }

  #isManifest(name: string): boolean {
    return (
      this.#signed === undefined && assignRoles(this.#members.map((member) => member.name)).manifest === name
    );
  }

  /** As far as can be told: what comes later may show that it was another file, and then nothing is signed. */
  #isOldSignature(name: string): boolean {
    try {
      const { base, certificate } = assignRoles([...this.#members.map((member) => member.name), name]);
      return base === undefined || certificate === name;
    } catch {
      return true; // two could be the manifest: said by the judgement, and nothing is signed
    }
  }

  async #signature(manifestName: string, bytes: Uint8Array): Promise<TarFile> {
    this.#signed = manifestName;
    this.#manifest = parsedManifest(manifestName, bytes);
    const { identity, digest } = this.#options;
    const file = await signManifest({ name: manifestName, bytes }, identity, digest ?? 'sha256');
    return { name: certificateNameOf(manifestName), size: file.byteLength, body: once(file) };
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

  /** The contents against the manifest, the signature being good. */
  #judge(): ContentsJudgement {
    let roles: BundleRoles = {};
    const faults: BundleError[] = [];
    try {
      const names = this.#members.map(({ name }) => name);
      roles = assignRoles(this.#signed === undefined ? names : [...names, certificateNameOf(this.#signed)]);
      faults.push(...this.#faultsOfOrder(roles));
    } catch (error) {
      faults.push(toBundleError(error));
    }
    const judged = judgeContents(
      { roles, members: this.#members, complete: true },
      { manifestAccepted: true, signed: true, allowances: NO_ALLOWANCES, limits: DEFAULT_LIMITS },
    );
    return { ...judged, errors: faults.length > 0 ? faults : judged.errors };
  }

  /** What the order of the members has led us to do wrong. */
  #faultsOfOrder({ manifest }: BundleRoles): BundleError[] {
    const signed = this.#signed;
    if (manifest === undefined || signed === undefined) {
      const fix =
        'unpack it, and pack it again with a manifest: bulla pack NAME.ovf -o NAME.ova --key … --cert …';
      return [new BundleError('MANIFEST_MISSING', 'the bundle has no manifest to sign', { fix })];
    }
    const mistaken = [signed, ...this.#leftOut].filter((name) => baseOf(name) !== baseOf(manifest));
    return mistaken.map((name) => {
      const message = `"${name}" came first and was taken for a part of the bundle, and "${manifest}" is its manifest`;
      return new BundleError('PACKAGE_AMBIGUOUS', message, { where: { member: name } });
    });
  }
}

function parsedManifest(name: string, bytes: Uint8Array): Manifest {
  try {
    return parseManifest(bytes);
  } catch (error) {
    throw toBundleError(error).at({ member: name });
  }
}

function baseOf(name: string): string | undefined {
  return rolePartOf(name)?.base;
}

function certificateNameOf(manifestName: string): string {
  return `${baseOf(manifestName)}.cert`;
}
