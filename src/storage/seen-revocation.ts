import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { encodeUtf8 } from '../kit/encoding.ts';
import { BundleError, isBundleError } from '../kit/errors.ts';
import { openOutput } from './output.ts';
import { readText } from './trust-folder.ts';

/** The newest revocation information seen of an issuer and scope: older ones are not believed any more. */
export interface SeenMark {
  readonly thisUpdate: Date;
  /** of the CRL, when it has one */
  readonly number?: bigint;
}

const FORMAT = 'bulla.seen/1';
/** So that the file stays smaller than what is read of it, and one authority's marks cannot drive out another's. [rev.9] */
const MAX_MARKS = 2000;
const MAX_MARKS_OF_ONE = 256;

/** Where a trust folder remembers them: `revocation/seen.json`. */
export function seenFileOf(folder: string): string {
  return join(folder, 'revocation', 'seen.json');
}

/**
 * The marks that a trust folder remembers; none when it has no such file. [rev.9]
 * @throws {BundleError} `CONFIG_INVALID` when the file is not one that `writeSeen` wrote, `FILE_UNREADABLE`
 */
export function readSeen(folder: string): ReadonlyMap<string, SeenMark> {
  const file = seenFileOf(folder);
  let text: string;
  try {
    text = readText(file);
  } catch (error) {
    if (isBundleError(error) && error.code === 'FILE_NOT_FOUND') return new Map();
    throw error;
  }
  try {
    return parseSeen(JSON.parse(text));
  } catch (cause) {
    throw new BundleError('CONFIG_INVALID', 'the record of seen revocation lists is damaged', {
      where: { file },
      why: 'without it an old list, from before a certificate was revoked, could pass for the current one',
      fix: 'restore the file from a backup; or remove it, and put the current lists into the folder beside it',
      cause,
    });
  }
}

function parseSeen(json: unknown): ReadonlyMap<string, SeenMark> {
  const { format, marks } = json as { format?: unknown; marks?: unknown };
  if (format !== FORMAT || typeof marks !== 'object' || marks === null) throw new Error('another format');
  return new Map(
    Object.entries(marks).map(([key, mark]) => {
      const { thisUpdate, number } = mark as { thisUpdate?: unknown; number?: unknown };
      const date = new Date(typeof thisUpdate === 'string' ? thisUpdate : Number.NaN);
      if (Number.isNaN(date.getTime())) throw new Error('a mark without a time');
      return [key, { thisUpdate: date, ...(typeof number === 'string' && { number: BigInt(number) }) }];
    }),
  );
}

/**
 * Remembers marks that are newer than what the folder knows; what another process has written meanwhile stays.
 * @throws {BundleError} `STORAGE_*`, `CONFIG_INVALID`
 */
export async function writeSeen(folder: string, newer: ReadonlyMap<string, SeenMark>): Promise<void> {
  const marks = new Map(readSeen(folder));
  for (const [key, mark] of newer) {
    const known = marks.get(key);
    if (!known || known.thisUpdate < mark.thisUpdate) marks.set(key, mark);
  }
  const kept = [...marks].sort(([, a], [, b]) => b.thisUpdate.getTime() - a.thisUpdate.getTime());
  const counts = new Map<string, number>();
  const entries = kept
    .filter(([key]) => {
      const [, owner = ''] = key.split(' ');
      const count = (counts.get(owner) ?? 0) + 1;
      counts.set(owner, count);
      return count <= MAX_MARKS_OF_ONE;
    })
    .slice(0, MAX_MARKS)
    .map(([key, { thisUpdate, number }]) => [
      key,
      { thisUpdate: thisUpdate.toISOString(), ...(number !== undefined && { number: number.toString() }) },
    ]);
  const file = seenFileOf(folder);
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o755 });
  } catch {
    // said by the opening of the file
  }
  await using output = await openOutput(file, { overwrite: true, reads: [] });
  const document = { format: FORMAT, marks: Object.fromEntries(entries) };
  await output.write(encodeUtf8(`${JSON.stringify(document, undefined, 2)}\n`));
  await output.commit();
}
