/** A guest system: its number in CIM_OperatingSystem, VMware's name of it, and how people call it. */
interface GuestSystem {
  readonly id: number;
  readonly vmware: string;
  readonly description: string;
}

/** A guest system, by the name that people choose it by. */
export type GuestSystemName =
  | 'other'
  | 'other64'
  | 'linux'
  | 'linux64'
  | 'centos64'
  | 'debian64'
  | 'freebsd64'
  | 'rhel64'
  | 'sles64'
  | 'ubuntu64'
  | 'windows64'
  | 'windows-server64';

/**
 * The guest systems that a made descriptor can name: those that every importer knows, by families. A name that a platform does not
 * know becomes a 32-bit system there, on which nothing of today starts.
 */
export const GUEST_SYSTEMS: Readonly<Record<GuestSystemName, GuestSystem>> = {
  other: { id: 1, vmware: 'otherGuest', description: 'Other system (32-bit)' },
  other64: { id: 102, vmware: 'otherGuest64', description: 'Other system (64-bit)' },
  linux: { id: 36, vmware: 'otherLinuxGuest', description: 'Linux (32-bit)' },
  linux64: { id: 101, vmware: 'otherLinux64Guest', description: 'Linux (64-bit)' },
  centos64: { id: 107, vmware: 'centos64Guest', description: 'CentOS (64-bit)' },
  debian64: { id: 96, vmware: 'debian7_64Guest', description: 'Debian (64-bit)' },
  freebsd64: { id: 78, vmware: 'freebsd64Guest', description: 'FreeBSD (64-bit)' },
  rhel64: { id: 80, vmware: 'rhel7_64Guest', description: 'Red Hat Enterprise Linux (64-bit)' },
  sles64: { id: 85, vmware: 'sles12_64Guest', description: 'SUSE Linux Enterprise Server (64-bit)' },
  ubuntu64: { id: 94, vmware: 'ubuntu64Guest', description: 'Ubuntu (64-bit)' },
  windows64: { id: 114, vmware: 'windows8_64Guest', description: 'Windows (64-bit)' },
  'windows-server64': { id: 112, vmware: 'windows8Server64Guest', description: 'Windows Server (64-bit)' },
};

/** What is written where nothing is said: any system of today runs on it. */
export const DEFAULT_GUEST: GuestSystemName = 'other64';
