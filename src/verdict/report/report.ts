import { type Advised, isAdvised, plain, type Told } from '../../kit/errors/advice.ts';
import type { BundleError, Where } from '../../kit/errors/errors.ts';
import type { SignatureKind } from '../../trust/path/path-kind.ts';
import type { BlockFindings } from '../walk/block-damage.ts';
import { byPrecedence, exitCodeOf } from './exit-codes.ts';
import { toldIn } from './telling.ts';

/**
 * The verdict in one word. `none`: nothing was judged (pack, inspect, trust …). `unsigned` or `untrusted` with exit code 0:
 * accepted because the caller allowed it, or judged as others would, and not trusted.
 */
export type Verdict = 'trusted' | 'untrusted' | 'unsigned' | 'invalid' | 'malformed' | 'error' | 'none';

/** One thing that was looked at, or was not and why. */
export interface Check {
  readonly id: CheckId;
  readonly status: 'pass' | 'fail' | 'warn' | 'skip';
  readonly detail: string;
  /** `detail`, where a face may have words of its own for it */
  readonly advice?: Advised;
}

/** The checks of a bundle, in the order they are reported. */
export const BUNDLE_CHECK_IDS = [
  'archive.safety',
  'package.members',
  'manifest.syntax',
  'signature',
  'signature.cms',
  'certificate.path',
  'revocation',
  'timestamp',
  'policy',
  'manifest.digests',
  'descriptor',
  'scope',
] as const;

/** All checks; those at the end are of the images of OpenStack. */
export const CHECK_IDS = [
  ...BUNDLE_CHECK_IDS,
  'image.properties',
  'image.certificate',
  'image.digests',
] as const;

/** The name of a check. */
export type CheckId = (typeof CHECK_IDS)[number];

/** A certificate as the report shows it; digests are lower-case hex of SHA-256. */
export interface CertificateReport {
  readonly subject: string;
  readonly issuer: string;
  readonly notBefore: string;
  readonly notAfter: string;
  readonly key: string;
  readonly fingerprint: string;
  readonly spkiSha256: string;
}

/** A certificate in a path, and what is known about its revocation. */
export interface PathCertificateReport extends CertificateReport {
  readonly revocation?: {
    readonly status: 'good' | 'revoked' | 'unknown' | 'stale' | 'not-checked';
    readonly detail: string;
  };
}

/** A timestamp of a signature. `proven`: it shows that the signature was there between `from` and `to`, ISO 8601. */
export interface TimestampReport {
  readonly status: 'proven' | 'invalid';
  readonly time: string;
  readonly from?: string;
  readonly to?: string;
  readonly authority?: CertificateReport;
  readonly detail: string;
}

/** One signature that was found. */
export interface SignatureReport {
  readonly format: 'ovf-cert' | 'cms' | 'glance' | 'glance-md5';
  readonly file: string;
  /** the part that its signer plays, by the name of the file [side.1] */
  readonly role?: string;
  /** such as `RSA-3072 sha256` */
  readonly algorithm: string;
  /** `unknown`: of a type or an algorithm that is not known here, and counted for nothing [side.4] */
  readonly status: 'trusted' | 'untrusted' | 'invalid' | 'unknown';
  /** of a trusted one: whether the whole path outlasts a computer that breaks RSA and elliptic curves [pq.8] */
  readonly kind?: SignatureKind;
  readonly signer?: CertificateReport;
  /** the certification path, signer first, as far as it was found */
  readonly path: readonly PathCertificateReport[];
  readonly timestamps: readonly TimestampReport[];
  /** what vouches for it: a publisher's name, a file, or a pin */
  readonly trustedBy?: string;
  /** publishers that know it, where it is not settled that one of them may sign this [pub.7] */
  readonly knownBy?: string;
  /** only the key is known, by a pin: nobody who is trusted has signed the certificate, nor its name and dates */
  readonly unproven?: true;
}

/** One member of the bundle, or one that the manifest lists and the bundle has not. Offsets count bytes of the unpacked archive; a file of its own has none. */
export interface FileReport {
  readonly name: string;
  readonly role:
    | 'descriptor'
    | 'manifest'
    | 'certificate'
    | 'timestamp'
    | 'signature'
    | 'revocation'
    | 'file';
  readonly size?: number;
  readonly offset?: number;
  readonly algorithm?: string;
  readonly expected?: string;
  /** the digest of the whole; left out when it was not computed */
  readonly actual?: string;
  /** what the digests of its blocks have shown */
  readonly blocks?: BlockFindings;
  readonly status: 'ok' | 'mismatch' | 'missing' | 'unlisted' | 'unchecked';
  /** who answers for a file that the manifest does not list; left out where it does, and where nothing was judged */
  readonly vouchedBy?: 'signer' | 'issuer' | 'authority' | 'nobody';
}

/** A fault as the report gives it: the four slots of every message. */
export interface ErrorReport {
  readonly code: string;
  readonly message: string;
  readonly where: Where;
  readonly why: string;
  readonly fix: string;
  /** what `fix` is made of, joined by "; ", where a face may have words of its own for some of it */
  readonly advice?: readonly Told[];
}

/** What was asked to be judged. */
export interface InputReport {
  readonly name: string;
  readonly size?: number;
  readonly format?: string;
  /** the bundle, where it is a member of the archive that was named [inner.4] */
  readonly inner?: Omit<InputReport, 'inner'>;
}

/** An option that was left out, and the variable or file that its value is from. [cli.29] */
export interface DefaultReport {
  /** such as `--key` */
  readonly option: string;
  readonly from: string;
}

/** What was written down of the revocation information that was seen. [rev.9] */
export interface RememberedReport {
  readonly folder: string;
  /** lists and OCSP responses that are newer than any seen before */
  readonly count: number;
}

/**
 * The one document of `--json`, and what the library returns; its JSON Schema is `spec/report.schema.json`.
 *
 * Each operation says what its own is: which word it has, and what it gives besides the verdict.
 */
export interface Report<Operation extends string = string, Result extends object = object> {
  readonly schema: 'bulla.report/1';
  readonly operation: Operation;
  readonly exitCode: number;
  readonly verdict: Verdict;
  readonly trusted: boolean;
  readonly input?: InputReport;
  /** the moment certificates were judged at, ISO 8601 */
  readonly at?: string;
  readonly checks: readonly Check[];
  readonly signatures: readonly SignatureReport[];
  readonly files: readonly FileReport[];
  /** those that decided the exit code first */
  readonly errors: readonly ErrorReport[];
  readonly warnings: readonly string[];
  /** the warnings that a face may have words of its own for; left out where there is none */
  readonly advice?: readonly Advised[];
  /** the checks that the caller weakened, by option name */
  readonly allowances: readonly string[];
  /** left out when nothing was */
  readonly remembered?: RememberedReport;
  /** by the command line only: options that were left out and have a default here; left out where there is none */
  readonly defaults?: readonly DefaultReport[];
  /** what the operation made or found */
  readonly result?: Result;
}

/** What an operation found, from which its report is made. */
export interface Findings<Operation extends string = string, Result extends object = object> {
  readonly operation: Operation;
  readonly input?: InputReport;
  readonly at?: Date;
  readonly checks?: readonly Check[];
  readonly signatures?: readonly SignatureReport[];
  readonly files?: readonly FileReport[];
  readonly errors: readonly BundleError[];
  readonly warnings?: readonly Told[];
  readonly allowances?: readonly string[];
  readonly remembered?: RememberedReport;
  readonly result?: Result;
  /** whether a bundle was judged, and is trusted if no error speaks against it */
  readonly judged?: 'trusted' | 'unsigned' | 'untrusted';
}

/** The report of what was found: the verdict and the exit code follow from the errors alone. */
export function makeReport<Operation extends string, Result extends object = never>(
  findings: Findings<Operation, Result>,
): Report<Operation, Result> {
  const exitCode = exitCodeOf(findings.errors);
  const verdict = exitCode === 0 ? (findings.judged ?? 'none') : verdictOf(exitCode);
  const byOrder = (a: Check, b: Check): number => CHECK_IDS.indexOf(a.id) - CHECK_IDS.indexOf(b.id);
  const warnings = new Map((findings.warnings ?? []).map((told) => [plain(told), told]));
  const report: Report<Operation, Result> = {
    schema: 'bulla.report/1',
    operation: findings.operation,
    exitCode,
    verdict,
    trusted: verdict === 'trusted',
    ...(findings.input !== undefined && { input: findings.input }),
    ...(findings.at !== undefined && { at: findings.at.toISOString() }),
    checks: [...(findings.checks ?? [])].sort(byOrder),
    signatures: findings.signatures ?? [],
    files: findings.files ?? [],
    errors: byPrecedence(findings.errors).map((error) => errorReport(toldIn(findings.operation, error))),
    warnings: [],
    allowances: findings.allowances ?? [],
    ...(findings.remembered !== undefined && { remembered: findings.remembered }),
    ...(findings.result !== undefined && { result: findings.result }),
  };
  return warned(report, [...warnings.values()]);
}

/** The report of an archive that has been taken apart: what no repair reads is not sent to be repaired again. [repair.5] */
export function beyondRepair<Given extends Report>(report: Given): Given {
  return {
    ...report,
    errors: report.errors.map(({ advice, ...error }) => {
      if (!advice) return error;
      const others = advice.filter((told) => !isAdvised(told) || told.advice !== 'repair');
      const left = others.length > 0 ? others : [NOT_REPAIRED];
      return { ...error, fix: left.map(plain).join('; '), advice: left };
    }),
  };
}

/** What to do where a repair has been tried. */
const NOT_REPAIRED: Advised = {
  text: 'no repair can tell what was meant: ask the publisher for a bundle packed by a strict tool; or unpack it, look at the files, and pack them',
  advice: 'pack-again',
};

/** The report with more warnings. */
export function warned<Given extends Report>(report: Given, warnings: readonly Told[]): Given {
  const advice = [...(report.advice ?? []), ...warnings.filter(isAdvised)];
  return {
    ...report,
    warnings: [...report.warnings, ...warnings.map(plain)],
    ...(advice.length > 0 && { advice }),
  };
}

function verdictOf(exitCode: number): Verdict {
  if (exitCode === 6) return 'none';
  if (exitCode === 10) return 'unsigned';
  if (exitCode === 11 || exitCode === 12) return 'invalid';
  if (exitCode >= 15 && exitCode <= 17) return 'malformed';
  if (exitCode === 13 || exitCode === 14 || exitCode === 18 || exitCode === 20) return 'untrusted';
  return 'error';
}

/** The plain form of an error. */
function errorReport(error: BundleError): ErrorReport {
  const { code, message, where, why, fix, advice } = error;
  return { code, message, where, why, fix, ...(advice.some(isAdvised) && { advice }) };
}
