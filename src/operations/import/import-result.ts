import type { FileAccess } from '../../formats/file-access.ts';
import type { FileReport, Report, Verdict } from '../../verdict/report/report.ts';
import type { SiteImage } from '../glance/sign-on-import.ts';

/** What was published, or would be. */
export interface ImportFindings {
  /** the folder; left out where the members went into a sink */
  readonly destination?: string;
  readonly published: boolean;
  /** by their names */
  readonly files: readonly string[];
  /** what may be done with them by whom; left out where the members went into a sink */
  readonly access?: FileAccess;
  /** the disk images that were signed for Glance; left out when none were */
  readonly images?: readonly SiteImage[];
}

/** The report of `import`. */
export type ImportReport = Report<'import', ImportFindings>;

/** What became of an import, by `kind`, or by `verdict` as that of `verify`: only what was imported, or would be, has files. */
export type ImportResult = Imported | WouldBeImported | RefusedImport;

/** The bundle was accepted, and is where it was to go. */
export interface Imported {
  readonly kind: 'imported';
  readonly imported: true;
  /** `unsigned`: accepted because the caller allowed it, and not trusted */
  readonly verdict: 'trusted' | 'unsigned';
  readonly report: ImportReport;
  /** those published */
  readonly files: readonly FileReport[];
  /** the disk images that were signed for Glance */
  readonly images: readonly SiteImage[];
}

/** A dry run: the bundle was accepted, and nothing was stored. */
export interface WouldBeImported {
  readonly kind: 'would-be-imported';
  readonly imported: false;
  /** `unsigned`: accepted because the caller allowed it, and not trusted */
  readonly verdict: 'trusted' | 'unsigned';
  readonly report: ImportReport;
  /** those that would be published; the size of one that would be made of others is not known */
  readonly files: readonly FileReport[];
  readonly images?: never;
}

/** The bundle was refused, or is not what was asked for: `report.errors` says why, and nothing of it is anybody's. */
export interface RefusedImport {
  readonly kind: 'refused';
  readonly imported: false;
  readonly verdict: Exclude<Verdict, 'trusted'>;
  readonly report: ImportReport;
  readonly files?: never;
  readonly images?: never;
}
