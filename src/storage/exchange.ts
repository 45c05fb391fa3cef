import {
  type BigIntStats,
  closeSync,
  fsyncSync,
  lstatSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import type { WrittenFile } from './written-file.ts';

/** A file that takes its name together with others, and by what it is known again. */
export interface Exchanged extends Pick<WrittenFile, 'ino' | 'size' | 'mtimeNs'> {
  readonly target: string;
  /** the name that it has in the folder of unfinished work that the plan lies in, beside its target; undefined when it waits in another */
  readonly waiting?: string | undefined;
}

/** What it comes to when an exchange that has not come to its end is undone, by the names of the files. */
export interface Undoing {
  /** older files that get their names back */
  readonly putBack: readonly string[];
  /** new ones, in whose place there was none */
  readonly takenAway: readonly string[];
  /** names under which there is neither the older file nor the new one: these keep what is to be undone */
  readonly foreign: readonly string[];
}

const FORMAT = 'bulla.exchange/1';
/** Stands in a folder of unfinished work from before the first file takes its name until the last one has. */
const PLAN = 'exchange';

/** Where an older file is kept while a new one has its name. */
export function keptName(waiting: string): string {
  return `${waiting}.older`;
}

/**
 * Says in a folder of unfinished work what is to be exchanged, there and elsewhere, before anything is. [vol.9]
 *
 * @throws what the system does
 */
export function writePlan(at: string, files: readonly Exchanged[]): void {
  const listed = files.map(({ target, waiting, ...made }) => ({ target, waiting, is: idOf(made) }));
  const next = join(at, `${PLAN}.new`);
  writeFileSync(next, JSON.stringify({ format: FORMAT, files: listed }), {
    flag: 'wx',
    mode: 0o600,
    flush: true,
  });
  renameSync(next, join(at, PLAN));
  sync(at);
}

/** Says that all have their names: what was kept of older files is not needed any more. Should that fail, each having its name says it, too. */
export function dropPlan(at: string): void {
  tried(() => rmSync(join(at, PLAN), { force: true }));
}

/** What `undo` would do with a folder of unfinished work; nothing where its list cannot be read, and then it stays. */
export function undoingOf(at: string): Undoing {
  const steps = tried(() => stepsOf(at)) ?? [];
  const names = (wanted: Step['what']): readonly string[] =>
    steps.filter(({ what }) => what === wanted).map(({ name }) => name);
  return { putBack: names('put back'), takenAway: names('take away'), foreign: names('foreign') };
}

/**
 * Makes it as it was before an exchange that did not come to its end; where all files have their names it is left so. [vol.9]
 *
 * @returns false when something must stay, since it cannot be undone
 */
export function undo(at: string): boolean {
  try {
    const steps = stepsOf(at);
    for (const { what, target, kept } of steps) {
      if (what === 'put back') renameSync(kept, target);
      if (what === 'take away') unlinkSync(target);
    }
    if (steps.length > 0) sync(`${at}/..`);
    if (steps.some(({ what }) => what === 'foreign')) return false;
    dropPlan(at);
    return true;
  } catch {
    return false; // what is kept stays kept
  }
}

/** What is to be done about one file. */
interface Step {
  readonly name: string;
  readonly what: 'put back' | 'take away' | 'foreign';
  readonly target: string;
  readonly kept: string;
}

function stepsOf(at: string): readonly Step[] {
  const files = readPlan(at);
  // By way of the folder itself, whatever the one around it is called by now.
  const placeOf = (target: string): string => `${at}/../${basename(target)}`;
  const isDone = files.every(({ target, waiting, is }) =>
    isThis(statsOf(waiting === undefined ? target : placeOf(target)), is),
  );
  if (isDone) return [];
  return files.flatMap(({ target: path, waiting, is }) => {
    if (waiting === undefined) return [];
    const target = placeOf(path);
    const kept = join(at, keptName(waiting));
    const there = statsOf(target);
    const older = statsOf(kept);
    const what = toUndo({ there, older, isNew: isThis(there, is) });
    return what ? [{ name: basename(path), what, target, kept }] : [];
  });
}

function toUndo({
  there,
  older,
  isNew,
}: {
  readonly there: BigIntStats | undefined;
  readonly older: BigIntStats | undefined;
  readonly isNew: boolean;
}): Step['what'] | undefined {
  if (!older) return isNew ? 'take away' : undefined;
  if (!there || isNew) return 'put back';
  return there.ino === older.ino ? undefined : 'foreign'; // it has its name yet, and a second one here
}

function tried<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

function statsOf(path: string): BigIntStats | undefined {
  return lstatSync(path, { throwIfNoEntry: false, bigint: true });
}

function isThis(stats: BigIntStats | undefined, is: string): boolean {
  return stats?.isFile() === true && idOf({ ...stats, size: Number(stats.size) }) === is;
}

/** The number of a file is given to the next one when it is gone, so that alone would not do. */
function idOf({ ino, size, mtimeNs }: Pick<Exchanged, 'ino' | 'size' | 'mtimeNs'>): string {
  return `${ino} ${size} ${mtimeNs}`;
}

/** A file of a plan; one that waits elsewhere has no name here. */
interface Planned {
  readonly target: string;
  readonly waiting?: string;
  readonly is: string;
}

function readPlan(at: string): readonly Planned[] {
  const path = join(at, PLAN);
  if (!statsOf(path)) return [];
  const { format, files } = JSON.parse(readFileSync(path, 'utf8')) as {
    readonly format?: unknown;
    readonly files?: unknown;
  };
  if (format !== FORMAT || !Array.isArray(files) || !files.every(isPlanned))
    throw new Error('the list of what was exchanged cannot be read');
  return files;
}

function isPlanned(value: unknown): value is Planned {
  if (typeof value !== 'object' || value === null) return false;
  const { target, waiting, is } = value as Readonly<Record<string, unknown>>;
  const isText = typeof target === 'string' && typeof is === 'string' && /[^/]$/.test(target);
  return isText && !/(^|\/)\.\.?$/.test(target) && (waiting === undefined || isWaiting(waiting));
}

function isWaiting(value: unknown): boolean {
  return typeof value === 'string' && /^volume-\d{1,3}$/.test(value);
}

function sync(folder: string): void {
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
