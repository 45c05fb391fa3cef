import { type BigIntStats, lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** The bytes of all that is in a folder, and when something there was written last, in milliseconds; links are not followed. */
export function measure(at: string, since: number): { readonly bytes: number; readonly written: number } {
  let bytes = 0;
  let written = since;
  for (const entry of readdirSync(at, { withFileTypes: true })) {
    const stats: BigIntStats | undefined = lstatSync(join(at, entry.name), {
      throwIfNoEntry: false,
      bigint: true,
    });
    if (!stats) continue;
    const inside = stats.isDirectory() ? measure(join(at, entry.name), 0) : { bytes: 0, written: 0 };
    bytes += inside.bytes + (stats.isFile() ? Number(stats.blocks) * 512 : 0);
    written = Math.max(written, inside.written, Number(stats.mtimeMs));
  }
  return { bytes, written };
}
