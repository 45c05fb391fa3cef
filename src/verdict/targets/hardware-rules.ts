import type { Device, MachineHardware } from '../../formats/ovf/hardware.ts';
import type { BundleFacts, Found, TargetRule } from './target.ts';

/** The first ESXi that has a version of VMware's virtual hardware; versions between them belong to desktop products or to the next. */
const ESXI: readonly (readonly [version: number, since: string])[] = [
  [4, '3.0'],
  [7, '4.0'],
  [8, '5.0'],
  [9, '5.1'],
  [10, '5.5'],
  [11, '6.0'],
  [13, '6.5'],
  [14, '6.7'],
  [15, '6.7 U2'],
  [17, '7.0'],
  [18, '7.0 U1'],
  [19, '7.0 U2'],
  [20, '8.0'],
  [21, '8.0 U2'],
  [22, '9.0'],
];

/** Versions from here on are refused by hosts that are still at work, of ESXi 7. */
const RECENT = 20;
const NEWEST = 22;

/** What is written in place of a version that a host does not have: ESXi 6.5 and all later ones have it. */
const COMMON = 'vmx-13';

const SATA = 20;
/** What VirtualBox reads as such: AHCI from the beginning, VMware's name for it in later versions. */
const VIRTUALBOX_STORAGE =
  /^(ahci|vmware\.sata\.ahci|virtioscsi|virtio-scsi|nvme|vmware\.nvme\.controller)$/i;

/** Finds machines for which there is something to say. */
function machinesThat(
  fault: (machine: MachineHardware) => string | undefined,
  fix: string,
): TargetRule['find'] {
  return ({ hardware }) =>
    (hardware?.machines ?? []).flatMap((machine): Found[] => {
      const what = fault(machine);
      return what === undefined ? [] : [{ where: machine.id, what, do: fix }];
    });
}

/** The lowest version of VMware's hardware that will do; undefined where none is named. */
function versionOf({ families = [] }: MachineHardware): number | undefined {
  const versions = families.flatMap((family) => {
    const [, digits] = /^vmx-(\d{1,4})$/i.exec(family) ?? [];
    return digits === undefined ? [] : [Number(digits)];
  });
  return versions.length > 0 ? Math.min(...versions) : undefined;
}

function newerThanHosts(machine: MachineHardware): string | undefined {
  const version = versionOf(machine);
  if (version === undefined || version < RECENT) return undefined;
  const family = `the hardware family vmx-${String(version).padStart(2, '0')}`;
  if (version > NEWEST)
    return `${family} is newer than that of any ESXi that is known here (vmx-${NEWEST}): "Unsupported hardware family"`;
  const since = ESXI.find(([known]) => known >= version)?.[1];
  return `${family} needs ESXi ${since} or later; older hosts refuse it ("Unsupported hardware family")`;
}

/** Whether a machine is said to start by EFI; BIOS is what VMware takes where nothing is said. */
export function isEfi({ firmware }: MachineHardware): boolean {
  return firmware?.toLowerCase() === 'efi';
}

function devicesOf(machine: MachineHardware, type: number): readonly Device[] {
  return machine.devices.filter((device) => device.type === type);
}

/** [target.2] About machines and what they ask for. */
export const HARDWARE_RULES: readonly TargetRule[] = [
  {
    id: 'hardware.family',
    targets: ['vsphere'],
    severity: 'refused',
    source: 'cyphonmdr/cyphon#176, owncloud-archive/vm#53, opensemanticsearch/open-semantic-search#96',
    find: machinesThat((machine) => {
      const { families = [] } = machine;
      if (families.length === 0 || versionOf(machine) !== undefined) return undefined;
      return `vSphere and ESXi refuse the hardware family ${families.join(', ')} ("Unsupported hardware family"): they know vmx- and a number`;
    }, `put ${COMMON} into VirtualSystemType in the descriptor`),
  },
  {
    id: 'hardware.version',
    targets: ['vsphere'],
    severity: 'trouble',
    source: 'librenms/packer-builds#36 (vmx-20 on ESXi 7.0), nextcloud/vm#556; VMware KB 1003746 and 2007240',
    find: machinesThat(
      newerThanHosts,
      `put ${COMMON} into VirtualSystemType in the descriptor, unless all hosts are new enough`,
    ),
  },
  {
    id: 'hardware.missing',
    targets: ['vsphere', 'virtualbox', 'kubevirt', 'proxmox'],
    severity: 'refused',
    source: 'librenms/packer-builds#31 ("Missing child element \'VirtualHardwareSection\'")',
    find: machinesThat(
      ({ families }) => (families === undefined ? 'the machine has no VirtualHardwareSection' : undefined),
      'describe processors, memory and drives in the descriptor',
    ),
  },
  {
    id: 'hardware.sata',
    targets: ['vsphere'],
    severity: 'refused',
    source: 'VMware: virtual hardware device type 20 is known as vmware.sata.ahci and vmware.nvme.controller',
    find: machinesThat((machine) => {
      const odd = devicesOf(machine, SATA).find(({ model = '' }) => !/^vmware\./i.test(model));
      return (
        odd && `vSphere knows no storage controller "${odd.model ?? 'without a model'}" (ResourceType 20)`
      );
    }, 'put vmware.sata.ahci into its ResourceSubType, or use a SCSI controller (lsilogic)'),
  },
  {
    id: 'hardware.sata',
    targets: ['virtualbox'],
    severity: 'refused',
    source: 'VirtualBox: ovfreader.cpp, "is supported with SATA AHCI controllers only"',
    find: machinesThat((machine) => {
      const odd = devicesOf(machine, SATA).find(({ model = '' }) => !VIRTUALBOX_STORAGE.test(model));
      return (
        odd && `VirtualBox knows no storage controller "${odd.model ?? 'without a model'}" (ResourceType 20)`
      );
    }, 'put AHCI into its ResourceSubType, or use a SCSI controller (lsilogic)'),
  },
  {
    id: 'hardware.guest',
    targets: ['vsphere'],
    severity: 'note',
    source: 'Banno/packer-post-processor-vsphere-ova#9 (RedHat_64, id 80, becomes "Other (32-bit)")',
    find: machinesThat(
      ({ vmwareGuest }) =>
        vmwareGuest === undefined
          ? 'the guest system is told by number alone, and some numbers become "Other (32-bit)"'
          : undefined,
      'give OperatingSystemSection a vmw:osType, such as otherLinux64Guest',
    ),
  },
  {
    id: 'hardware.firmware',
    targets: ['virtualbox', 'openstack', 'kubevirt'],
    severity: 'trouble',
    source:
      'hw_firmware_type of Glance; firmware.bootloader of KubeVirt; VirtualBox keeps it in vbox:Machine',
    find: machinesThat(
      (machine) =>
        isEfi(machine) ? 'the machine starts by EFI, which the import does not take over' : undefined,
      'set it by hand: hw_firmware_type=uefi in OpenStack, bootloader efi in KubeVirt, Enable EFI in VirtualBox',
    ),
  },
  {
    id: 'hardware.collection',
    targets: ['openstack', 'kubevirt', 'proxmox'],
    severity: 'refused',
    source: 'virt-v2v and PVE::GuestImport::OVF read /Envelope/VirtualSystem alone',
    find: ({ hardware }: BundleFacts) =>
      hardware?.inCollection
        ? [
            {
              where: '',
              what: 'the machines stand in a VirtualSystemCollection, and the importer reads a single VirtualSystem',
              do: 'pack each machine by itself',
            },
          ]
        : [],
  },
];
