import { memberNameFault } from '../formats/member-name.ts';
import { printable } from '../kit/encoding.ts';
import { BundleError } from '../kit/errors.ts';
import type { Limits } from '../kit/limits.ts';
import { repairOf } from '../kit/relaxation.ts';
import type { Relaxed } from './relaxed.ts';

/**
 * The folder that an entry is about, by a name that is as good as a member's; none for the folder that all is in.
 *
 * @throws {BundleError} `ARCHIVE_NAME` [relax.3]
 */
export function folderOf(
  text: string | undefined,
  relaxed: Relaxed,
  limits: Limits,
): { readonly folder?: string } {
  if (text === undefined) throw new BundleError('ARCHIVE_NAME', 'the name of a folder is not UTF-8');
  const path = text.replace(/\/$/, '');
  if (path === '.') return {};
  const dotted = path.startsWith('./') && memberNameFault(path.slice(2), limits) === undefined;
  const folder = dotted && relaxed.allows('dot-prefix') ? path.slice(2) : path;
  const fault = memberNameFault(folder, limits);
  if (fault === undefined) return { folder };
  const details = dotted ? { fix: repairOf('folders', 'dot-prefix') } : {};
  throw new BundleError('ARCHIVE_NAME', `the folder "${printable(folder)}": ${fault}`, details);
}
