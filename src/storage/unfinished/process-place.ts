import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { digestHex } from '../../crypto/digest.ts';
import { encodeUtf8 } from '../../kit/encoding.ts';
import { linkText } from '../absolute.ts';

/** A process, told apart from all others: where its number means what it means, and when it began. */
export interface ProcessMark {
  /** machine, start of the machine, and container */
  readonly place: string;
  readonly pid: number;
  readonly began: string;
}

/** This process. */
export function thisProcess(): ProcessMark {
  return { place: placeId(), pid: process.pid, began: startOf(process.pid) ?? '0' };
}

/** A process in the name of a file. */
export function markName({ place, pid, began }: ProcessMark): string {
  return `${place}-${pid}-${began}`;
}

/** The process that such a name begins with; undefined when it begins otherwise. */
export function markOf(name: string): ProcessMark | undefined {
  const [, place, pid, began] = /^([0-9a-f]{8})-(\d{1,15})-([0-9a-z]+)-/.exec(name) ?? [];
  return place && pid && began ? { place, pid: Number(pid), began } : undefined;
}

/** Whether a process is at work; `unknown` where that cannot be seen from here (another machine or container). [import.8] */
export function isAtWork({ place, pid, began }: ProcessMark): 'yes' | 'no' | 'unknown' {
  if (place !== placeId()) return 'unknown';
  if (!isRunning(pid)) return 'no';
  const now = startOf(pid);
  if (now === undefined) return 'unknown';
  return now === began ? 'yes' : 'no'; // a number is given to another process in time
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}

let here: string | undefined;

/** Where process numbers mean what they mean here. */
export function placeId(): string {
  const names = [hostname(), textOf('/proc/sys/kernel/random/boot_id'), linkOf('/proc/self/ns/pid')];
  here ??= digestHex('sha256', encodeUtf8(names.join('\n'))).slice(0, 8);
  return here;
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
    return linkText(path);
  } catch {
    return '';
  }
}
