import type { ClaimPolicy } from '../../trust/judge-claim.ts';
import { judgeClaims } from '../../trust/judge-claims.ts';
import { type Finding, judgeDigest, warningOf } from '../../trust/policy.ts';
import { joinSeen } from '../../trust/revocation/marks.ts';
import type { FoundSignature, JudgedSignature, SignersJudgement } from './found-signature.ts';
import { signatureChecks } from './signature-checks.ts';
import { signatureReport } from './signature-report.ts';

/**
 * Judges the signatures that were found in `file`: every one must fit, and the signers be trusted.
 *
 * @see spec/ovf.md, clauses sig.3 to sig.7
 */
export function judgeFound(
  all: readonly FoundSignature[],
  file: string,
  policy: ClaimPolicy,
): SignersJudgement {
  const found = all.filter(({ unknown }) => unknown === undefined);
  const looked = found.map((one) => ({ found: one, weakness: weaknessOf(one, policy) }));
  const counted = looked.filter(({ found: { fault }, weakness }) => !fault && !refuses(weakness));
  // When none counts, the signers are judged all the same, so that everything that is wrong is said at once.
  const basis = counted.length > 0 ? counted : looked;
  const claims = basis.flatMap(({ found: { signer, intermediates, timestamps } }) =>
    signer ? [{ leaf: signer, intermediates, timestamps }] : [],
  );
  const judged = judgeClaims(claims, policy);
  const signatures = all.map((one): JudgedSignature => {
    const known = looked.find((look) => look.found === one);
    if (!known) return { found: one, weakness: undefined, judgement: undefined };
    const judgement = judged.judgements.find(({ leaf }) => leaf.fingerprint === one.signer?.fingerprint);
    return { ...known, judgement };
  });

  const weak = looked.flatMap(({ weakness }) => weakness ?? []);
  const fatal = counted.length > 0 ? [] : weak.filter(refuses);
  const errors = [
    ...found.flatMap(({ fault }) => fault ?? []),
    ...fatal.map(({ error }) => error),
    ...(claims.length > 0 || looked.every(({ found: { fault } }) => !fault) ? judged.errors : []),
  ];
  const findings = [...weak.filter((finding) => !fatal.includes(finding)), ...judged.warnings];
  return {
    publishers: judged.publishers,
    vouched: judged.vouched,
    held: judged.held,
    seen: joinSeen(judged.judgements.map(({ revocation }) => revocation.seen)),
    told: (accepting) => ({
      signatures: signatures.map((one) => signatureReport(one, file, errors.length === 0, accepting)),
      checks: signatureChecks(signatures, { errors, findings, publishers: judged.publishers, accepting }),
    }),
    errors,
    warnings: [...all.flatMap(warningsOf), ...findings.map(warningOf)],
  };
}

/** What is to be said of a signature besides its faults. [side.4] */
export function warningsOf({ member = '', unknown, warnings }: FoundSignature): FoundSignature['warnings'] {
  if (unknown === undefined) return warnings;
  return [`"${member}" counts for nothing: ${unknown}`, ...warnings];
}

/** [sig.4] The digest that the signature is made over. */
function weaknessOf({ digest, fault }: FoundSignature, { allowances }: ClaimPolicy): Finding | undefined {
  return fault ? undefined : judgeDigest(digest, 'the manifest', allowances);
}

function refuses(finding: Finding | undefined): boolean {
  return finding !== undefined && finding.allowed === undefined;
}
