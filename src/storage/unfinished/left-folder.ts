import {
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { asWritten, type WrittenFile } from '../output/written-file.ts';
import { openInto, READ } from '../sources/open-descriptor.ts';
import { isUtf8Name } from '../utf8-names.ts';
import { isOursAlone } from './partial-marker.ts';

/** A file that an interrupted run has left, open for reading. */
export interface LeftFile extends WrittenFile {
  readonly path: string;
  readonly descriptor: number;
  close(): void;
}

/** What an interrupted run has left of its members, by their names. */
export interface LeftFolder {
  /** the file of a member; undefined when there is none, or it is no ordinary file of this one name and this user alone */
  open(member: string): LeftFile | undefined;
}

/** A folder that was left, and is this run's now. */
export function openLeftFolder(folder: string): LeftFolder {
  return {
    open: (member) => {
      const path = join(folder, member);
      try {
        for (let up = dirname(path); up.length >= folder.length; up = dirname(up)) expectPrivateFolder(up);
        return openInto(path, READ | constants.O_NOFOLLOW, (descriptor) => leftFile(path, descriptor));
      } catch {
        return undefined; // what is not there cannot be gone on with
      }
    },
  };
}

/** Moves the files in one folder into another, but for those that it has of its own; links are neither moved nor followed. */
export function moveInto(folder: string, target: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (!isUtf8Name(entry.name)) continue; // [out.3] no import of ours has made it
    const from = join(folder, entry.name);
    const to = join(target, entry.name);
    const there = lstatSync(to, { throwIfNoEntry: false });
    if (entry.isFile() && !there) renameSync(from, to);
    if (!entry.isDirectory()) continue;
    if (!there) mkdirSync(to, 0o700);
    if (!there || there.isDirectory()) moveInto(from, to);
  }
}

function expectPrivateFolder(path: string): void {
  const stats = lstatSync(path, { bigint: true });
  if (!stats.isDirectory() || !isOursAlone(stats)) throw new Error('no folder of this user alone');
}

/** As imports make files: nobody else may read or write it, and it is no program. */
function isPrivate(stats: BigIntStats): boolean {
  return isOursAlone(stats) && (stats.mode & 0o7777n) === 0o600n;
}

function leftFile(path: string, descriptor: number): LeftFile {
  const stats = fstatSync(descriptor, { bigint: true });
  // [resume.2] What is taken over is published with the owner, the mode and the names that it has.
  if (!stats.isFile() || stats.nlink !== 1n || !isPrivate(stats))
    throw new Error('no file of this user alone');
  let open = true;
  return {
    path,
    descriptor,
    ...asWritten(stats),
    close: () => {
      if (open) closeSync(descriptor);
      open = false;
    },
  };
}
