import { isUuid } from '../../formats/glance/names.ts';
import { counted } from '../../kit/encoding.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import type { NamedCertificate } from '../../trust/glance/cursive-chain.ts';
import { judgeTrustedIds, MAX_TRUSTED_IDS } from '../../trust/glance/trusted-ids.ts';
import type { ClaimPolicy } from '../../trust/judge-claim.ts';
import { judgeScope, scopeNameOf, withinScope } from '../../trust/judge-signer.ts';
import { shown } from '../../trust/path/findings.ts';
import { warningOf } from '../../trust/policy.ts';
import { joinSeen } from '../../trust/revocation/marks.ts';
import { noteRevocation } from '../../trust/revocation/noted.ts';
import { unrelatedIn } from '../../trust/revocation/unrelated.ts';
import type { Check, SignatureReport } from '../report/report.ts';
import type { FoundSignature, SignersJudgement, Telling } from '../signers/found-signature.ts';
import { judgeFound } from '../signers/judge-signers.ts';
import { sayRevocation, tellHeld } from '../signers/signature-checks.ts';
import { certificateReport } from '../signers/signature-report.ts';
import type { CertificateSource } from './certificate-source.ts';

/** What is believed about certificates. */
export interface ImageTrust {
  readonly policy: ClaimPolicy;
  /** certificates trusted by UUID, when such are given */
  readonly ids?: readonly NamedCertificate[];
  /** whether anchors, pins and publishers count; beside `ids` both must accept */
  readonly own: boolean;
}

/** Fetches the certificates that are trusted by UUID; those that are not there are left out, with a warning. [glance.18] @throws {BundleError} `USAGE`, `REMOTE_*` */
export async function fetchTrusted(
  ids: readonly string[],
  source: CertificateSource,
): Promise<{ readonly certificates: readonly NamedCertificate[]; readonly warnings: readonly string[] }> {
  expectIds(ids);
  const certificates: NamedCertificate[] = [];
  const warnings: string[] = [];
  for (const uuid of ids) {
    const answer = await source.find(uuid);
    if (answer.kind === 'found') certificates.push({ uuid, certificate: answer.certificate });
    else warnings.push(`a trusted certificate is left out: ${answer.error.message}`);
  }
  return { certificates, warnings };
}

/** [glance.18] Nova's own bounds. */
function expectIds(ids: readonly string[]): void {
  const odd = ids.find((id) => !isUuid(id));
  const problem =
    odd !== undefined
      ? `the trusted certificate "${shown(odd)}" is no UUID`
      : ids.length > MAX_TRUSTED_IDS
        ? `${ids.length} trusted certificate UUIDs are more than ${MAX_TRUSTED_IDS}`
        : new Set(ids.map((id) => id.toLowerCase())).size < ids.length &&
          'a trusted certificate UUID is given twice';
  if (!problem) return;
  throw new BundleError('USAGE', problem, { fix: 'give UUIDs, each once, 50 at most, as Nova takes them' });
}

/** Whether one signature fits and its signer is to be believed: two findings, and both are told. [glance.16] [glance.19] */
export function judgeImageSigner(
  found: FoundSignature,
  name: string,
  { policy, ids, own }: ImageTrust,
): ImageJudgement {
  if (!ids) return judgeByTrust(found, name, policy);
  const byIds = judgeByIds(found, name, ids, policy);
  if (!own) return byIds;
  const byTrust = judgeByTrust(found, name, policy);
  const told = new Set(byTrust.errors.map(({ message }) => message));
  const errors = [...byTrust.errors, ...byIds.errors.filter(({ message }) => !told.has(message))];
  return {
    signatures: errors.length === 0 ? byTrust.signatures : byTrust.signatures.map(doubted),
    seen: joinSeen([byTrust.seen, byIds.seen]),
    checks: [...byTrust.checks, ...byIds.checks.filter(({ id }) => id === 'certificate.path')],
    errors,
    warnings: [...byTrust.warnings, ...byIds.warnings],
  };
}

/** What is found about a signature of an image. */
export type ImageJudgement = Pick<SignersJudgement, 'seen' | 'errors' | 'warnings'> & ReturnType<Telling>;

function doubted(signature: SignatureReport): SignatureReport {
  return signature.status === 'trusted' ? { ...signature, status: 'untrusted' } : signature;
}

/** [glance.19] Nothing that is signed names the image, so a publisher needs the scope of everything. */
function judgeByTrust(signature: FoundSignature, name: string, policy: ClaimPolicy): ImageJudgement {
  const found = judgeFound([signature], name, policy);
  const scopeName = scopeNameOf(undefined, '');
  const told = found.told(withinScope(found.publishers, scopeName));
  const judged = { ...found, ...told, errors: found.errors.map((error) => error.at({ member: name })) };
  const fault = judged.errors.length === 0 ? judgeScope(judged.publishers, scopeName) : undefined;
  if (!fault) return judged;
  return {
    ...judged,
    checks: [...tellHeld(judged.checks, found.held), { id: 'scope', status: 'fail', detail: fault.message }],
    errors: [fault, ...found.held].map((error) => error.at({ member: name })),
  };
}

function judgeByIds(
  found: FoundSignature,
  name: string,
  trusted: readonly NamedCertificate[],
  policy: ClaimPolicy,
): ImageJudgement {
  const { signer, fault } = found;
  if (!signer) throw new BundleError('INTERNAL', 'an image signature without a certificate is judged');
  const certificates = trusted.map(({ certificate }) => certificate);
  const { at, allowances, budget, evidence, seen } = policy;
  const revocation = {
    mode: policy.revocation ?? 'if-present',
    at,
    seen,
    allowances,
    issuers: certificates,
    anchors: certificates,
    budget,
  } as const;
  const noted = noteRevocation(evidence, revocation);
  const judged = judgeTrustedIds(signer, trusted, {
    at,
    allowances,
    budget,
    judgeMore: noted.judgeMore,
  });
  const statuses = noted.statuses(judged.path); // of a path that leads to one of them
  const paths = statuses.length > 0 ? [judged.path] : [];
  const unrelated = unrelatedIn(evidence, { paths, given: certificates });
  const trustedBy = judged.root && `certificate ${judged.root.uuid}`;
  const errors = [...(fault ? [fault] : []), ...judged.errors].map((error) => error.at({ member: name }));
  const [worst] = judged.errors;
  const path: Check = worst
    ? { id: 'certificate.path', status: 'fail', detail: worst.message }
    : {
        id: 'certificate.path',
        status: 'pass',
        detail: `${counted(judged.path.length, 'certificate')}, to ${trustedBy}`,
      };
  return {
    signatures: [
      {
        format: found.format,
        file: name,
        algorithm: found.algorithm,
        status: fault ? 'invalid' : errors.length === 0 ? 'trusted' : 'untrusted',
        signer: certificateReport(signer),
        path: judged.path.map(certificateReport),
        timestamps: [],
        ...(trustedBy !== undefined && { trustedBy }),
      },
    ],
    seen: noted.seen(judged.path, judged.errors),
    checks: [
      { id: 'signature', status: fault ? 'fail' : 'pass', detail: fault?.message ?? found.algorithm },
      path,
      ...sayRevocation(revocation.mode, statuses, judged.errors),
      policyCheck(judged.errors),
    ],
    errors,
    warnings: [...found.warnings, ...judged.skipped, ...[...judged.warnings, ...unrelated].map(warningOf)],
  };
}

function policyCheck(errors: readonly BundleError[]): Check {
  const refused = errors.find(({ kind }) => kind === 'policy');
  const [fault] = errors;
  if (fault && !refused) return { id: 'policy', status: 'skip', detail: `not settled: ${fault.message}` };
  return {
    id: 'policy',
    status: refused ? 'fail' : 'pass',
    detail: refused?.message ?? 'keys and digests are acceptable',
  };
}
