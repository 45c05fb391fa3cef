/**
 * The verdict of bulla by itself: whether a bundle is whole and who signed it, from data alone. It needs an engine (`#engine`) and the
 * language; no file, no network, no clock and nothing else of Node.
 *
 * A bad bundle is a value (a `Report` with its verdict); an exception is a `BundleError` that says what, where, why and what to do.
 *
 * @module
 */

export type { Descriptor, DiskDescription } from './formats/ovf/descriptor.ts';
export type { FileReference } from './formats/ovf/file-reference.ts';
export type { ManifestEntry } from './formats/ovf/manifest.ts';
export type { ByteStream } from './kit/bytes.ts';
export type { ErrorKind } from './kit/errors/error-kinds.ts';
export {
  BundleError,
  type ErrorCode,
  type ErrorDetails,
  isBundleError,
  type Where,
} from './kit/errors/errors.ts';
export type { NamedBytes } from './kit/given-bytes.ts';
export { DEFAULT_LIMITS, type Limits } from './kit/limits.ts';
export type { OnProgress, ProgressEvent } from './kit/progress.ts';
export { RELAXATIONS, type Relaxation } from './kit/relaxation.ts';
export type { ByteSink } from './kit/streams/byte-sink.ts';
export type { SignatureKind } from './trust/path/path-kind.ts';
export type { Allowances } from './trust/policy.ts';
export type { Publisher, RequiredKind, RevocationMode, TimestampMode } from './trust/publisher.ts';
export type { Trust, TrustedPublisher } from './trust/trust.ts';
export type { TrustedContents, VerifyReport, VerifyResult } from './verdict/judge-source.ts';
export type { JudgingOptions } from './verdict/judging-options.ts';
export type {
  CertificateReport,
  Check,
  CheckId,
  DefaultReport,
  ErrorReport,
  FileReport,
  InputReport,
  PathCertificateReport,
  RememberedReport,
  Report,
  SignatureReport,
  TimestampReport,
  Verdict,
} from './verdict/report/report.ts';
export { type Evidence, type VerifyBundleOptions, verifyBundle } from './verdict/verify-bundle.ts';
export type { BlockFindings } from './verdict/walk/block-damage.ts';
export type { BundleSink } from './verdict/walk/member.ts';
