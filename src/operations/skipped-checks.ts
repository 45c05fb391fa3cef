import type { BundleError } from '../kit/errors.ts';
import type { BundleRoles } from './bundle-roles.ts';
import type { SignatureJudgement } from './judge-signature.ts';
import { BUNDLE_CHECK_IDS, type Check, type CheckId } from './report.ts';

/** What is known when the checks are counted. `fault` is what ended the reading, or made it unclear which members count. */
export interface CheckContext {
  readonly fault: BundleError | undefined;
  readonly roles: BundleRoles;
  readonly signature: SignatureJudgement | undefined;
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

function reasonFor(id: CheckId, { fault, roles, signature }: CheckContext): string {
  if (fault) return `not reached: ${fault.message}`;
  if (!roles.manifest) return 'the bundle has no manifest';
  if (isAboutSignature(id) && !signature?.signed) return 'the bundle has no signature';
  if (id === 'signature.cms') return 'the certificate file has no CMS block';
  if (id === 'timestamp') return 'the signature has no timestamp: it is judged by the clock';
  if (id === 'revocation') return 'no revocation information was given or found for these issuers';
  if (id === 'descriptor' && !roles.descriptor) return 'the bundle has no descriptor';
  if (id === 'scope' && signature?.accepted && signature.publishers.length === 0) {
    return 'the signer is trusted without a publisher, so for bundles of any name';
  }
  return 'not reached: the bundle is refused already';
}

function isAboutSignature(id: CheckId): boolean {
  return !['archive.safety', 'package.members', 'manifest.syntax', 'manifest.digests', 'descriptor'].includes(
    id,
  );
}
