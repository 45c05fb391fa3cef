import type { Crl } from '../../src/formats/crl/crl.ts';
import type { OcspResponse } from '../../src/formats/ocsp/response.ts';
import { openBudget } from '../../src/trust/path/budget.ts';
import { NO_ALLOWANCES } from '../../src/trust/policy.ts';
import type { RevocationOptions } from '../../src/trust/revocation/evidence.ts';
import { judgeRevocation, type RevocationJudgement } from '../../src/trust/revocation/judge-revocation.ts';
import { NOON, type TestCertificate } from './certificates.ts';

export interface TestRevocation extends Partial<Omit<RevocationOptions, 'issuers' | 'anchors'>> {
  /** leaf first, anchor last */
  readonly path: readonly Pick<TestCertificate, 'certificate'>[];
  readonly crls?: readonly Crl[];
  readonly ocsps?: readonly OcspResponse[];
  /** beside those of the path */
  readonly issuers?: readonly TestCertificate[];
  /** what the user gave beside the end of the path */
  readonly given?: readonly TestCertificate[];
}

/** Judges the revocation of a path at noon; proof is demanded unless told otherwise. */
export function judged({
  path,
  crls = [],
  ocsps = [],
  issuers = [],
  given = [],
  ...options
}: TestRevocation): RevocationJudgement {
  const certificates = path.map(({ certificate }) => certificate);
  return judgeRevocation(
    certificates,
    { crls, ocsps },
    {
      mode: 'require',
      at: NOON,
      seen: new Map(),
      allowances: NO_ALLOWANCES,
      budget: openBudget(),
      ...options,
      issuers: [...[...issuers, ...given].map(({ certificate }) => certificate), ...certificates],
      anchors: [...certificates.slice(-1), ...given.map(({ certificate }) => certificate)],
    },
  );
}

/** `good`, or the code of what refuses. */
export function outcome(given: TestRevocation): string {
  const refusing = judged(given).findings.filter(({ allowed }) => allowed === undefined);
  return refusing[0]?.error.code ?? 'good';
}
