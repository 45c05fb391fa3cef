import type { Signer } from '../engine/engine.ts';
import { unlessAborted } from '../kit/deadline.ts';
import type { DigestName } from '../kit/digest-name.ts';
import { BundleError } from '../kit/errors/errors.ts';

/** The signature over bytes in memory. @throws {BundleError} what the signer throws */
export function signBytes(
  signer: Pick<Signer, 'open'>,
  digest: DigestName,
  data: Uint8Array,
  saltLength?: number,
): Promise<Uint8Array> {
  const signing = signer.open({ digest, ...(saltLength !== undefined && { saltLength }) });
  signing.update(data);
  return signing.finish();
}

/** [pack.13] What is said of a signer whose signature its own certificate does not verify: a token or a service may answer with anything. */
export function falseSignature({ name }: Pick<Signer, 'name'>): BundleError {
  return new BundleError('USAGE', 'the key makes signatures that its certificate does not verify', {
    ...(name !== undefined && { where: { file: name } }),
    why: 'every importer would find the signature invalid',
    fix: 'check that key and certificate belong together, what the key may be used for, and that it signs as it is asked: ECDSA and DSA in DER, RSA-PSS with a salt as long as the digest',
  });
}

/** The same signer, for whom nobody waits any more when the signal has fired. [stream.6] */
export function signerUntil(signer: Signer, signal: AbortSignal | undefined): Signer {
  return {
    ...signer,
    open: (form) => {
      const signing = signer.open(form);
      return {
        update: (chunk) => signing.update(chunk),
        finish: () => unlessAborted(signing.finish(signal), signal),
      };
    },
  };
}

/**
 * Refuses a signer for what it could not sign in the end, before anything is read.
 *
 * @param use a bundle has a line of its own for the signature, whose RSA signatures are PKCS#1 v1.5 everywhere; a CMS names what it is
 * @throws {BundleError} `USAGE` [key.7]
 */
export function expectUse(
  { publicKey, bounds, name = '' }: Signer,
  { digest, use }: { readonly digest: DigestName; readonly use: 'bundle' | 'cms' },
): void {
  const where = { file: name };
  if (bounds?.digest !== undefined && bounds.digest !== digest) {
    const message = `this key signs with ${bounds.digest} only, not with ${digest}`;
    const fix = {
      text: `give the digest ${bounds.digest}`,
      advice: 'sign-with-digest',
      of: bounds.digest,
    } as const;
    throw new BundleError('USAGE', message, { where, fix });
  }
  if (use === 'bundle' && bounds?.pss && publicKey.key.type === 'rsa') {
    throw new BundleError(
      'USAGE',
      'this key makes RSA-PSS signatures only, and a bundle is signed by RSA with PKCS#1 v1.5',
      {
        where,
        why: 'no OVF tool would verify the signature: VMware, VirtualBox and openssl read an RSA signature of a manifest as PKCS#1 v1.5',
        fix: {
          text: 'sign with a plugin that makes PKCS#1 v1.5 (its capability is SIGNATURE_GENERATOR.RAW.RSA-PKCS1), or with a key of an elliptic curve; a file may have such a signature beside it',
          advice: 'sign-detached',
        },
      },
    );
  }
}
