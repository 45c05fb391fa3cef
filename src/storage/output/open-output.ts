import { closeSync, lstatSync } from 'node:fs';
import { link, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type ByteSink, heldSink } from '../../kit/streams/byte-sink.ts';
import { absolute, realPath } from '../absolute.ts';
import type { ApartOutput } from '../apart.ts';
import { writeError } from '../io-errors.ts';
import { anchorOf, openFolder, syncFolder } from '../open-folder.ts';
import { MarkedFolder } from '../unfinished/marked-folder.ts';
import type { Purpose } from '../unfinished/partial-marker.ts';
import { sweepLeft } from '../unfinished/sweep.ts';
import { FileWriter } from './file-writer.ts';
import { expectFree, giveName, isAnotherRuns, type Naming } from './final-name.ts';
import { keptOutput, type Output, sinkOutput } from './output.ts';
import { stdoutOutput } from './standard-output.ts';
import { isAsWritten, isSame, takenAway, tellsChanges, type WrittenFile } from './written-file.ts';

/**
 * Opens where what is made goes: a file to be written in a private folder beside its name, standard output for `-`, or a sink of the
 * caller's. With `patched` what has been written can be written again: where bytes go out in order, they are kept in a private file
 * until all of it is complete.
 *
 * @param place a sink, or a name judged to be apart from everything that is read to make it: none of that is ever replaced [out.1]
 * @throws {BundleError} `USAGE`, `DESTINATION_EXISTS` unless `overwrite`, `STORAGE_*`
 */
export async function openOutput(
  place: ApartOutput | ByteSink,
  options: {
    readonly overwrite: boolean;
    readonly mode?: number;
    readonly patched?: boolean;
    /** called when all has been written, right before it takes its name: what it throws keeps it from that */
    readonly expectSame?: () => void;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<Output> {
  if (!isStream(place)) return openFile(place, options);
  const { signal } = options;
  const output = typeof place === 'string' ? stdoutOutput(signal) : sinkOutput(place, signal);
  return options.patched ? keptOutput(output) : output;
}

/** Whether what is written is with its reader at once, before anybody knows whether all of it is good. */
export function isStream<Named extends string>(place: Named | ByteSink): place is ByteSink | (Named & '-') {
  return typeof place !== 'string' || place === '-';
}

async function openFile(
  path: ApartOutput,
  options: { readonly overwrite: boolean; readonly mode?: number; readonly expectSame?: () => void },
): Promise<Output> {
  const target = absolute(path);
  expectFree(target, path, options.overwrite);
  const purpose = { kind: 'output', base: `.${basename(target)}` } as const;
  const swept = sweepLeft(dirname(target), purpose); // first: what is left there may be what fills the disk
  const marked = makeMarked(dirname(target), { purpose, path });
  const temporary = join(marked.anchor, 'output');
  const writer = await FileWriter.create(temporary, options.mode ?? 0o666, path).catch((error) => {
    marked.tryRemove();
    throw error;
  });
  const timed = tellsChanges(marked.anchor);
  const held = heldSink({
    write: (chunk) => writer.write(chunk),
    finish: async () => {
      try {
        await writer.finish();
        const { written } = writer;
        if (!written || !marked.isThere() || !isAsWritten(temporary, written, { timed }))
          throw takenAway(path);
        options.expectSame?.();
        const kept = join(marked.anchor, 'replaced');
        await publish({ temporary, written, target, path, kept, overwrite: options.overwrite });
      } finally {
        marked.tryRemove();
      }
    },
    discard: async () => {
      await writer.discard();
      marked.tryRemove();
    },
  });
  return { ...held, swept, patch: (offset, bytes) => writer.patch(offset, bytes) };
}

/** Makes the folder in which an output waits. @throws {BundleError} `STORAGE_*` */
export function makeMarked(
  parent: string,
  { purpose, path }: { readonly purpose: Purpose; readonly path: string },
): MarkedFolder {
  try {
    return MarkedFolder.make(parent, purpose);
  } catch (error) {
    throw writeError(error, path);
  }
}

/** What is to be published, and where. */
interface Publishing extends Naming {
  readonly written: WrittenFile;
  /** where what it takes the place of is kept meanwhile */
  readonly kept: string;
}

async function publish(publishing: Publishing): Promise<void> {
  const { written, target, path, kept, overwrite } = publishing;
  const parent = dirname(target);
  let descriptor: number | undefined;
  try {
    descriptor = openFolder(realPath(parent));
    const way = anchorOf(descriptor, parent);
    const final = join(way, basename(target));
    const replaced = overwrite && lstatSync(final, { throwIfNoEntry: false }) !== undefined;
    if (replaced) await link(final, kept).catch(() => {}); // [pack.12] where the system allows it
    const links = await giveName(publishing, final);
    try {
      await syncFolder(way);
      // [pack.4] By the name that the user gave, whoever may rename on the way to it.
      const isThere = isAsWritten(target, written, { timed: false, links });
      if (!isThere && !(overwrite && isAnotherRuns(target, written))) throw takenAway(path);
    } catch (error) {
      // It may be gone after a loss of power, so it is not left as if it were there.
      if (replaced) await putBack(kept, final, written);
      else if (isSame(final, written)) await unlink(final);
      throw error;
    }
  } catch (error) {
    throw writeError(error, path);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** [pack.12] Gives an older file its name back, unless that is another file's by now. */
async function putBack(kept: string, target: string, written: WrittenFile): Promise<void> {
  if (isSame(target, written)) await rename(kept, target).catch(() => {}); // why it is put back says more
}
