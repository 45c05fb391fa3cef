import type { ArchiveEntry } from '../../archive/entry.ts';
import { type TarFile, wholeFile } from '../../archive/tar/tar-writer.ts';
import { isEvidence, isPlainEvidence, type PartKind, rolePartOf } from '../../formats/bundle-part.ts';
import { type Manifest, parseManifest } from '../../formats/ovf/manifest.ts';
import type { DigestName } from '../../kit/digest-name.ts';
import { type BundleError, toBundleError } from '../../kit/errors/errors.ts';
import type { Limits } from '../../kit/limits.ts';
import { NO_ALLOWANCES } from '../../trust/policy.ts';
import { type ContentsJudgement, judgeContents } from '../../verdict/bundle/judge-contents.ts';
import { signedManifestOf } from '../../verdict/bundle/signed-manifest.ts';
import { joinFaults } from '../../verdict/packing/plan-assembly.ts';
import { parseEvidence } from '../../verdict/signers/evidence.ts';
import { isAboutSignature } from '../../verdict/signers/left-evidence.ts';
import { sidecarFaults } from '../../verdict/signers/sidecar-faults.ts';
import { assignRoles, type BundleRoles } from '../../verdict/walk/bundle-roles.ts';
import type { KeptMember, Member, NamedMember } from '../../verdict/walk/member.ts';
import type { Walk } from '../../verdict/walk/walk.ts';
import { baseOf, faultsOfOrder } from './copy-faults.ts';
import type { OldSignature, SignatureEdit } from './copy-options.ts';

/** How members are copied. */
interface CopyingOptions {
  /** the digests to compute before the manifest has been seen */
  readonly hint: readonly DigestName[];
  readonly limits: Limits;
  /** whether what is written is out and cannot be taken back: no new signature is in it then before all has been judged [pack.6] */
  readonly isStream: boolean;
}

/** The members of the old bundle as they become those of the new one. */
export class Copying {
  readonly #edit: SignatureEdit;
  readonly #hint: readonly DigestName[];
  readonly #limits: Limits;
  readonly #isStream: boolean;
  /** those of the new bundle, but for the parts that sign */
  readonly #members: Member[] = [];
  /** the parts that sign: those of the old bundle that were taken for such, and those of the new one */
  readonly #leftOut: NamedMember[] = [];
  readonly #signing: string[] = [];
  /** those of the new one that follow when all has been judged */
  #late: readonly NamedMember[] = [];
  readonly #evidence: KeptMember[] = [];
  #manifest: { readonly member: NamedMember; readonly lines: Manifest } | undefined;
  /** certificate files and evidence that came before the manifest, which decides about them */
  #early: readonly NamedMember[] = [];
  /** [pack.5] What an importer would say of the new bundle, once all of it has been copied. */
  judged: ContentsJudgement = { files: [], checks: [], errors: [], warnings: [] };

  constructor(edit: SignatureEdit, { hint, limits, isStream }: CopyingOptions) {
    this.#edit = edit;
    this.#hint = hint;
    this.#limits = limits;
    this.#isStream = isStream;
  }

  async *files(walk: Walk): AsyncGenerator<TarFile, void> {
    for await (const entry of walk.entries) {
      const kept = await walk.keep(entry);
      if (kept) yield* (await this.#placedKept(kept)).map(({ name, bytes }) => wholeFile(name, bytes));
      else yield { name: entry.name, size: entry.size, body: this.#passed(walk, entry) };
    }
    this.judged = this.#judge();
    // Thrown before the end mark is written: what went to standard output by then is no archive.
    const [fault] = this.judged.errors;
    if (fault) throw fault;
    yield* this.#late.map(({ name, bytes }) => wholeFile(name, bytes));
  }

  /** What stands in the new bundle in place of a member that may play a part. */
  async #placedKept(member: KeptMember): Promise<readonly NamedMember[]> {
    const { name, bytes } = member;
    const copy = { name, bytes };
    const kind = rolePartOf(name)?.kind;
    if ((kind === 'cert' || kind === 'tst') && this.#isSigning(name)) {
      this.#leftOut.push(copy);
      return kind === 'cert' ? this.#placed(copy) : [];
    }
    if (isEvidence(name)) {
      this.#evidence.push(member);
      return this.#placed(copy);
    }
    this.#members.push(member);
    if (kind !== 'mf' || !this.#isManifest(name)) return [copy];
    this.#manifest = { member: copy, lines: parsedManifest(copy, this.#limits) };
    const added = await this.#edit.manifest(copy);
    this.#signing.push(...added.map((file) => file.name));
    const early: NamedMember[] = [];
    for (const one of this.#early) early.push(...(await this.#placed(one)));
    if (!this.#isStream) return [copy, ...added, ...early];
    this.#late = added;
    return [copy, ...early];
  }

  /** What the manifest makes of a certificate file or evidence; nothing until it has come. */
  async #placed(member: NamedMember): Promise<readonly NamedMember[]> {
    const manifest = this.#manifest;
    if (!manifest) {
      this.#early = [...this.#early, member];
      return [];
    }
    if (isEvidence(member.name)) return manifest.lines.byName.has(member.name) ? [member] : [];
    const edited = await this.#edit.certificate(member, manifest.member);
    this.#signing.push(...edited.map((file) => file.name));
    return edited;
  }

  #isManifest(name: string): boolean {
    return (
      this.#manifest === undefined &&
      assignRoles(this.#members.map((member) => member.name)).manifest === name
    );
  }

  /** As far as can be told: what comes later may show that it was another file, and then nothing is written. */
  #isSigning(name: string): boolean {
    try {
      const { base } = assignRoles([...this.#members.map((member) => member.name), name]);
      return base === undefined || base === baseOf(name);
    } catch {
      return true; // two could be the manifest: said by the judgement, and nothing is written
    }
  }

  async *#passed(walk: Walk, entry: ArchiveEntry): AsyncGenerator<Uint8Array, void> {
    const listed = this.#manifest?.lines.byName.get(entry.name);
    this.#members.push(yield* walk.pass(entry, listed ? [listed.algorithm] : this.#hint));
  }

  /** The contents against the manifest, the signature being good. */
  #judge(): ContentsJudgement {
    const names = [...this.#members.map(({ name }) => name), ...this.#signing];
    let roles: BundleRoles = {};
    const faults: BundleError[] = [];
    const told: string[] = [];
    try {
      roles = assignRoles(names);
      faults.push(...faultsOfOrder(roles, this.#manifest, this.#leftOut, names));
      const signed = signedManifestOf(this.#members, roles);
      if (signed) faults.push(...sidecarFaults(signed));
      told.push(...this.#toldOfTimestamp());
    } catch (error) {
      faults.push(toBundleError(error));
    }
    const { listed, strangers, left } = this.#sortedEvidence(faults);
    const judged = judgeContents(
      { roles, members: [...this.#members, ...listed, ...strangers], complete: true },
      {
        manifestAccepted: true,
        signed: true,
        strangers: new Map(strangers.map(({ name }) => [name, OF_ANOTHER])),
        allowances: NO_ALLOWANCES,
        limits: this.#limits,
      },
    );
    if (faults.length === 0) faults.push(...judged.errors);
    if (faults.length === 0)
      faults.push(
        ...joinFaults(judged.descriptor, [...names, ...listed.map(({ name }) => name)], this.#limits),
      );
    const warnings = left.map(
      ({ name }) =>
        `"${name}" is left out: it is not in the manifest, and nobody is trusted here who could answer for it`,
    );
    return {
      ...judged,
      errors: faults,
      warnings: [...judged.warnings, ...told, ...warnings],
    };
  }

  /** What the edit says of the timestamp that is left out. */
  #toldOfTimestamp(): readonly string[] {
    const [timestamp, certificate, manifest] = [this.#old('tst'), this.#old('cert'), this.#manifest?.member];
    if (!timestamp || !certificate || !manifest) return [];
    return this.#edit.timestamp?.(timestamp, certificate, manifest) ?? [];
  }

  get old(): OldSignature {
    const [certificate, timestamp] = [this.#old('cert'), this.#old('tst')];
    return { manifest: this.#manifest?.member, certificate, timestamp };
  }

  #old(kind: PartKind): NamedMember | undefined {
    return this.#leftOut.find(({ name }) => rolePartOf(name)?.kind === kind);
  }

  /** [pack.6] Evidence by whether the manifest lists it, it says to be about the old signature, or it is anything else. */
  #sortedEvidence(
    faults: BundleError[],
  ): Readonly<Record<'listed' | 'strangers' | 'left', readonly KeptMember[]>> {
    const isListed = ({ name }: KeptMember): boolean => this.#manifest?.lines.byName.has(name) ?? false;
    const unlisted = this.#evidence.filter((member) => !isListed(member));
    const old = { certificate: this.#old('cert')?.bytes, timestamp: this.#old('tst')?.bytes };
    const isAbout = ({ name, bytes }: KeptMember): boolean => {
      try {
        const read = parseEvidence(bytes, name, name, { alone: true });
        return isPlainEvidence(name) && isAboutSignature(read, old);
      } catch (error) {
        faults.push(toBundleError(error).at({ member: name }));
        return false;
      }
    };
    const left = new Set(unlisted.filter(isAbout));
    const listed = this.#evidence.filter(isListed);
    listed.forEach(isAbout); // [pack.5] one that cannot be read is refused, whoever has signed it
    return {
      listed,
      strangers: unlisted.filter((member) => !left.has(member)),
      left: [...left],
    };
  }
}

const OF_ANOTHER = 'it is not about the certificates of the signature, by the names in both';

function parsedManifest({ name, bytes }: NamedMember, limits: Limits): Manifest {
  try {
    return parseManifest(bytes, limits);
  } catch (error) {
    throw toBundleError(error).at({ member: name });
  }
}
