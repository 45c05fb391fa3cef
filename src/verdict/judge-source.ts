import type { OpenArchive } from '../archive/open-archive.ts';
import type { Descriptor } from '../formats/ovf/descriptor.ts';
import type { ManifestEntry } from '../formats/ovf/manifest.ts';
import { DEFAULT_LIMITS } from '../kit/limits.ts';
import type { BundleSource } from '../kit/source.ts';
import type { ClaimPolicy } from '../trust/judge-claim.ts';
import { type Examination, examine } from './bundle/examine.ts';
import type { JudgingOptions } from './judging-options.ts';
import { allowanceNames } from './report/allowance-names.ts';
import { inputReport } from './report/input-report.ts';
import { type CertificateReport, makeReport, type RememberedReport, type Report } from './report/report.ts';
import type { ResumableSink } from './walk/member.ts';

/** What a trusted bundle holds, as far as the manifest and the descriptor say. */
export interface TrustedContents {
  readonly files: readonly ManifestEntry[];
  readonly descriptor?: Descriptor;
  readonly signer: CertificateReport;
}

/** Its verdict and its checks are all that there is to say. */
export type VerifyReport = Report<'verify', never>;

/** The verdict; only a trusted bundle has contents to use. */
export type VerifyResult =
  | { readonly verdict: 'trusted'; readonly report: VerifyReport; readonly contents: TrustedContents }
  | { readonly verdict: Exclude<Report['verdict'], 'trusted'>; readonly report: VerifyReport };

/** What was remembered of revocation information, and what could not be. */
export interface Remembering {
  readonly remembered?: RememberedReport;
  readonly warnings: readonly string[];
}

/** How a source is judged. With a `sink` the members are stored; where manifest and signature stand at the front, the first thing wrong ends the reading then. */
export interface SourceQuestion<Operation extends string>
  extends Pick<JudgingOptions, 'limits' | 'relax' | 'onProgress'> {
  /** as the report calls it */
  readonly operation: Operation;
  readonly policy: ClaimPolicy;
  readonly sink?: ResumableSink;
  /** how an archive is opened, in place of the strict reader [repair.1] */
  readonly open?: OpenArchive;
  /** told what was found before the report is made, to write down what was seen of revocation */
  readonly remember?: (examination: Examination) => Promise<Remembering>;
}

/** Examines the bundle in a source and makes the report: the one way of verify and import, on any platform. */
export async function judgeSource<Operation extends string>(
  source: BundleSource,
  { operation, policy, sink, open, remember, limits, relax, onProgress }: SourceQuestion<Operation>,
): Promise<{ readonly examination: Examination; readonly report: Report<Operation, never> }> {
  const examination = await examine(source, {
    ...policy,
    limits: { ...DEFAULT_LIMITS, ...limits },
    ...(relax !== undefined && { relax }),
    ...(sink !== undefined && { sink }),
    ...(open !== undefined && { open }),
    ...(onProgress !== undefined && { onProgress }),
  });
  const { remembered, warnings = [] } = (await remember?.(examination)) ?? {};
  const report = makeReport({
    operation,
    input: inputReport(source, examination.format),
    at: policy.at,
    judged: examination.signature?.signed ? 'trusted' : 'unsigned',
    checks: examination.checks,
    signatures: examination.signatures,
    files: examination.contents.files,
    errors: examination.errors,
    warnings: [...examination.warnings, ...warnings],
    ...(remembered !== undefined && { remembered }),
    allowances: allowanceNames(policy.allowances, relax),
  });
  return { examination, report };
}

/** The verdict of a report, and what a trusted bundle holds. */
export function verifyResult(examination: Examination, report: VerifyReport): VerifyResult {
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
