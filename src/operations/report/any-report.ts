import type { VerifyReport } from '../../verdict/judge-source.ts';
import type { Report } from '../../verdict/report/report.ts';
import type { ImageReport } from '../glance/image-options.ts';
import type { SignImageReport } from '../glance/sign-image.ts';
import type { StoreReport } from '../glance/store-certificate.ts';
import type { CleanReport } from '../import/clean.ts';
import type { ImportReport } from '../import/import-result.ts';
import type { NormalizeReport } from '../pack/normalize.ts';
import type { PackReport } from '../pack/pack.ts';
import type { RepackReport } from '../repack/options.ts';
import type { SignPackageReport } from '../sign/in-place/sign-package.ts';
import type { TimestampPackageReport } from '../sign/in-place/timestamp-package.ts';
import type { AnsweredReport } from '../sign/room/answer.ts';
import type { PreparedReport } from '../sign/room/prepare.ts';
import type { SignReport } from '../sign/signing.ts';
import type { RequestReport, TimestampingReport } from '../sign/timestamp.ts';
import type { CheckReport } from '../trust/check-path.ts';
import type {
  TrustAddReport,
  TrustListReport,
  TrustRemoveReport,
  TrustShowReport,
} from '../trust/trust-reports.ts';
import type { DevCertsReport } from '../trust/write-dev-certs.ts';
import type { DiffReport } from '../verify/diff.ts';
import type { InspectReport } from '../verify/inspect.ts';
import type { JoinReport } from '../volumes/join.ts';
import type { SplitReport } from '../volumes/split.ts';
import type { EnvReport } from './env-report.ts';

/** The report of a command line that is refused and names no operation: no command that there is, a family of them alone, or one that prints text only. */
export type UsageReport = Report<'help' | 'version' | 'completion' | 'glance' | 'trust', never>;

/** Any report there is: `operation` says of which, and so what `result` is. */
export type AnyReport =
  | VerifyReport
  | ImportReport
  | PackReport
  | SignReport
  | SignPackageReport
  | PreparedReport
  | AnsweredReport
  | TimestampingReport
  | TimestampPackageReport
  | RequestReport
  | NormalizeReport
  | RepackReport
  | InspectReport
  | DiffReport
  | SplitReport
  | JoinReport
  | CleanReport
  | DevCertsReport
  | ImageReport
  | SignImageReport
  | StoreReport
  | CheckReport
  | TrustAddReport
  | TrustListReport
  | TrustShowReport
  | TrustRemoveReport
  | EnvReport
  | UsageReport;
