import { counted } from '../../kit/encoding.ts';
import { type BundleError, toBundleError } from '../../kit/errors/errors.ts';
import { sourceOptions } from '../../kit/source.ts';
import type { BundleInput } from '../../storage/sources/open-source.ts';
import { readSeen, seenFolderOf, writeSeen } from '../../storage/trust/seen-revocation.ts';
import { askedOf } from '../../trust/demands.ts';
import type { ClaimPolicy } from '../../trust/judge-claim.ts';
import { openBudget } from '../../trust/path/budget.ts';
import type { HighWaterMarks } from '../../trust/revocation/evidence.ts';
import type { Remembering } from '../../verdict/judge-source.ts';
import { loadEvidence } from './load-evidence.ts';
import { loadTrust } from './load-trust.ts';
import type { VerifyOptions } from './options.ts';

/**
 * All that signers are judged by, read from the files that the options name; none of the inputs is among those. [pub.19]
 * @throws {BundleError} `FILE_*`, `CONFIG_INVALID`, `REVOCATION_MALFORMED`, `USAGE`
 */
export async function loadPolicy(
  options: Pick<VerifyOptions, 'trust' | 'revocation' | 'timestamp' | 'signal' | 'limits'>,
  { inputs, ...judged }: Pick<ClaimPolicy, 'at' | 'allowances'> & { readonly inputs: readonly BundleInput[] },
): Promise<ClaimPolicy> {
  const { trust = {}, revocation = {} } = options;
  const asked = askedOf(options);
  const waiting = sourceOptions(options); // [cli.21]
  const files = inputs.filter((input) => typeof input === 'string');
  const { signers, timestamping, untrusted } = await loadTrust(trust, waiting, files);
  const { folders = [] } = trust;
  const own = folders.at(-1);
  return {
    ...judged,
    trust: signers,
    timestamping,
    untrusted,
    evidence: await loadEvidence({ ...revocation, folders }, waiting),
    seen: own === undefined ? new Map() : await readSeen(own, waiting),
    budget: openBudget(),
    ...asked,
  };
}

/**
 * Remembers what is newer than anything seen, in the user's own trust folder; a warning when that cannot be done. [rev.9]
 *
 * @param errors what is wrong with the whole: what is refused for anything but a revocation leaves no mark, however good its signer is
 */
export async function rememberSeen(
  seen: HighWaterMarks | undefined,
  errors: readonly BundleError[],
  options: Pick<VerifyOptions, 'trust' | 'remember' | 'signal' | 'limits'>,
): Promise<Remembering> {
  const { trust, remember = true } = options;
  const folder = trust?.folders?.at(-1);
  if (folder === undefined || !remember || !seen || seen.size === 0) return { warnings: [] };
  if (errors.length > 0 && !errors.some(({ code }) => code === 'CERTIFICATE_REVOKED'))
    return { warnings: [] };
  try {
    const { count, refused } = await writeSeen(folder, seen, sourceOptions(options));
    const full = `${counted(refused, 'fact')} about revocation could not be remembered: the record in ${seenFolderOf(folder)} is full`;
    return {
      ...(count > 0 && { remembered: { folder: seenFolderOf(folder), count } }),
      warnings: refused > 0 ? [full] : [],
    };
  } catch (error) {
    const fault: BundleError = toBundleError(error);
    return { warnings: [`what was seen of revocation could not be remembered: ${fault.message}`] };
  }
}
