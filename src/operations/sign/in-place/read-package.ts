import { isEvidence, isPlainEvidence } from '../../../formats/bundle-part.ts';
import { parseManifest } from '../../../formats/ovf/manifest.ts';
import type { DigestName } from '../../../kit/digest-name.ts';
import type { Told } from '../../../kit/errors/advice.ts';
import { BundleError, toBundleError } from '../../../kit/errors/errors.ts';
import type { Limits } from '../../../kit/limits.ts';
import type { OnProgress } from '../../../kit/progress.ts';
import type { PackageSource } from '../../../kit/source.ts';
import type { ContentsJudgement } from '../../../verdict/bundle/judge-contents.ts';
import { signedManifestOf } from '../../../verdict/bundle/signed-manifest.ts';
import {
  judgeLoose,
  type LooseParts,
  looseParts,
  manifestOver,
} from '../../../verdict/packing/loose-package.ts';
import { joinFaults } from '../../../verdict/packing/plan-assembly.ts';
import type { Check } from '../../../verdict/report/report.ts';
import type { Strangers } from '../../../verdict/signers/carried.ts';
import { parseEvidence } from '../../../verdict/signers/evidence.ts';
import { isAboutSignature } from '../../../verdict/signers/left-evidence.ts';
import { sidecarFaults } from '../../../verdict/signers/sidecar-faults.ts';
import { assignRoles } from '../../../verdict/walk/bundle-roles.ts';
import { type KeptMember, keptMember, type Member, type NamedMember } from '../../../verdict/walk/member.ts';
import { type Walk, walkBundle } from '../../../verdict/walk/walk.ts';

/** How a package is read. */
interface ReadOptions {
  readonly limits: Limits;
  /** the digests of the manifest that it gets where it has none */
  readonly algorithm: DigestName;
  readonly onProgress?: OnProgress;
}

/** What an importer will say of it. */
interface Judged {
  readonly judged: ContentsJudgement;
  readonly warnings: readonly Told[];
}

/** A package of files that has been read. */
export interface ReadPackage extends Judged {
  readonly parts: LooseParts;
  /** as it is there, or is to be */
  readonly manifest: KeptMember;
  readonly certificate?: KeptMember;
  readonly timestamp?: KeptMember;
  /** Judges it again, with the files that are to sign it: evidence that it brings must be about that signature. [pkg.10] */
  judgeSigned(files: readonly NamedMember[]): ContentsJudgement;
}

/** Which parts it has, before it is read; undefined where the reading will say what is wrong with them. */
export function partsOf(source: PackageSource): LooseParts | undefined {
  try {
    return looseParts(source.partNames());
  } catch {
    return undefined;
  }
}

/**
 * Reads all of a package, each file once and large ones side by side, and judges it as an importer will once it is signed. Without
 * `manifest` in what it gives, the faults in the judgement are why. [pkg.9] [pkg.10]
 *
 * @throws {BundleError} what is no fault of the package
 */
export async function readPackage(
  source: PackageSource,
  options: ReadOptions,
): Promise<ReadPackage | (Judged & { readonly manifest?: undefined })> {
  const { limits, algorithm, onProgress } = options;
  const { members, fault, warnings } = await walkBundle(
    source,
    { limits, phase: 'hash', apart: {}, ...(onProgress !== undefined && { onProgress }) },
    (walk) => readAll(walk, options),
  );
  try {
    if (fault) throw fault;
    const parts = looseParts(source.partNames());
    if (!parts) throw new BundleError('PACKAGE_UNKNOWN', 'there is neither a descriptor nor a manifest here');
    return judgeable(members, { parts, algorithm, limits, warnings });
  } catch (error) {
    const own = toBundleError(error);
    if (!OF_PACKAGE.has(own.kind) && own.code !== 'FILE_CHANGED') throw own;
    return { judged: { files: [], checks: [], errors: [own], warnings: [] }, warnings };
  }
}

const OF_PACKAGE: ReadonlySet<BundleError['kind']> = new Set(['archive', 'package', 'unsupported']);

/** By the digest of its line; of a file that no manifest lists by the one that its line is to have. */
async function readAll(walk: Walk, { limits, algorithm }: ReadOptions): Promise<void> {
  let algorithmOf = (_: string): DigestName => algorithm;
  for await (const entry of walk.entries) {
    const member = await walk.read(entry, { algorithms: [algorithmOf(entry.name)] });
    if (member.kind !== 'kept' || !/\.mf$/i.test(member.name)) continue;
    const lines = readable(() => parseManifest(member.bytes, limits))?.byName;
    if (lines) algorithmOf = (name) => lines.get(name)?.algorithm ?? algorithm;
  }
}

/** What cannot be read is told when it is judged. */
function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** What an importer would refuse though the files are those of the manifest: a signature beside it, or a descriptor that cannot be joined. [pack.5] */
function faultsOfWhole(
  members: readonly Member[],
  names: readonly string[],
  { descriptor }: ContentsJudgement,
  limits: Limits,
): readonly BundleError[] {
  const signed = signedManifestOf(members, assignRoles(members.map(({ name }) => name)));
  const [fault] = signed ? sidecarFaults(signed) : [];
  return fault ? [fault] : joinFaults(descriptor, names, limits);
}

function judgeable(
  members: readonly Member[],
  options: ReadOptions & Pick<ReadPackage, 'parts' | 'warnings'>,
): ReadPackage {
  const { parts, algorithm, limits, warnings } = options;
  const rest = members.filter(({ name }) => name !== parts.certificate && name !== parts.timestamp);
  const there = keptMember(rest, parts.manifest);
  const manifest = there ?? manifestOver(rest, parts, { algorithm, limits });
  const all = there ? rest : [...rest, manifest];
  const judge = (signing: readonly string[], strangers: Strangers): ContentsJudgement => {
    const judged = judgeLoose(all, { signing, strangers, limits });
    const names = [...all.map(({ name }) => name), ...signing];
    const errors = judged.errors.length > 0 ? judged.errors : faultsOfWhole(all, names, judged, limits);
    const checks = there || errors.length === 0 ? judged.checks : judged.checks.map(withoutManifest);
    return { ...judged, checks, errors };
  };
  const certificate = keptMember(members, parts.certificate);
  const timestamp = keptMember(members, parts.timestamp);
  return {
    parts,
    manifest,
    ...(certificate !== undefined && { certificate }),
    ...(timestamp !== undefined && { timestamp }),
    judged: judge(
      [parts.certificate, ...(parts.there.has(parts.timestamp) ? [parts.timestamp] : [])],
      new Map(),
    ),
    warnings,
    judgeSigned: (files) =>
      judge(
        files.map(({ name }) => name),
        strangersAmong(rest, { manifest, limits, parts, files }),
      ),
  };
}

/** What matches the manifest that would have been made says nothing: there is none. [pkg.9] */
function withoutManifest(check: Check): Check {
  if (check.id !== 'manifest.digests' || check.status !== 'pass') return check;
  return { ...check, status: 'skip', detail: 'there is no manifest that could say what the files must be' };
}

/** [pkg.10] Evidence that the manifest does not list, and that is not about the certificates of the signature, by the names in both. */
function strangersAmong(
  members: readonly Member[],
  {
    manifest,
    limits,
    parts,
    files,
  }: Pick<ReadPackage, 'manifest' | 'parts'> & {
    readonly limits: Limits;
    readonly files: readonly NamedMember[];
  },
): Strangers {
  const listed = parseManifest(manifest.bytes, limits).byName;
  const bytesOf = (name: string): Uint8Array | undefined => files.find((file) => file.name === name)?.bytes;
  const signature = { certificate: bytesOf(parts.certificate), timestamp: bytesOf(parts.timestamp) };
  const isStranger = (member: Member): boolean =>
    member.kind === 'kept' &&
    isPlainEvidence(member.name) &&
    !listed.has(member.name) &&
    !isAboutSignature(parseEvidence(member.bytes, member.name, member.name, { alone: true }), signature);
  const strangers = members.filter((member) => isEvidence(member.name) && isStranger(member));
  return new Map(
    strangers.map(({ name }) => [
      name,
      'it is not about the certificates of the signature, by the names in both',
    ]),
  );
}
