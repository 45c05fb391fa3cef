import type { ManifestEntry } from '../../formats/ovf/manifest.ts';
import { BundleError, type ErrorDetails } from '../../kit/errors/errors.ts';
import type { FileReport } from '../report/report.ts';
import { describeDamage } from '../walk/block-damage.ts';

/** [cover.6] Each member that is not what the manifest says, or of which that could not be found out. */
export function digestFaults(
  files: readonly FileReport[],
  listed: ReadonlyMap<string, ManifestEntry>,
  manifestName: string,
): BundleError[] {
  return files.flatMap((file) => {
    if (file.status === 'ok') return [];
    const line = listed.get(file.name)?.line;
    const where = { member: file.name, ...(file.offset !== undefined && { offset: file.offset }) };
    if (file.status === 'mismatch') {
      const own = ownFix(file.name, files.find(({ role }) => role === 'descriptor')?.name);
      return [new BundleError('DIGEST_MISMATCH', mismatch(file, manifestName, line), { where, ...own })];
    }
    if (file.status !== 'unchecked' || !file.expected) return [];
    // Another manifest came first in the stream and misled the choice of digests.
    const message = `the ${file.algorithm} digest of "${file.name}" was not computed, since another manifest came before "${manifestName}"`;
    return [new BundleError('PACKAGE_AMBIGUOUS', message, { where })];
  });
}

/** Who makes a bundle has most often edited the descriptor, and packed it with the old manifest. [show.7] */
function ownFix(name: string, descriptor: string | undefined): Pick<ErrorDetails, 'own'> {
  if (descriptor === undefined) return {};
  const text = `if you changed "${name}" yourself, unpack the bundle, and pack what the descriptor names: the manifest is made anew then`;
  return {
    own: [
      { text, advice: 'pack-edited', of: descriptor },
      'otherwise take the bundle again from where it was made',
    ],
  };
}

/** [blocks.8] Where it differs is told when the digests of its blocks have shown it. */
function mismatch({ name, algorithm, actual, blocks }: FileReport, manifest: string, line?: number): string {
  if (blocks && actual === undefined)
    return `"${name}" does not match its blocks in "${blocks.file}": ${describeDamage(blocks)}`;
  const message = `"${name}" does not match its ${algorithm} digest in "${manifest}" line ${line}`;
  if (!blocks) return message;
  if (blocks.damaged > 0) return `${message}: ${describeDamage(blocks)}`;
  return `${message}, and matches every block in "${blocks.file}": they were signed of different contents`;
}
