import { type Certificate, parseCertificate } from '../crypto/certificate.ts';
import { openCms } from '../crypto/cms.ts';
import { digestBytes } from '../crypto/digest.ts';
import type { TimestampToken } from '../formats/tsp/token.ts';
import { EXTENSION } from '../formats/x509/extensions.ts';
import { mlDsaOfKey } from '../formats/x509/ml-dsa.ts';
import { equalBytes } from '../kit/bytes.ts';
import type { Advised } from '../kit/errors/advice.ts';
import { BundleError, isBundleError } from '../kit/errors/errors.ts';
import { judgeValidity, showTime } from './path/certificate-rules.ts';
import { findPath } from './path/find-path.ts';
import { nameOf, shown } from './path/findings.ts';
import type { PathOptions, TimeWindow } from './path/judge-options.ts';
import { kindOfPath } from './path/path-kind.ts';
import { TIME_STAMPING } from './path/purposes.ts';
import { type Allowances, type Finding, judgeDigest } from './policy.ts';

/** Whom to believe about times, and when the question is asked. */
export interface TimestampOptions extends Pick<PathOptions, 'judgeMore' | 'budget'> {
  /** certificates of timestamp authorities, or of their issuers; those of signers do not count */
  readonly anchors: readonly Certificate[];
  readonly intermediates: readonly Certificate[];
  /** now */
  readonly at: Date;
  readonly allowances: Allowances;
}

/** The answer about a timestamp. It proves nothing without `proven`. */
export interface TimestampJudgement {
  readonly token: TimestampToken;
  /** what was timestamped was certainly there at `to`, and the authority saw it from `from` on */
  readonly proven?: TimeWindow;
  /** what the token says */
  readonly time: Date;
  readonly authority?: Certificate;
  readonly path: readonly Certificate[];
  /** `TIMESTAMP_INVALID`, empty exactly when it proves the time */
  readonly errors: readonly BundleError[];
}

const SKEW_MS = 5 * 60_000;
/** For an authority that does not say how exact its clock is. [tst.8] */
const ACCURACY_MS = 1000;

/**
 * Whether a timestamp token proves that `over` was there at a time (RFC 3161 section 2.4.2, with RFC 5816).
 *
 * A token that fails in anything is no proof at all; whether one is needed is the caller's to know.
 *
 * @see spec/trust.md, clauses tst.5 to tst.8
 */
export function judgeTimestamp(
  token: TimestampToken,
  over: Uint8Array,
  options: TimestampOptions,
): TimestampJudgement {
  const { info } = token;
  const refuse = (reason: string, authority?: Certificate, cause?: BundleError): TimestampJudgement => ({
    token,
    time: info.time,
    path: authority ? [authority] : [],
    ...(authority !== undefined && { authority }),
    errors: [
      new BundleError('TIMESTAMP_INVALID', `the timestamp of ${showTime(info.time)} is no proof: ${reason}`, {
        cause,
      }),
    ],
  });
  const problem = imprintProblem(token, over, options.allowances);
  if (problem !== undefined) return refuse(problem);

  const candidates = certificatesFor(token, options);
  const cms = openCms(token.signedData, candidates);
  cms.update(token.content);
  const [signer] = cms.finish();
  const authority = signer?.certificate;
  if (!signer || !authority || signer.fault)
    return refuse(signer?.fault?.message ?? 'it has no signer', authority, signer?.fault);
  // [tst.6] without it, a token could be said to be another certificate's for the same key
  if (!signer.info.signedAttributes?.signingCertificates.length)
    return refuse('it does not say which certificate signed it', authority);
  const weak = judgeDigest(signer.digest, 'it', options.allowances);
  if (weak && weak.allowed === undefined) return refuse(weak.error.message, authority);
  const purpose = purposeProblem(authority);
  if (purpose !== undefined) return refuse(purpose, authority);

  const { at, allowances, anchors, judgeMore, budget } = options;
  const found = findPath(
    { leaf: authority, intermediates: [...candidates, ...anchors] },
    {
      anchors,
      window: { from: at, to: at },
      allowances,
      purpose: 'timestamping',
      ...(judgeMore !== undefined && { judgeMore }),
      ...(budget !== undefined && { budget }),
    },
  );
  const [fault] = found.errors;
  if (fault) {
    const issuer = shown(authority.fields.issuer.text);
    const reason =
      fault.code === 'SIGNER_UNKNOWN'
        ? `it is of an authority that you have not said to trust (${nameOf(authority)}, issued by "${issuer}")`
        : fault.message;
    return { ...refuse(reason, authority, fault), path: found.path };
  }
  const window = windowOf(token);
  const untimely = found.path.flatMap((certificate) => judgeValidity(certificate, window))[0];
  if (untimely) return { ...refuse(untimely.error.message, authority), path: found.path };
  if (!(window.from.getTime() <= at.getTime() + SKEW_MS)) {
    return { ...refuse('that time is yet to come', authority), path: found.path };
  }
  return { token, proven: window, time: info.time, authority, path: found.path, errors: [] };
}

/** [tst.8] The time, as far off as the authority's clock may be. */
function windowOf({ info }: TimestampToken): TimeWindow {
  const { time, accuracyMs = ACCURACY_MS } = info;
  return { from: new Date(time.getTime() - accuracyMs), to: new Date(time.getTime() + accuracyMs) };
}

/** [tst.5] */
function imprintProblem(
  { info }: TimestampToken,
  over: Uint8Array,
  allowances: Allowances,
): string | undefined {
  const { digest, value } = info.imprint;
  const weak = judgeDigest(digest, 'what it is over', allowances);
  if (digest === undefined || (weak && weak.allowed === undefined))
    return 'it is over a digest that is not accepted';
  return equalBytes(digestBytes(digest, over), value) ? undefined : 'it is over something else';
}

/** Whether the token is over these bytes, whoever made it. */
export function isOver({ info }: TimestampToken, bytes: Uint8Array): boolean {
  const { digest, value } = info.imprint;
  return digest !== undefined && equalBytes(digestBytes(digest, bytes), value);
}

/** Whether the token carries the certificate of its signer, and its signature does not fit: then it proves nothing to anybody. */
export function isBroken(token: TimestampToken): boolean {
  const cms = openCms(token.signedData, certificatesIn(token));
  cms.update(token.content);
  const [signer] = cms.finish();
  return signer?.certificate !== undefined && signer.fault?.code === 'SIGNATURE_INVALID';
}

function certificatesFor(token: TimestampToken, options: TimestampOptions): readonly Certificate[] {
  return [...certificatesIn(token), ...options.intermediates, ...options.anchors];
}

function certificatesIn({ signedData }: TimestampToken): readonly Certificate[] {
  return signedData.certificates.flatMap((der) => {
    try {
      return [parseCertificate(der)];
    } catch (error) {
      if (isBundleError(error)) return []; // one that cannot be used has signed nothing
      throw error;
    }
  });
}

/** [tst.7] Whoever signs anything else with this key could be made to sign a time. */
function purposeProblem({ fields }: Certificate): string | undefined {
  const { extendedKeyUsage = [], byOid } = fields.extensions;
  const only = extendedKeyUsage.length === 1 && extendedKeyUsage[0] === TIME_STAMPING;
  if (!only) return 'its signer has no certificate that is for timestamping, and for that alone';
  return byOid.get(EXTENSION.extendedKeyUsage)?.critical
    ? undefined
    : 'the certificate of its signer does not say critically that it is for timestamping';
}

/** [pq.10] The timestamps that prove a time for as long as the signature of this key holds: a classical one would be the way around a post-quantum one. */
export function outlasting<Judged extends TimestampJudgement>(
  timestamps: readonly Judged[],
  leaf: Certificate,
): readonly Judged[] {
  return mlDsaOfKey(leaf.key)
    ? timestamps.filter(({ path }) => kindOfPath(path) === 'post-quantum')
    : timestamps;
}

/** Where a timestamp of somebody unknown is there, trusting its authority may be all that is missing. */
export function advised(
  error: BundleError,
  timestamps: readonly TimestampJudgement[],
  leaf: Certificate,
): BundleError {
  const { code, message, where, why, cause } = error;
  const lasting = outlasting(timestamps, leaf);
  const shorter = timestamps.find((one) => one.proven && !lasting.includes(one));
  if (shorter && (code === 'CERTIFICATE_EXPIRED' || code === 'CERTIFICATE_REVOKED')) {
    const key = shorter.path.find((one) => kindOfPath([one]) === 'classical')?.key.label;
    return new BundleError(code, message, {
      where,
      why: `its timestamp of ${showTime(shorter.time)} rests on a key (${key}) that breaks before one of ${leaf.key.label} does, and prolongs no such signature`,
      fix: 'ask the publisher for a bundle that is signed anew',
      cause,
    });
  }
  const byStranger = timestamps.some(({ errors }) =>
    errors.some((reason) => isBundleError(reason.cause) && reason.cause.code === 'SIGNER_UNKNOWN'),
  );
  if (code !== 'CERTIFICATE_EXPIRED' || !byStranger) return error;
  const fix: Advised = {
    text: 'if you trust the authority of its timestamp, give its CA certificate; otherwise ask the publisher for a bundle that is signed anew',
    advice: 'trust-its-authority',
  };
  return new BundleError(code, message, { where, why, fix, cause });
}

export function missingTimestamp(timestamps: readonly TimestampJudgement[], leaf: Certificate): BundleError {
  const [bad] = timestamps.flatMap(({ errors }) => errors);
  if (bad) return bad;
  return new BundleError('TIMESTAMP_MISSING', `the signature of ${nameOf(leaf)} has no timestamp`);
}

/** A timestamp that proves nothing is as good as none, and somebody should know. */
export function unproven({ errors }: TimestampJudgement): readonly Finding[] {
  return errors.map((error) => ({ error, allowed: 'lenient' }));
}
