import { openImageSigning, verifiedSigning } from '../../crypto/image-signature.ts';
import { signerUntil } from '../../crypto/signer.ts';
import type { Signer, Signing } from '../../engine/engine.ts';
import { isKeySigner } from '../../engine/node/key-signer.ts';
import type { HashMethod, KeyTypeName } from '../../formats/glance/names.ts';
import type { Told } from '../../kit/errors/advice.ts';

/** What its signatures are to say. */
export interface ImageSignerUse {
  readonly hash?: HashMethod;
  /** of the certificate in the key manager */
  readonly certificateUuid: string;
  /** the moment that a certificate must be valid at */
  readonly at: Date;
}

/** A key that signs images, under the name that Glance has for its kind. */
export interface ImageSigner {
  readonly signer: Signer;
  readonly keyType: KeyTypeName;
  readonly hash: HashMethod;
  readonly certificateUuid: string;
  readonly files: readonly string[];
  readonly warnings: readonly Told[];
}

/**
 * Starts to sign an image. When the signal has fired nobody waits for the signer any more. [stream.6]
 *
 * What a signer of the program's own answers is verified, for which the image is hashed a second time. [glance.37]
 *
 * @throws {BundleError} `KEY_WEAK`, `USAGE`
 */
export function openSigning(imageSigner: ImageSigner, signal: AbortSignal | undefined): Signing {
  const { signer, hash } = imageSigner;
  const signing = openImageSigning(signerUntil(signer, signal), imageSigner);
  if (isKeySigner(signer)) return signing;
  return verifiedSigning(signing, signer, hash);
}
