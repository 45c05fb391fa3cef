import type { Descriptor } from '../../formats/ovf/descriptor.ts';
import type { ManifestEntry } from '../../formats/ovf/manifest.ts';
import { openDeadline } from '../../kit/deadline.ts';
import { DEFAULT_LIMITS } from '../../kit/limits.ts';
import { sourceOptions } from '../../kit/source.ts';
import { type BundleInput, openSource } from '../../storage/sources/open-source.ts';
import { allowancesOf } from '../../trust/policy.ts';
import { type Examination, examine } from '../../verdict/bundle/examine.ts';
import { allowanceNames } from '../../verdict/report/allowance-names.ts';
import { type CertificateReport, makeReport, type Report } from '../../verdict/report/report.ts';
import type { BundleSink } from '../../verdict/walk/member.ts';
import { bundleInput, verifyOptions } from '../option-rules.ts';
import { loadPolicy, rememberSeen } from './load-policy.ts';
import type { VerifyOptions } from './options.ts';

/** What a trusted bundle holds, as far as the manifest and the descriptor say. */
export interface TrustedContents {
  readonly files: readonly ManifestEntry[];
  readonly descriptor?: Descriptor;
  readonly signer: CertificateReport;
}

/** The verdict; only a trusted bundle has contents to use. */
export type VerifyResult =
  | { readonly verdict: 'trusted'; readonly report: Report; readonly contents: TrustedContents }
  | { readonly verdict: Exclude<Report['verdict'], 'trusted'>; readonly report: Report };

/**
 * Verifies a bundle in one pass, without storing anything of it and without asking the network (but for the bundle itself
 * when it is named by an https address). What revocation information was seen is kept in the trust folder, see `remember`.
 *
 * A bad bundle is a verdict, not an exception.
 *
 * @throws {BundleError} when the input cannot be opened, the trust settings cannot be read, or an option is not what it may be
 */
export async function verify(input: BundleInput, options: VerifyOptions = {}): Promise<VerifyResult> {
  const from = bundleInput(input, 'input');
  const given = verifyOptions(options, '');
  using deadline = openDeadline(given);
  const { examination, report } = await examineAndReport('verify', from, { ...given, ...deadline });
  if (report.errors.length === 0) deadline.expectInTime(); // [cli.21] a refusal is one however late
  return verifyResult(examination, report);
}

/** Examines a bundle with the caller's options and makes the report: the common part of verify and import. */
export async function examineAndReport(
  operation: string,
  input: BundleInput,
  options: VerifyOptions,
  sink?: BundleSink,
): Promise<{ readonly examination: Examination; readonly report: Report }> {
  const allowances = allowancesOf(options);
  const { at = new Date() } = options;
  const policy = await loadPolicy(options, { at, allowances, inputs: [input] }); // a slip there is told before a download begins
  await using source = await openSource(input, sourceOptions(options));
  const examination = await examine(source, {
    ...policy,
    limits: { ...DEFAULT_LIMITS, ...options.limits },
    ...(options.relax !== undefined && { relax: options.relax }),
    ...(sink !== undefined && { sink }),
    ...(options.onProgress !== undefined && { onProgress: options.onProgress }),
  });
  const { remembered, warnings } = await rememberSeen(
    examination.signature?.seen,
    examination.errors,
    options,
  );
  const report = makeReport({
    operation,
    input: {
      name: source.name,
      ...(source.size !== undefined && { size: source.size }),
      ...(examination.format !== undefined && { format: examination.format }),
    },
    at,
    judged: examination.signature?.signed ? 'trusted' : 'unsigned',
    checks: examination.checks,
    signatures: examination.signatures,
    files: examination.contents.files,
    errors: examination.errors,
    warnings: [...examination.warnings, ...warnings],
    ...(remembered !== undefined && { remembered }),
    allowances: allowanceNames(allowances, options.relax),
  });
  return { examination, report };
}

function verifyResult(examination: Examination, report: Report): VerifyResult {
  const { contents, signatures } = examination;
  const signer = signatures.find(({ status }) => status === 'trusted')?.signer;
  if (report.verdict !== 'trusted' || !contents.manifest || !signer) {
    return { verdict: report.verdict as Exclude<Report['verdict'], 'trusted'>, report };
  }
  return {
    verdict: 'trusted',
    report,
    contents: {
      files: contents.manifest.entries,
      ...(contents.descriptor !== undefined && { descriptor: contents.descriptor }),
      signer,
    },
  };
}
