import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes a folder and those above it that are not there, one by one.
 *
 * What Node does for `recursive` calls a read-only file system a folder that is not there, and does not end in `/proc`.
 * @throws the error of the system about the first that cannot be made
 */
export function makeFolders(folder: string): void {
  const missing: string[] = [];
  for (let next = folder; !isMade(next); next = dirname(next)) missing.push(next);
  for (const one of missing.reverse()) {
    if (!isMade(one)) throw new Error(`"${one}" cannot be made`);
  }
}

/** Whether the folder is there now; false when the one above it is not. */
function isMade(folder: string): boolean {
  try {
    mkdirSync(folder, { mode: 0o755 });
    return true;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return true;
    const above = dirname(folder);
    if (code === 'ENOENT' && !statSync(above, { throwIfNoEntry: false })?.isDirectory()) return false;
    throw error;
  }
}
