/** What the disks of a made machine hang on. */
export type ControllerName = 'scsi' | 'pvscsi' | 'sata' | 'ide';

/** What is written where nothing is said: every importer has it. */
export const DEFAULT_CONTROLLER: ControllerName = 'scsi';

/** A kind of controller, and the places that each of them has. */
interface Bus {
  readonly title: string;
  /** ResourceType of CIM */
  readonly type: number;
  readonly subType: string;
  readonly slots: readonly number[];
  /** how many of them a machine has */
  readonly most: number;
}

// A parallel SCSI bus has 16 addresses and keeps the seventh for itself; virtual hardware has four of them, and two IDE channels.
const SCSI_SLOTS = [0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15];
const SATA_SLOTS = Array.from({ length: 30 }, (_, slot) => slot);

const BUSES: Readonly<Record<ControllerName, Bus>> = {
  scsi: { title: 'SCSI controller', type: 6, subType: 'lsilogic', slots: SCSI_SLOTS, most: 4 },
  pvscsi: { title: 'SCSI controller', type: 6, subType: 'VirtualSCSI', slots: SCSI_SLOTS, most: 4 },
  // The name that VMware has; VirtualBox reads it as AHCI.
  sata: { title: 'SATA controller', type: 20, subType: 'vmware.sata.ahci', slots: SATA_SLOTS, most: 4 },
  ide: { title: 'IDE controller', type: 5, subType: 'PIIX4', slots: [0, 1], most: 2 },
};

const CD_DRIVE = 15;
const DISK_DRIVE = 17;

/** A drive: an optical one or a disk, and what is in it. */
export interface Drive {
  readonly optical: boolean;
  readonly host: string;
}

/** An element of the hardware section: its properties in alphabetical order. */
export type Item = readonly (readonly [name: string, value: string | number])[];

/** How many disks and optical drives a machine with these controllers takes; `together` where they share the same channels. */
export function mostDrives(controller: ControllerName): {
  readonly disks: number;
  readonly discs: number;
  readonly together?: number;
} {
  const { slots, most } = BUSES[controller];
  const discs = BUSES.ide.slots.length * BUSES.ide.most;
  return { disks: slots.length * most, discs, ...(controller === 'ide' && { together: discs }) };
}

/** The drives, disks before optical ones, each run of them behind its own controller. [desc.20] */
export function driveItems(
  drives: readonly Drive[],
  controller: ControllerName,
  nextId: () => number,
): readonly Item[] {
  const disks = drives.filter(({ optical }) => !optical);
  const discs = drives.filter(({ optical }) => optical);
  if (controller === 'ide') return itemsOn(BUSES.ide, [...disks, ...discs], nextId);
  return [...itemsOn(BUSES[controller], disks, nextId), ...itemsOn(BUSES.ide, discs, nextId)];
}

function itemsOn(bus: Bus, drives: readonly Drive[], nextId: () => number): readonly Item[] {
  const items: Item[] = [];
  const counts = { disk: 0, disc: 0 };
  let parent = 0;
  for (const [index, { optical, host }] of drives.entries()) {
    const place = index % bus.slots.length;
    if (place === 0) {
      const address = index / bus.slots.length;
      parent = nextId();
      items.push([
        ['Address', address],
        ['Description', bus.title],
        ['ElementName', `${bus.title} ${address}`],
        ['InstanceID', parent],
        ['ResourceSubType', bus.subType],
        ['ResourceType', bus.type],
      ]);
    }
    items.push([
      ['AddressOnParent', bus.slots[place] ?? place],
      ...(optical ? ([['AutomaticAllocation', 'true']] as const) : []),
      ['ElementName', optical ? `CD-ROM ${++counts.disc}` : `Disk ${++counts.disk}`],
      ['HostResource', host],
      ['InstanceID', nextId()],
      ['Parent', parent],
      ['ResourceType', optical ? CD_DRIVE : DISK_DRIVE],
    ]);
  }
  return items;
}
