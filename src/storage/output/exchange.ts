import {
  type BigIntStats,
  constants,
  fsyncSync,
  lstatSync,
  readFileSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { whileOpen } from '../sources/open-descriptor.ts';
import type { WrittenFile } from './written-file.ts';

/** A file that takes its name together with others, and by what it is known again. */
export interface Exchanged extends Pick<WrittenFile, 'ino' | 'size' | 'mtimeNs'> {
  readonly target: string;
  /** the name that it has in a folder of unfinished work beside its target until it has its own */
  readonly waiting: string;
  /** the path of that folder; undefined when it is the one that the plan lies in */
  readonly elsewhere?: string | undefined;
}

/** A file that is taken away together with that, and has no new one in its place. */
export type Removed = Pick<Exchanged, 'target' | 'waiting'> & { readonly removed: true };

/** What it comes to when an exchange that has not come to its end is undone, by the names of the files. */
export interface Undoing {
  /** older files that get their names back */
  readonly putBack: readonly string[];
  /** new ones, in whose place there was none */
  readonly takenAway: readonly string[];
  /** names under which there is neither the older file nor the new one: these keep what is to be undone */
  readonly foreign: readonly string[];
  /** new ones that are not where they were written, while nothing says whether all had been there: these keep the older ones */
  readonly missing: readonly string[];
}

/** What has been undone, and what must stay since it could not be. */
export interface Undone extends Undoing {
  /** whether nothing must stay */
  readonly isWhole: boolean;
}

/** What became of a folder that was to be removed. */
export interface Swept {
  readonly isRemoved: boolean;
  /** what was undone of it, and what could not be */
  readonly undoing: Undoing;
}

/** A folder of unfinished work; the way to it may fail. */
interface Folder {
  readonly anchor: string;
}

const FORMAT = 'bulla.exchange/1';
/** Stands in a folder of unfinished work from before the first file takes its name; has another name when it is known what comes of it. */
const PLAN = 'exchange';
const DECIDED = { undo: `${PLAN}.undo`, done: `${PLAN}.done` } as const;
const PLANS = [DECIDED.undo, DECIDED.done, PLAN];
type Decision = keyof typeof DECIDED;

export const NOTHING_UNDONE: Undoing = { putBack: [], takenAway: [], foreign: [], missing: [] };

/** Where an older file is kept while a new one has its name. */
export function keptName(waiting: string): string {
  return `${waiting}.older`;
}

/**
 * Says in a folder of unfinished work what is to be exchanged, there and elsewhere, before anything is. [vol.9]
 *
 * @throws what the system does
 */
export function writePlan(at: string, files: readonly (Exchanged | Removed)[]): void {
  const listed = files.map((file) => {
    if ('removed' in file) return { ...file, is: '' };
    const { target, waiting, elsewhere, ...made } = file;
    return { target, waiting, elsewhere, is: idOf(made) };
  });
  const next = join(at, `${PLAN}.new`);
  writeFileSync(next, JSON.stringify({ format: FORMAT, files: listed }), {
    flag: 'wx',
    mode: 0o600,
    flush: true,
  });
  renameSync(next, join(at, PLAN));
  sync(at);
}

/** Says for a loss of power what comes of it: that all have their names, or that it is undone. Where that fails, the files themselves say it. */
export function decide(folder: Folder, decision: Decision): void {
  tried(() => decideAt(folder.anchor, decision));
}

function decideAt(at: string, decision: Decision): void {
  const plan = readPlan(at);
  if (!plan || plan.name === DECIDED[decision]) return;
  renameSync(join(at, plan.name), join(at, DECIDED[decision])); // needs no room
  sync(at);
}

/** What `undo` would do with a folder of unfinished work; nothing where its list cannot be read, and then it stays. */
export function undoingOf(at: string): Undoing {
  return tried(() => undoingBy(at, readPlan(at), () => {})) ?? NOTHING_UNDONE;
}

/**
 * Makes it as it was before an exchange that did not come to its end; where all files have their names it is left so, and where
 * that cannot be known nothing is touched. [vol.9]
 */
export function undo(folder: Folder): Undone {
  const done: { readonly what: Fate; readonly name: string }[] = [];
  try {
    const at = folder.anchor;
    const plan = readPlan(at);
    if (plan) tellAll(at, plan);
    const { foreign, missing } = undoingBy(at, plan && readPlan(at), (step) => {
      if (step.what === 'putBack') renameSync(step.kept, step.target);
      if (step.what === 'takenAway') unlinkSync(step.target);
      done.push(step);
    });
    if (done.length > 0) sync(`${at}/..`);
    const isWhole = foreign.length === 0 && missing.length === 0;
    if (isWhole) for (const name of PLANS) rmSync(join(at, name), { force: true });
    return { ...undoingFrom(done), foreign, missing, isWhole };
  } catch {
    return { ...undoingFrom(done), isWhole: false }; // what is kept stays kept
  }
}

/** Before anything is done here: for whoever looks at the folders elsewhere it could not be told from what others do. */
function tellAll(at: string, plan: Plan): void {
  const fate = fateOf(at, plan);
  if (fate === 'unknown') return;
  for (const anchor of [at, ...othersOf(plan)]) decide({ anchor }, fate);
}

/** What is to be done about one file. */
interface Step {
  readonly name: string;
  readonly what: Fate;
  readonly target: string;
  readonly kept: string;
}

type Fate = 'putBack' | 'takenAway' | 'foreign';

function undoingFrom(steps: readonly Pick<Step, 'name' | 'what'>[]): Undoing {
  const names = (wanted: Fate): readonly string[] =>
    steps.filter(({ what }) => what === wanted).map(({ name }) => name);
  return {
    ...NOTHING_UNDONE,
    putBack: names('putBack'),
    takenAway: names('takenAway'),
    foreign: names('foreign'),
  };
}

/** Looks at each file right before it is done with, since another run may have exchanged it a moment ago. */
function undoingBy(at: string, plan: Plan | undefined, doing: (step: Step) => void): Undoing {
  if (!plan) return NOTHING_UNDONE;
  const fate = fateOf(at, plan);
  const own = plan.files.filter(({ elsewhere }) => elsewhere === undefined);
  if (fate === 'unknown' && own.some(({ waiting }) => statsOf(join(at, keptName(waiting)))))
    return { ...NOTHING_UNDONE, missing: plan.files.filter((file) => !isNew(at, file)).map(nameOf) };
  if (fate !== 'undo') return NOTHING_UNDONE;
  const steps: Step[] = [];
  for (const file of own) {
    const target = targetOf(at, file);
    const kept = join(at, keptName(file.waiting));
    const there = statsOf(target);
    const what = toUndo({ there, older: statsOf(kept), isNew: isThis(there, file.is) });
    if (!what) continue;
    const step = { name: nameOf(file), what, target, kept };
    doing(step);
    steps.push(step);
  }
  return undoingFrom(steps);
}

/** Files are taken elsewhere once they stand, and media with them: that one is not there does not say that it never was. */
function fateOf(at: string, plan: Plan): Decision | 'unknown' {
  const others = othersOf(plan).map((other) => tried(() => readPlan(other))?.name);
  const decisions = [plan.name, ...others];
  if (decisions.includes(DECIDED.undo)) return 'undo';
  const waits = ({ elsewhere, waiting, is }: Planned): boolean => {
    const stats = tried(() => statsOf(join(elsewhere ?? at, waiting)));
    return isThis(stats, is) && stats?.nlink === 1n; // with two it has had its name
  };
  if (plan.files.some((file) => waits(file) && !isNew(at, file))) return 'undo';
  return decisions.includes(DECIDED.done) || plan.files.every((file) => isNew(at, file)) ? 'done' : 'unknown';
}

function isNew(at: string, file: Planned): boolean {
  const there = tried(() => statsOf(targetOf(at, file)));
  return file.removed ? there === undefined : isThis(there, file.is);
}

/** The folders of the same exchange, as far as they are where they were. */
function othersOf({ files }: Plan): readonly string[] {
  const idsOf = (planned: readonly Planned[]): string => planned.map(({ is }) => is).join();
  return [...new Set(files.flatMap(({ elsewhere }) => elsewhere ?? []))].filter((other) => {
    const theirs = tried(() => readPlan(other));
    return theirs !== undefined && idsOf(theirs.files) === idsOf(files);
  });
}

/** Beside the plan by way of its folder itself, whatever the one around it is called by now. */
function targetOf(at: string, { target, elsewhere }: Planned): string {
  return elsewhere === undefined ? `${at}/../${basename(target)}` : target;
}

function nameOf({ target }: Planned): string {
  return basename(target);
}

function toUndo({
  there,
  older,
  isNew,
}: {
  readonly there: BigIntStats | undefined;
  readonly older: BigIntStats | undefined;
  readonly isNew: boolean;
}): Fate | undefined {
  if (!older) return isNew ? 'takenAway' : undefined;
  if (!there || isNew) return 'putBack';
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

/** A file of a plan. */
interface Planned {
  readonly target: string;
  readonly waiting: string;
  readonly elsewhere?: string;
  readonly is: string;
  readonly removed?: true;
}

interface Plan {
  /** the name that it has, which says what was decided */
  readonly name: string;
  readonly files: readonly Planned[];
}

function readPlan(at: string): Plan | undefined {
  const name = PLANS.find((one) => statsOf(join(at, one)));
  if (name === undefined) return undefined;
  const { format, files } = JSON.parse(readFileSync(join(at, name), 'utf8')) as {
    readonly format?: unknown;
    readonly files?: unknown;
  };
  if (format !== FORMAT || !Array.isArray(files) || !files.every(isPlanned))
    throw new Error('the list of what was exchanged cannot be read');
  return { name, files };
}

function isPlanned(value: unknown): value is Planned {
  if (typeof value !== 'object' || value === null) return false;
  const { target, waiting, elsewhere, is, removed = true } = value as Readonly<Record<string, unknown>>;
  const isText = typeof target === 'string' && typeof is === 'string' && /[^/]$/.test(target);
  const isPlace = elsewhere === undefined || (typeof elsewhere === 'string' && elsewhere.startsWith('/'));
  return isText && isPlace && removed === true && !/(^|\/)\.\.?$/.test(target) && isWaiting(waiting);
}

function isWaiting(value: unknown): boolean {
  return typeof value === 'string' && /^volume-\d{1,3}$/.test(value);
}

function sync(folder: string): void {
  whileOpen(folder, constants.O_RDONLY, fsyncSync);
}
