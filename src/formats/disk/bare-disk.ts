import { holdsAt } from './header-bytes.ts';
import { isQcow } from './qcow2.ts';
import { isVhdFooter } from './vhd.ts';
import { isVhdx } from './vhdx.ts';
import { isVmdkDescriptor, isVmdkExtent } from './vmdk.ts';

/** Image formats that are known and not packed. [disk.6] */
export const OTHER_IMAGES: readonly { readonly at: number; readonly magic: string; readonly name: string }[] =
  [
    { at: 0, magic: 'COWD', name: 'an ESX sparse extent' },
    { at: 0, magic: 'QED\0', name: 'a QED image' },
    { at: 0, magic: 'WithoutFreeSpace', name: 'a Parallels image' },
    { at: 0, magic: 'WithouFreSpacExt', name: 'a Parallels image' },
    { at: 0, magic: 'Bochs Virtual HD Image', name: 'a Bochs image' },
    { at: 0, magic: '#!/bin/sh\n#V2.0 Format\n', name: 'a cloop image' },
    { at: 64, magic: '\x7F\x10\xDA\xBE', name: 'a VirtualBox VDI image' },
  ];

/** What is on a disk without a format of its own: partitions, a file system, a volume. */
const RAW: readonly { readonly at: number; readonly magic: string; readonly name: string }[] = [
  { at: 512, magic: 'EFI PART', name: 'a bare raw disk image, with a GPT' },
  { at: 4096, magic: 'EFI PART', name: 'a bare raw disk image, with a GPT' },
  { at: 0, magic: 'LUKS\xBA\xBE', name: 'an encrypted disk image (LUKS)' },
  { at: 512, magic: 'LABELONE', name: 'a bare raw disk image, an LVM volume' },
  { at: 0, magic: 'XFSB', name: 'a bare raw disk image, an XFS file system' },
  { at: 1080, magic: '\x53\xEF', name: 'a bare raw disk image, an ext file system' },
  { at: 65_600, magic: '_BHRfS_M', name: 'a bare raw disk image, a Btrfs file system' },
  { at: 0, magic: 'hsqs', name: 'a SquashFS image' },
  { at: 510, magic: '\x55\xAA', name: 'a bare raw disk image, with a boot sector' },
];

/** What sort of disk image begins so, with its article; undefined where nothing shows that it is one. */
export function bareDisk(head: Uint8Array): string | undefined {
  if (isQcow(head)) return 'a bare qcow2 disk image';
  if (isVmdkExtent(head) || isVmdkDescriptor(head)) return 'a bare VMDK disk image';
  if (isVhdx(head)) return 'a bare VHDX disk image';
  if (isVhdFooter(head)) return 'a bare VHD disk image';
  const other = OTHER_IMAGES.find(({ at, magic }) => holdsAt(head, at, magic));
  if (other) return `${other.name}, a bare disk`;
  if (isIso(head)) return 'a bare ISO 9660 image';
  return RAW.find(({ at, magic }) => holdsAt(head, at, magic))?.name;
}

const ISO_DESCRIPTOR_AT = 32 * 1024;

/** [disk.12] Primary volume descriptor (ECMA-119 8.4): type 1, identifier, version 1. */
export function isIso(head: Uint8Array): boolean {
  return holdsAt(head, ISO_DESCRIPTOR_AT, '\x01CD001\x01');
}
