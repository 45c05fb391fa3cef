import type { OpenArchive } from '../../archive/open-archive.ts';
import { ALL_DIGESTS } from '../../crypto/digest.ts';
import { isEvidence, rolePartOf } from '../../formats/bundle-part.ts';
import type { Manifest } from '../../formats/ovf/manifest.ts';
import type { DigestName } from '../../kit/digest-name.ts';
import type { Told } from '../../kit/errors/advice.ts';
import type { ErrorKind } from '../../kit/errors/error-kinds.ts';
import { BundleError, type ErrorCode, toBundleError } from '../../kit/errors/errors.ts';
import type { OnProgress } from '../../kit/progress.ts';
import type { Relaxation } from '../../kit/relaxation.ts';
import type { BundleSource } from '../../kit/source.ts';
import { withinScope } from '../../trust/judge-signer.ts';
import type { Check, SignatureReport } from '../report/report.ts';
import { tellHeld } from '../signers/signature-checks.ts';
import { assignRoles, type BundleRoles } from '../walk/bundle-roles.ts';
import { manifestDigests } from '../walk/look-ahead.ts';
import { ManifestMemory } from '../walk/manifest-memory.ts';
import { digestOf, type Member, type ResumableSink } from '../walk/member.ts';
import type { BundleFormat } from '../walk/package-entries.ts';
import type { UsableBlocks } from '../walk/set-aside.ts';
import { type Walk, walkBundle } from '../walk/walk.ts';
import { archiveCheck } from './content-checks.ts';
import { judgeBlocks } from './judge-blocks.ts';
import { type ContentsJudgement, judgeContents } from './judge-contents.ts';
import type { SignatureJudgement, SignaturePolicy } from './judge-signature.ts';
import { checkScope } from './scope-check.ts';
import { SignatureMemory } from './signature-memory.ts';
import { type SignedManifest, signedManifestOf } from './signed-manifest.ts';
import { skippedChecks } from './skipped-checks.ts';

/** How a bundle is examined. With a `sink` the members are stored; where manifest and signature stand at the front, the first thing wrong ends the reading then. */
export interface ExamineOptions extends SignaturePolicy {
  readonly sink?: ResumableSink;
  /** habits of producers that are let pass */
  readonly relax?: readonly Relaxation[];
  /** how an archive is opened, in place of the strict reader [repair.1] */
  readonly open?: OpenArchive;
  readonly onProgress?: OnProgress;
  /** members with block digests are left for `openImage` to check as they are read */
  readonly later?: boolean;
}

/** Everything found out about a bundle. The verdict follows from `errors`: none means it may be used. */
export interface Examination {
  readonly format?: BundleFormat;
  readonly roles: BundleRoles;
  readonly members: readonly Member[];
  readonly contents: ContentsJudgement;
  readonly signature?: SignatureJudgement;
  readonly signatures: readonly SignatureReport[];
  readonly checks: readonly Check[];
  readonly errors: readonly BundleError[];
  readonly warnings: readonly Told[];
}

/**
 * Reads a bundle once, from its first byte to its last, and judges it.
 *
 * This is the one way in for verify and import: what is hashed is what is stored, and no part of the
 * source is read a second time. Faults of the bundle are values; it throws only what is no fault of the bundle.
 *
 * @see spec/bundle.md
 */
export async function examine(source: BundleSource, options: ExamineOptions): Promise<Examination> {
  const reading = new Reading(options, await manifestDigests(source, options.limits, options));
  const { limits, relax, open, onProgress, later = false } = options;
  const { format, members, result, fault, warnings } = await walkBundle(
    source,
    {
      limits,
      ...(relax !== undefined && { relax }),
      ...(open !== undefined && { open }),
      ...(onProgress !== undefined && { onProgress }),
      ...(options.sink === undefined && {
        apart: { blocksOf: (members) => reading.usableBlocks(members), later },
      }),
    },
    (walk) => reading.readAll(walk),
  );
  const judged = reading.judge(members, result ?? false, fault);
  return { ...(format !== undefined && { format }), ...judged, warnings: [...warnings, ...judged.warnings] };
}

/** Judges members that another walk has read: all of them, or as far as a fault let it. Their digests are known as far as it asked for them. */
export function judgeRead(
  members: readonly Member[],
  fault: BundleError | undefined,
  options: ExamineOptions,
): Omit<Examination, 'format'> {
  return new Reading(options, []).judge(members, fault === undefined, fault);
}

/** What is wrong with a signature only as long as no timestamp or fresh revocation information has come. */
const CURABLE: ReadonlySet<ErrorCode> = new Set([
  'CERTIFICATE_EXPIRED',
  'CERTIFICATE_REVOKED',
  'REVOCATION_UNKNOWN',
  'TIMESTAMP_MISSING',
  'THRESHOLD_NOT_MET', // a signature beside the manifest may be anywhere
]);

/** What another signer, whom somebody trusts, makes up for: signatures beside the manifest come before the files. [side.8] */
const OF_SIGNERS: ReadonlySet<ErrorKind> = new Set(['validity', 'policy', 'unknown-signer', 'no-trust']);

/** What the manifest and the signature among the members read so far say about those to come, and about all in the end. */
class Reading {
  readonly #options: ExamineOptions;
  readonly #hint: readonly DigestName[];
  readonly #manifests: ManifestMemory;
  readonly #signatures: SignatureMemory;
  #manifest: Manifest | undefined;
  #signature: SignatureJudgement | undefined;

  constructor(options: ExamineOptions, hint: readonly DigestName[]) {
    this.#options = options;
    this.#hint = hint;
    this.#manifests = new ManifestMemory(options.limits);
    this.#signatures = new SignatureMemory(options);
  }

  /** Reads every member; false when it stopped early because the bundle is refused already and only a sink waits for it. */
  async readAll(walk: Walk): Promise<boolean> {
    const { sink } = this.#options;
    for await (const entry of walk.entries) {
      const reading = walk.read(entry, { algorithms: this.#algorithms(entry.name), sink });
      const member = reading instanceof Promise ? await reading : reading;
      this.#lookAhead(member, walk.members);
      if (sink && this.#isRefused(member)) return false;
    }
    return true;
  }

  #algorithms(name: string): readonly DigestName[] {
    if (!this.#manifest) return this.#hint;
    const listed = this.#manifest.byName.get(name);
    return listed ? [listed.algorithm] : ALL_DIGESTS; // another manifest may still turn out to be the one that counts
  }

  /** Takes what the manifest and the signature tell that count by what has come so far. */
  #lookAhead(member: Member, members: readonly Member[]): void {
    if (rolePartOf(member.name) === undefined) return;
    this.#manifest = undefined;
    this.#signature = undefined;
    try {
      const signed = signedAmong(members);
      if (signed?.certificate) this.#signature = this.#signatures.judgeAhead(signed);
      if (signed) this.#manifest = this.#manifests.parse(signed.manifest.bytes);
    } catch {
      // said again, and reported, when everything has been read
    }
  }

  /** The block digests among what has been read; what is wrong with others is told when all is judged. */
  usableBlocks(members: readonly Member[]): UsableBlocks {
    try {
      const signed = signedAmong(members);
      const manifest = signed && this.#manifests.parse(signed.manifest.bytes);
      if (manifest) return judgeBlocks(members, manifest).usable;
    } catch {
      // said again, and reported, when everything has been read
    }
    return new Map();
  }

  /**
   * [import.5] With manifest and signature at the front, the first wrong member is the last one stored. Nothing behind
   * could make up for it: [bundle.3] has other members that count in place of these refused. Only a timestamp,
   * revocation information, or another signature that is still to come could.
   */
  #isRefused(member: Member): boolean {
    if (!this.#signature) return false;
    const lasting = this.#signature.errors.filter(({ code }) => !CURABLE.has(code));
    if (!this.#manifest || lasting.some(({ kind }) => !OF_SIGNERS.has(kind))) return true;
    if (rolePartOf(member.name) || (isEvidence(member.name) && member.kind === 'kept')) return false;
    if (lasting.length > 0) return true;
    const entry = this.#manifest.byName.get(member.name);
    return !entry || digestOf(member, entry.algorithm) !== entry.digest;
  }

  /** Judges what has been read: all of it, or as far as the fault or the refusal that ended the reading. */
  judge(
    members: readonly Member[],
    complete: boolean,
    fault: BundleError | undefined,
  ): Omit<Examination, 'format'> {
    const { allowances, limits, later = false } = this.#options;
    const errors: BundleError[] = fault ? [fault] : [];
    const checks: Check[] = [archiveCheck(fault, complete, members.length)];
    let roles: BundleRoles = {};
    let ambiguous: BundleError | undefined;
    try {
      roles = assignRoles(members.map(({ name }) => name));
    } catch (error) {
      ambiguous = toBundleError(error);
      errors.push(ambiguous);
      checks.push({ id: 'package.members', status: 'fail', detail: ambiguous.message });
    }

    const signed = signedManifestOf(members, roles);
    const signature = signed && (complete || signed.certificate) ? this.#signatures.judge(signed) : undefined;
    const contents = judgeContents(
      { roles, members, complete: complete && !ambiguous },
      {
        manifestAccepted: complete && errors.length === 0 && signature?.accepted === true,
        signed: signature?.signed ?? false,
        allowances,
        limits,
        later,
        ...(signature?.carried !== undefined && {
          strangers: signature.carried.strangers,
          answered: signature.carried.members,
        }),
        parse: (bytes) => this.#manifests.parse(bytes),
      },
    );
    errors.push(...(signature?.errors ?? []), ...contents.errors);
    const scope = errors.length === 0 ? checkScope(signature, contents, roles) : undefined;
    const accepting = scope?.accepting ?? withinScope(signature?.publishers ?? [], undefined);
    const { signatures, checks: ofSigners } = signature?.told(accepting) ?? { signatures: [], checks: [] };
    checks.push(...tellHeld(ofSigners, scope?.held ?? []), ...contents.checks);
    if (scope) {
      checks.push(scope.check);
      errors.push(...scope.errors);
    }
    // [judge.3] Reading stops early only at something wrong; if that were not found again, nothing must look trusted.
    if (!complete && errors.length === 0)
      errors.push(new BundleError('INTERNAL', 'the bundle was not read to its end'));
    checks.push(
      ...skippedChecks(checks, { fault: fault ?? ambiguous, complete, roles, signature, signatures }),
    );
    const late = complete && roles.descriptor !== undefined && members[0]?.name !== roles.descriptor;
    const order = late ? [LATE_DESCRIPTOR] : [];
    return {
      roles,
      members,
      contents,
      ...(signature !== undefined && { signature }),
      signatures,
      checks,
      errors,
      warnings: [...(signature?.warnings ?? []), ...contents.warnings, ...order],
    };
  }
}

/** What is said of an archive that has another member before its descriptor. */
export const LATE_DESCRIPTOR = 'the descriptor is not the first member, which VMware refuses';

/** What counts as signed by what has come so far. @throws {BundleError} `PACKAGE_AMBIGUOUS` */
function signedAmong(members: readonly Member[]): SignedManifest | undefined {
  return signedManifestOf(members, assignRoles(members.map(({ name }) => name)));
}
