import type { PublicKey } from '../formats/x509/public-key.ts';
import type { DigestName } from '../kit/digest-name.ts';

/** A digest being computed; spent when it has been asked for. */
export interface Hash {
  /** takes the next bytes, which may be reused afterwards */
  update(bytes: Uint8Array): unknown;
  digest(): Uint8Array;
  /** in lower case */
  digest(form: 'hex'): string;
}

/** How a signature is to be read; the rules about what may be asked are decided before, in `crypto/`. */
export interface Reading {
  readonly key: PublicKey;
  /** as OpenSSL names it; null for Ed25519 and Ed448, which sign the data itself */
  readonly digest: string | null;
  /** RSA is PKCS#1 v1.5, or PSS for a key that makes only that, when left out */
  readonly pss?:
    | { readonly saltLength: number }
    /** the AlgorithmIdentifier of RSASSA-PSS (DER) that the signature names: digest, mask and salt are these and no others */
    | { readonly algorithm: Uint8Array };
  /** ECDSA and DSA as r||s in place of DER */
  readonly raw?: boolean;
}

/** A signature, and how it is to be read. */
export interface Question extends Reading {
  readonly signature: Uint8Array;
}

/** Verifies a signature over data that comes in pieces. */
export interface Verifying {
  readonly update: (chunk: Uint8Array) => void;
  /** whether the signature fits; never throws */
  readonly finish: (signature: Uint8Array) => boolean;
}

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
   * ECDSA and DSA in DER. What is asked for the signature is given up when the signal fires, where that can be.
   * @throws {BundleError} `USAGE` for a key that is bound to another digest
   */
  finish(signal?: AbortSignal): Promise<Uint8Array>;
}

/** What whoever holds a key cannot do with it, though others could. [key.7] */
export interface SignerBounds {
  /** the only digest that it signs with */
  readonly digest?: Exclude<DigestName, 'sha1'>;
  /** it makes RSA-PSS signatures alone, with a salt as long as the digest, whatever the key would allow */
  readonly pss?: boolean;
}

/** Something that signs: a key in memory, a token, a service. */
export interface Signer {
  /** as a certificate for the key has it; of what a program hands in, only the SubjectPublicKeyInfo is read */
  readonly publicKey: PublicKey;
  /** as the user has named it, told with signatures that do not fit; of a key in a file it is left out */
  readonly name?: string;
  readonly bounds?: SignerBounds;
  /** starts a signature */
  open(form: SignatureForm): Signing;
}

/** A certificate as the platform's own parser has read it. */
export interface SecondOpinion {
  /** the bytes that it has seen */
  readonly raw: Uint8Array;
  /**
   * Looks whether it can verify with the key of the certificate at all (a point on its curve, …), and takes it for the same: kind,
   * length and curve as described. From then on it is the one that questions about `key` are asked of.
   *
   * @throws what it says of a key that it cannot use, or that it takes for another
   */
  expectKey(key: PublicKey): void;
  /** whether this key made the signature of the certificate; never throws */
  isSignedBy(key: PublicKey): boolean;
}

/** Inflates raw deflate data, one chunk ahead of its reader at most. */
export interface Inflater extends AsyncIterable<Uint8Array> {
  /** bytes of the input that belong to the deflate data */
  readonly bytesWritten: number;
  write(slice: Uint8Array, taken: () => void): unknown;
  end(): unknown;
  destroy(error?: Error): unknown;
  once(event: 'end' | 'close', listener: () => void): unknown;
}

/** How bytes are deflated. */
export interface DeflateForm {
  /** from 0, stored, to 9 */
  readonly level: number;
  /** more comes behind: the data is brought to the edge of a byte, and has no end */
  readonly goesOn?: boolean;
  /** what the reader has inflated before */
  readonly dictionary?: Uint8Array | undefined;
}

/**
 * What the platform computes, all of it at once and without waiting, but for inflating, which goes on beside the reader.
 *
 * It decides nothing: what may be asked, and what an answer means, is decided by who asks. An engine that cannot do a
 * thing says no, or throws where that is said; it never guesses.
 */
export interface Engine {
  /** SHAKE256 gives the 64 bytes that CMS has beside Ed448. @throws for an algorithm that it does not know */
  openHash(algorithm: string): Hash;
  /** lower hex, of bytes in memory */
  hashHex(algorithm: string, bytes: Uint8Array): string;
  /** whether both are one key, however their points are spelled; false when that cannot be told */
  isSameKey(a: PublicKey, b: PublicKey): boolean;
  /** never throws */
  verify(question: Question, data: Uint8Array): boolean;
  /** @returns undefined for what it cannot verify in pieces */
  openVerifying(reading: Reading & { readonly digest: string }): Verifying | undefined;
  /** the signature to the power of the RSA exponent, as long as the modulus; undefined when it is none of this key. For diagnosis. */
  openRsa(key: PublicKey, signature: Uint8Array): Uint8Array | undefined;
  /** @throws what it says of bytes that it cannot read */
  readCertificate(der: Uint8Array): SecondOpinion;
  /** whether it knows the curve, by OpenSSL's name */
  hasCurve(curve: string): boolean;
  crc32(bytes: Uint8Array, before?: number): number;
  openInflater(): Inflater;
  /** raw deflate data, on this thread */
  deflate(bytes: Uint8Array, form: DeflateForm): Uint8Array;
  /** the same beside this thread */
  deflateAside(bytes: Uint8Array, form: DeflateForm): Promise<Uint8Array>;
}
