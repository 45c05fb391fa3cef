import { counted } from '../../kit/encoding.ts';
import { allowed } from '../../kit/errors/advice.ts';
import type { BundleError } from '../../kit/errors/errors.ts';
import type { ClaimJudgement } from '../../trust/judge-claim.ts';
import type { Finding } from '../../trust/policy.ts';
import type { Publisher, RevocationMode } from '../../trust/publisher.ts';
import type { RevocationStatus } from '../../trust/revocation/verdict.ts';
import type { Check } from '../report/report.ts';
import type { JudgedSignature } from './found-signature.ts';
import { vouchingFor } from './signature-report.ts';

/** The entries of the report about signatures and signers; what did not run is left to `skippedChecks`. */
export function signatureChecks(
  signatures: readonly JudgedSignature[],
  {
    errors,
    findings,
    publishers,
    accepting,
  }: {
    readonly errors: readonly BundleError[];
    readonly findings: readonly Finding[];
    /** those that vouch for the signers */
    readonly publishers: readonly Publisher[];
    /** those of them that may sign it */
    readonly accepting: readonly Publisher[];
  },
): readonly Check[] {
  const judgements = signatures.flatMap(({ judgement }) => judgement ?? []);
  // the one that decides: trusted, or else the first
  const deciding = judgements.find((judgement) => judgement.errors.length === 0) ?? judgements[0];
  return [
    ...signatures.map(fits),
    ...(deciding
      ? [
          pathCheck(deciding, accepting),
          ...revocationCheck(deciding, errors, accepting),
          ...timestampCheck(
            deciding,
            signatures.some((one) => one.judgement === deciding && one.found.timestamps.length > 0),
          ),
        ]
      : []),
    policyCheck(errors, findings, publishers),
  ];
}

/** Whether one signature fits what it is over. */
export function fits({ found: { format, fault, algorithm, member, unknown } }: JudgedSignature): Check {
  if (member !== undefined) {
    const id = 'signature.cms';
    if (unknown !== undefined)
      return { id, status: 'skip', detail: `"${member}" counts for nothing: ${unknown}` };
    return { id, status: fault ? 'fail' : 'pass', detail: fault?.message ?? `"${member}": ${algorithm}` };
  }
  const id = format === 'cms' ? 'signature.cms' : 'signature';
  return { id, status: fault ? 'fail' : 'pass', detail: fault?.message ?? algorithm };
}

/** [judge.2] Only a path that somebody trusted ends is one; what is wrong elsewhere leaves it open. */
function pathCheck({ signer }: ClaimJudgement, accepting: readonly Publisher[]): Check {
  const id = 'certificate.path';
  const { trustedBy, errors, path } = signer;
  if (trustedBy)
    return {
      id,
      status: 'pass',
      detail: `${counted(path.length, 'certificate')}, to ${vouchingFor(signer, accepting).who}`,
    };
  const worst = errors.find(({ kind, code }) => kind !== 'policy' && !isAboutRevocation(code));
  if (worst) return { id, status: 'fail', detail: worst.message };
  return { id, status: 'skip', detail: `no path is accepted: ${errors[0]?.message ?? 'nobody is trusted'}` };
}

function isRevoked({ code }: BundleError): boolean {
  return code === 'CERTIFICATE_REVOKED';
}

function isAboutRevocation(code: string): boolean {
  return code === 'CERTIFICATE_REVOKED' || code === 'REVOCATION_UNKNOWN';
}

/** [judge.2] [pub.15] Who accepts the signer without a look at revocation does not make it unknown what another has found. */
function revocationCheck(
  { signer, revocation, mode, held }: ClaimJudgement,
  errors: readonly BundleError[],
  accepting: readonly Publisher[],
): readonly Check[] {
  const found = held.find(isRevoked);
  if (mode !== 'off' || !found)
    return sayRevocation(mode, revocation.statuses, [...signer.errors, ...errors]);
  const detail = `${vouchingFor(signer, accepting).who} accepts it without a look at revocation, and another publisher has found: ${found.message}`;
  const told = errors.includes(found);
  return [{ id: 'revocation', status: told ? 'fail' : 'warn', detail: told ? found.message : detail }];
}

/** What is known of the revocation of the certificates of a path; no entry when nothing speaks of them. [judge.2] */
export function sayRevocation(
  mode: RevocationMode,
  statuses: readonly RevocationStatus[],
  errors: readonly BundleError[],
): readonly Check[] {
  const id = 'revocation';
  const fault = errors.find(({ code }) => isAboutRevocation(code));
  if (fault) return [{ id, status: 'fail', detail: fault.message }];
  if (mode === 'off') return [{ id, status: 'skip', detail: 'revocation is not looked at: its mode is off' }];
  if (statuses.length === 0)
    return [{ id, status: 'skip', detail: 'not reached: nobody who is trusted vouches for the signer' }];
  const known = statuses.filter(({ status }) => status !== 'not-checked');
  if (known.length === 0) return [];
  const doubtful = known.find(({ status }) => status !== 'good');
  if (doubtful) return [{ id, status: 'warn', detail: doubtful.detail }];
  const shown = `${known.length} of ${counted(statuses.length, 'certificate')} shown not to be revoked`;
  return [{ id, status: 'pass', detail: shown }];
}

/** [pub.15] Where the whole is refused, what another publisher has found of revocation is no mere warning. */
export function tellHeld(checks: readonly Check[], held: readonly BundleError[]): readonly Check[] {
  const found = held.find(isRevoked);
  if (!found) return checks;
  return checks.map((check) =>
    check.id === 'revocation' ? { ...check, status: 'fail', detail: found.message } : check,
  );
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

/** [judge.2] Where trust is in anchors or pins, no publisher was looked at. */
function policyCheck(
  errors: readonly BundleError[],
  findings: readonly Finding[],
  publishers: readonly Publisher[],
): Check {
  const id = 'policy';
  const refused = errors.find(({ kind }) => kind === 'policy');
  if (refused) return { id, status: 'fail', detail: refused.message };
  const [fault] = errors;
  if (fault) return { id, status: 'skip', detail: `not settled: ${fault.message}` };
  for (const { error, allowed: by } of findings) {
    if (by === undefined || by === 'lenient') continue;
    const advice = allowed(`accepted as allowed: ${error.message}`, by);
    return { id, status: 'warn', detail: advice.text, advice };
  }
  const looked = publishers.length > 0 ? 'key, digest, purpose and publisher' : 'key, digest and purpose';
  return { id, status: 'pass', detail: `${looked} are acceptable` };
}
