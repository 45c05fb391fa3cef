import type { FileReport, Report } from '../../verdict/report/report.ts';
import type { SiteImage } from '../glance/sign-on-import.ts';

/** What was published, or would be. */
export interface ImportFindings {
  readonly destination: string;
  readonly published: boolean;
  /** by their names */
  readonly files: readonly string[];
  /** the disk images that were signed for Glance; left out when none were */
  readonly images?: readonly SiteImage[];
}

/** The report of `import`. */
export type ImportReport = Report<'import', ImportFindings>;

/** What became of an import; `files` are those published (or that would be), none when the bundle was refused. */
export interface ImportResult {
  readonly imported: boolean;
  readonly report: ImportReport;
  readonly files: readonly FileReport[];
  /** the disk images that were signed for Glance */
  readonly images: readonly SiteImage[];
}
