import { isPlainEvidence, sidecarOf } from '../../formats/bundle-part.ts';
import { type Descriptor, parseDescriptor } from '../../formats/ovf/descriptor.ts';
import { type Manifest, type ManifestEntry, parseManifest } from '../../formats/ovf/manifest.ts';
import { counted } from '../../kit/encoding.ts';
import { allowed, type Told } from '../../kit/errors/advice.ts';
import { BundleError, toBundleError } from '../../kit/errors/errors.ts';
import type { Limits } from '../../kit/limits.ts';
import type { Allowances } from '../../trust/policy.ts';
import type { Check, FileReport } from '../report/report.ts';
import type { Strangers } from '../signers/carried.ts';
import { type BundleRoles, roleOf } from '../walk/bundle-roles.ts';
import { digestOf, keptMember, type Member, offsetOf } from '../walk/member.ts';
import { inPlaceOfBundle } from '../walk/no-bundle.ts';
import { contentChecks } from './content-checks.ts';
import { digestFaults } from './digest-faults.ts';
import { judgeBlocks } from './judge-blocks.ts';
import { coverageFaults, withVoucher } from './judge-coverage.ts';
import { judgeReferences } from './judge-references.ts';

/** What has been read of a bundle. `complete`: to the end, so that what has not come will not come. */
export interface BundleContents {
  readonly roles: BundleRoles;
  readonly members: readonly Member[];
  readonly complete: boolean;
}

/** What is to be said about the contents. `descriptor` is there only when it is covered by an accepted manifest. */
export interface ContentsJudgement {
  readonly files: readonly FileReport[];
  readonly descriptor?: Descriptor;
  readonly manifest?: Manifest;
  readonly checks: readonly Check[];
  readonly errors: readonly BundleError[];
  readonly warnings: readonly Told[];
}

/**
 * Compares the members with the manifest: every member listed, every line present, every digest right.
 *
 * `manifestAccepted` says whether the manifest may be believed; only then is the descriptor parsed, and the set of
 * members compared with its references.
 *
 * @see spec/bundle.md, clauses cover.1 to cover.9
 */
export function judgeContents(
  contents: BundleContents,
  options: {
    readonly manifestAccepted: boolean;
    /** whether anybody is said to have signed the manifest; the strength of its digests matters only then */
    readonly signed: boolean;
    readonly allowances: Allowances;
    readonly limits: Limits;
    /** members that look like evidence and are none; undefined when nobody could tell [bundle.6] */
    readonly strangers?: Strangers;
    /** members that speak for the manifest, and for which somebody trusted answers [rep.5] */
    readonly answered?: ReadonlyMap<string, unknown>;
    /** members with block digests that count may be unread: nothing is said of them, whoever reads of them checks what is read [blocks.11] */
    readonly later?: boolean;
    /** reads the manifest, when that has been done before */
    readonly parse?: (manifest: Uint8Array) => Manifest;
  },
): ContentsJudgement {
  const { roles, members, complete } = contents;
  const manifestMember = keptMember(members, roles.manifest);
  if (!manifestMember) return withoutManifest(contents);

  let manifest: Manifest;
  try {
    const { parse = (bytes) => parseManifest(bytes, options.limits) } = options;
    manifest = parse(manifestMember.bytes);
  } catch (error) {
    const fault = toBundleError(error).at({ member: manifestMember.name });
    const checks: Check[] = [{ id: 'manifest.syntax', status: 'fail', detail: fault.message }];
    return {
      files: members.map((member) => unchecked(member, roles)),
      checks,
      errors: [fault],
      warnings: [],
    };
  }

  const errors: BundleError[] = [];
  const warnings: Told[] = [...manifest.notes];
  const listed = manifest.byName;
  const { strangers = new Map<string, string>() } = options;
  const files = members
    .map((member) => judgeMember(member, listed.get(member.name), roles, strangers))
    .map((file) => withVoucher(file, options));

  errors.push(...manifestFaults(manifest, manifestMember.name, roles));
  errors.push(...weakDigests(manifest, manifestMember.name, options, warnings));
  const blocks = judgeBlocks(members, manifest);
  const isLater = (member: Member): boolean => member.kind === 'unread' && blocks.usable.has(member.name);
  const later = new Set(options.later ? members.filter(isLater).map(({ name }) => name) : []);
  const compared = files.filter(({ name }) => !later.has(name));
  errors.push(...digestFaults(compared, listed, manifestMember.name));
  errors.push(...blocks.errors);
  errors.push(...coverageFaults(files, roles, { ...options, strangers, warnings }));
  if (complete) {
    const present = new Set(members.map(({ name }) => name));
    for (const entry of manifest.entries) {
      if (present.has(entry.name)) continue;
      files.push({
        name: entry.name,
        role: 'file',
        algorithm: entry.algorithm,
        expected: entry.digest,
        status: 'missing',
      });
      errors.push(
        new BundleError(
          'FILE_MISSING',
          `the manifest lists "${entry.name}", and the bundle does not have it`,
          {
            where: { member: manifestMember.name, line: entry.line },
          },
        ),
      );
    }
  }

  const checks = contentChecks({ files, errors, manifest, complete });
  const judged = judgeDescriptor(contents, files, {
    accepted: errors.length === 0 && options.manifestAccepted,
    limits: options.limits,
  });
  return {
    files,
    manifest,
    ...(judged.descriptor !== undefined && { descriptor: judged.descriptor }),
    checks: [...checks, ...judged.checks],
    errors: [...errors, ...judged.errors],
    warnings: [...warnings, ...judged.warnings],
  };
}

function withoutManifest({ roles, members, complete }: BundleContents): ContentsJudgement {
  const files = members.map((member) => unchecked(member, roles));
  if (!complete) return { files, checks: [], errors: [], warnings: [] };
  const stray = members.find((member) => /\.(mf|cert)$/i.test(member.name));
  const wanted = roles.descriptor ? `"${roles.base}.mf"` : '"NAME.mf"';
  const hint = stray
    ? `; "${stray.name}" does not count, since only ${wanted} beside the descriptor does`
    : '';
  const { what = hint, ...advice } = inPlaceOfBundle(members.map(({ name }) => name));
  const fault = new BundleError('MANIFEST_MISSING', `the bundle has no manifest${what}`, advice);
  return {
    files,
    checks: [{ id: 'manifest.syntax', status: 'fail', detail: fault.message }],
    errors: [fault],
    warnings: [],
  };
}

function unchecked(member: Member, roles: BundleRoles): FileReport {
  return { ...placed(member, roles), status: 'unchecked' };
}

function placed(member: Member, roles: BundleRoles): Pick<FileReport, 'name' | 'role' | 'size' | 'offset'> {
  const { name, size } = member;
  return { name, role: roleOf(member, roles), size, ...offsetOf(member) };
}

function judgeMember(
  member: Member,
  entry: ManifestEntry | undefined,
  roles: BundleRoles,
  strangers: Strangers,
): FileReport {
  const place = placed(member, roles);
  const { name, role } = place;
  if (role === 'manifest' || role === 'certificate') return { ...place, status: 'unchecked' };
  // [cover.1] Evidence is vouched for by its issuer or authority, and comes when the manifest is long signed.
  const signs = role === 'timestamp' || role === 'signature'; // [side.2] it cannot be listed
  const isEvidence = signs || (role === 'revocation' && isPlainEvidence(name)); // [bundle.10]
  if (!entry || signs)
    return { ...place, status: isEvidence && !strangers.has(name) ? 'unchecked' : 'unlisted' };
  const { algorithm, digest: expected } = entry;
  const common = { ...place, algorithm, expected };
  switch (member.kind) {
    case 'blocks': {
      // [blocks.7] They were asked only where they say to be of what has this very line.
      const { blocks } = member;
      return { ...common, blocks, status: blocks.damaged === 0 ? 'ok' : 'mismatch' };
    }
    case 'unread':
      return { ...common, status: 'unchecked' };
    case 'kept':
    case 'hashed': {
      const actual = digestOf(member, algorithm);
      if (actual === undefined) return { ...common, status: 'unchecked' };
      const found = member.kind === 'hashed' && member.damage ? { blocks: member.damage } : {};
      return { ...common, ...found, status: actual === expected ? 'ok' : 'mismatch', actual };
    }
  }
}

/** [cover.4] What the manifest must not say: itself, its signature, nothing at all. */
function manifestFaults(manifest: Manifest, name: string, roles: BundleRoles): BundleError[] {
  if (manifest.entries.length === 0) {
    return [
      new BundleError('MANIFEST_MISSING', 'the manifest lists no file at all', {
        where: { member: name },
        why: 'a manifest without lines verifies nothing, whoever signed it',
      }),
    ];
  }
  const own = manifest.entries.filter(
    (entry) =>
      entry.name === roles.manifest ||
      entry.name === (roles.certificate ?? `${roles.base}.cert`) ||
      entry.name === roles.timestamp ||
      (roles.base !== undefined && sidecarOf(entry.name, roles.base) !== undefined), // there or not [side.2]
  );
  return own.map(
    (entry) =>
      new BundleError('MANIFEST_SYNTAX', `the manifest lists "${entry.name}", whose digest it cannot know`, {
        where: { member: name, line: entry.line },
        fix: 'ask the publisher to write the manifest over the other files only, and to sign it again',
        own: {
          text: 'unpack it, and pack it anew: the manifest is over the other files only then',
          advice: 'pack-signed',
        },
      }),
  );
}

/** [cover.5] SHA-1 ties no signature to one content; without a signature there is nothing to tie. */
function weakDigests(
  manifest: Manifest,
  name: string,
  options: { readonly signed: boolean; readonly manifestAccepted: boolean; readonly allowances: Allowances },
  warnings: Told[],
): BundleError[] {
  const weak = manifest.entries.find((entry) => entry.algorithm === 'sha1');
  if (!weak) return [];
  if (options.allowances.sha1 || !(options.signed || options.manifestAccepted)) {
    const warning = 'the manifest has SHA-1 digests';
    warnings.push(options.allowances.sha1 ? allowed(warning, 'sha1') : warning);
    return [];
  }
  return [
    new BundleError('DIGEST_WEAK', 'the manifest has SHA-1 digests', {
      where: { member: name, line: weak.line },
      own: {
        text: 'unpack it, and pack it anew: the manifest has SHA-256 digests then',
        advice: 'pack-unpacked',
      },
    }),
  ];
}

/** [cover.7] The descriptor is believed, and so parsed, only behind a manifest that is. */
function judgeDescriptor(
  { roles, members }: BundleContents,
  files: readonly FileReport[],
  { accepted, limits }: { readonly accepted: boolean; readonly limits: Limits },
): Pick<ContentsJudgement, 'descriptor' | 'checks' | 'errors' | 'warnings'> {
  const member = keptMember(members, roles.descriptor);
  if (!member) return { checks: [], errors: [], warnings: [] };
  if (!accepted) {
    const detail = 'not read: nothing that is trusted vouches for it';
    return { checks: [{ id: 'descriptor', status: 'skip', detail }], errors: [], warnings: [] };
  }
  try {
    const { notes, ...descriptor } = parseDescriptor(member.bytes, limits);
    const covered = (file: FileReport): boolean => file.role !== 'revocation' || file.expected !== undefined;
    const unlisted = new Set(files.filter((file) => !covered(file)).map(({ name }) => name));
    const judged = judgeReferences(descriptor, members, { roles, unlisted });
    const [fault] = judged.errors;
    const detail = fault?.message ?? referencesIn(descriptor);
    const checks: Check[] = [{ id: 'descriptor', status: fault ? 'fail' : 'pass', detail }];
    return { ...judged, descriptor, checks, warnings: [...notes, ...judged.warnings] };
  } catch (error) {
    const fault = toBundleError(error).at({ member: member.name });
    return {
      checks: [{ id: 'descriptor', status: 'fail', detail: fault.message }],
      errors: [fault],
      warnings: [],
    };
  }
}

function referencesIn({ references: { length } }: Descriptor): string {
  if (length === 0) return 'no references';
  return `${counted(length, 'reference')}, ${length === 1 ? '' : 'all '}in the bundle`;
}
