import { isEvidence } from '../../formats/bundle-part.ts';
import { toBundleError } from '../../kit/errors/errors.ts';
import { DEFAULT_LIMITS } from '../../kit/limits.ts';
import { sourceOptions } from '../../kit/source.ts';
import { readSmallFile } from '../../storage/trust/small-files.ts';
import { joinEvidence, parseEvidence } from '../../verdict/signers/evidence.ts';
import type { PlannedFile } from './plan.ts';

/**
 * Reads what is about to be packed under a name of revocation information, as an importer will.
 *
 * @throws {BundleError} `REVOCATION_MALFORMED` [pack.5], `FILE_*`
 */
export async function expectEvidence(
  files: readonly PlannedFile[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const waiting = sourceOptions(signal ? { signal } : {});
  let room = DEFAULT_LIMITS.evidenceBytes;
  const found = [];
  for (const { name, path, size } of files) {
    if (!isEvidence(name) || size > room) continue; // beyond its limit such a member is an ordinary file
    room -= size;
    const bytes = await readSmallFile(path, waiting, size);
    try {
      found.push(parseEvidence(bytes, name, name, { alone: true }));
    } catch (error) {
      throw toBundleError(error).at({ file: path });
    }
  }
  joinEvidence([{ crls: [], ocsps: [] }, ...found], DEFAULT_LIMITS.evidence);
}
