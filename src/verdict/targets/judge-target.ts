import { parseDescriptor } from '../../formats/ovf/descriptor.ts';
import { referenceOf } from '../../formats/ovf/file-reference.ts';
import { parseHardware } from '../../formats/ovf/hardware.ts';
import type { Limits } from '../../kit/limits.ts';
import { diskImagesOf } from '../bundle/disk-images.ts';
import { DISK_RULES } from './disk-rules.ts';
import { HARDWARE_RULES } from './hardware-rules.ts';
import { PACKAGE_RULES } from './package-rules.ts';
import type {
  BundleFacts,
  TargetFinding,
  TargetName,
  TargetReport,
  TargetRule,
  TargetSeverity,
} from './target.ts';

/** Every rule there is, in the order in which an importer meets what they are about. */
export const TARGET_RULES: readonly TargetRule[] = [...PACKAGE_RULES, ...HARDWARE_RULES, ...DISK_RULES];

/** What each target takes, in words. */
const ACCEPTS: Readonly<Record<TargetName, readonly string[]>> = {
  vsphere: [
    'OVF 1 in a plain tar (ustar, with GNU sizes over 8 GiB), the descriptor first; or its files in a folder',
    'manifests of SHA-256 and SHA-512, written as "SHA256(name)= hex", the descriptor listed; SHA-1 up to vSphere 6',
    'signatures of RSA keys in the certificate file',
    'disks as streamOptimized VMDK, CD-ROMs as ISO',
    'hardware families vmx-04 to vmx-22, each from its own ESXi on; SCSI, SATA as vmware.sata.ahci, IDE',
  ],
  virtualbox: [
    'OVF 1 and 2 in a plain tar, in any order; or its files in a folder',
    'manifests of SHA-1, SHA-256 and SHA-512',
    'signatures of RSA keys in the certificate file, and a CMS signature behind them',
    'disks as VMDK and VHD, gzip by ovf:compression included; CD-ROMs as ISO',
    'any hardware family; SCSI, SATA as AHCI, IDE',
  ],
  openstack: [
    'single disk images, taken out of the bundle: qcow2, raw, VMDK (streamOptimized, monolithicSparse), VHD, VHDX, ISO',
    'no OVF: the machine is described by a flavor and by properties of the image',
    'signatures of images by their properties (img_signature), no manifest and no certificate file',
  ],
  kubevirt: [
    'single disk images by the Containerized Data Importer: raw and qcow2, gzip and xz around them, ISO',
    'OVF 1 by Forklift, through virt-v2v: VMDK, manifests of SHA-1 and SHA-256; the certificate file is not read',
  ],
  proxmox: [
    'OVF 1 with a single machine, in a plain tar or as files (qm importovf)',
    'disks as VMDK, qcow2 and raw, named .vmdk, .qcow2 or .raw, beside the descriptor',
    'names of letters, digits and . + = _ -',
    'neither manifest nor signature is looked at',
  ],
};

const WORST_FIRST: readonly TargetSeverity[] = ['refused', 'trouble', 'note'];

/** [target.1] What a target accepts, and what of a bundle it trips over, the worst first. It decides nothing about the bundle itself. */
export function judgeTarget(target: TargetName, given: BundleFacts): TargetReport {
  const facts = { ...given, disks: imagesAmong(given) };
  const findings = TARGET_RULES.filter(({ targets }) => targets.includes(target)).flatMap(
    ({ id, severity, find }) => find(facts).map((found): TargetFinding => ({ id, severity, ...found })),
  );
  const ordered = WORST_FIRST.flatMap((severity) =>
    findings.filter((finding) => finding.severity === severity),
  );
  return { target, accepts: ACCEPTS[target], findings: ordered };
}

/**
 * Any file could be a raw image; one is that the descriptor calls a disk, or its name an image. Of a chunk nothing is said: the
 * disk is what they make together.
 */
function imagesAmong({ disks, descriptor }: BundleFacts): BundleFacts['disks'] {
  const named = new Set(diskImagesOf(Object.keys(disks), descriptor));
  const lookup = referenceOf(descriptor?.references ?? []);
  return Object.fromEntries(
    Object.entries(disks).filter(
      ([name, { format }]) => lookup(name)?.chunk === undefined && (format !== 'raw' || named.has(name)),
    ),
  );
}

/** What is told of every bundle that is packed. */
const WHEN_PACKED = new Set(['disk.subformat', 'hardware.family', 'hardware.version']);

/** What is told besides where a bundle asks for VMware's hardware, or says that its disks are VMware's. */
const FOR_VMWARE = new Set(['disk.format', 'disk.declared']);

/** [pack.18] The warnings of a bundle that is packed with this descriptor. @throws {BundleError} `DESCRIPTOR_SYNTAX` */
export function warningsWhenPacked(
  bytes: Uint8Array,
  disks: BundleFacts['disks'],
  limits: Limits,
): readonly string[] {
  const descriptor = parseDescriptor(bytes, limits);
  const hardware = parseHardware(bytes, limits);
  const isVmware =
    hardware.machines.some(({ families = [] }) => families.some((family) => /^vmx-/i.test(family))) ||
    descriptor.disks.some(({ format = '' }) => /vmdk/i.test(format));
  return judgeTarget('vsphere', { members: [], descriptor, hardware, disks })
    .findings.filter(({ id }) => WHEN_PACKED.has(id) || (isVmware && FOR_VMWARE.has(id)))
    .map(({ where, what, do: fix }) => `"${where}": ${what}; for vSphere: ${fix}`);
}
