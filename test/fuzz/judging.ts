import { openBudget } from '../../src/trust/path/budget.ts';
import { NO_ALLOWANCES } from '../../src/trust/policy.ts';
import type { RevocationEvidence } from '../../src/trust/revocation/evidence.ts';
import type { FoundSignature } from '../../src/verdict/signers/found-signature.ts';
import { judgeFound } from '../../src/verdict/signers/judge-signers.ts';
import { AT, castCertificates } from './seeds/pki.ts';

/** The codes of what is wrong with the signers by the trust in the root of the cast; none when they are trusted. */
export function judgedCodes(
  found: readonly FoundSignature[],
  evidence: RevocationEvidence,
): readonly string[] {
  const anchor = { certificate: castCertificates().root, source: 'the cast' };
  const { errors } = judgeFound(found, 'fuzz.cert', {
    trust: { anchors: [anchor], pins: [] },
    timestamping: [anchor],
    allowances: NO_ALLOWANCES,
    at: AT,
    evidence,
    seen: new Map(),
    budget: openBudget(),
  });
  return errors.map(({ code }) => code);
}
