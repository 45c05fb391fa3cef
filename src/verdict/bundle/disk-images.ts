import type { Descriptor } from '../../formats/ovf/descriptor.ts';
import { referenceOf } from '../../formats/ovf/file-reference.ts';

/** How disk images are named where no descriptor says which files they are; compressed and in chunks, too. */
const IMAGE_NAME = /\.(qcow2|vmdk|vhd|vhdx|raw|img|bin|dd|iso)(\.gz|\.bz2)?(\.\d{9})?$/i;

/** True for a name that disk images bear. */
export function isImageName(name: string): boolean {
  return IMAGE_NAME.test(name);
}

/**
 * Which members are disk images: those that the DiskSection refers to, or without a descriptor those named like one.
 */
export function diskImagesOf(
  names: readonly string[],
  descriptor: Descriptor | undefined,
): readonly string[] {
  if (!descriptor) return names.filter(isImageName);
  const files = new Set(descriptor.disks.flatMap((disk) => disk.fileId ?? []));
  const lookup = referenceOf(descriptor.references);
  return names.filter((name) => {
    const found = lookup(name);
    return found !== undefined && files.has(found.reference.id);
  });
}
