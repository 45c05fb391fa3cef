import { closeSync, openSync, readSync, statSync, utimesSync, writeSync } from 'node:fs';

/** A time that every file system holds, and that can be put back exactly. */
const LONG_AGO = 1_000_000_000;

/** Gives a file the time that `changeInPlace` puts back. */
export function settle(path: string): void {
  utimesSync(path, LONG_AGO, LONG_AGO);
}

/** When anything of a file was changed last, in nanoseconds. */
function changeTimeOf(path: string): bigint {
  return statSync(path, { bigint: true }).ctimeNs;
}

/** Changes a file until its change time is another: the clock of a file system goes by ticks. */
export function untilSeen(path: string, change: () => void): void {
  const before = changeTimeOf(path);
  do change();
  while (changeTimeOf(path) === before);
}

/** Writes another byte at `at`, and puts the times of the file back: its size and its modification time are what they were. */
export function changeInPlace(path: string, at: number): void {
  const byte = new Uint8Array(1);
  const descriptor = openSync(path, 'r+');
  try {
    readSync(descriptor, byte, 0, 1, at);
    byte[0] = (byte[0] ?? 0) ^ 0x20;
    untilSeen(path, () => {
      writeSync(descriptor, byte, 0, 1, at);
      settle(path);
    });
  } finally {
    closeSync(descriptor);
  }
}
