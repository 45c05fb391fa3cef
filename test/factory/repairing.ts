import { openingOdd } from '../../src/archive/repair/open-odd-archive.ts';
import { type Repair, Repairs } from '../../src/archive/repair/repairs.ts';
import type { ByteStream } from '../../src/kit/bytes.ts';
import type { Limits } from '../../src/kit/limits.ts';
import { readOddZip } from '../../src/storage/repair/read-odd-zip.ts';
import { spoolable } from '../../src/storage/sources/private-file.ts';
import { type Outcome, read } from './archives.ts';
import { chunked } from './streams.ts';

/** What taking an archive apart led to, and what was odd about it. */
export interface OddOutcome extends Outcome {
  readonly repairs: readonly Repair[];
}

/** Reads an archive as a repair does; a zip from a private copy. */
export async function readOddly(
  given: Uint8Array | ByteStream,
  limits: Partial<Limits> = {},
  takeTurn: () => Promise<void> = async () => {},
): Promise<OddOutcome> {
  const repairs = new Repairs();
  const open = openingOdd({ repairs, takeTurn }, readOddZip);
  const source = given instanceof Uint8Array ? chunked(given) : given;
  const outcome = await read(
    source,
    async (stream, all) => (await open(spoolable(stream, {}), all)).entries,
    limits,
  );
  return { ...outcome, repairs: repairs.made };
}
