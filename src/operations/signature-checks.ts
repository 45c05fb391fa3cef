import type { BundleError } from '../kit/errors.ts';
import type { ClaimJudgement } from '../trust/judge-claim.ts';
import type { Finding } from '../trust/policy.ts';
import type { JudgedSignature } from './judge-signers.ts';
import type { Check } from './report.ts';
import { describeTrust } from './signature-report.ts';

/** The entries of the report about signatures and signers; what did not run is left to `skippedChecks`. */
export function signatureChecks(
  signatures: readonly JudgedSignature[],
  errors: readonly BundleError[],
  findings: readonly Finding[],
): readonly Check[] {
  const judgements = signatures.flatMap(({ judgement }) => judgement ?? []);
  // the one that decides: trusted, or else the first
  const deciding = judgements.find((judgement) => judgement.errors.length === 0) ?? judgements[0];
  return [
    ...signatures.map(fits),
    ...(deciding
      ? [
          pathCheck(deciding),
          ...revocationCheck(deciding),
          ...timestampCheck(
            deciding,
            signatures.some((one) => one.judgement === deciding && one.found.timestamps.length > 0),
          ),
        ]
      : []),
    policyCheck(errors, findings),
  ];
}

function fits({ found: { format, fault, algorithm } }: JudgedSignature): Check {
  const id = format === 'cms' ? 'signature.cms' : 'signature';
  return { id, status: fault ? 'fail' : 'pass', detail: fault?.message ?? algorithm };
}

/** [judge.2] Only a path that somebody trusted ends is one; what is wrong elsewhere leaves it open. */
function pathCheck({ signer }: ClaimJudgement): Check {
  const id = 'certificate.path';
  const { trustedBy, errors, path } = signer;
  if (trustedBy)
    return { id, status: 'pass', detail: `${path.length} certificates, to ${describeTrust(signer)}` };
  const worst = errors.find(({ kind, code }) => kind !== 'policy' && !isAboutRevocation(code));
  if (worst) return { id, status: 'fail', detail: worst.message };
  return { id, status: 'skip', detail: `no path is accepted: ${errors[0]?.message ?? 'nobody is trusted'}` };
}

function isAboutRevocation(code: string): boolean {
  return code === 'CERTIFICATE_REVOKED' || code === 'REVOCATION_UNKNOWN';
}

function revocationCheck({ signer, revocation, mode }: ClaimJudgement): readonly Check[] {
  const id = 'revocation';
  const fault = signer.errors.find(({ code }) => isAboutRevocation(code));
  if (fault) return [{ id, status: 'fail', detail: fault.message }];
  if (mode === 'off') return [{ id, status: 'skip', detail: 'revocation is not looked at: its mode is off' }];
  if (revocation.statuses.length === 0)
    return [{ id, status: 'skip', detail: 'not reached: nobody who is trusted vouches for the signer' }];
  const known = revocation.statuses.filter(({ status }) => status !== 'not-checked');
  if (known.length === 0) return [];
  const doubtful = known.find(({ status }) => status !== 'good');
  if (doubtful) return [{ id, status: 'warn', detail: doubtful.detail }];
  return [
    {
      id,
      status: 'pass',
      detail: `${known.length} of ${revocation.statuses.length} certificates shown not to be revoked`,
    },
  ];
}

function timestampCheck(
  { proven, timestamps, errors }: ClaimJudgement,
  isStamped: boolean,
): readonly Check[] {
  const id = 'timestamp';
  if (proven) return [{ id, status: 'pass', detail: `signed by ${proven.to.toISOString()}` }];
  const demanded = errors.find(({ code }) => code === 'TIMESTAMP_MISSING' || code === 'TIMESTAMP_INVALID');
  if (demanded) return [{ id, status: 'fail', detail: demanded.message }];
  const [bad] = timestamps.flatMap((timestamp) => timestamp.errors);
  if (bad) return [{ id, status: 'warn', detail: bad.message }];
  const ignored = 'the timestamps of the signature count for nothing here: it is judged by the clock';
  return isStamped ? [{ id, status: 'skip', detail: ignored }] : [];
}

function policyCheck(errors: readonly BundleError[], findings: readonly Finding[]): Check {
  const id = 'policy';
  const refused = errors.find(({ kind }) => kind === 'policy');
  if (refused) return { id, status: 'fail', detail: refused.message };
  const [fault] = errors;
  if (fault) return { id, status: 'skip', detail: `not settled: ${fault.message}` };
  const allowed = findings.find((finding) => finding.allowed !== undefined && finding.allowed !== 'lenient');
  if (allowed) return { id, status: 'warn', detail: `accepted as allowed: ${allowed.error.message}` };
  return { id, status: 'pass', detail: 'key, digest, purpose and publisher are acceptable' };
}
