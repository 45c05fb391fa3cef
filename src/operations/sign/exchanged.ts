import { equalBytes } from '../../kit/bytes.ts';
import type { Examination } from '../../verdict/bundle/examine.ts';

/**
 * The members of an accepted bundle that are not handed on as they came, and what stands for them: canonical bytes, or
 * nothing when they are left out. What the manifest lists is never among them. [import.7] [norm.2]
 */
export function exchangedIn({
  members,
  contents,
  signature,
}: Examination): ReadonlyMap<string, Uint8Array | undefined> {
  const unlisted = new Set(contents.files.flatMap(({ name, vouchedBy }) => (vouchedBy ? [name] : [])));
  const exchanged = new Map<string, Uint8Array | undefined>();
  for (const member of members) {
    const { kind, name } = member;
    if (kind !== 'kept' || !unlisted.has(name) || !signature?.carried?.speaks.has(name)) continue;
    const carried = signature.carried.members.get(name);
    if (!carried || !equalBytes(carried, member.bytes)) exchanged.set(name, carried);
  }
  return exchanged;
}
