import type { BundleError } from '../../kit/errors/errors.ts';
import type { Limits } from '../../kit/limits.ts';
import { NO_ALLOWANCES } from '../../trust/policy.ts';
import { type ContentsJudgement, judgeContents } from '../bundle/judge-contents.ts';
import type { BundleRoles } from '../walk/bundle-roles.ts';
import type { Member } from '../walk/member.ts';

/** What an importer would say of a bundle that has been packed and signed anew, its signature being good; told to whoever makes it. [repack.4] */
export function judgeRenewed(
  contents: { readonly roles: BundleRoles; readonly members: readonly Member[] },
  options: { readonly sha1: boolean; readonly limits: Limits },
): ContentsJudgement {
  const { sha1, limits } = options;
  const judged = judgeContents(
    { ...contents, complete: true },
    { manifestAccepted: true, signed: true, allowances: { ...NO_ALLOWANCES, sha1 }, limits },
  );
  return { ...judged, errors: judged.errors.map((error): BundleError => error.forMaker()) };
}
