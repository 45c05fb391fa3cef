import type { BundleError } from '../../kit/errors/errors.ts';
import { judgeScope, scopeNameOf, withinScope } from '../../trust/judge-signer.ts';
import type { Publisher } from '../../trust/publisher.ts';
import type { Check } from '../report/report.ts';
import type { BundleRoles } from '../walk/bundle-roles.ts';
import type { ContentsJudgement } from './judge-contents.ts';
import type { SignatureJudgement } from './judge-signature.ts';

/** [pub.7] Whether one of the publishers that vouch for the signer may sign a bundle of this name. */
export function checkScope(
  signature: SignatureJudgement | undefined,
  contents: ContentsJudgement,
  roles: BundleRoles,
):
  | {
      readonly check: Check;
      readonly errors: readonly BundleError[];
      readonly held: readonly BundleError[];
      /** those that may sign it */
      readonly accepting: readonly Publisher[];
    }
  | undefined {
  const publishers = signature?.publishers ?? [];
  if (publishers.length === 0) return undefined;
  // Only a listed descriptor is signed, and with it the vendor and its own name; a manifest can be renamed by anyone.
  const listed = contents.manifest?.entries.some((entry) => entry.name === roles.descriptor) ?? false;
  const [product] = contents.descriptor?.products ?? [];
  const name = listed ? scopeNameOf(product?.vendor, roles.base ?? '') : scopeNameOf(undefined, '');
  const fault = judgeScope(publishers, name)?.at(roles.descriptor ? { member: roles.descriptor } : {});
  const detail = fault?.message ?? `${name} is in the scope of the publisher`;
  const held = fault ? (signature?.held ?? []) : [];
  return {
    check: { id: 'scope', status: fault ? 'fail' : 'pass', detail },
    errors: fault ? [fault, ...held] : [],
    held,
    accepting: withinScope(publishers, name),
  };
}
