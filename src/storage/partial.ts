import { createHash, randomBytes } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync, renameSync, rmSync, type Stats } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';

/**
 * The name of something that is not complete yet says whose it is: where it runs (machine, start of the machine,
 * container), its process, and when that began. So a later run can tell what was left by one that is gone.
 */
const FORM = /\.partial-([0-9a-f]{8})-([1-9]\d{0,9})-([0-9a-z]{1,12})-[0-9a-f]{8}$/;
const NAME_BYTES = 255;
/** What another machine has not touched for so long is taken for left; only there, for its processes cannot be seen. */
const LEFT_MS = 24 * 60 * 60 * 1000;

/** A new name, unlike any other, for what will be `base` when it is complete. */
export function partialName(base: string, began = startOf(process.pid) ?? '0'): string {
  const ending = `.partial-${placeId()}-${process.pid}-${began}-${randomBytes(4).toString('hex')}`;
  let start = base;
  while (Buffer.byteLength(start + ending) > NAME_BYTES) start = [...start].slice(0, -1).join('');
  return start + ending;
}

/**
 * [import.8] Removes from `parent` what runs that are gone have left there, and says what it was.
 *
 * Only what such a run would have made itself is touched: a folder or file of the same user, by its form and never
 * through a link. What cannot be judged or removed stays for another time.
 */
export function sweepPartials(parent: string): readonly string[] {
  return namesIn(parent).filter((name) => {
    try {
      const path = join(parent, name);
      const stats = lstatSync(path);
      if (!isOurs(stats) || !isLeft(name, path)) return false;
      rmSync(path, { recursive: true, force: true });
      return true;
    } catch {
      return false; // another run may be sweeping, too
    }
  });
}

/**
 * Takes over the folder that the last of the runs that are gone has left for `base` in `parent`, under a name that says it
 * is this one's; undefined when there is none. [resume.1]
 */
export function claimPartial(parent: string, base: string): string | undefined {
  const left = namesIn(parent).flatMap((name) => {
    const path = join(parent, name);
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (name.replace(FORM, '') !== base || !stats?.isDirectory()) return [];
    return isOurs(stats) && isLeft(name, path) ? [{ path, time: stats.mtimeMs }] : [];
  });
  for (const { path } of left.sort((a, b) => b.time - a.time)) {
    const mine = join(parent, partialName(base));
    try {
      renameSync(path, mine);
      return mine;
    } catch {
      // another run was faster
    }
  }
  return undefined;
}

/** A name like that of a run that is gone, for what this one leaves to the next. */
export function leftName(base: string): string {
  return partialName(base, 'left');
}

function namesIn(parent: string): readonly string[] {
  try {
    return readdirSync(parent).filter((name) => FORM.test(name));
  } catch {
    return []; // a folder that cannot be listed is told of when something is put there
  }
}

function isOurs(stats: Stats): boolean {
  const uid = process.geteuid?.();
  return (stats.isDirectory() || stats.isFile()) && (uid === undefined || stats.uid === uid);
}

function isLeft(name: string, path: string): boolean {
  const [, place, pid, start] = FORM.exec(name) ?? [];
  const id = Number(pid);
  if (place !== placeId()) return isOld(path);
  if (!isRunning(id)) return true;
  const now = startOf(id);
  return now === undefined ? isOld(path) : now !== start; // a number is given to another process in time
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}

/** Whether nothing in it was written for long. A clock that was set back makes it younger, which keeps it. */
function isOld(path: string): boolean {
  const newest = (at: string): number => {
    const stats = lstatSync(at);
    const inside = stats.isDirectory() ? readdirSync(at).map((name) => newest(join(at, name))) : [];
    return inside.reduce((latest, time) => Math.max(latest, time), stats.mtimeMs);
  };
  return Date.now() - newest(path) > LEFT_MS;
}

let place: string | undefined;

/** Where process numbers mean what they mean here. */
function placeId(): string {
  place ??= createHash('sha256')
    .update([hostname(), textOf('/proc/sys/kernel/random/boot_id'), linkOf('/proc/self/ns/pid')].join('\n'))
    .digest('hex')
    .slice(0, 8);
  return place;
}

/** When a process began, in ticks since the machine did; undefined where that is not told, `gone` when it has ended. */
function startOf(pid: number): string | undefined {
  // The second field is the name of the program, in parentheses, and may hold any.
  const fields = textOf(`/proc/${pid}/stat`).split(') ').at(-1)?.split(' ') ?? [];
  if (fields[0] === 'Z' || fields[0] === 'X') return 'gone'; // killed, and its parent has not looked yet
  const ticks = Number(fields[19]);
  return Number.isSafeInteger(ticks) ? ticks.toString(36) : undefined;
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // there is no such thing on this system
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
