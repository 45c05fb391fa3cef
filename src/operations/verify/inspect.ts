import { parseCertificate } from '../../crypto/certificate.ts';
import { isEvidence, rolePartOf } from '../../formats/bundle-part.ts';
import type { DiskProbe } from '../../formats/disk/disk-probe.ts';
import { parseCertificateFile } from '../../formats/ovf/certificate-file.ts';
import { type Descriptor, parseDescriptor } from '../../formats/ovf/descriptor.ts';
import { parseManifest } from '../../formats/ovf/manifest.ts';
import { openDeadline } from '../../kit/deadline.ts';
import type { Told } from '../../kit/errors/advice.ts';
import { BundleError, toBundleError } from '../../kit/errors/errors.ts';
import { DEFAULT_LIMITS, type Limits } from '../../kit/limits.ts';
import { list, oneOf, shape } from '../../kit/shape.ts';
import { sourceOptions } from '../../kit/source.ts';
import { openBundle } from '../../storage/sources/open-bundle.ts';
import type { BundleInput } from '../../storage/sources/open-source.ts';
import { READING } from '../../verdict/judging-rules.ts';
import { allowanceNames } from '../../verdict/report/allowance-names.ts';
import { inputReport } from '../../verdict/report/input-report.ts';
import {
  type CertificateReport,
  type FileReport,
  makeReport,
  type Report,
} from '../../verdict/report/report.ts';
import { certificateReport } from '../../verdict/signers/signature-report.ts';
import { factsOf } from '../../verdict/targets/facts-of.ts';
import { judgeTarget } from '../../verdict/targets/judge-target.ts';
import type { TargetName, TargetReport } from '../../verdict/targets/target.ts';
import { assignRoles, type BundleRoles, roleOf } from '../../verdict/walk/bundle-roles.ts';
import { digestOf, keptMember, type Member, offsetOf } from '../../verdict/walk/member.ts';
import { inPlaceOfBundle } from '../../verdict/walk/no-bundle.ts';
import type { BundleFormat } from '../../verdict/walk/package-entries.ts';
import { walkBundle } from '../../verdict/walk/walk.ts';
import { openInner } from '../inner.ts';
import { bundleInput } from '../option-rules.ts';
import { MemberDisks } from './member-disks.ts';
import type { VerifyOptions } from './options.ts';

/** What a bundle says of itself, by what makes it one: a descriptor, a manifest alone, or nothing. Nothing of it has been verified. */
export type Inspection = OvfInspection | PlainInspection | NoBundleInspection;

/** What is found in any archive. */
interface ArchiveInspection {
  readonly format?: BundleFormat;
  /** what the header of each disk image says, by member name */
  readonly disks: Readonly<Record<string, DiskProbe>>;
  /** what the targets that were asked about accept, and what of it they trip over; left out where it was not read to its end */
  readonly targets?: readonly TargetReport[];
}

/** What manifest and certificate file say; left out where there is none, or it cannot be read. */
interface Claims {
  readonly manifestLines?: number;
  /** the certificate that claims to have signed */
  readonly claimedSigner?: CertificateReport;
}

/** An archive with a descriptor. */
export interface OvfInspection extends ArchiveInspection, Claims {
  readonly kind: 'ovf';
  /** left out where it cannot be read */
  readonly descriptor?: Descriptor;
}

/** An archive with a manifest, and no descriptor. */
export interface PlainInspection extends ArchiveInspection, Claims {
  readonly kind: 'plain';
}

/** An archive that is no bundle, or whose parts cannot be told from one another. */
export interface NoBundleInspection extends ArchiveInspection {
  readonly kind: 'none';
}

/** The report of `inspect`. */
export type InspectReport = Report<'inspect', Inspection>;

/** How a bundle is looked into. */
export interface InspectOptions
  extends Pick<VerifyOptions, 'limits' | 'relax' | 'inner' | 'signal' | 'deadlineMs' | 'onProgress'> {
  /** platforms whose importers it is held against */
  readonly targets?: readonly TargetName[];
}

/**
 * Lists what is in a bundle, with sizes, offsets and SHA-256, and what it says of itself. It verifies nothing.
 *
 * The archive must be sound for the list to mean anything, so the strict reader reads it to its end.
 *
 * @throws {BundleError} when the input cannot be opened
 */
export async function inspect(
  input: BundleInput,
  options: InspectOptions = {},
): Promise<{ readonly report: InspectReport; readonly inspection: Inspection }> {
  return inspectGiven(bundleInput(input, 'input'), inspectOptions(options, ''));
}

const inspectOptions = shape<InspectOptions>({
  ...READING,
  targets: list(
    oneOf<TargetName>({ vsphere: true, virtualbox: true, openstack: true, kubevirt: true, proxmox: true }),
  ),
});

async function inspectGiven(
  input: BundleInput,
  options: InspectOptions,
): Promise<{ readonly report: InspectReport; readonly inspection: Inspection }> {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  using deadline = openDeadline(options);
  await using opened = await openBundle(input, sourceOptions({ ...options, ...deadline }));
  const source = options.inner ? openInner(opened, { ...options, ...deadline }) : opened;
  const found = new MemberDisks();
  const errors: BundleError[] = [];
  const { relax, onProgress } = options;
  const { format, members, fault, warnings } = await walkBundle(
    source,
    {
      limits,
      ...(relax !== undefined && { relax }),
      ...(onProgress !== undefined && { onProgress }),
      apart: {},
    },
    async (walk) => {
      for await (const entry of walk.entries) {
        const sink = rolePartOf(entry.name) || isEvidence(entry.name) ? undefined : found;
        const member = await walk.read(entry, { algorithms: ['sha256'], sink });
        if (member.kind === 'unread' && source.parts) await found.lookAt(member, source.parts);
      }
    },
  );
  if (fault) errors.push(fault);
  const roles = fault ? {} : rolesAmong(members, source.name, errors);
  const disks = found.among(members);
  const targets = fault ? undefined : options.targets;
  const told: Told[] = ['NOT VERIFIED: inspect checks no digest and no signature', ...warnings];
  const inspection: Inspection = {
    ...(format !== undefined && { format }),
    ...claims(members, roles, { limits, errors, warnings: told }),
    disks,
    ...(targets !== undefined && {
      targets: judgeTargets(targets, members, roles, {
        container: format === 'files' ? undefined : format,
        disks,
        limits,
      }),
    }),
  };
  const report = makeReport({
    operation: 'inspect',
    input: inputReport(source, format),
    files: members.map((member) => fileReport(member, roles)),
    errors,
    warnings: told,
    allowances: allowanceNames({}, options.relax),
    result: inspection,
  });
  return { report, inspection };
}

function judgeTargets(
  targets: readonly TargetName[],
  ...known: Parameters<typeof factsOf>
): readonly TargetReport[] {
  const facts = factsOf(...known);
  return targets.map((target) => judgeTarget(target, facts));
}

/** Which members play a part; an archive without any is no bundle. */
function rolesAmong(members: readonly Member[], file: string, errors: BundleError[]): BundleRoles {
  try {
    const roles = assignRoles(members.map(({ name }) => name));
    if (roles.base !== undefined) return roles;
    const { what = '', fix } = inPlaceOfBundle(members.map(({ name }) => name));
    const message = `the archive holds neither a descriptor nor a manifest${what}`;
    errors.push(
      new BundleError('PACKAGE_UNKNOWN', message, { where: { file }, ...(fix !== undefined && { fix }) }),
    );
    return roles;
  } catch (error) {
    errors.push(toBundleError(error).at({ file }));
    return {};
  }
}

type Claimed =
  | Omit<OvfInspection, keyof ArchiveInspection>
  | Omit<PlainInspection, keyof ArchiveInspection>
  | Omit<NoBundleInspection, keyof ArchiveInspection>;

/** What descriptor, manifest and certificate file say; a file that cannot be read is a fault of the package. */
function claims(
  members: readonly Member[],
  roles: BundleRoles,
  {
    limits,
    errors,
    warnings,
  }: { readonly limits: Limits; readonly errors: BundleError[]; readonly warnings: Told[] },
): Claimed {
  const read = <T>(name: string | undefined, parse: (bytes: Uint8Array) => T): T | undefined => {
    const member = keptMember(members, name);
    if (!member) return undefined;
    try {
      return parse(member.bytes);
    } catch (error) {
      errors.push(toBundleError(error).at({ member: member.name }));
      return undefined;
    }
  };
  const descriptor = read(roles.descriptor, (bytes) => {
    const { notes, ...said } = parseDescriptor(bytes, limits);
    warnings.push(...notes);
    return said;
  });
  const manifest = read(roles.manifest, (bytes) => parseManifest(bytes, limits));
  const signer = read(roles.certificate, (bytes) => {
    const [der] = parseCertificateFile(bytes, limits).certificates;
    return der ? certificateReport(parseCertificate(der)) : undefined;
  });
  const claims = {
    ...(manifest !== undefined && { manifestLines: manifest.entries.length }),
    ...(signer !== undefined && { claimedSigner: signer }),
  };
  if (roles.descriptor) return { kind: 'ovf', ...(descriptor !== undefined && { descriptor }), ...claims };
  return roles.manifest ? { kind: 'plain', ...claims } : { kind: 'none' };
}

function fileReport(member: Member, roles: BundleRoles): FileReport {
  const { name, size } = member;
  const actual = digestOf(member, 'sha256');
  return {
    name,
    role: roleOf(member, roles),
    size,
    ...offsetOf(member),
    algorithm: 'sha256',
    ...(actual !== undefined && { actual }),
    status: 'unchecked',
  };
}
