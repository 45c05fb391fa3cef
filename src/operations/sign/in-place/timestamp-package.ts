import { parseCertificateFile } from '../../../formats/ovf/certificate-file.ts';
import { openDeadline } from '../../../kit/deadline.ts';
import { BundleError } from '../../../kit/errors/errors.ts';
import { DEFAULT_LIMITS } from '../../../kit/limits.ts';
import { needed, path, shape } from '../../../kit/shape.ts';
import type { Report } from '../../../verdict/report/report.ts';
import { tellingIn } from '../../../verdict/report/telling.ts';
import { timestampSource } from '../../option-rules.ts';
import { EDITING, type EditOptions } from '../copy-options.ts';
import type { TimestampSource } from '../signing.ts';
import { ownForm, timestampMembers } from '../timestamp.ts';
import { editPackage, editReport } from './edit-package.ts';

/** How a package of files gets its timestamp where it lies. */
export interface TimestampPackageOptions extends EditOptions {
  readonly source: TimestampSource;
}

/**
 * Adds a timestamp to the signature of a package of files where it lies: into the CMS signature when there is one, else in a file beside it.
 * A file that is there, the certificate file among them, is replaced only with `overwrite`.
 *
 * @throws {BundleError} `DESTINATION_EXISTS`, `SIGNATURE_MISSING`, when it cannot be read or written, or the source gives no timestamp
 * @see spec/package.md, clauses pkg.9 to pkg.12, and pack.10
 */
export async function timestampPackage(
  input: string,
  options: TimestampPackageOptions,
): Promise<TimestampPackageReport> {
  path(input, 'input');
  const given = timestampPackageOptions(options, '');
  using deadline = openDeadline(given);
  const { source } = given;
  const { signal } = deadline;
  const limits = { ...DEFAULT_LIMITS, ...given.limits };
  const edited = await tellingIn('timestamp', () =>
    editPackage(
      input,
      { ...given, ...deadline },
      {
        reads: source.files ?? [],
        algorithm: 'sha256',
        expect: ({ there, manifest, certificate }) => {
          if (!there.has(manifest)) throw unsigned('MANIFEST_MISSING', 'the package has no manifest', input);
          if (!there.has(certificate))
            throw unsigned('SIGNATURE_MISSING', 'the package has no signature to timestamp', input);
        },
        make: async ({ parts, manifest, certificate, timestamp }, expectReplaceable) => {
          if (!certificate)
            throw unsigned('SIGNATURE_MISSING', 'the package has no signature to timestamp', input);
          const { bytes, notes } = ownForm(certificate, manifest, limits, timestamp);
          // before somebody is asked for a token
          expectReplaceable(parseCertificateFile(bytes, limits).cms ? parts.certificate : parts.timestamp);
          const members = await timestampMembers(
            { name: certificate.name, bytes },
            { source, signal, limits },
          );
          const files = members.map((file) =>
            file.name === certificate.name ? file : { ...file, name: parts.timestamp },
          );
          return { files, notes };
        },
      },
    ),
  );
  return editReport('timestamp', edited, { timestamped: true });
}

const timestampPackageOptions = shape<TimestampPackageOptions>({
  ...EDITING,
  source: needed(timestampSource),
});

function unsigned(
  code: 'MANIFEST_MISSING' | 'SIGNATURE_MISSING',
  message: string,
  file: string,
): BundleError {
  return new BundleError(code, message, {
    where: { file },
    fix: { text: 'sign it, with a timestamp at once', advice: 'sign-package-stamped' },
  });
}

/** A package with its timestamp. */
export interface TimestampPackageResult {
  /** the files that were written */
  readonly written: readonly string[];
  readonly format: 'files';
  readonly timestamped: boolean;
}

/** The report of `timestamp`, of a package where it lies. */
export type TimestampPackageReport = Report<'timestamp', TimestampPackageResult>;
