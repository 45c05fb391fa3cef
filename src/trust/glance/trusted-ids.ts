import type { Certificate } from '../../crypto/certificate.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import type { Budget } from '../path/budget.ts';
import { isSelfIssued, judgeValidity } from '../path/certificate-rules.ts';
import { findPath } from '../path/find-path.ts';
import { nameOf } from '../path/findings.ts';
import type { PathOptions, TimeWindow } from '../path/judge-options.ts';
import type { Allowances, Finding } from '../policy.ts';
import { ALL_RULES, type ChainRules, type NamedCertificate } from './cursive-chain.ts';

/** What the check of a certificate against trusted UUIDs found; it is trusted exactly when `errors` is empty. */
export interface TrustedIdsJudgement {
  readonly path: readonly Certificate[];
  /** the root that the path ends at */
  readonly root?: NamedCertificate;
  readonly errors: readonly BundleError[];
  readonly warnings: readonly Finding[];
  /** which of the trusted certificates were left out of account, and why */
  readonly skipped: readonly string[];
}

/** When and how strictly. */
export interface TrustedIdsOptions {
  readonly at: Date;
  readonly allowances: Allowances;
  readonly budget: Budget;
  readonly rules?: ChainRules;
  readonly judgeMore?: NonNullable<PathOptions['judgeMore']>;
}

/** Certificates that Nova takes in one list. [glance.18] */
export const MAX_TRUSTED_IDS = 50;

/** A window that lies within every validity. */
const ANY_TIME: TimeWindow = { from: new Date(8.64e15), to: new Date(-8.64e15) };

/**
 * Nova's meaning of trusted certificate UUIDs: a path from the certificate to a self-signed one in the list, over
 * others in the list, all of them proper authorities. [glance.18]
 *
 * Unlike cursive's: every path is tried, an absent path length is no limit, cycles end, RSASSA-PSS and Ed25519 count,
 * and keys and digests must be strong. Errors: those of `findPath`, `SIGNER_UNKNOWN` naming what was left out.
 */
export function judgeTrustedIds(
  base: Certificate,
  trusted: readonly NamedCertificate[],
  options: TrustedIdsOptions,
): TrustedIdsJudgement {
  const rules = options.rules ?? ALL_RULES;
  const window = rules.validDates ? { from: options.at, to: options.at } : ANY_TIME;
  const skipped: string[] = [];
  const kept = trusted.flatMap((one) => {
    const problem = unusable(one.certificate, window, rules);
    if (problem === undefined) return { ...one, certificate: withoutLimits(one.certificate, rules) };
    skipped.push(`trusted certificate ${one.uuid} is left out: ${problem}`);
    return [];
  });
  const { judgeMore, allowances, budget } = options;
  const roots = kept.filter(
    ({ certificate }) => isSelfIssued(certificate) && budget.isSigned(certificate, certificate),
  );
  const result = findPath(
    { leaf: base, intermediates: kept.map(({ certificate }) => certificate) },
    {
      anchors: roots.map(({ certificate }) => certificate),
      window,
      allowances,
      purpose: 'any', // [glance.18] Nova looks at no purpose; --trust does
      budget,
      ...(judgeMore !== undefined && { judgeMore }),
    },
  );
  const { kind, path, errors, warnings } = result;
  if (kind === 'good') {
    const root = roots.find(({ certificate }) => certificate.fingerprint === path.at(-1)?.fingerprint);
    return { path, ...(root !== undefined && { root }), errors, warnings, skipped };
  }
  return { path, errors: errors.map((error) => explained(error, skipped)), warnings, skipped };
}

/** Why a certificate in the list cannot vouch for others. */
function unusable(certificate: Certificate, window: TimeWindow, rules: ChainRules): string | undefined {
  const [untimely] = judgeValidity(certificate, window);
  if (untimely) return untimely.error.message;
  if (!rules.signingExtensions) return undefined;
  const { basicConstraints, keyUsage } = certificate.fields.extensions;
  if (basicConstraints?.ca !== true) {
    return `${nameOf(certificate)} does not say that it is a certification authority (basicConstraints CA:TRUE)`;
  }
  return keyUsage?.has('keyCertSign') ? undefined : `${nameOf(certificate)} has no key usage keyCertSign`;
}

/** The certificate without what the caller does not want to be looked at. */
function withoutLimits(certificate: Certificate, rules: ChainRules): Certificate {
  if (rules.signingExtensions && rules.pathLength) return certificate;
  const { fields } = certificate;
  const { basicConstraints, keyUsage, ...extensions } = fields.extensions;
  const { pathLen } = basicConstraints ?? {};
  const ca = rules.signingExtensions ? (basicConstraints?.ca ?? false) : true;
  const limit = rules.pathLength && pathLen !== undefined ? { pathLen } : {};
  const usage = rules.signingExtensions && keyUsage ? { keyUsage } : {};
  return {
    ...certificate,
    fields: { ...fields, extensions: { ...extensions, basicConstraints: { ca, ...limit }, ...usage } },
  };
}

function explained(error: BundleError, skipped: readonly string[]): BundleError {
  if (error.code !== 'SIGNER_UNKNOWN') return error;
  const fix =
    skipped.length > 0
      ? 'certificates of the list were left out: see the warnings for the reasons, and have proper ones issued'
      : 'the list must have every certificate from the issuer up to the self-signed root; the signer itself is not enough';
  return new BundleError(error.code, error.message, {
    where: error.where,
    why: error.why,
    fix,
    cause: error.cause,
  });
}
