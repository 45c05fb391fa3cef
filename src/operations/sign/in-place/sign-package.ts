import type { Certificate } from '../../../crypto/certificate.ts';
import { type Deadline, openDeadline } from '../../../kit/deadline.ts';
import { DEFAULT_LIMITS } from '../../../kit/limits.ts';
import { flag, needed, path, shape } from '../../../kit/shape.ts';
import { type Replaced, replacedSignature } from '../../../verdict/packing/replaced-signature.ts';
import type { CertificateReport, Report } from '../../../verdict/report/report.ts';
import { tellingIn } from '../../../verdict/report/telling.ts';
import { certificateReport } from '../../../verdict/signers/signature-report.ts';
import { signingDigest, signingIdentity, timestampSource } from '../../option-rules.ts';
import { EDITING, type EditOptions } from '../copy-options.ts';
import { signingWith } from '../make-signature.ts';
import type { ManifestSigning, SigningDigest, SigningIdentity, TimestampSource } from '../signing.ts';
import { editPackage, editReport } from './edit-package.ts';

/** How a package of files is signed where it lies. */
export interface SignPackageOptions extends EditOptions {
  readonly identity: SigningIdentity;
  /** of the signature, and of the manifest where one is made; one that is there is kept as it is */
  readonly digest?: SigningDigest;
  /** whether a CMS signature is added; when left out, it is when there are intermediates */
  readonly cms?: boolean;
  /** who timestamps the signature; nobody when left out */
  readonly timestamp?: TimestampSource;
}

/**
 * Signs a package of files where it lies: a folder, or what belongs to a descriptor or manifest. The manifest that is there is held against all
 * files, and stays byte for byte; where there is none it is made. What signs it already is replaced only with `overwrite`.
 *
 * A package that an importer would refuse is not signed: the report has the reasons then, and nothing has been written.
 *
 * @throws {BundleError} `DESTINATION_EXISTS`, and when it cannot be read or written
 * @see spec/package.md, clauses pkg.9 to pkg.12
 */
export async function signPackage(input: string, options: SignPackageOptions): Promise<SignPackageReport> {
  path(input, 'input');
  const given = signPackageOptions(options, '');
  using deadline = openDeadline(given);
  return await tellingIn('sign', async () =>
    signLoose(input, signingWith(given.identity, given), { ...given, ...deadline }),
  );
}

/** Signs a package of files where it lies, however the signature is made. [pkg.9] */
export async function signLoose(
  input: string,
  signing: ManifestSigning,
  options: EditOptions & Pick<Deadline, 'expectInTime'>,
): Promise<SignPackageReport> {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  let replaced: Replaced = { signers: [], notes: [] };
  let leaf: Certificate | undefined;
  const edited = await editPackage(input, options, {
    reads: signing.reads,
    algorithm: signing.digest,
    expect: (parts, expectReplaceable) => {
      expectReplaceable(parts.certificate);
      expectReplaceable(parts.timestamp);
    },
    make: async ({ parts, manifest, certificate }) => {
      replaced = replacedSignature(certificate, manifest, limits);
      const made = await signing.sign(manifest, options.signal);
      leaf = made.leaf;
      const token = made.timestamp ? [{ name: parts.timestamp, bytes: made.timestamp }] : [];
      return {
        files: [{ name: parts.certificate, bytes: made.certificate }, ...token],
        notes: [...replaced.notes, ...signing.warnings],
      };
    },
  });
  return editReport(
    'sign',
    edited,
    leaf && {
      replacedSigners: replaced.signers,
      signer: certificateReport(leaf),
      timestamped: signing.timestamped,
    },
  );
}

const signPackageOptions = shape<SignPackageOptions>({
  ...EDITING,
  identity: needed(signingIdentity),
  digest: signingDigest,
  cms: flag,
  timestamp: timestampSource,
});

/** What was signed where it lies, and by whom. */
export interface SignPackageResult {
  /** the files that were written: what signs it, and the manifest where that was made */
  readonly written: readonly string[];
  readonly format: 'files';
  /** whose signature it takes the place of; whether they are to be trusted was not asked */
  readonly replacedSigners: readonly CertificateReport[];
  readonly signer: CertificateReport;
  readonly timestamped: boolean;
}

/** The report of `sign`, of a package where it lies. */
export type SignPackageReport = Report<'sign', SignPackageResult>;
