import type { Signer } from '../engine/engine.ts';
import { unlessAborted } from '../kit/deadline.ts';
import type { DigestName } from '../kit/digest-name.ts';

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
