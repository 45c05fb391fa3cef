/**
 * bulla packs, signs, verifies and imports signed appliance bundles (OVF/OVA, and plain files in a tar).
 *
 * Its verbs are functions; a bad bundle is a value (a `Report` with its verdict), and an exception is a
 * `BundleError` that says what, where, why and what to do.
 *
 * @module
 */

export type { ArchiveFormat, PackFormat } from './archive/open-archive.ts';
export type { Repair } from './archive/repair/repairs.ts';
export type { Certificate } from './crypto/certificate.ts';
export type { SignatureForm, Signer, SignerBounds, Signing } from './engine/engine.ts';
export type { DiskFormat, DiskProbe } from './formats/disk/disk-probe.ts';
export type { AskedAccess, FileAccess, FileOwner } from './formats/file-access.ts';
export {
  formatProperties,
  namedProperties,
  type PropertyForm,
} from './formats/glance/format-properties.ts';
export type { HashMethod, KeyTypeName } from './formats/glance/names.ts';
export {
  type ImageProperties,
  type LegacyProperties,
  parseProperties,
  type SignatureProperties,
} from './formats/glance/properties.ts';
export type { Descriptor, DiskDescription } from './formats/ovf/descriptor.ts';
export type { FirmwareName } from './formats/ovf/descriptor-writer.ts';
export type { DescriptorChange, DescriptorSetting } from './formats/ovf/edit/edit-descriptor.ts';
export type { FileReference } from './formats/ovf/file-reference.ts';
export type { ControllerName } from './formats/ovf/machine/drives.ts';
export type { GuestSystemName } from './formats/ovf/machine/guest-systems.ts';
export type { ManifestEntry } from './formats/ovf/manifest.ts';
export type { ProductSummary, VirtualSystemSummary } from './formats/ovf/virtual-system.ts';
export type { MlDsaType } from './formats/x509/ml-dsa.ts';
export type { KeyDescription, PublicKey } from './formats/x509/public-key.ts';
export type { PssParameters } from './formats/x509/signature-algorithm.ts';
export type { ByteStream } from './kit/bytes.ts';
export type { DigestName } from './kit/digest-name.ts';
export type { Advice, Advised, Told } from './kit/errors/advice.ts';
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
export { barbicanCertificates, certificateFolder } from './operations/glance/certificate-sources.ts';
export type {
  CursiveVerdict,
  ImageFindings,
  ImageReport,
  ImageResult,
  VerifyImageOptions,
} from './operations/glance/image-options.ts';
export type { ImageSigner, ImageSignerUse } from './operations/glance/image-signer.ts';
export {
  type KeyManagerOptions,
  keyManagerCertificates,
  openKeyManager,
} from './operations/glance/key-manager.ts';
export {
  type ImageSignerFiles,
  loadImageSigner,
  type SignedImage,
  type SignImageOptions,
  type SignImageReport,
  type SignImageResult,
  signImage,
} from './operations/glance/sign-image.ts';
export { type SiteImage, uploadCommand } from './operations/glance/sign-on-import.ts';
export {
  type StoreCertificateOptions,
  type StoreReport,
  type StoreResult,
  storeCertificate,
} from './operations/glance/store-certificate.ts';
export { verifyImage } from './operations/glance/verify-image.ts';
export type { CleanReport, Leftover } from './operations/import/clean.ts';
export { importBundle } from './operations/import/import.ts';
export type { ImportOptions } from './operations/import/import-options.ts';
export type {
  Imported,
  ImportFindings,
  ImportReport,
  ImportResult,
  RefusedImport,
  WouldBeImported,
} from './operations/import/import-result.ts';
export type { ImportSink } from './operations/import/import-sink.ts';
export {
  type NormalizeOptions,
  type NormalizeReport,
  type NormalizeResult,
  normalize,
} from './operations/pack/normalize.ts';
export type { PackOptions } from './operations/pack/options.ts';
export { type PackReport, type PackResult, type PackSigning, pack } from './operations/pack/pack.ts';
export type { ApplianceOptions } from './operations/pack/plan.ts';
export type { RepackOptions, RepackReport, RepackResult } from './operations/repack/options.ts';
export { repack } from './operations/repack/repack.ts';
export type { AnyReport, UsageReport } from './operations/report/any-report.ts';
export type {
  EnvFindings,
  EnvReport,
  FoundDefault,
  FoundFolder,
  FoundProgram,
  FoundPublisher,
  FoundVariable,
} from './operations/report/env-report.ts';
export type { CopyOptions, EditOptions } from './operations/sign/copy-options.ts';
export {
  type SignPackageOptions,
  type SignPackageReport,
  type SignPackageResult,
  signPackage,
} from './operations/sign/in-place/sign-package.ts';
export {
  type TimestampPackageOptions,
  type TimestampPackageReport,
  type TimestampPackageResult,
  timestampPackage,
} from './operations/sign/in-place/timestamp-package.ts';
export {
  type AnsweredReport,
  type AnsweredResult,
  type AnswerOptions,
  answerSigningRequest,
  readSigningRequest,
  type SigningRequest,
} from './operations/sign/room/answer.ts';
export {
  type AttachOptions,
  attachSignature,
  readSigningResponse,
  type SigningResponse,
} from './operations/sign/room/attach.ts';
export {
  type PreparedReport,
  type PreparedResult,
  type PrepareOptions,
  prepareSigning,
} from './operations/sign/room/prepare.ts';
export { type SignOptions, sign } from './operations/sign/sign.ts';
export { type SignFileOptions, signFile } from './operations/sign/sign-file.ts';
export type {
  SigningDigest,
  SigningIdentity,
  SignReport,
  SignResult,
  TimestampSource,
} from './operations/sign/signing.ts';
export { loadSigningIdentity, type SigningFiles } from './operations/sign/signing-identity.ts';
export {
  type RequestReport,
  type RequestResult,
  type TimestampingReport,
  type TimestampingResult,
  type TimestampOptions,
  timestamp,
} from './operations/sign/timestamp.ts';
export { type AuthorityOptions, authorityAt, replyIn } from './operations/sign/timestamp-source.ts';
export {
  type AttemptReport,
  type CheckPathOptions,
  type CheckReport,
  checkPath,
  type PathReport,
} from './operations/trust/check-path.ts';
export type {
  PublisherReport,
  TimestampAuthorityReport,
  TrustedCertificateReport,
} from './operations/trust/trust.ts';
export type {
  TrustAddReport,
  TrustListReport,
  TrustRemoveReport,
  TrustShowReport,
} from './operations/trust/trust-reports.ts';
export type { DevCertsReport } from './operations/trust/write-dev-certs.ts';
export {
  type Comparison,
  type Difference,
  type DiffOptions,
  type DiffReport,
  type DiffResult,
  diff,
} from './operations/verify/diff.ts';
export {
  type Inspection,
  type InspectOptions,
  type InspectReport,
  inspect,
  type NoBundleInspection,
  type OvfInspection,
  type PlainInspection,
} from './operations/verify/inspect.ts';
export type { EvidenceFiles } from './operations/verify/load-evidence.ts';
export type { TrustFiles } from './operations/verify/load-trust.ts';
export { openImage, type VerifiedImage } from './operations/verify/open-image.ts';
export type { VerifyOptions } from './operations/verify/options.ts';
export { verify } from './operations/verify/verify.ts';
export { verifyFile } from './operations/verify/verify-file.ts';
export {
  type JoinOptions,
  type JoinOutcome,
  type JoinReport,
  type JoinResult,
  join,
} from './operations/volumes/join.ts';
export { type SplitOptions, type SplitReport, type SplitResult, split } from './operations/volumes/split.ts';
export type { Waiting } from './operations/waiting.ts';
export type { PublishedMember } from './storage/output/staging.ts';
export type { BarbicanClient, NewSecret, Secret } from './storage/remote/barbican-client.ts';
export type { CatalogChoice, KeystoneLogin, KeystoneName } from './storage/remote/keystone-client.ts';
export type { PluginFolder } from './storage/signers/find-plugin.ts';
export type { BundleInput } from './storage/sources/open-source.ts';
export type { WorkState } from './storage/unfinished/marked-folder.ts';
export type { CursiveFault } from './trust/glance/cursive.ts';
export type { PolicyInputs } from './trust/path/judge-options.ts';
export type { SignatureKind } from './trust/path/path-kind.ts';
export type { Purpose } from './trust/path/purposes.ts';
export type { Allowances } from './trust/policy.ts';
export type { Publisher, RequiredKind, RevocationMode, TimestampMode } from './trust/publisher.ts';
export type { Trust, TrustedPublisher } from './trust/trust.ts';
export type { CertificateAnswer, CertificateSource } from './verdict/image/certificate-source.ts';
export type { ImageAllowances } from './verdict/image/open-image-signatures.ts';
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
export type {
  TargetFinding,
  TargetName,
  TargetReport,
  TargetSeverity,
} from './verdict/targets/target.ts';
export type { BlockFindings } from './verdict/walk/block-damage.ts';
export type { BundleSink } from './verdict/walk/member.ts';
export type { BundleFormat } from './verdict/walk/package-entries.ts';
