import { closeSync, lstatSync, realpathSync, statSync } from 'node:fs';
import { link, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { BundleError } from '../kit/errors.ts';
import { absolute } from './absolute.ts';
import type { ApartOutput } from './apart.ts';
import { FileWriter } from './file-writer.ts';
import { reasonOf } from './idle.ts';
import { writeError } from './io-errors.ts';
import { anchorOf, MarkedFolder, openFolder } from './marked-folder.ts';
import type { Purpose } from './partial-marker.ts';
import { openPrivateFile } from './private-file.ts';
import { syncFolder } from './staging.ts';
import { sweepLeft } from './sweep.ts';
import { expectOwnWay } from './way-to.ts';
import {
  isAsWritten,
  isLikeWritten,
  isSame,
  takenAway,
  tellsChanges,
  type WrittenFile,
} from './written-file.ts';

/** Where a packed bundle goes. Nothing stands under the final name before `commit`; disposing without it leaves nothing. */
export interface Output extends AsyncDisposable {
  /** names of what runs for this file had left beside it that are gone; it has been removed */
  readonly swept: readonly string[];
  /** takes the next bytes; they must stay as they are until the next call has returned */
  write(chunk: Uint8Array): Promise<void>;
  /** writes again what stands at `offset`; only where that was asked for */
  patch(offset: number, bytes: Uint8Array): Promise<void>;
  commit(): Promise<void>;
  /** takes away again what was committed as a part of something else; and puts back what it took the place of; false when it stays, since that cannot be put back */
  withdraw(): Promise<boolean>;
}

/**
 * Opens a file to be written in a private folder beside `path`, or standard output for `-`. With `patched` what has
 * been written can be written again: for standard output, it is kept in a private file until it is complete.
 *
 * @param path judged to be apart from everything that is read to make it: none of that is ever replaced [out.1]
 * @throws {BundleError} `USAGE`, `DESTINATION_EXISTS` unless `overwrite`, `STORAGE_*`
 */
export async function openOutput(
  path: ApartOutput,
  options: {
    readonly overwrite: boolean;
    readonly mode?: number;
    readonly patched?: boolean;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<Output> {
  if (path === '-')
    return options.patched ? keptOutput(stdoutOutput(options.signal)) : stdoutOutput(options.signal);
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
  let finished = false;
  const kept = join(marked.anchor, 'replaced');
  let published: { readonly replaced: boolean } | undefined;
  let released = false;
  const release = (): void => {
    if (!released) marked.tryRemove();
    released = true;
  };

  return {
    swept,
    write: (chunk) => writer.write(chunk),
    patch: (offset, bytes) => writer.patch(offset, bytes),
    commit: async () => {
      finished = true;
      await writer.finish();
      const { written } = writer;
      if (!written || !marked.isThere() || !isAsWritten(temporary, written, { timed })) throw takenAway(path);
      published = await publish({ temporary, written, target, path, kept, overwrite: options.overwrite });
      if (!published.replaced) release(); // what could be put back waits for the end of the whole, and many of them hold many descriptors
    },
    withdraw: async () => {
      if (published?.replaced) return putBack(kept, target, writer.written);
      // why it is withdrawn says more than that it could not be
      if (published && isSame(target, writer.written)) await unlink(target).catch(() => {});
      return true;
    },
    [Symbol.asyncDispose]: async () => {
      if (!finished) await writer.discard();
      release();
    },
  };
}

function makeMarked(
  parent: string,
  { purpose, path }: { readonly purpose: Purpose; readonly path: string },
): MarkedFolder {
  try {
    return MarkedFolder.make(parent, purpose);
  } catch (error) {
    throw writeError(error, path);
  }
}

/** Looks at an output before there is anything to write. @throws {BundleError} as `openOutput` does */
export function expectFreeOutput(path: ApartOutput, overwrite: boolean): void {
  if (path !== '-') expectFree(absolute(path), path, overwrite);
}

/** A folder or a device is never replaced, a file only when that was asked for. */
function expectFree(target: string, path: string, overwrite: boolean): void {
  expectOrdinary(target, path);
  const stats = statSync(target, { throwIfNoEntry: false });
  if (!stats || (overwrite && stats.isFile())) return;
  if (!stats.isFile()) {
    throw new BundleError(
      'DESTINATION_EXISTS',
      `this is ${stats.isDirectory() ? 'a folder' : 'no regular file'}`,
      {
        where: { file: path },
        fix: 'give the name of a file, or - for standard output',
      },
    );
  }
  throw new BundleError('DESTINATION_EXISTS', 'the file exists already', {
    where: { file: path },
    fix: 'choose another name, or replace it with --force',
  });
}

/** [out.1] `/dev/stdout` and its like are links, which would be replaced by a file. */
function expectOrdinary(target: string, path: string): void {
  let folder: string;
  try {
    folder = realpathSync(dirname(target));
  } catch {
    return; // what is wrong with it is told when the file is made
  }
  if (!/^\/(dev(\/fd)?$|proc(\/|$)|sys(\/|$))/.test(folder)) return;
  throw new BundleError('USAGE', 'the system itself keeps this name', {
    where: { file: path },
    why: 'a file under it would take the place of a device or of a standard stream, for every program',
    fix: 'give the name of a file, or - for standard output',
  });
}

/** What is to be published, and where. */
interface Publishing {
  readonly temporary: string;
  readonly written: WrittenFile;
  readonly target: string;
  readonly path: string;
  /** where what it takes the place of is kept meanwhile */
  readonly kept: string;
  readonly overwrite: boolean;
}

async function publish(publishing: Publishing): Promise<{ readonly replaced: boolean }> {
  const { written, target, path, kept, overwrite } = publishing;
  const parent = dirname(target);
  let descriptor: number | undefined;
  try {
    descriptor = openFolder(realpathSync(parent));
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
    return { replaced };
  } catch (error) {
    throw writeError(error, path);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** [pack.12] Gives an older file its name back; false when that cannot be done, or the name is another file's by now. */
async function putBack(kept: string, target: string, written: WrittenFile | undefined): Promise<boolean> {
  if (!isSame(target, written)) return false;
  return rename(kept, target).then(
    () => true,
    () => false,
  );
}

/** Whether what is there is of another run of the same user: where others may rename, an older file of his could be put there. [pack.4] */
function isAnotherRuns(target: string, written: WrittenFile): boolean {
  try {
    expectOwnWay(dirname(target));
    return isLikeWritten(target, written);
  } catch {
    return false;
  }
}

/** Gives the file its name, and says how many it has then. */
async function giveName({ temporary, target, path, overwrite }: Publishing, final: string): Promise<bigint> {
  if (!overwrite) {
    try {
      await link(temporary, final); // fails, where rename would replace what came there meanwhile
      // The bundle is there whatever becomes of its other name, which is swept by the next run.
      return await unlink(temporary).then(
        () => 1n,
        () => 2n,
      );
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'ENOSYS') throw error;
      expectFree(target, path, false); // a file system without links
    }
  }
  await rename(temporary, final);
  return 1n;
}

/** What went out before cannot be called back. [cli.14] */
function cutShort(error: Error): BundleError {
  const { code, message, where, cause } = writeError(error, 'standard output');
  return new BundleError(code, message, {
    where,
    why: 'what has come there is not whole, and must not be used',
    fix: 'run it again, with standard output going where it can be written',
    cause,
  });
}

function stdoutOutput(signal: AbortSignal | undefined): Output {
  const { stdout } = process;
  if (stdout.isTTY) {
    throw new BundleError('USAGE', 'standard output is a terminal', {
      why: 'a bundle is not for reading, and its bytes would steer the terminal',
      fix: 'name a file with -o, or pipe it on: … -o - | bulla verify -',
    });
  }
  let failure: Error | undefined;
  stdout.on('error', (error) => {
    failure = error;
  });
  return {
    write: async (chunk) => {
      if (failure) throw cutShort(failure);
      let onAbort = (): void => {};
      await new Promise<void>((done, fail) => {
        onAbort = () => fail(reasonOf(signal)); // [cli.9] a reader that takes nothing must not hold us
        signal?.addEventListener('abort', onAbort);
        stdout.write(chunk, (error) => (error ? fail(cutShort(error)) : done()));
      }).finally(() => signal?.removeEventListener('abort', onAbort));
    },
    patch: async () => {
      throw new BundleError('INTERNAL', 'what went to standard output cannot be written again');
    },
    commit: async () => {},
    withdraw: async () => false,
    swept: [],
    [Symbol.asyncDispose]: async () => {},
  };
}

/** [zip.15] What goes out in the end is complete, and the same as a file would hold. */
async function keptOutput(output: Output): Promise<Output> {
  const file = await openPrivateFile('output');
  return {
    swept: output.swept,
    write: (chunk) => file.append(chunk),
    patch: (offset, bytes) => file.patch(offset, bytes),
    commit: async () => {
      for await (const chunk of file.access().range(0, file.size)) await output.write(chunk);
      await output.commit();
    },
    withdraw: output.withdraw,
    [Symbol.asyncDispose]: async () => {
      await file[Symbol.asyncDispose]();
      await output[Symbol.asyncDispose]();
    },
  };
}
