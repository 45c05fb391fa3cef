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
import { expectVouchedByOthers, loadTrust } from './load-trust.ts';
import type { VerifyOptions } from './options.ts';

/** What the options name to judge by, as it was read: the same for every bundle that is judged by it. */
export type Rules = Omit<ClaimPolicy, 'at' | 'allowances' | 'budget'>;

/** Of what is judged beside others, by the same. [many.3] */
export interface AmongOthers {
  readonly rules?: Rules;
  /** settled when those before it are done, and what they have seen is written down: never rejects */
  readonly turn?: Promise<unknown>;
}

/** Reads it. @throws {BundleError} `FILE_*`, `CONFIG_INVALID`, `REVOCATION_MALFORMED` */
export async function loadRules(
  options: Pick<VerifyOptions, 'trust' | 'revocation' | 'timestamp' | 'signal' | 'limits'>,
): Promise<Rules> {
  const { trust = {}, revocation = {} } = options;
  const asked = askedOf(options);
  const waiting = sourceOptions(options); // [cli.21]
  const { signers, timestamping, untrusted } = await loadTrust(trust, waiting);
  const { folders = [] } = trust;
  const own = folders.at(-1);
  return {
    trust: signers,
    timestamping,
    untrusted,
    evidence: await loadEvidence({ ...revocation, folders }, waiting),
    seen: own === undefined ? new Map() : await readSeen(own, waiting),
    ...asked,
  };
}

/**
 * All that signers are judged by, read from the files that the options name, unless `rules` has it; none of the inputs is among those. [pub.19]
 * @throws {BundleError} `FILE_*`, `CONFIG_INVALID`, `REVOCATION_MALFORMED`, `USAGE`
 */
export async function loadPolicy(
  options: Parameters<typeof loadRules>[0] & AmongOthers,
  { inputs, ...judged }: Pick<ClaimPolicy, 'at' | 'allowances'> & { readonly inputs: readonly BundleInput[] },
): Promise<ClaimPolicy> {
  const files = inputs.filter((input) => typeof input === 'string');
  expectVouchedByOthers(options.trust ?? {}, files);
  return { ...judged, ...(options.rules ?? (await loadRules(options))), budget: openBudget() };
}

/**
 * Remembers what is newer than anything seen, in the user's own trust folder; a warning when that cannot be done. [rev.9]
 *
 * @param errors what is wrong with the whole: what is refused for anything but a revocation leaves no mark, however good its signer is
 */
export async function rememberSeen(
  seen: HighWaterMarks | undefined,
  errors: readonly BundleError[],
  options: Pick<VerifyOptions, 'trust' | 'remember' | 'signal' | 'limits'> & AmongOthers,
): Promise<Remembering> {
  const { trust, remember = true } = options;
  const folder = trust?.folders?.at(-1);
  if (folder === undefined || !remember || !seen || seen.size === 0) return { warnings: [] };
  if (errors.length > 0 && !errors.some(({ code }) => code === 'CERTIFICATE_REVOKED'))
    return { warnings: [] };
  await options.turn;
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
