import type { Told } from '../../kit/errors/advice.ts';
import { isIso, OTHER_IMAGES } from './bare-disk.ts';
import { type DiskProbe, diskFault } from './disk-probe.ts';
import { holdsAt } from './header-bytes.ts';
import { isQcow, probeQcow2 } from './qcow2.ts';
import { isVhdFooter, probeDynamicVhd, probeFixedVhd, VHD_FOOTER_BYTES } from './vhd.ts';
import { isVhdx, probeVhdx } from './vhdx.ts';
import {
  isVmdkDescriptor,
  isVmdkExtent,
  probeVmdkDescriptor,
  probeVmdkExtent,
  VMDK_FOOTER_BYTES,
} from './vmdk.ts';

/** How many bytes of the start of an image `probeDisk` wants, or all of a smaller one: VHDX metadata is what lies deepest. */
export const PROBE_HEAD_BYTES = 4 * 1024 * 1024;

/** How many bytes of the end of an image `probeDisk` wants, or all of a smaller one: the VMDK footer is what is longest. */
export const PROBE_TAIL_BYTES = VMDK_FOOTER_BYTES;

const SECTOR = 512;
const PACKED = 'unpack it first: the image itself is what is signed and imported';
const BUNDLE: Told = {
  text: 'a bundle is changed, or signed again, as it is; an archive in a bundle is packed as a plain file',
  advice: 'sign-or-plain',
};
const PACKED_OR_BUNDLE: readonly Told[] = ['a disk image is unpacked first', BUNDLE];

/** Formats that are known and not packed: taken for raw, another reader would open them as what they are. */
const FOREIGN: readonly {
  readonly at: number;
  readonly magic: string;
  readonly name: string;
  readonly fix?: Told | readonly Told[];
}[] = [
  ...OTHER_IMAGES,
  { at: 0, magic: '\x1F\x8B\x08', name: 'a gzip file', fix: PACKED_OR_BUNDLE },
  { at: 0, magic: 'BZh', name: 'a bzip2 file', fix: PACKED },
  { at: 0, magic: '\xFD7zXZ\0', name: 'an xz file', fix: PACKED },
  { at: 0, magic: '\x28\xB5\x2F\xFD', name: 'a Zstandard file', fix: PACKED },
  { at: 0, magic: 'PK\x03\x04', name: 'a zip archive', fix: PACKED_OR_BUNDLE },
  {
    at: 257,
    magic: 'ustar',
    name: 'a tar archive',
    fix: BUNDLE,
  },
  {
    at: 0,
    magic: '-----BEGIN ',
    name: 'a PEM file',
    fix: 'give the disk image; a private key never belongs into a bundle',
  },
];

/**
 * What a disk image is, by its content alone: its name is never asked.
 *
 * `head` are its first `PROBE_HEAD_BYTES` bytes, `tail` its last `PROBE_TAIL_BYTES`, both all of it when it is smaller;
 * `size` counts all bytes. Whether an image that needs other files may be packed is left to the caller (`isSelfContained`).
 * @throws {BundleError} `FORMAT_UNSUPPORTED` for a header that contradicts itself and for known formats that are not packed
 */
export function probeDisk(head: Uint8Array, tail: Uint8Array, size: number): DiskProbe {
  if (!Number.isSafeInteger(size) || size < 0) throw diskFault('the image is larger than 2^53 − 1 bytes');
  if (size === 0) throw diskFault('the image is empty', 'give the image itself');
  const fixedVhd = isVhdFooter(tail.subarray(-VHD_FOOTER_BYTES));
  const probe = probeHead(head, tail, size);
  if (probe === undefined) return fixedVhd ? probeFixedVhd(tail, size) : probeContent(head, size);
  // [disk.4] QEMU goes by the start and others by the end: they would see two different disks.
  if (fixedVhd && probe.format !== 'vhd')
    throw diskFault(`the image begins as ${probe.format} and ends as VHD`);
  return probe;
}

/** [disk.1] The formats that show at the first bytes. */
function probeHead(head: Uint8Array, tail: Uint8Array, size: number): DiskProbe | undefined {
  if (isQcow(head)) return probeQcow2(head);
  if (isVmdkExtent(head)) return probeVmdkExtent(head, tail);
  if (isVhdx(head)) return probeVhdx(head);
  if (isVhdFooter(head)) return probeDynamicVhd(head);
  if (isVmdkDescriptor(head)) return probeVmdkDescriptor(head, size);
  return undefined;
}

/** What is left: an optical disc, or sectors as they are. */
function probeContent(head: Uint8Array, size: number): DiskProbe {
  for (const { at, magic, name, fix } of FOREIGN) {
    // [disk.6]
    if (holdsAt(head, at, magic)) {
      throw diskFault(`this is ${name}, which is not packed`, fix);
    }
  }
  if (isIso(head)) return { format: 'iso', virtualSize: size };
  // [disk.13]
  return {
    format: 'raw',
    virtualSize: size,
    ...(size % SECTOR !== 0 && { note: 'the size is not a multiple of 512 bytes' }),
  };
}
