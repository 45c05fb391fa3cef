import type { Told } from '../../kit/errors/advice.ts';
import { BundleError, type ErrorCode, toBundleError } from '../../kit/errors/errors.ts';
import { fileOrBytes, type NamedBytes } from '../../kit/given-bytes.ts';
import { abortSignal, count, flag, list, moment, needed, oneOf, path, shape } from '../../kit/shape.ts';
import { expectLookedAt } from '../../trust/demands.ts';
import { openBudget } from '../../trust/path/budget.ts';
import { type Attempt, findPath } from '../../trust/path/find-path.ts';
import type { PolicyInputs } from '../../trust/path/judge-options.ts';
import type { Purpose } from '../../trust/path/purposes.ts';
import { type Allowances, allowancesOf, warningOf } from '../../trust/policy.ts';
import type { RevocationMode } from '../../trust/publisher.ts';
import type { RevocationOptions } from '../../trust/revocation/evidence.ts';
import { judgeRevocation } from '../../trust/revocation/judge-revocation.ts';
import { unrelatedIn } from '../../trust/revocation/unrelated.ts';
import { revocationMode } from '../../trust/trust-rules.ts';
import { sha1AndWeakKeys } from '../../verdict/judging-rules.ts';
import { allowanceNames } from '../../verdict/report/allowance-names.ts';
import {
  type CertificateReport,
  makeReport,
  type PathCertificateReport,
  type Report,
} from '../../verdict/report/report.ts';
import { certificateReport, pathReport } from '../../verdict/signers/signature-report.ts';
import { type PathFiles, readPathFiles } from './read-path-files.ts';

/** What a path is judged by: PEM or DER, in files or as bytes; folders of anchors count for the certificates in them. */
export interface CheckPathOptions {
  readonly untrusted?: readonly (string | NamedBytes)[];
  readonly anchors: readonly (string | NamedBytes)[];
  readonly crls?: readonly (string | NamedBytes)[];
  readonly ocsps?: readonly (string | NamedBytes)[];
  /** `if-present` when left out, but `require` of certificates whose issuer any of the CRLs or OCSP responses given is of */
  readonly revocation?: RevocationMode;
  /** now when left out */
  readonly at?: Date;
  readonly purpose?: Exclude<Purpose, 'ocsp-signing'>;
  /** intermediates at most, self-issued ones not counted */
  readonly maxDepth?: number;
  /** refuse what issuers get wrong without harm, too */
  readonly strict?: boolean;
  readonly policies?: PolicyInputs;
  readonly allow?: Partial<Pick<Allowances, 'sha1' | 'weakKeys'>>;
  readonly signal?: AbortSignal;
}

/** A way that was tried: the certificates from the leaf on, and why it did not do; none of the reasons for the one that did. */
export interface AttemptReport {
  readonly path: readonly CertificateReport[];
  readonly errors: readonly { readonly code: string; readonly message: string }[];
}

/** What `checkPath` found, for people and for JSON. */
export interface PathReport {
  readonly path: readonly PathCertificateReport[];
  readonly attempts: readonly AttemptReport[];
}

/** The report of `trust check`. */
export type CheckReport = Report<'trust check', PathReport>;

/**
 * Judges the certification path of a certificate alone, without a bundle: who issued it, may they, is it revoked.
 *
 * Nothing but what is given counts. What is wrong is in the report, not thrown.
 *
 * @throws {BundleError} `FILE_*`, `USAGE`
 * @see spec/trust.md, clauses path.24 and rev.15
 */
export async function checkPath(
  leaf: string | NamedBytes,
  options: CheckPathOptions,
): Promise<{ readonly report: CheckReport; readonly found: PathReport }> {
  const from = fileOrBytes(leaf, 'leaf');
  const given = checkPathOptions(options, '');
  expectLookedAt(given.revocation, { crls: given.crls, ocsps: given.ocsps });
  return checkGiven(from, given);
}

const checkPathOptions = shape<CheckPathOptions>({
  untrusted: list(fileOrBytes),
  anchors: needed(list(fileOrBytes)),
  crls: list(fileOrBytes),
  ocsps: list(fileOrBytes),
  revocation: revocationMode,
  at: moment,
  purpose: oneOf<NonNullable<CheckPathOptions['purpose']>>({
    'code-signing': true,
    timestamping: true,
    any: true,
  }),
  maxDepth: count,
  strict: flag,
  policies: shape<PolicyInputs>({
    initial: list(path),
    explicit: flag,
    inhibitMapping: flag,
    inhibitAny: flag,
  }),
  allow: shape<NonNullable<CheckPathOptions['allow']>>(sha1AndWeakKeys),
  signal: abortSignal,
});

async function checkGiven(
  from: string | NamedBytes,
  options: CheckPathOptions,
): Promise<{ readonly report: CheckReport; readonly found: PathReport }> {
  const leafFile = typeof from === 'string' ? from : from.name;
  const at = options.at ?? new Date();
  const allowances = allowancesOf(options);
  const given = {
    operation: 'trust check' as const,
    input: { name: leafFile },
    at,
    allowances: allowanceNames(allowances),
  };
  let input: PathFiles;
  try {
    input = await readPathFiles(from, options);
  } catch (error) {
    const fault = toBundleError(error);
    if (fault.kind !== 'package' && fault.kind !== 'unsupported') throw fault;
    return { report: makeReport({ ...given, errors: [fault] }), found: { path: [], attempts: [] } };
  }
  const { leaf, untrusted, anchors, evidence, unusable } = input;
  const budget = openBudget();
  const hasEvidence = evidence.crls.length + evidence.ocsps.length > 0;
  const revocation: RevocationOptions = {
    mode: options.revocation ?? (hasEvidence ? 'require' : 'if-present'),
    onlyWhereHeard: options.revocation === undefined,
    at,
    seen: new Map(),
    allowances,
    issuers: [...untrusted, ...anchors],
    anchors,
    budget,
    ...(options.strict && { strict: true }),
  };
  const result = findPath(
    { leaf, intermediates: untrusted },
    {
      anchors,
      window: { from: at, to: at },
      allowances,
      purpose: options.purpose ?? 'code-signing',
      budget,
      ...(options.strict && { strict: true }),
      ...(options.maxDepth !== undefined && { maxIntermediates: options.maxDepth }),
      ...(options.policies !== undefined && { policies: options.policies }),
      judgeMore: (path) => judgeRevocation(path, evidence, revocation).findings,
    },
  );
  const statuses = result.kind === 'none' ? [] : judgeRevocation(result.path, evidence, revocation).statuses;
  const found = {
    path: pathReport(result.path, statuses),
    attempts: result.attempts.map(attemptReport),
  };
  const paths = result.kind === 'none' ? [] : [result.path];
  const unrelated = unrelatedIn(evidence, { paths, given: anchors, beside: untrusted }); // [rev.17]
  const report = makeReport({
    ...given,
    errors: [
      ...(result.kind === 'good' ? [] : unusable),
      ...result.errors.map((error) => advised(error).at({ file: leafFile })),
    ],
    warnings: [
      ...(result.kind === 'good' ? unusable.map(({ message }) => `not used: ${message}`) : []),
      ...[...result.warnings, ...unrelated].map(warningOf),
    ],
    result: found,
  });
  return { report, found };
}

/** What to do is another thing here than where a bundle is refused. */
const ADVICE: Readonly<Partial<Record<ErrorCode, { readonly why?: string; readonly fix: Told }>>> = {
  SIGNER_UNKNOWN: {
    fix: {
      text: 'give the missing issuer as untrusted, or as an anchor if you trust it',
      advice: 'give-issuer',
    },
  },
  CERTIFICATE_EXPIRED: {
    why: 'an issuer answers for a certificate until its end, and not beyond',
    fix: { text: 'have the certificate renewed', advice: 'at-another-moment' },
  },
  CERTIFICATE_NOT_YET_VALID: {
    fix: { text: 'check the clock of this machine', advice: 'at-another-moment' },
  },
  CERTIFICATE_REVOKED: { fix: 'have another certificate issued, for another key' },
  KEY_WEAK: { fix: 'have a certificate issued for a key of RSA-3072, P-256, P-384, P-521 or Ed25519' },
  PURPOSE_REFUSED: { fix: { text: 'have a certificate issued for this', advice: 'for-another-purpose' } },
  PATH_TOO_LONG: {
    fix: {
      text: 'give fewer certificates, or allow a longer path; at most ten are followed',
      advice: 'longer-path',
    },
  },
};

function advised(error: BundleError): BundleError {
  const { code, message, where, why, cause } = error;
  const advice = ADVICE[code];
  return advice ? new BundleError(code, message, { where, why, cause, ...advice }) : error;
}

function attemptReport({ path, errors }: Attempt): AttemptReport {
  return {
    path: path.map(certificateReport),
    errors: errors.map(({ code, message }) => ({ code, message })),
  };
}
