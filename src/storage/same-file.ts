import { type BigIntStats, fstatSync, statSync } from 'node:fs';

/** By what a file or folder is the same under whatever name. */
type FileId = Pick<BigIntStats, 'dev' | 'ino'>;

/** Whether both are of one file, folder or pipe; false when one of them is not there. */
export function isSameId(one: FileId | undefined, other: FileId | undefined): boolean {
  return one !== undefined && one.dev === other?.dev && one.ino === other.ino;
}

/** What a name leads to, links followed; undefined when that is not there or may not be looked at, which reading it tells. */
export function statsOf(path: string): BigIntStats | undefined {
  return statsBy(() => statSync(path, { bigint: true }));
}

/** Whether two names, `-` for standard input, are of one file or pipe; false when one of them is not there. */
export function isSameFile(one: string, other: string): boolean {
  return isSameId(inputStatsOf(one), inputStatsOf(other));
}

function inputStatsOf(path: string): BigIntStats | undefined {
  return path === '-' ? statsBy(() => fstatSync(0, { bigint: true })) : statsOf(path);
}

function statsBy(look: () => BigIntStats): BigIntStats | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
