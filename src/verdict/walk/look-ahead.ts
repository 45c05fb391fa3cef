import { ALL_DIGESTS } from '../../crypto/digest.ts';
import { rolePartOf } from '../../formats/bundle-part.ts';
import { parseManifest } from '../../formats/ovf/manifest.ts';
import type { DigestName } from '../../kit/digest-name.ts';
import type { Limits } from '../../kit/limits.ts';
import { type BundleSource, isPackage } from '../../kit/source.ts';
import { assignRoles } from './bundle-roles.ts';
import { keptMember } from './member.ts';
import { type Walk, type WalkOptions, walkBundle } from './walk.ts';

/**
 * The digests to compute before the manifest has been seen: those it uses, where the source lets us look ahead,
 * else all that it could use.
 *
 * It is a walk of its own, since what is found must be known before the one that counts begins. Nothing is believed because of
 * it: a wrong guess leaves a digest out, and the package is refused. Whatever is wrong is met again, and told, by the walk that counts.
 */
export async function manifestDigests(
  source: BundleSource,
  limits: Limits,
  { relax = [], open }: Pick<WalkOptions, 'relax' | 'open'> = {},
): Promise<readonly DigestName[]> {
  if (isPackage(source) || !source.repeatable) return ALL_DIGESTS; // a package gives its manifest before all that is hashed
  const { result } = await walkBundle(
    source,
    { limits, relax, ...(open !== undefined && { open }) },
    (walk) => digestsAhead(walk, limits),
  );
  return result ?? ALL_DIGESTS;
}

async function digestsAhead(walk: Walk, limits: Limits): Promise<readonly DigestName[]> {
  const parts: string[] = [];
  for await (const entry of walk.entries) {
    if (walk.format === 'tgz') return ALL_DIGESTS; // looking ahead would mean to inflate everything twice
    const kind = rolePartOf(entry.name)?.kind;
    // What is hashed from here on is hashed as that manifest says, unless another takes its place after all.
    if (!kind && assignRoles(parts).manifest) return ALL_DIGESTS;
    if (!kind) continue;
    parts.push(entry.name);
    if (kind === 'mf') await walk.keep(entry);
    const roles = assignRoles(parts);
    if (roles.descriptor && roles.manifest) break; // nothing behind can take their place
  }
  const bytes = keptMember(walk.members, assignRoles(parts).manifest)?.bytes ?? new Uint8Array(0);
  const used = new Set(parseManifest(bytes, limits).entries.map((line) => line.algorithm));
  return used.size > 0 ? [...used] : ALL_DIGESTS;
}
