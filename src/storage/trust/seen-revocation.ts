import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { unguessable } from '../../engine/node/random.ts';
import { encodeUtf8, formatHex } from '../../kit/encoding.ts';
import { BundleError, isBundleError } from '../../kit/errors/errors.ts';
import { type SourceOptions, sourceOptions } from '../../kit/source.ts';
import { type HighWaterMarks, isNewer, type Mark } from '../../trust/revocation/evidence.ts';
import { joinSeen } from '../../trust/revocation/marks.ts';
import { isAbsent } from '../absence.ts';
import { writeError } from '../io-errors.ts';
import { makeFolders } from '../make-folders.ts';
import { readText, SEEN, SEEN_BEFORE, shownNamesIn } from './trust-folder.ts';

/** What was done with marks. */
export interface Remembered {
  /** marks that are new, or newer than those that were there */
  readonly count: number;
  /** marks for which there was no room */
  readonly refused: number;
}

const FORMAT = 'bulla.seen/1';
/** For what a file of marks that is being written says to be. */
const RECORD = /^\.[0-9a-f]{16}\.json$/;
/**
 * No mark gives way to another: who could bring many could otherwise drive out those of others. Who signs lists has room for himself, and all under
 * one anchor together; what revokes has its own. [rev.9]
 */
const MAX_MARKS = 8192;
const MAX_MARKS_OF_ANCHOR = 4096;
const MAX_MARKS_OF_ONE = 512;
/** Kinds of marks that lists and answers leave, whatever they say of somebody; each other kind has its own room. */
const PLAIN_KINDS: readonly string[] = ['crl', 'crl-for', 'delta', 'ocsp'];
/** More than as many marks as are kept can have. */
const FILE_BYTES = 16 * 1024 * 1024;
/** While it is read, other runs may put files together into one. */
const MAX_READINGS = 100;

/** Where a trust folder remembers them: files that are read together, in `revocation/seen`. */
export function seenFolderOf(folder: string): string {
  return join(folder, 'revocation', SEEN);
}

/**
 * The marks that a trust folder remembers; none when it has no such folder. [rev.9]
 * @throws {BundleError} `CONFIG_INVALID` when a file is not one that `writeSeen` wrote, `FILE_UNREADABLE`
 */
export async function readSeen(
  folder: string,
  waiting: SourceOptions = sourceOptions({}),
): Promise<HighWaterMarks> {
  return (await readAll(folder, waiting)).marks;
}

/** [rev.12] A file that is gone since it was listed stands in a newer one, so all is read again. */
async function readAll(
  folder: string,
  waiting: SourceOptions,
): Promise<{ readonly files: readonly string[]; readonly marks: HighWaterMarks }> {
  const seen = seenFolderOf(folder);
  const before = join(folder, 'revocation', SEEN_BEFORE);
  for (let left = MAX_READINGS; ; left--) {
    const names = shownNamesIn(seen);
    const files = [...(isAbsent(before) ? [] : [before]), ...names.map((name) => join(seen, name))];
    try {
      const read: HighWaterMarks[] = [];
      for (const file of files) read.push(await readFile(file, waiting));
      return { files, marks: joinSeen(read) };
    } catch (error) {
      if (left === 0 || !isBundleError(error) || error.code !== 'FILE_NOT_FOUND') throw error;
    }
  }
}

async function readFile(file: string, waiting: SourceOptions): Promise<HighWaterMarks> {
  const text = await readText(file, waiting, FILE_BYTES);
  try {
    return parseSeen(JSON.parse(text));
  } catch (cause) {
    throw new BundleError('CONFIG_INVALID', 'the record of seen revocation lists is damaged', {
      where: { file },
      why: 'without it an old list, from before a certificate was revoked, could pass for the current one',
      fix: 'restore the file from a backup; or remove it, and put the current lists into the revocation folder',
      cause,
    });
  }
}

function parseSeen(json: unknown): HighWaterMarks {
  const { format, marks } = json as { format?: unknown; marks?: unknown };
  if (format !== FORMAT || typeof marks !== 'object' || marks === null || Array.isArray(marks))
    throw new Error('another format');
  return new Map(Object.entries(marks).map(([key, mark]) => [key, parseMark(mark)]));
}

function parseMark(json: unknown): Mark {
  const { thisUpdate, number, anchor } = json as { thisUpdate?: unknown; number?: unknown; anchor?: unknown };
  const date = new Date(typeof thisUpdate === 'string' ? thisUpdate : Number.NaN);
  if (Number.isNaN(date.getTime())) throw new Error('a mark without a time');
  return {
    thisUpdate: date,
    ...(typeof number === 'string' && { number: BigInt(number) }),
    ...(typeof anchor === 'string' && { anchor }),
  };
}

/**
 * Remembers marks that are newer than what the folder knows. Nothing that is known is ever forgotten, whatever other runs do at the
 * same time and wherever a run ends: each writes a file of its own, and then removes those that stand in it. [rev.12]
 *
 * @throws {BundleError} `STORAGE_*`, `CONFIG_INVALID`
 */
export async function writeSeen(
  folder: string,
  newer: HighWaterMarks,
  waiting: SourceOptions = sourceOptions({}),
): Promise<Remembered> {
  const { files, marks: known } = await readAll(folder, waiting);
  const { marks, ...remembered } = withRoom(known, newer);
  if (remembered.count === 0) return remembered;
  const [{ apartFrom }, { openOutput }, { sweepLike }] = await writing();
  const seen = seenFolderOf(folder);
  try {
    makeFolders(seen);
  } catch (error) {
    throw writeError(error, seen);
  }
  sweepLike(seen, 'output', RECORD); // [rev.12] no later run has the name that one which was killed had
  const document = {
    format: FORMAT,
    marks: Object.fromEntries([...marks].map(([key, mark]) => [key, plain(mark)])),
  };
  try {
    const record = apartFrom(join(seen, `${formatHex(unguessable(8))}.json`), []);
    await using output = await openOutput(record, { overwrite: false });
    await output.write(encodeUtf8(`${JSON.stringify(document, undefined, 2)}\n`));
    await output.finish();
  } catch (error) {
    if (!(await isKnown(folder, marks, waiting))) throw error;
  }
  for (const file of files) await unlink(file).catch(() => {}); // one that stays says nothing new
  return remembered;
}

/** [rev.12] Whether a run at the same time has taken over what this one wrote, and removed its file before it was looked at. */
async function isKnown(folder: string, marks: HighWaterMarks, waiting: SourceOptions): Promise<boolean> {
  try {
    const known = await readSeen(folder, waiting);
    return [...marks].every(([key, mark]) => {
      const before = known.get(key);
      return before !== undefined && !isNewer(mark, before);
    });
  } catch {
    return false; // why it could not be written says more
  }
}

/** What writes is loaded when it is used: most runs see nothing new. */
function writing() {
  return Promise.all([
    import('../apart.ts'),
    import('../output/open-output.ts'),
    import('../unfinished/sweep.ts'),
  ]);
}

/** What is known, and what is new as far as there is room. */
function withRoom(
  known: HighWaterMarks,
  newer: HighWaterMarks,
): Remembered & { readonly marks: HighWaterMarks } {
  const marks = new Map(known);
  const counts = new Map<string, number>();
  const countOf = (room: string): number => counts.get(room) ?? 0;
  const take = (rooms: readonly Room[]): void => {
    for (const { name } of rooms) counts.set(name, countOf(name) + 1);
  };
  for (const [key, { anchor = '' }] of known) take(roomsOf(key, anchor));
  let count = 0;
  let refused = 0;
  for (const [key, mark] of newer) {
    const before = marks.get(key);
    if (before && !isNewer(mark, before)) continue;
    const anchor = before?.anchor ?? mark.anchor ?? '';
    const rooms = before ? [] : roomsOf(key, anchor);
    if (rooms.some(({ name, size }) => countOf(name) >= size)) {
      refused++;
      continue;
    }
    take(rooms);
    marks.set(key, { ...mark, anchor });
    count++;
  }
  return { marks, count, refused };
}

interface Room {
  readonly name: string;
  readonly size: number;
}

/** Where a mark must find room: beside those of who signed it, of the anchor, and of all of its kind. */
function roomsOf(key: string, anchor: string): readonly Room[] {
  const [kind = '', holder = ''] = key.split(' ');
  const own = PLAIN_KINDS.includes(kind) ? '' : kind;
  return [
    { name: `${own} of ${holder} under ${anchor}`, size: MAX_MARKS_OF_ONE },
    { name: `${own} under ${anchor}`, size: MAX_MARKS_OF_ANCHOR },
    { name: own, size: MAX_MARKS },
  ];
}

function plain({ thisUpdate, number, anchor }: Mark): Readonly<Record<string, string>> {
  return {
    thisUpdate: thisUpdate.toISOString(),
    ...(number !== undefined && { number: number.toString() }),
    ...(anchor !== undefined && anchor !== '' && { anchor }),
  };
}
