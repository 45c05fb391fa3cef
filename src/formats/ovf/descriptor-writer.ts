import { BundleError } from '../../kit/errors/errors.ts';
import type { DiskFormat } from '../disk/disk-probe.ts';
import { escapeXml, isXmlText } from './edit/xml-text.ts';
import { OVF_NAMESPACE } from './envelope.ts';
import { hrefFault } from './file-reference.ts';
import {
  type ControllerName,
  DEFAULT_CONTROLLER,
  type Drive,
  driveItems,
  type Item,
  mostDrives,
} from './machine/drives.ts';
import { DEFAULT_GUEST, GUEST_SYSTEMS, type GuestSystemName } from './machine/guest-systems.ts';
import { VMWARE_EXTENSIONS } from './virtual-system.ts';

/** A disk image of the bundle: its member's name, its bytes, and what `probeDisk` says of it; an ISO becomes a CD-ROM. */
export interface ApplianceDisk {
  readonly href: string;
  readonly size: number;
  /** When given, the image is stored as chunks of this many bytes. */
  readonly chunkSize?: number;
  /** Bytes that the guest sees. */
  readonly capacity: number;
  readonly format: DiskFormat;
  readonly variant?: string;
  /** The member with the digests of its blocks, which stands before it. */
  readonly blocks?: { readonly name: string; readonly size: number };
}

/** By what a machine is started. */
export type FirmwareName = 'bios' | 'efi';

/** The network that a machine is on where nothing is said: the one that vSphere has from the beginning. */
const DEFAULT_NETWORK = 'VM Network';

/** A machine made of bare disk images; one processor, 1024 MiB, one network card, BIOS, any 64-bit system and SCSI where nothing is said. */
export interface ApplianceDescription {
  readonly name: string;
  readonly product?: string;
  readonly vendor?: string;
  readonly version?: string;
  readonly cpus?: number;
  readonly memoryMiB?: number;
  /** a card for each, by the name of its network */
  readonly networks?: readonly string[];
  readonly firmware?: FirmwareName;
  readonly os?: GuestSystemName;
  readonly controller?: ControllerName;
  readonly disks: readonly ApplianceDisk[];
  /** names of members that the machine does not use, such as signatures of its disks */
  readonly attachments?: readonly string[];
}

const CIM = 'http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2';
const VMDK = 'http://www.vmware.com/interfaces/specifications/vmdk.html';
const FORMATS: Readonly<Record<Exclude<DiskFormat, 'vmdk' | 'iso'>, string>> = {
  qcow2: 'http://www.gnome.org/~markmc/qcow-image-format.html',
  raw: 'http://en.wikipedia.org/wiki/Byte',
  vhd: 'http://go.microsoft.com/fwlink/?LinkId=137171',
  // No registry names VHDX; this is where its format is published.
  vhdx: 'http://www.microsoft.com/en-us/download/details.aspx?id=34750',
};

// CIM_ResourceAllocationSettingData.ResourceType
const PROCESSOR = 3;
const MEMORY = 4;
const NETWORK_CARD = 10;

/**
 * A minimal OVF descriptor for bare disk images: the files, the disks, one virtual system with drives, memory, processors.
 *
 * The same description always gives the same text.
 * @throws {BundleError} `USAGE` for what a descriptor or the virtual hardware cannot hold
 */
export function formatDescriptor(appliance: ApplianceDescription): string {
  checkDescription(appliance);
  const drives = appliance.disks.map(({ format }, index): Drive => {
    const optical = format === 'iso';
    return { optical, host: optical ? `ovf:/file/file${index + 1}` : `ovf:/disk/disk${index + 1}` };
  });
  const { networks = [DEFAULT_NETWORK], os = DEFAULT_GUEST } = appliance;
  const guest = GUEST_SYSTEMS[os];
  const name = escapeXml(appliance.name);
  // [desc.19] The order is that of the schema (DSP8023): references, sections, content; within an item, alphabetical.
  // [desc.18] The namespace is the one of OVF 1.x.
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<Envelope xmlns="${OVF_NAMESPACE}" xmlns:ovf="${OVF_NAMESPACE}"` +
      ` xmlns:rasd="${CIM}/CIM_ResourceAllocationSettingData" xmlns:vssd="${CIM}/CIM_VirtualSystemSettingData" xmlns:vmw="${VMWARE_EXTENSIONS}">`,
    '  <References>',
    ...appliance.disks.flatMap(formatFiles),
    ...(appliance.attachments ?? []).map(formatAttachment),
    '  </References>',
    ...formatDiskSection(appliance.disks),
    ...formatNetworkSection(networks),
    `  <VirtualSystem ovf:id="${name}">`,
    '    <Info>A virtual machine</Info>',
    `    <Name>${name}</Name>`,
    `    <OperatingSystemSection ovf:id="${guest.id}" vmw:osType="${guest.vmware}">`,
    '      <Info>The guest operating system</Info>',
    `      <Description>${guest.description}</Description>`,
    '    </OperatingSystemSection>',
    ...formatHardware(appliance, networks, drives),
    ...formatProduct(appliance),
    '  </VirtualSystem>',
    '</Envelope>',
    '',
  ].join('\n');
}

function formatFiles({ href, size, chunkSize, blocks }: ApplianceDisk, index: number): readonly string[] {
  const chunks = chunkSize === undefined ? '' : ` ovf:chunkSize="${chunkSize}"`;
  const file = `    <File ovf:id="file${index + 1}" ovf:href="${escapeXml(href)}" ovf:size="${size}"${chunks}/>`;
  if (!blocks) return [file];
  const digests = `ovf:href="${escapeXml(blocks.name)}" ovf:size="${blocks.size}"`;
  return [`    <File ovf:id="blocks${index + 1}" ${digests}/>`, file];
}

function formatAttachment(href: string, index: number): string {
  return `    <File ovf:id="attachment${index + 1}" ovf:href="${escapeXml(href)}"/>`;
}

function formatDiskSection(disks: readonly ApplianceDisk[]): readonly string[] {
  const lines = disks.flatMap((disk, index) => {
    const format = diskFormatUri(disk);
    if (format === undefined) return [];
    const number = index + 1;
    return [
      `    <Disk ovf:diskId="disk${number}" ovf:fileRef="file${number}" ovf:capacity="${disk.capacity}"` +
        ` ovf:capacityAllocationUnits="byte" ovf:format="${escapeXml(format)}"/>`,
    ];
  });
  if (lines.length === 0) return [];
  return ['  <DiskSection>', '    <Info>The virtual disks</Info>', ...lines, '  </DiskSection>'];
}

/** The URI that names the format of a disk; undefined for an ISO image, which is no disk but what a drive holds. */
function diskFormatUri({ format, variant }: ApplianceDisk): string | undefined {
  // [desc.20] A disk section entry for an ISO would be attached as a hard disk.
  if (format === 'iso') return undefined;
  if (format !== 'vmdk') return FORMATS[format];
  return `${VMDK}#${variant === 'streamOptimized' ? 'streamOptimized' : 'sparse'}`;
}

/** [desc.23] Each network once, whatever number of cards are on it. */
function formatNetworkSection(networks: readonly string[]): readonly string[] {
  if (networks.length === 0) return [];
  const lines = [...new Set(networks)].flatMap((name) => [
    `    <Network ovf:name="${escapeXml(name)}">`,
    `      <Description>The network ${escapeXml(name)}</Description>`,
    '    </Network>',
  ]);
  return ['  <NetworkSection>', '    <Info>The networks</Info>', ...lines, '  </NetworkSection>'];
}

function formatHardware(
  appliance: ApplianceDescription,
  networks: readonly string[],
  drives: readonly Drive[],
): readonly string[] {
  const { name, cpus = 1, memoryMiB = 1024, firmware = 'bios', controller = DEFAULT_CONTROLLER } = appliance;
  let id = 2;
  const nextId = (): number => ++id;
  const items: Item[] = [
    [
      ['AllocationUnits', 'hertz * 10^6'],
      ['Description', 'Number of virtual processors'],
      ['ElementName', `${cpus} virtual processor(s)`],
      ['InstanceID', 1],
      ['ResourceType', PROCESSOR],
      ['VirtualQuantity', cpus],
    ],
    [
      ['AllocationUnits', 'byte * 2^20'],
      ['Description', 'Memory size'],
      ['ElementName', `${memoryMiB} MiB of memory`],
      ['InstanceID', 2],
      ['ResourceType', MEMORY],
      ['VirtualQuantity', memoryMiB],
    ],
    ...driveItems(drives, controller, nextId),
    ...networks.map(
      (network, index): Item => [
        ['AutomaticAllocation', 'true'],
        ['Connection', network],
        ['ElementName', `Network adapter ${index + 1}`],
        ['InstanceID', nextId()],
        ['ResourceSubType', 'E1000'], // every platform has one, and every guest a driver for it
        ['ResourceType', NETWORK_CARD],
      ],
    ),
  ];
  return [
    '    <VirtualHardwareSection>',
    '      <Info>The virtual hardware</Info>',
    '      <System>',
    '        <vssd:ElementName>Virtual hardware family</vssd:ElementName>',
    '        <vssd:InstanceID>0</vssd:InstanceID>',
    `        <vssd:VirtualSystemIdentifier>${escapeXml(name)}</vssd:VirtualSystemIdentifier>`,
    '        <vssd:VirtualSystemType>vmx-10</vssd:VirtualSystemType>',
    '      </System>',
    ...items.flatMap(formatItem),
    // [desc.23] OVF has no word for it; this is VMware's, which virt-v2v and Proxmox VE read, too.
    `      <vmw:Config ovf:required="false" vmw:key="firmware" vmw:value="${firmware}"/>`,
    '    </VirtualHardwareSection>',
  ];
}

function formatItem(item: Item): readonly string[] {
  return [
    '      <Item>',
    ...item.map(([name, value]) => `        <rasd:${name}>${escapeXml(String(value))}</rasd:${name}>`),
    '      </Item>',
  ];
}

function formatProduct({ product, vendor, version }: ApplianceDescription): readonly string[] {
  const lines = Object.entries({ Product: product, Vendor: vendor, Version: version }).flatMap(
    ([tag, text]) => {
      return text ? [`      <${tag}>${escapeXml(text)}</${tag}>`] : [];
    },
  );
  if (lines.length === 0) return [];
  return [
    '    <ProductSection>',
    '      <Info>The software inside</Info>',
    ...lines,
    '    </ProductSection>',
  ];
}

function checkDescription({
  name,
  product,
  vendor,
  version,
  cpus,
  memoryMiB,
  networks = [],
  controller = DEFAULT_CONTROLLER,
  disks,
}: ApplianceDescription): void {
  // [desc.21] A text that cannot be written would make a descriptor that no reader takes, signed all the same.
  for (const [what, text] of Object.entries({ name, product, vendor, version })) {
    if (text !== undefined && !isXmlText(text)) {
      throw new BundleError(
        'USAGE',
        `the ${what} of the appliance has a character that XML cannot hold, or a line end`,
      );
    }
  }
  for (const network of networks) {
    if (network.trim() === '' || !isXmlText(network))
      throw new BundleError(
        'USAGE',
        'the name of a network is blank, or has a character that XML cannot hold',
      );
  }
  if (name.trim() === '') throw new BundleError('USAGE', 'the appliance has no name');
  for (const [what, value] of Object.entries({ 'number of processors': cpus, 'memory in MiB': memoryMiB })) {
    if (value !== undefined && !(Number.isSafeInteger(value) && value > 0)) {
      throw new BundleError('USAGE', `the ${what} must be a whole number above zero: ${value}`);
    }
  }
  for (const { href } of disks) {
    const fault = isXmlText(href) ? hrefFault(href) : 'has a character that XML cannot hold';
    if (fault) throw new BundleError('USAGE', `the file name ${href} ${fault}`);
  }
  if (new Set(disks.map(({ href }) => href)).size !== disks.length) {
    throw new BundleError('USAGE', 'two disk images have the same file name');
  }
  const discs = disks.filter(({ format }) => format === 'iso').length;
  const most = mostDrives(controller);
  if (disks.length - discs > most.disks || discs > most.discs) {
    throw new BundleError(
      'USAGE',
      `a machine takes at most ${most.disks} disks and ${most.discs} ISO images on such controllers`,
    );
  }
  if (disks.length > (most.together ?? disks.length))
    throw new BundleError('USAGE', `a machine takes at most ${most.together} drives on IDE controllers`);
}
