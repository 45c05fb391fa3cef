import { basename } from 'node:path';
import { MarkedFolder } from './marked-folder.ts';
import type { Purpose } from './partial-marker.ts';

/**
 * [import.8] Removes from `parent` what runs for the same purpose have left there that are gone, and says what it was.
 *
 * What is for another purpose, or does not prove that bulla made it for this user, is nobody's business here; what cannot be
 * removed stays for another time.
 */
export function sweepLeft(parent: string, purpose: Purpose): readonly string[] {
  return sweepFound(parent, ({ kind, base }) => kind === purpose.kind && base === purpose.base);
}

/** The same for results that never have one name twice, and are bulla's own by the form of their names. */
export function sweepLike(parent: string, kind: Purpose['kind'], form: RegExp): readonly string[] {
  return sweepFound(parent, (purpose) => purpose.kind === kind && form.test(purpose.base));
}

function sweepFound(parent: string, isWanted: (purpose: Purpose) => boolean): readonly string[] {
  const swept: string[] = [];
  for (const folder of MarkedFolder.findIn(parent)) {
    if (isWanted(folder.purpose) && folder.sweep().isRemoved) swept.push(basename(folder.path));
    folder[Symbol.dispose]();
  }
  return swept;
}

/** Takes over what the last of the runs for the same purpose has left in `parent` that are gone; undefined when there is none. [resume.1] */
export function takeLeft(parent: string, purpose: Purpose): MarkedFolder | undefined {
  const found = MarkedFolder.findIn(parent, purpose);
  const left = found
    .filter((folder) => folder.isFree && !folder.isDoomed)
    .map((folder) => ({ folder, written: folder.written }));
  const taken = left.sort((a, b) => b.written - a.written).find(({ folder }) => folder.take())?.folder;
  for (const folder of found) if (folder !== taken) folder[Symbol.dispose]();
  return taken;
}

/** Whether another run is removing what was left for the same purpose, and puts older files back, perhaps; or may be. [vol.9] */
export function isBeingSwept(parent: string, purpose: Purpose): boolean {
  const found = MarkedFolder.findIn(parent, purpose);
  const isSwept = found.some((folder) => folder.isDoomed && !folder.isFree);
  for (const folder of found) folder[Symbol.dispose]();
  return isSwept;
}
