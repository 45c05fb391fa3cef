import { isGzip } from '../archive/open-archive.ts';
import { readTar } from '../archive/tar-reader.ts';
import { ALL_DIGESTS } from '../crypto/digest.ts';
import type { DigestName } from '../formats/ovf/digest-name.ts';
import { parseManifest } from '../formats/ovf/manifest.ts';
import { peek } from '../kit/byte-cursor.ts';
import type { Limits } from '../kit/limits.ts';
import type { Source } from '../storage/source.ts';
import { rolePartOf } from './bundle-roles.ts';
import { readMember } from './read-member.ts';

/**
 * The digests to compute before the manifest has been seen: those it uses, where the source lets us look ahead,
 * else all that it could use.
 *
 * Nothing is believed because of it: a wrong guess leaves a digest out, and the package is refused.
 */
export async function manifestDigests(source: Source, limits: Limits): Promise<readonly DigestName[]> {
  if (!source.repeatable) return ALL_DIGESTS;
  try {
    const { head, stream } = await peek(source.stream(), 2);
    if (isGzip(head)) return ALL_DIGESTS; // looking ahead would mean to inflate everything twice
    for await (const entry of readTar(stream, limits)) {
      if (rolePartOf(entry.name)?.kind !== 'mf') continue;
      const { bytes } = await readMember(entry, { algorithms: [], limits, sink: undefined });
      const used = new Set(
        parseManifest(bytes ?? new Uint8Array(0), limits).entries.map((line) => line.algorithm),
      );
      return used.size > 0 ? [...used] : ALL_DIGESTS;
    }
  } catch {
    // whatever is wrong is met again, and reported, by the reading that counts
  }
  return ALL_DIGESTS;
}
