import type { Signer } from '../engine/engine.ts';
import { unlessAborted } from '../kit/deadline.ts';
import type { DigestName } from '../kit/digest-name.ts';
import { BundleError } from '../kit/errors/errors.ts';

/** The signature over bytes in memory. @throws {BundleError} what the signer throws */
export function signBytes(
  signer: Pick<Signer, 'open'>,
  digest: DigestName,
  data: Uint8Array,
): Promise<Uint8Array> {
  const signing = signer.open({ digest });
  signing.update(data);
  return signing.finish();
}

/** [pack.13] What is said of a signer whose signature its own certificate does not verify: a token or a service may answer with anything. */
export function falseSignature(): BundleError {
  return new BundleError('USAGE', 'the key makes signatures that its certificate does not verify', {
    why: 'every importer would find the signature invalid',
    fix: 'check that key and certificate belong together, what the key may be used for, and that it signs as it is asked: ECDSA and DSA in DER, RSA-PSS with a salt as long as the digest',
  });
}

/** The same signer, for whom nobody waits any more when the signal has fired. [stream.6] */
export function signerUntil(signer: Signer, signal: AbortSignal | undefined): Signer {
  return {
    publicKey: signer.publicKey,
    open: (form) => {
      const signing = signer.open(form);
      return {
        update: (chunk) => signing.update(chunk),
        finish: () => unlessAborted(signing.finish(), signal),
      };
    },
  };
}
