import type { PackFormat } from '../../archive/open-archive.ts';
import type { Certificate } from '../../crypto/certificate.ts';
import type { Signer } from '../../engine/engine.ts';
import type { DigestName } from '../../kit/digest-name.ts';
import type { Told } from '../../kit/errors/advice.ts';
import type { CertificateReport, Report } from '../../verdict/report/report.ts';
import type { NamedMember } from '../../verdict/walk/member.ts';

/**
 * Gives a timestamp token over some bytes, DER; what is written of it is the canonical form. [tst.15]
 *
 * @throws {BundleError} `REMOTE_*`, `TIMESTAMP_*`
 */
export type TimestampSource = ((over: Uint8Array) => Promise<Uint8Array>) & {
  /** what it reads; no output may replace that */
  readonly files?: readonly string[];
};

/** A key with the certificate that belongs to it; `warnings` says who will not be able to read its signatures. */
export interface SigningIdentity {
  readonly signer: Signer;
  readonly leaf: Certificate;
  readonly intermediates: readonly Certificate[];
  readonly warnings: readonly Told[];
  /** what it was loaded from, never to be replaced by a bundle */
  readonly files: readonly string[];
}

/** The files that sign a manifest. */
export interface MadeSignature {
  readonly certificate: Uint8Array;
  /** over the certificate file, when the timestamp is not in the CMS signature */
  readonly timestamp?: Uint8Array;
}

/** How a manifest gets its signature: made here, or brought from where the key is. */
export interface ManifestSigning {
  /** what is read for it; no output may replace that */
  readonly reads: readonly string[];
  readonly warnings: readonly Told[];
  /** of the manifest, where one has to be made */
  readonly digest: SigningDigest;
  readonly timestamped: boolean;
  /** the files that sign it, and whose certificate that is */
  sign(
    manifest: NamedMember,
    signal: AbortSignal | undefined,
  ): Promise<MadeSignature & { readonly leaf: Certificate }>;
}

/** The digest that a signature may be made over when signing. */
export type SigningDigest = Exclude<DigestName, 'sha1'>;

/** What was signed, and by whom. */
export interface SignResult {
  /** the name of what was written, or `-`; left out when it went into a sink */
  readonly output?: string;
  /** `cms` for a signature beside a file of any kind */
  readonly format: PackFormat | 'cms';
  /** whose signature of a bundle it takes the place of; whether they are to be trusted was not asked */
  readonly replacedSigners: readonly CertificateReport[];
  readonly signer: CertificateReport;
  readonly timestamped: boolean;
}

/** The report of `sign`. */
export type SignReport = Report<'sign', SignResult>;
