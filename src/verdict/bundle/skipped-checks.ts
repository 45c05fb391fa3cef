import type { BundleError } from '../../kit/errors/errors.ts';
import { BUNDLE_CHECK_IDS, type Check, type CheckId, type SignatureReport } from '../report/report.ts';
import type { BundleRoles } from '../walk/bundle-roles.ts';
import type { SignatureJudgement } from './judge-signature.ts';

/** What is known when the checks are counted. `fault` is what ended the reading, or made it unclear which members count. */
export interface CheckContext {
  readonly fault: BundleError | undefined;
  /** the bundle was read to its end */
  readonly complete: boolean;
  readonly roles: BundleRoles;
  readonly signature: SignatureJudgement | undefined;
  readonly signatures: readonly SignatureReport[];
}

/** An entry for every check that did not run, with the reason. [judge.2] */
export function skippedChecks(checks: readonly Check[], context: CheckContext): readonly Check[] {
  const ran = new Set(checks.map(({ id }) => id));
  return BUNDLE_CHECK_IDS.filter((id) => !ran.has(id)).map((id) => ({
    id,
    status: 'skip',
    detail: reasonFor(id, context),
  }));
}

function reasonFor(id: CheckId, context: CheckContext): string {
  const { fault, complete, roles, signature, signatures } = context;
  if (fault) return `not reached: ${fault.message}`;
  if (!complete) return 'not reached: the bundle is refused, and was not read to its end';
  if (!roles.manifest) return 'the bundle has no manifest';
  if (isAboutSignature(id) && !signature?.signed) return 'the bundle has no signature';
  const [first] = signature?.errors ?? [];
  if (isAboutSignature(id) && first && signatures.length === 0) return `not reached: ${first.message}`; // before anything was judged
  if (id === 'signature' || (id === 'signature.cms' && !roles.certificate))
    return 'the bundle has no certificate file';
  if (id === 'signature.cms') return 'the certificate file has no CMS block';
  if (signature && NOT_THERE[id] !== undefined && isJudged(signatures)) {
    if (id === 'timestamp' && roles.timestamp)
      return `"${roles.timestamp}" counts for nothing: the signature is judged by the clock`;
    return NOT_THERE[id];
  }
  if (id === 'descriptor' && !roles.descriptor) return 'the bundle has no descriptor';
  if (id === 'scope' && signature?.accepted && signature.publishers.length === 0) {
    return 'the signer is trusted without a publisher, so for bundles of any name';
  }
  return 'not reached: the bundle is refused already';
}

/** Why the check of revocation had nothing to look at. */
export const NO_REVOCATION = 'no revocation information about these certificates is at hand';

/** Why a check of a signer that was judged had nothing to look at. */
const NOT_THERE: Partial<Record<CheckId, string>> = {
  timestamp: 'the signature has no timestamp: it is judged by the clock',
  revocation: NO_REVOCATION,
};

function isJudged(signatures: readonly SignatureReport[]): boolean {
  return signatures.some(({ path }) => path.length > 0);
}

function isAboutSignature(id: CheckId): boolean {
  return !['archive.safety', 'package.members', 'manifest.syntax', 'manifest.digests', 'descriptor'].includes(
    id,
  );
}
