import type { NamedBytes } from '../bundles.ts';
import { OVF1, OVF2 } from '../descriptors.ts';
import {
  CIM,
  type Exported,
  type ExportedFile,
  element,
  fileElements,
  item,
  STREAM_OPTIMIZED,
  withManifest,
} from './export.ts';

const ISO_9660 = 'http://www.ecma-international.org/publications/standards/Ecma-119.htm';

/** What differs between the versions of VirtualBox, and the versions of OVF that each can write. */
const VIRTUALBOX = {
  '6.1': { version: '1.0', build: '1.16-linux', digest: 'sha1' },
  '7.0': { version: '1.0', build: '1.19-linux', digest: 'sha1' },
  '7.0, OVF 2': { version: '2.0', build: '1.19-linux', digest: 'sha256' },
} as const;

/** The descriptor and manifest with the files, as `VBoxManage export -o x.ovf --manifest --options iso` leaves them in a folder. */
export function virtualboxExport(
  version: keyof typeof VIRTUALBOX,
  exported: Exported,
): readonly NamedBytes[] {
  const { version: ovfVersion, build, digest } = VIRTUALBOX[version];
  const { name, files, network } = exported;
  const isOvf2 = ovfVersion === '2.0';
  const namespace = isOvf2 ? OVF2 : OVF1;
  const images = files.filter(({ kind }) => kind !== 'nvram');
  const imageId = ({ kind }: ExportedFile, at: number): string =>
    `${kind === 'iso' ? 'iso' : 'vmdisk'}${at + 1}`;
  const storage = isOvf2 ? { tag: 'StorageItem', prefix: 'sasd' } : {};
  const port = isOvf2 ? { tag: 'EthernetPortItem', prefix: 'epasd' } : {};
  const captioned = (caption: string): Record<string, string> => ({ Caption: caption, ElementName: caption });
  const hardware = element(
    'VirtualHardwareSection',
    '<Info>Virtual hardware requirements for a virtual machine</Info>',
    element(
      'System',
      '<vssd:ElementName>Virtual Hardware Family</vssd:ElementName>',
      '<vssd:InstanceID>0</vssd:InstanceID>',
      `<vssd:VirtualSystemIdentifier>${name}</vssd:VirtualSystemIdentifier>`,
      '<vssd:VirtualSystemType>virtualbox-2.2</vssd:VirtualSystemType>',
    ),
    item({
      ...captioned('2 virtual CPU'),
      Description: 'Number of virtual CPUs',
      InstanceID: 1,
      ResourceType: 3,
      VirtualQuantity: 2,
    }),
    item({
      AllocationUnits: 'MegaBytes',
      ...captioned('1024 MB of memory'),
      Description: 'Memory Size',
      InstanceID: 2,
      ResourceType: 4,
      VirtualQuantity: 1024,
    }),
    item({
      Address: 0,
      ...captioned('ideController0'),
      Description: 'IDE Controller',
      InstanceID: 3,
      ResourceSubType: 'PIIX4',
      ResourceType: 5,
    }),
    item({
      Address: 0,
      ...captioned('sataController0'),
      Description: 'SATA Controller',
      InstanceID: 4,
      ResourceSubType: 'AHCI',
      ResourceType: 20,
    }),
    ...images.map((image, at) =>
      item(
        image.kind === 'iso'
          ? {
              AddressOnParent: 0,
              AutomaticAllocation: 'true',
              ...captioned(`cdrom${at + 1}`),
              Description: 'CD-ROM Drive',
              HostResource: `/disk/${imageId(image, at)}`,
              InstanceID: 5 + at,
              Parent: 3,
              ResourceType: 15,
            }
          : {
              AddressOnParent: at,
              ...captioned(`disk${at + 1}`),
              Description: 'Disk Image',
              HostResource: `/disk/${imageId(image, at)}`,
              InstanceID: 5 + at,
              Parent: 4,
              ResourceType: 17,
            },
        storage,
      ),
    ),
    item(
      {
        AutomaticAllocation: 'true',
        ...captioned(`Ethernet adapter on '${network}'`),
        Connection: network,
        InstanceID: 30,
        ResourceSubType: 'E1000',
        ResourceType: 10,
      },
      port,
    ),
  );
  const machine = element(
    `vbox:Machine ovf:required="false" version="${build}" uuid="{5a5f1f6e-3f5c-4f0e-9d53-0c8f1a1f2b3c}" name="${name}" OSType="Debian_64" snapshotFolder="Snapshots" lastStateChange="2026-11-20T08:15:30Z"`,
    '<ovf:Info>Complete VirtualBox machine configuration in VirtualBox format</ovf:Info>',
    element(
      'Hardware',
      '<CPU count="2"/>',
      '<Memory RAMSize="1024"/>',
      element('Network', '<Adapter slot="0" enabled="true" MACAddress="080027AABBCC" type="82540EM"/>'),
    ),
  );
  const descriptor = `<?xml version="1.0"?>
${element(
  `Envelope ovf:version="${ovfVersion}" xml:lang="en-US" xmlns="${namespace}" xmlns:ovf="${namespace}" xmlns:rasd="${CIM}/CIM_ResourceAllocationSettingData" xmlns:vssd="${CIM}/CIM_VirtualSystemSettingData" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"${isOvf2 ? ` xmlns:sasd="${CIM}/CIM_StorageAllocationSettingData.xsd" xmlns:epasd="${CIM}/CIM_EthernetPortAllocationSettingData.xsd"` : ''} xmlns:vbox="http://www.virtualbox.org/ovf/machine"`,
  element('References', ...fileElements(files, false)),
  element(
    'DiskSection',
    '<Info>List of the virtual disks used in the package</Info>',
    ...images.map((image, at) => {
      const [capacity, format] =
        image.kind === 'iso' ? ['', ISO_9660] : [` ovf:capacity="${image.capacity}"`, STREAM_OPTIMIZED];
      return `<Disk${capacity} ovf:diskId="${imageId(image, at)}" ovf:fileRef="file${files.indexOf(image) + 1}" ovf:format="${format}" vbox:uuid="0b3e1f0a-0000-4000-8000-00000000000${at}"/>`;
    }),
  ),
  element(
    'NetworkSection',
    '<Info>Logical networks used in the package</Info>',
    element(
      `Network ovf:name="${network}"`,
      '<Description>Logical network used by this appliance.</Description>',
    ),
  ),
  element(
    `VirtualSystem ovf:id="${name}"`,
    '<Info>A virtual machine</Info>',
    element(
      'OperatingSystemSection ovf:id="96"',
      '<Info>The kind of installed guest operating system</Info>',
      '<Description>Debian_64</Description>',
      '<vbox:OSType ovf:required="false">Debian_64</vbox:OSType>',
    ),
    hardware,
    machine,
  ),
)}
`;
  return withManifest(
    exported,
    descriptor,
    (file, hex) => `${digest.toUpperCase()} (${file}) = ${hex}\n`,
    digest,
  );
}
