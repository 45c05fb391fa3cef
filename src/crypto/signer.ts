import type { PublicKey } from '../formats/x509/public-key.ts';
import { unlessAborted } from '../kit/deadline.ts';
import { DIGEST_BYTES, type DigestName } from '../kit/digest-name.ts';

/** How a signature is to be made. */
export interface SignatureForm {
  /** of no account for Ed25519 and Ed448, which bring their own */
  readonly digest: DigestName | 'sha224';
  /** RSA-PSS with a salt of so many bytes; else PKCS#1 v1.5, but for a key that makes only PSS: as long as `pssSaltLength` has it */
  readonly saltLength?: number;
}

/** A signature being made, over data that comes in pieces. */
export interface Signing {
  /** takes the next bytes, which may be reused afterwards */
  update(chunk: Uint8Array): void;
  /**
   * ECDSA and DSA in DER.
   * @throws {BundleError} `USAGE` for a key that is bound to another digest
   */
  finish(): Promise<Uint8Array>;
}

/** Something that signs: a key in memory, a token, a service. */
export interface Signer {
  /** as a certificate for the key has it; of what a program hands in, only the SubjectPublicKeyInfo is read */
  readonly publicKey: PublicKey;
  /** starts a signature */
  open(form: SignatureForm): Signing;
}

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

/** Bytes of salt in the RSA-PSS signatures of a key: as long as the digest, unless the key demands more (RFC 4055 section 3.1). */
export function pssSaltLength({ bound }: PublicKey, digest: DigestName): number {
  return Math.max(bound?.saltLength ?? 0, DIGEST_BYTES[digest]);
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
