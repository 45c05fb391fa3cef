import type { ArchiveFormat } from '../../archive/open-archive.ts';
import type { DiskProbe } from '../../formats/disk/disk-probe.ts';
import type { Descriptor } from '../../formats/ovf/descriptor.ts';
import type { HardwareSummary } from '../../formats/ovf/hardware.ts';
import type { Manifest } from '../../formats/ovf/manifest.ts';

/** A platform whose importers are known. */
export type TargetName = 'vsphere' | 'virtualbox' | 'openstack' | 'kubevirt' | 'proxmox';

/** All of them. */
export const TARGETS = [
  'vsphere',
  'virtualbox',
  'openstack',
  'kubevirt',
  'proxmox',
] as const satisfies readonly TargetName[];

/** How bad it is: its importer refuses it, something is lost or wrong after an import that succeeds, or it depends on the version. */
export type TargetSeverity = 'refused' | 'trouble' | 'note';

/** Something of a bundle that a target trips over. */
export interface TargetFinding {
  /** the rule, such as `disk.subformat` */
  readonly id: string;
  readonly severity: TargetSeverity;
  /** the member or machine that it is about; empty for the bundle as a whole */
  readonly where: string;
  readonly what: string;
  /** what to do about it */
  readonly do: string;
}

/** What a target accepts, and what of a bundle it trips over. */
export interface TargetReport {
  readonly target: TargetName;
  readonly accepts: readonly string[];
  readonly findings: readonly TargetFinding[];
}

/** What is known of a bundle; left out is what is not, or cannot be read, and no rule speaks of that. */
export interface BundleFacts {
  /** the archive; none for files that are not in one */
  readonly container?: ArchiveFormat;
  /** the names of all members, in their order */
  readonly members: readonly string[];
  /** the name of the descriptor, whether it can be read or not */
  readonly descriptorName?: string;
  readonly descriptor?: Descriptor;
  readonly hardware?: HardwareSummary;
  readonly manifest?: Manifest;
  /** what kind of key the signer has, such as `RSA-2048` */
  readonly signerKey?: string;
  /** what the header of each disk image says, by member */
  readonly disks: Readonly<Record<string, DiskProbe>>;
}

/** Where a rule found something, and its words. */
export type Found = Pick<TargetFinding, 'where' | 'what' | 'do'>;

/** A rule: what a target is known not to take, and by what that is known. */
export interface TargetRule {
  readonly id: string;
  readonly targets: readonly TargetName[];
  readonly severity: TargetSeverity;
  /** the report, source or document behind it */
  readonly source: string;
  readonly find: (facts: BundleFacts) => readonly Found[];
}
