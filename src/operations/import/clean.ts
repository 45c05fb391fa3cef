import type { WorkState } from '../../storage/unfinished/marked-folder.ts';
import { type Unfinished, unfinishedIn } from '../../storage/unfinished/unfinished.ts';
import { makeReport, type Report } from '../../verdict/report/report.ts';

/** What is looked for, and what becomes of it. */
export interface CleanOptions {
  /** remove what nobody is at work on; without it everything is only listed */
  readonly remove?: boolean;
  /** leave out what was written to in so many milliseconds */
  readonly olderThan?: number;
}

/** What an interrupted run has left. */
export interface Leftover {
  readonly name: string;
  /** the name that its result was to have */
  readonly result: string;
  /** `running`: a process is at work on it; `unknown`: one of another machine or container may be; `kept`: for `--resume` */
  readonly state: WorkState;
  readonly bytes: number;
  /** when it was written to last, ISO 8601 */
  readonly written: string;
  /** older files that it keeps, since the run was ended while it replaced several: they get their names back when it is removed, or got them (`remove`) */
  readonly putBack: readonly string[];
  /** new ones of that run that had their names, in whose place there was none: they are taken away then, or were */
  readonly takenAway: readonly string[];
  /** names of older files that it keeps under which something else is by now: while that is so, it is not removed */
  readonly foreign: readonly string[];
  /** names of new ones that are not where they were written, while nothing says whether all had been: then it keeps older ones, and is not removed */
  readonly missing: readonly string[];
  readonly removed: boolean;
}

/** The report of `clean`: the folder as it was given, and what is in it. */
export type CleanReport = Report<
  'clean',
  { readonly folder: string; readonly leftovers: readonly Leftover[] }
>;

/** What was found, those that were written to last at the end. */
export interface CleanResult {
  readonly report: CleanReport;
  readonly leftovers: readonly Leftover[];
}

/**
 * Lists what interrupted runs have left in a folder, and removes it where that is asked for.
 *
 * Only what proves that bulla made it there for this user is listed, and what a run is or may be at work on stays.
 *
 * What was ended while it replaced several files is as it was before when its folder is removed.
 *
 * @throws {BundleError} `FILE_NOT_FOUND`, `FILE_UNREADABLE` when the folder cannot be read
 * @see spec/bundle.md, clauses clean.1 to clean.3
 */
export function clean(folder: string, { remove = false, olderThan = 0 }: CleanOptions = {}): CleanResult {
  const leftovers = unfinishedIn(folder)
    .map((found) => toLeftover(found, { remove, olderThan }))
    .filter((leftover) => leftover !== undefined)
    .sort((a, b) => a.written.localeCompare(b.written));
  const busy = leftovers.filter(({ removed, state }) => remove && !removed && !isFree(state));
  const failed = leftovers.filter(({ removed, state }) => remove && !removed && isFree(state));
  const report = makeReport({
    operation: 'clean',
    errors: [],
    warnings: [
      ...busy.map(({ name, state }) => `"${name}" stays: ${STAYS[state]}`),
      ...failed.map((leftover) => `"${leftover.name}" stays: ${reasonFor(leftover)}`),
    ],
    result: { folder, leftovers },
  });
  return { report, leftovers };
}

function reasonFor({ foreign: [foreign], missing: [missing] }: Leftover): string {
  if (foreign !== undefined)
    return `it keeps the older "${foreign}", and another file has that name by now; move that elsewhere, and run it again`;
  if (missing !== undefined)
    return `it keeps older files, and the new "${missing}" is not where it was written, so that nobody knows whether all were there; bring its folder back there and run it again, or delete this one when you need no older files`;
  return 'it could not be removed, or a run has taken it up';
}

const STAYS: Readonly<Record<WorkState, string>> = {
  running: 'a run is at work on it',
  unknown: 'a run of another machine or container may be at work on it, and wrote to it in the last 24 hours',
  kept: '',
  left: '',
};

function isFree(state: WorkState): boolean {
  return state === 'kept' || state === 'left';
}

function toLeftover(
  unfinished: Unfinished,
  { remove, olderThan }: { readonly remove: boolean; readonly olderThan: number },
): Leftover | undefined {
  using found = unfinished;
  const { name, result, state, bytes, written } = found;
  if (Date.now() - written.getTime() < olderThan) return undefined;
  const { isRemoved: removed, undoing } =
    remove && isFree(state) ? found.remove() : { isRemoved: false, undoing: found.undoing };
  return { name, result, state, bytes, written: written.toISOString(), ...undoing, removed };
}
