import { isGzip, openArchive } from '../../archive/open-archive.ts';
import { Relaxed } from '../../archive/relaxed.ts';
import { ALL_DIGESTS } from '../../crypto/digest.ts';
import { rolePartOf } from '../../formats/bundle-part.ts';
import { parseManifest } from '../../formats/ovf/manifest.ts';
import { peek } from '../../kit/byte-cursor.ts';
import type { DigestName } from '../../kit/digest-name.ts';
import type { Limits } from '../../kit/limits.ts';
import type { Relaxation } from '../../kit/relaxation.ts';
import type { Source } from '../../kit/source.ts';
import { assignRoles } from '../bundle/bundle-roles.ts';
import { type KeptBytes, readMember } from './hash-member.ts';
import type { ReadMember } from './member.ts';

/**
 * The digests to compute before the manifest has been seen: those it uses, where the source lets us look ahead,
 * else all that it could use.
 *
 * Nothing is believed because of it: a wrong guess leaves a digest out, and the package is refused.
 */
export async function manifestDigests(
  source: Source,
  limits: Limits,
  relax: readonly Relaxation[] = [],
): Promise<readonly DigestName[]> {
  if (!source.repeatable) return ALL_DIGESTS;
  try {
    const { head, stream } = await peek(source.stream(), 2);
    if (isGzip(head)) return ALL_DIGESTS; // looking ahead would mean to inflate everything twice
    const members: ReadMember[] = [];
    const kept: KeptBytes = new Map();
    for await (const entry of (await openArchive(stream, limits, new Relaxed(relax))).entries) {
      const kind = rolePartOf(entry.name)?.kind;
      // What is hashed from here on is hashed as that manifest says, unless another takes its place after all.
      if (!kind && assignRoles(members.map((member) => member.name)).manifest) return ALL_DIGESTS;
      const { name, size, offset, dataOffset } = entry;
      if (kind === 'mf') {
        const options = { algorithms: [], limits, sink: undefined, kept };
        members.push(await readMember(entry, options));
      } else if (kind) members.push({ name, size, offset, dataOffset, digests: {} });
      const roles = assignRoles(members.map((member) => member.name));
      if (roles.descriptor && roles.manifest) break; // nothing behind can take their place
    }
    const { manifest } = assignRoles(members.map(({ name }) => name));
    const bytes = members.find(({ name }) => name === manifest)?.bytes ?? new Uint8Array(0);
    const used = new Set(parseManifest(bytes, limits).entries.map((line) => line.algorithm));
    return used.size > 0 ? [...used] : ALL_DIGESTS;
  } catch {
    // whatever is wrong is met again, and reported, by the reading that counts
  }
  return ALL_DIGESTS;
}
