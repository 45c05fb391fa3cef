import { type BigIntStats, fstatSync, statSync } from 'node:fs';

/** Whether two names, `-` for standard input, are of one file or pipe, by device and inode; false when one of them is not there. */
export function isSameFile(one: string, other: string): boolean {
  const [a, b] = [statsOf(one), statsOf(other)];
  return a !== undefined && a.dev === b?.dev && a.ino === b.ino;
}

function statsOf(path: string): BigIntStats | undefined {
  try {
    return path === '-' ? fstatSync(0, { bigint: true }) : statSync(path, { bigint: true });
  } catch {
    return undefined; // what is wrong with it, reading tells
  }
}
