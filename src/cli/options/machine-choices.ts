import type { FirmwareName } from '../../formats/ovf/descriptor-writer.ts';
import type { ControllerName } from '../../formats/ovf/machine/drives.ts';
import type { GuestSystemName } from '../../formats/ovf/machine/guest-systems.ts';
import type { TargetName } from '../../verdict/targets/target.ts';

// Spelled out here: the command line is parsed before any of the program is loaded. Their types hold that none is missing.

const names = <Name extends string>(all: Readonly<Record<Name, true>>): readonly Name[] =>
  Object.keys(all) as Name[];

/** What may start a machine; the first is the default. */
export const FIRMWARES = names<FirmwareName>({ bios: true, efi: true });

/** What disks may hang on; the first is the default. */
export const CONTROLLERS = names<ControllerName>({ scsi: true, pvscsi: true, sata: true, ide: true });

/** The guest systems that may be named; the first is the default. */
export const GUESTS = names<GuestSystemName>({
  other64: true,
  linux64: true,
  centos64: true,
  debian64: true,
  freebsd64: true,
  rhel64: true,
  sles64: true,
  ubuntu64: true,
  windows64: true,
  'windows-server64': true,
  linux: true,
  other: true,
});

/** The platforms whose importers are known. */
export const PLATFORMS = names<TargetName>({
  vsphere: true,
  virtualbox: true,
  openstack: true,
  kubevirt: true,
  proxmox: true,
});
