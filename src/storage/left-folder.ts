import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import type { WrittenFile } from './written-file.ts';

/** A file that an interrupted run has left, open for reading. */
export interface LeftFile extends WrittenFile {
  readonly path: string;
  readonly descriptor: number;
  close(): void;
}

/** What an interrupted run has left of its members, by their names. Disposing it removes what was not taken out of it. */
export interface LeftFolder extends Disposable {
  /** the file of a member; undefined when there is none, or it is no ordinary file of this one name */
  open(member: string): LeftFile | undefined;
  /** moves what was not taken out of it into `folder`, but for what that has of its own */
  moveRest(folder: string): void;
}

/** A folder that was left, and is this run's now. */
export function openLeftFolder(folder: string): LeftFolder {
  return {
    open: (member) => {
      const path = join(folder, member);
      let descriptor: number | undefined;
      try {
        descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
        const stats = fstatSync(descriptor);
        if (stats.isFile() && stats.nlink === 1) return leftFile(path, descriptor, stats);
      } catch {
        // what is not there cannot be gone on with
      }
      if (descriptor !== undefined) closeSync(descriptor);
      return undefined;
    },
    moveRest: (target) => {
      if (!lstatSync(target, { throwIfNoEntry: false })) return;
      for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
        const from = join(folder, name);
        const to = join(target, name);
        const stats = lstatSync(from, { throwIfNoEntry: false });
        if (!stats || lstatSync(to, { throwIfNoEntry: false })) continue;
        if (stats.isDirectory()) mkdirSync(to, 0o700);
        else renameSync(from, to);
      }
    },
    [Symbol.dispose]: () => {
      try {
        rmSync(folder, { recursive: true, force: true });
      } catch {
        // the next run sweeps
      }
    },
  };
}

function leftFile(path: string, descriptor: number, { dev, ino, size }: WrittenFile): LeftFile {
  let open = true;
  return {
    path,
    descriptor,
    dev,
    ino,
    size,
    close: () => {
      if (open) closeSync(descriptor);
      open = false;
    },
  };
}
