import type { BundleError } from '../../kit/errors/errors.ts';
import { makeReport } from '../../verdict/report/report.ts';
import type { ImportReport } from './import-result.ts';

/** What becomes of what has come when an import publishes nothing, and what is said of that. One of the three ends it. */
export interface Ending {
  /** the report of the verdict: with `errors` nothing is published any more, without any the import goes on */
  judged(report: ImportReport, errors: readonly BundleError[]): Promise<ImportReport>;
  /** the report of a bundle that was good and then not what was asked for, made of that of the verdict as it came */
  unfit(report: ImportReport, error: unknown): Promise<ImportReport>;
  /** the error that ended it without a report */
  failed(error: unknown): Promise<BundleError>;
}

/** The report of a bundle that was fine, and then not what was asked for. */
export function refusedReport(report: ImportReport, error: BundleError): ImportReport {
  const { exitCode, verdict, errors } = makeReport({ operation: report.operation, errors: [error] });
  return { ...report, exitCode, verdict, trusted: false, errors };
}
