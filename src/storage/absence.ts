import { lstatSync, statSync } from 'node:fs';

/**
 * Whether surely nothing is at `path`: a folder on the way there ends, rather than a link that leads nowhere, a file in
 * the place of a folder, or something that may not be looked at. [pub.16]
 *
 * Restrictions that are there and cannot be followed must not count as none.
 */
export function isAbsent(path: string): boolean {
  const parts = path.split('/');
  for (let count = 1; count <= parts.length; count++) {
    const prefix = parts.slice(0, count).join('/') || '/'; // as it stands: "link/.." is not where it seems to be
    try {
      if (lstatSync(prefix).isSymbolicLink()) statSync(prefix);
    } catch (error) {
      return isMissing(error) && !isLink(prefix);
    }
  }
  return false;
}

function isLink(path: string): boolean {
  try {
    return lstatSync(path).isSymbolicLink();
  } catch (error) {
    return !isMissing(error);
  }
}

/** Whether the system says that a name is not there. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
