import type { Report } from '../../verdict/report/report.ts';
import type { PublisherReport, TimestampAuthorityReport } from './trust.ts';

/** The report of `trust add`: who is trusted from now on, or whose timestamps are believed. */
export type TrustAddReport = Report<
  'trust add',
  { readonly publisher: PublisherReport } | { readonly authorities: readonly TimestampAuthorityReport[] }
>;

/** The report of `trust list`. */
export type TrustListReport = Report<
  'trust list',
  {
    readonly publishers: readonly PublisherReport[];
    readonly authorities: readonly TimestampAuthorityReport[];
  }
>;

/** The report of `trust show`: those of the name, a publisher, a timestamp authority, or one of each. */
export type TrustShowReport = Report<
  'trust show',
  | { readonly publisher: PublisherReport }
  | {
      readonly publisher?: PublisherReport;
      readonly authorities: readonly TimestampAuthorityReport[];
    }
>;

/** The report of `trust remove`: the folder that is gone. */
export type TrustRemoveReport = Report<'trust remove', { readonly removed: string }>;
