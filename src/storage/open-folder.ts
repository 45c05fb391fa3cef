import { constants, fstatSync, openSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { isSameId } from './same-file.ts';

/** A way to an open folder that no renaming leads astray; its name where the system has none. */
export function anchorOf(descriptor: number, path: string): string {
  const way = `/proc/self/fd/${descriptor}`;
  const there = statSync(way, { throwIfNoEntry: false, bigint: true });
  return isSameId(there, fstatSync(descriptor, { bigint: true })) ? way : path;
}

/** Opens a folder itself, never what a link leads to. @throws what the system does */
export function openFolder(path: string): number {
  const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants;
  return openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

/** Puts a folder's entries on the disk; without it a rename may be lost when the power fails. */
export async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
