import { readdirSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { BundleError } from '../../kit/errors/errors.ts';
import { isMissing } from '../absence.ts';
import { readError } from '../io-errors.ts';
import { NOTHING_UNDONE, type Swept, type Undoing, undoingOf } from '../output/exchange.ts';
import { MarkedFolder, type WorkState } from './marked-folder.ts';
import { isExchange } from './partial-marker.ts';

/** Unfinished work beside which its result was to stand. */
export interface Unfinished extends Disposable {
  /** the name of the folder that it is in */
  readonly name: string;
  /** the name that its result was to have */
  readonly result: string;
  readonly state: WorkState;
  readonly bytes: number;
  /** when it was written to last */
  readonly written: Date;
  /** what of it is undone when it is removed; nothing while a run is at work on it */
  readonly undoing: Undoing;
  /** removes it, unless another run has taken it, or that cannot be done */
  remove(): Swept;
}

/**
 * All unfinished work in a folder that proves to be this user's; nothing else is looked into. [clean.1]
 *
 * @throws {BundleError} `FILE_NOT_FOUND`, `FILE_UNREADABLE`
 */
export function unfinishedIn(folder: string): readonly Unfinished[] {
  try {
    readdirSync(folder);
    return MarkedFolder.findIn(folder).flatMap((found) => asUnfinished(found) ?? []);
  } catch (error) {
    throw folderError(readError(error, folder), folder);
  }
}

/** What is wrong with a name that was to be a folder's. */
function folderError(fault: BundleError, folder: string): BundleError {
  const isMissing = fault.code === 'FILE_NOT_FOUND';
  const isFile = statSync(folder, { throwIfNoEntry: false })?.isDirectory() === false;
  if (!isMissing && !isFile) return fault;
  return new BundleError(
    fault.code,
    isMissing ? 'there is no such folder' : 'this is a file; a folder is needed',
    {
      where: fault.where,
      fix: 'give the folder around the one that was imported into, or around the output',
      cause: fault,
    },
  );
}

/** Undefined when its run has come to its end, and removes it, while it is looked at. */
function asUnfinished(folder: MarkedFolder): Unfinished | undefined {
  const { kind, base } = folder.purpose;
  try {
    const { state, isFree } = folder;
    return {
      name: basename(folder.path),
      result: kind === 'import' ? base : base.replace(/^\./, ''),
      state,
      bytes: folder.bytes,
      written: new Date(folder.written),
      undoing: isFree && isExchange(folder.purpose) ? undoingOf(folder.anchor) : NOTHING_UNDONE,
      remove: () => folder.sweep(),
      [Symbol.dispose]: () => folder[Symbol.dispose](),
    };
  } catch (error) {
    const isGone = isMissing(error);
    if (isGone && folder.isThere()) return asUnfinished(folder); // a run takes out of it what it has done with
    folder[Symbol.dispose]();
    if (isGone) return undefined;
    throw readError(error, folder.path);
  }
}
