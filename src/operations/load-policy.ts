import { type BundleError, toBundleError } from '../kit/errors.ts';
import { readSeen, writeSeen } from '../storage/seen-revocation.ts';
import type { ClaimPolicy } from '../trust/judge-claim.ts';
import { openBudget } from '../trust/path/budget.ts';
import type { HighWaterMarks } from '../trust/revocation/evidence.ts';
import { loadTrust } from './load-trust.ts';
import { loadEvidence } from './revocation-evidence.ts';
import type { VerifyOptions } from './verify.ts';

/**
 * All that signers are judged by, read from the files that the options name.
 * @throws {BundleError} `FILE_*`, `CONFIG_INVALID`, `REVOCATION_MALFORMED`, `USAGE`
 */
export async function loadPolicy(
  options: Pick<VerifyOptions, 'trust' | 'revocation' | 'timestamp'>,
  judged: Pick<ClaimPolicy, 'at' | 'allowances'>,
): Promise<ClaimPolicy> {
  const { trust = {}, revocation = {}, timestamp } = options;
  const { folders = [] } = trust;
  const { signers, timestamping } = await loadTrust(trust);
  const own = folders.at(-1);
  return {
    ...judged,
    trust: signers,
    timestamping,
    evidence: loadEvidence({ ...revocation, folders }),
    seen: own === undefined ? new Map() : readSeen(own),
    budget: openBudget(),
    ...(revocation.mode && { revocation: revocation.mode }),
    ...(timestamp && { timestamp }),
  };
}

/** Remembers what is newer than anything seen, in the user's own trust folder; a warning when that cannot be done. [rev.9] */
export async function rememberSeen(
  seen: HighWaterMarks | undefined,
  { trust }: Pick<VerifyOptions, 'trust'>,
): Promise<readonly string[]> {
  const folder = trust?.folders?.at(-1);
  if (folder === undefined || !seen || seen.size === 0) return [];
  try {
    await writeSeen(folder, seen);
    return [];
  } catch (error) {
    const fault: BundleError = toBundleError(error);
    return [`which revocation lists were seen could not be remembered: ${fault.message}`];
  }
}
