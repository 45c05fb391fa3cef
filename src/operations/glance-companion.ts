import { formatProperties } from '../formats/glance/format-properties.ts';
import type { Descriptor } from '../formats/ovf/descriptor.ts';
import { referenceOf } from '../formats/ovf/file-reference.ts';
import { encodeUtf8 } from '../kit/encoding.ts';
import { BundleError } from '../kit/errors.ts';
import { diskImagesOf } from './disk-images.ts';
import { type ImageSigner, propertiesOf } from './glance-sign.ts';

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
