import type { ArchiveEntry } from '../../archive/entry.ts';
import type { ArchiveFormat } from '../../archive/open-archive.ts';
import { parseCertificate } from '../../crypto/certificate.ts';
import { Digester, digestHex } from '../../crypto/digest.ts';
import { isEvidence, rolePartOf } from '../../formats/bundle-part.ts';
import type { DiskProbe } from '../../formats/disk/disk-probe.ts';
import { PROBE_HEAD_BYTES, PROBE_TAIL_BYTES, probeDisk } from '../../formats/disk/probe.ts';
import { parseCertificateFile } from '../../formats/ovf/certificate-file.ts';
import { type Descriptor, parseDescriptor } from '../../formats/ovf/descriptor.ts';
import { parseManifest } from '../../formats/ovf/manifest.ts';
import { concat, copyBytes } from '../../kit/bytes.ts';
import { openDeadline } from '../../kit/deadline.ts';
import { BundleError, isBundleError, toBundleError } from '../../kit/errors/errors.ts';
import { DEFAULT_LIMITS, type Limits } from '../../kit/limits.ts';
import { shape } from '../../kit/shape.ts';
import { sourceOptions } from '../../kit/source.ts';
import { type BundleInput, openSource } from '../../storage/sources/open-source.ts';
import { assignRoles, type BundleRoles } from '../../verdict/bundle/bundle-roles.ts';
import { roleOf } from '../../verdict/bundle/judge-contents.ts';
import { allowanceNames } from '../../verdict/report/allowance-names.ts';
import {
  type CertificateReport,
  type FileReport,
  makeReport,
  type Report,
} from '../../verdict/report/report.ts';
import { certificateReport } from '../../verdict/signers/signature-report.ts';
import { type KeptBytes, readMember } from '../../verdict/walk/hash-member.ts';
import type { ReadMember } from '../../verdict/walk/member.ts';
import type { SetAside } from '../../verdict/walk/set-aside.ts';
import { walkArchive } from '../../verdict/walk/walk.ts';
import { bundleInput, READING } from '../option-rules.ts';
import type { VerifyOptions } from './options.ts';

/** What a bundle says of itself; nothing of it has been verified. */
export interface Inspection {
  readonly format?: ArchiveFormat;
  readonly kind: 'ovf' | 'plain' | 'none';
  readonly descriptor?: Descriptor;
  readonly manifestLines?: number;
  /** the certificate that claims to have signed */
  readonly claimedSigner?: CertificateReport;
  /** what the header of each disk image says, by member name */
  readonly disks: Readonly<Record<string, DiskProbe>>;
}

/** How a bundle is looked into. */
export type InspectOptions = Pick<VerifyOptions, 'limits' | 'relax' | 'signal' | 'deadlineMs' | 'onProgress'>;

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
): Promise<{ readonly report: Report; readonly inspection: Inspection }> {
  return inspectGiven(bundleInput(input, 'input'), inspectOptions(options, ''));
}

const inspectOptions = shape<InspectOptions>(READING);

async function inspectGiven(
  input: BundleInput,
  options: InspectOptions,
): Promise<{ readonly report: Report; readonly inspection: Inspection }> {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  using deadline = openDeadline(options);
  await using source = await openSource(input, sourceOptions({ ...options, ...deadline }));
  const members: ReadMember[] = [];
  const kept: KeptBytes = new Map();
  const disks: Record<string, DiskProbe> = Object.create(null); // a member may be named __proto__
  const errors: BundleError[] = [];
  const { relax, onProgress } = options;
  const { format, fault, warnings } = await walkArchive(
    source,
    { limits, ...(relax && { relax }), ...(onProgress && { onProgress }), apart: { members } },
    async ({ entries, aside, onMember }) => {
      for await (const entry of entries) {
        onMember(entry.name);
        members.push(await inspectMember(entry, { limits, disks, kept, aside }));
      }
    },
  );
  if (fault) errors.push(fault);
  const read = new Set(members.map(({ name }) => name));
  for (const name of Object.keys(disks)) if (!read.has(name)) delete disks[name];
  const roles = fault ? {} : rolesAmong(members, source.name, errors);
  const kind = roles.descriptor ? 'ovf' : roles.manifest ? 'plain' : 'none';
  const inspection = {
    ...(format ? { format } : {}),
    kind,
    ...claims(members, roles, limits, errors),
    disks,
  } as const;
  const report = makeReport({
    operation: 'inspect',
    input: {
      name: source.name,
      ...(source.size === undefined ? {} : { size: source.size }),
      ...(format ? { format } : {}),
    },
    files: members.map((member) => fileReport(member, roles)),
    errors,
    warnings: ['NOT VERIFIED: inspect checks no digest and no signature', ...warnings],
    allowances: allowanceNames({}, options.relax),
    result: { ...inspection },
  });
  return { report, inspection };
}

/** Which members play a part; an archive without any is no bundle. */
function rolesAmong(members: readonly ReadMember[], file: string, errors: BundleError[]): BundleRoles {
  try {
    const roles = assignRoles(members.map(({ name }) => name));
    if (roles.base !== undefined) return roles;
    const message = 'the archive holds neither a descriptor nor a manifest';
    errors.push(new BundleError('PACKAGE_UNKNOWN', message, { where: { file } }));
    return roles;
  } catch (error) {
    errors.push(toBundleError(error).at({ file }));
    return {};
  }
}

async function inspectMember(
  entry: ArchiveEntry,
  options: {
    readonly limits: Limits;
    readonly disks: Record<string, DiskProbe>;
    readonly kept: KeptBytes;
    readonly aside: SetAside | undefined;
  },
): Promise<ReadMember> {
  const { limits, disks, kept, aside } = options;
  const { name, size, offset, dataOffset } = entry;
  if (rolePartOf(name) || isEvidence(name))
    return readMember(entry, { algorithms: ['sha256'], limits, sink: undefined, kept });
  const waiting = aside?.take(entry, ['sha256']);
  if (aside && waiting) {
    const tail = Math.min(size, PROBE_TAIL_BYTES);
    noteDisk(disks, name, [
      await aside.readAt(dataOffset, Math.min(size, PROBE_HEAD_BYTES)),
      await aside.readAt(dataOffset + size - tail, tail),
      size,
    ]);
    return waiting;
  }
  const digester = new Digester(['sha256']);
  const head: Uint8Array[] = [];
  let headBytes = 0;
  let tail: Uint8Array = new Uint8Array(0);
  for await (const chunk of entry.body) {
    digester.update(chunk);
    if (headBytes < PROBE_HEAD_BYTES) head.push(copyBytes(chunk.subarray(0, PROBE_HEAD_BYTES - headBytes)));
    headBytes += chunk.byteLength;
    tail = copyBytes(concat([tail, chunk.subarray(-PROBE_TAIL_BYTES)]).subarray(-PROBE_TAIL_BYTES));
  }
  noteDisk(disks, name, [concat(head), tail, size]);
  return { name, size, offset, dataOffset, digests: Object.fromEntries(digester.finish()) };
}

function noteDisk(disks: Record<string, DiskProbe>, name: string, image: Parameters<typeof probeDisk>): void {
  try {
    disks[name] = probeDisk(...image);
  } catch (error) {
    if (!isBundleError(error)) throw error; // any other file than a disk image, which is nothing to report
  }
}

/** What descriptor, manifest and certificate file say; a file that cannot be read is a fault of the package. */
function claims(
  members: readonly ReadMember[],
  roles: BundleRoles,
  limits: Limits,
  errors: BundleError[],
): Pick<Inspection, 'descriptor' | 'manifestLines' | 'claimedSigner'> {
  const read = <T>(name: string | undefined, parse: (bytes: Uint8Array) => T): T | undefined => {
    const bytes = members.find((member) => member.name === name)?.bytes;
    if (!name || !bytes) return undefined;
    try {
      return parse(bytes);
    } catch (error) {
      errors.push(toBundleError(error).at({ member: name }));
      return undefined;
    }
  };
  const descriptor = read(roles.descriptor, (bytes) => parseDescriptor(bytes, limits));
  const manifest = read(roles.manifest, (bytes) => parseManifest(bytes, limits));
  const signer = read(roles.certificate, (bytes) => {
    const [der] = parseCertificateFile(bytes, limits).certificates;
    return der ? certificateReport(parseCertificate(der)) : undefined;
  });
  return {
    ...(descriptor ? { descriptor } : {}),
    ...(manifest ? { manifestLines: manifest.entries.length } : {}),
    ...(signer ? { claimedSigner: signer } : {}),
  };
}

function fileReport(member: ReadMember, roles: BundleRoles): FileReport {
  const { name, size, offset, bytes, digests } = member;
  const actual = bytes ? digestHex('sha256', bytes) : (digests.sha256 ?? '');
  const role = roleOf(member, roles);
  return { name, role, size, offset, algorithm: 'sha256', actual, status: 'unchecked' };
}
