import { formatProperties } from '../../formats/glance/format-properties.ts';
import type { Descriptor } from '../../formats/ovf/descriptor.ts';
import { referenceOf } from '../../formats/ovf/file-reference.ts';
import { encodeUtf8 } from '../../kit/encoding.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import { diskImagesOf } from '../../verdict/bundle/disk-images.ts';
import type { ImageSigner } from './image-signer.ts';
import { propertiesOf } from './sign-image.ts';

/** The properties of a disk image as the bytes of a file. */
export function companionBytes(signer: ImageSigner, signature: Uint8Array): Uint8Array {
  return encodeUtf8(formatProperties(propertiesOf(signer, signature), 'json'));
}

/** The disk images to sign among files. @throws {BundleError} `USAGE` when there is none, or one is compressed or in chunks [glance.34] */
export function disksToSign(names: readonly string[], descriptor: Descriptor | undefined): readonly string[] {
  const lookup = referenceOf(descriptor?.references ?? []);
  const disks = diskImagesOf(names, descriptor);
  for (const name of disks) {
    const { chunk, reference } = lookup(name) ?? {};
    const compressed = reference !== undefined && reference.compression !== 'identity';
    if (chunk === undefined && !compressed) continue;
    // unpacked or put together, it has other bytes than those that would be signed
    throw new BundleError(
      'USAGE',
      `"${name}" is ${compressed ? 'compressed' : 'a part of an image'}, which Glance cannot be given as it is`,
      {
        fix: { text: 'unpack the image, and sign that', advice: 'sign-image' },
      },
    );
  }
  if (disks.length > 0) return disks;
  throw new BundleError('USAGE', 'there is no disk image to sign for Glance', {
    fix: {
      text: 'ask for no signature for Glance; inspecting a bundle shows what is in it',
      advice: 'no-disk-to-sign',
    },
  });
}
