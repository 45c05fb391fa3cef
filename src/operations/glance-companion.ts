import { formatProperties } from '../formats/glance/format-properties.ts';
import type { Descriptor } from '../formats/ovf/descriptor.ts';
import { referenceOf } from '../formats/ovf/file-reference.ts';
import { encodeUtf8 } from '../kit/encoding.ts';
import { BundleError } from '../kit/errors.ts';
import { diskImagesOf } from './disk-images.ts';
import { type ImageSigner, propertiesOf } from './glance-sign.ts';

const COMPANION = '.glance.json';

/** The member that holds the properties of a disk image. [glance.34] */
export function companionOf(disk: string): string {
  return `${disk}${COMPANION}`;
}

/** The disk image that a member of this name holds the properties of, if it is such a member by its name. [glance.34] */
export function companionsDisk(name: string): string | undefined {
  return name.endsWith(COMPANION) ? name.slice(0, -COMPANION.length) : undefined;
}

/** The properties of a disk image as the bytes of a file. */
export function companionBytes(signer: ImageSigner, signature: Uint8Array): Uint8Array {
  return encodeUtf8(formatProperties(propertiesOf(signer, signature), 'json'));
}

/** The disk images among files that are to be packed. @throws {BundleError} `USAGE` when there is none to sign [glance.34] */
export function disksToSign(names: readonly string[], descriptor: Descriptor | undefined): readonly string[] {
  const lookup = referenceOf(descriptor?.references ?? []);
  // a chunk of an image is no image that Glance could be given
  const disks = diskImagesOf(names, descriptor).filter((name) => lookup(name)?.chunk === undefined);
  if (disks.length > 0) return disks;
  throw new BundleError('USAGE', 'there is no disk image to sign for Glance', {
    fix: 'leave out --glance-sign, or pack a disk image',
  });
}
