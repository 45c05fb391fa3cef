import type { DescriptorChange } from '../../formats/ovf/edit/edit-descriptor.ts';
import { editDescriptor } from '../../formats/ovf/edit/edit-descriptor.ts';
import type { DigestName } from '../../kit/digest-name.ts';
import { isAdvised, type Told } from '../../kit/errors/advice.ts';
import { BundleError, toBundleError } from '../../kit/errors/errors.ts';
import type { Limits } from '../../kit/limits.ts';
import type { ClaimPolicy } from '../../trust/judge-claim.ts';
import { judgeOriginal, type Original } from '../../verdict/packing/judge-original.ts';
import { judgeRenewed } from '../../verdict/packing/judge-renewed.ts';
import { joinFaults } from '../../verdict/packing/plan-assembly.ts';
import type { FileReport } from '../../verdict/report/report.ts';
import type { BundleRoles } from '../../verdict/walk/bundle-roles.ts';
import type { Member, NamedMember } from '../../verdict/walk/member.ts';
import { manifestParts } from '../pack/manifest-parts.ts';
import { type RepackOptions, signatureDigest } from './options.ts';
import type { RepackPlan } from './repacking.ts';

/** How a bundle is judged that is packed anew, and what has been found and done. */
export class Renewal {
  readonly #options: RepackOptions;
  readonly #replacement: Uint8Array | undefined;
  readonly #policy: ClaimPolicy & { readonly limits: Limits };
  readonly #warnings: Told[] = [];
  #original: Original | undefined;
  #edited: { readonly changes: readonly DescriptorChange[] } | undefined;
  #digests: readonly DigestName[] = [];
  #hasOtherDigests = false;
  #files: readonly FileReport[] = [];
  /** what speaks against it, once it has been found by ourselves, and not by the walk */
  #refusal: readonly BundleError[] | undefined;

  constructor(
    options: RepackOptions,
    replacement: Uint8Array | undefined,
    policy: ClaimPolicy & { readonly limits: Limits },
  ) {
    this.#options = options;
    this.#replacement = replacement;
    this.#policy = policy;
  }

  plan(): Pick<RepackPlan, 'descriptor' | 'algorithm' | 'parts' | 'judgeOriginal' | 'judgeNew'> {
    return {
      descriptor: (old) => this.#descriptor(old),
      algorithm: (old) => this.#algorithm(old),
      parts: (manifest, base) => this.#parts(manifest, base),
      judgeOriginal: (members) => {
        this.#original = this.#judge(members, undefined);
        this.#refuse(this.#original.errors);
        this.#expectDescriptor();
      },
      judgeNew: (roles, members) => this.#judgeNew(roles, members),
    };
  }

  /**
   * What was found of the bundle, all of which has been read, or as far as a fault let it: one that comes behind the judgement
   * refuses it as well.
   *
   * @throws {BundleError} the fault where it is not of the bundle
   */
  originalOf(members: readonly Member[], fault: BundleError | undefined): Original {
    if (this.#original && (!fault || this.#refusal)) return this.#original;
    if (fault && !isOfInput(fault)) throw fault;
    return this.#judge(members, fault);
  }

  get refusal(): readonly BundleError[] | undefined {
    return this.#refusal;
  }

  get warnings(): readonly Told[] {
    return this.#warnings;
  }

  get changes(): readonly DescriptorChange[] {
    return this.#edited?.changes ?? [];
  }

  /** those of the new bundle, which stand elsewhere than in the old one */
  get files(): readonly FileReport[] {
    return this.#files;
  }

  get digests(): readonly DigestName[] {
    return this.#digests;
  }

  get descriptor(): 'kept' | 'edited' | 'replaced' {
    if (this.#replacement) return 'replaced';
    return this.changes.length > 0 ? 'edited' : 'kept';
  }

  #algorithm(old: DigestName): DigestName {
    const algorithm = this.#options.digest ?? (old === 'sha1' ? 'sha256' : old);
    this.#hasOtherDigests ||= algorithm !== old;
    return algorithm;
  }

  #descriptor({ name, bytes }: NamedMember): Uint8Array {
    const { set = [] } = this.#options;
    try {
      if (this.#replacement) {
        this.#edited = { changes: [] };
        return this.#replacement;
      }
      const edited = editDescriptor(bytes, set, this.#policy.limits);
      this.#edited = edited;
      this.#warnings.push(...edited.notes);
      return edited.bytes;
    } catch (error) {
      throw toBundleError(error).at({ member: name });
    }
  }

  /** [repack.1] What was asked to be changed must have been there. */
  #expectDescriptor(): void {
    const { set = [] } = this.#options;
    if (this.#edited || (set.length === 0 && !this.#replacement)) return;
    throw new BundleError('USAGE', 'the bundle has no descriptor that could be changed', {
      fix: 'have it signed anew without that; or pack its files with a descriptor',
    });
  }

  async #parts(manifest: Uint8Array, base: string): Promise<readonly NamedMember[]> {
    const { identity, cms, authority, signal } = this.#options;
    return await manifestParts(manifest, base, {
      identity,
      digest: signatureDigest(this.#options),
      ...(cms !== undefined && { cms }),
      ...(authority !== undefined && { timestamp: authority }),
      ...(signal !== undefined && { signal }),
    });
  }

  #judgeNew(roles: BundleRoles, members: readonly Member[]): void {
    const { limits } = this.#policy;
    const sha1 = this.#options.sha1ForOldImporters ?? false;
    const judged = judgeRenewed({ roles, members }, { sha1, limits });
    const { descriptor: given } = this.#options;
    const isGiven = ({ where }: BundleError): boolean =>
      typeof given === 'string' && where.member === roles.descriptor;
    const names = members.map(({ name }) => name);
    const faults = [...judged.errors, ...joinFaults(judged.descriptor, names, limits)];
    this.#refuse(faults.map((error) => (isGiven(error) ? error.at({ file: String(given) }) : error)));
    const isOwn = (told: Told): boolean => isAdvised(told) && told.advice === 'allowed:sha1'; // told below, as what it is
    this.#warnings.push(...judged.warnings.filter((told) => !isOwn(told)));
    this.#files = judged.files.map(({ offset: _, ...file }) => file);
    this.#digests = [...new Set(judged.manifest?.entries.map(({ algorithm }) => algorithm))];
    if (sha1) this.#warnings.push(SHA1_WRITTEN);
    if (this.descriptor === 'kept' && !this.#hasOtherDigests) this.#warnings.push(NOTHING_CHANGED);
  }

  #judge(members: readonly Member[], fault: BundleError | undefined): Original {
    return judgeOriginal(members, fault, this.#policy, this.#options.identity.leaf.spkiSha256);
  }

  #refuse(errors: readonly BundleError[]): void {
    const [first] = errors;
    if (!first) return;
    this.#refusal = errors;
    throw first;
  }
}

const SHA1_WRITTEN =
  'the new manifest has SHA-1 digests: vCenter 8 refuses it, and bulla unless that is allowed there; use it for old importers alone';

/** [repack.8] */
const NOTHING_CHANGED: Told = {
  text: 'the descriptor and the digests are as they were: only the signature is new, and to have that alone, sign it',
  advice: 'sign-own',
};

const OF_INPUT: ReadonlySet<BundleError['kind']> = new Set([
  'archive',
  'package',
  'unsupported',
  'digest',
  'signature',
]);

function isOfInput(fault: BundleError): boolean {
  return OF_INPUT.has(fault.kind) || fault.code === 'FILE_CHANGED';
}
