import { lstatSync, statSync } from 'node:fs';
import { realPath } from './absolute.ts';

/** A file that another may take the place of. */
export interface OwnPlace {
  /** the file itself, no link to it */
  readonly path: string;
  /** what its owner, its group and others may do with it */
  readonly mode: number;
}

/** The place of a regular file that is this user's, links followed; undefined for everything else, an address too. */
export function ownPlace(path: string): OwnPlace | undefined {
  try {
    const stats = statSync(path);
    const isOwn = stats.isFile() && stats.uid === (process.geteuid?.() ?? stats.uid);
    const own = lstatSync(path).isSymbolicLink() ? realPath(path) : path;
    return isOwn ? { path: own, mode: stats.mode & 0o777 } : undefined;
  } catch {
    return undefined;
  }
}
