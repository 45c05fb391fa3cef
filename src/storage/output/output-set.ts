import { closeSync } from 'node:fs';
import { link, rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { checkAborted } from '../../kit/bytes.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import { absolute, realPath } from '../absolute.ts';
import type { ApartOutput } from '../apart.ts';
import { writeError } from '../io-errors.ts';
import { anchorOf, openFolder, syncFolder } from '../open-folder.ts';
import type { MarkedFolder } from '../unfinished/marked-folder.ts';
import type { Purpose } from '../unfinished/partial-marker.ts';
import { isBeingSwept, sweepLeft } from '../unfinished/sweep.ts';
import { decide, type Exchanged, keptName, type Removed, undo, writePlan } from './exchange.ts';
import { FileWriter } from './file-writer.ts';
import { expectFree, giveName, isAnotherRuns } from './final-name.ts';
import { makeMarked } from './open-output.ts';
import { isAsWritten, takenAway, tellsChanges, type WrittenFile } from './written-file.ts';

/** A file that waits for the others; without a writer one that is taken away with that. */
interface Waiting {
  readonly target: string;
  readonly path: string;
  readonly work: Work;
  readonly waiting: string;
  readonly overwrite: boolean;
  readonly writer?: FileWriter;
}

/** A folder in which files wait, beside the names that they will have. */
interface Work {
  readonly marked: MarkedFolder;
  readonly timed: boolean;
  /** whether some of its files may have their names, and some not: it is not removed then */
  isHalf: boolean;
}

/**
 * Writes files one after another, which take their names together in the end. Disposing without `publish` leaves nothing.
 *
 * One descriptor is held for all folders, and one for the file that is being written. [vol.10]
 */
export class OutputSet implements AsyncDisposable {
  /** what runs for the same set had left that are gone; it has been removed */
  readonly swept: string[] = [];
  readonly #purpose: Purpose;
  readonly #overwrite: boolean;
  readonly #signal: AbortSignal | undefined;
  readonly #works = new Map<string, Work>();
  readonly #files: Waiting[] = [];
  #writing: FileWriter | undefined;

  /** @param name what the files are parts of @param options `kind`: what they are; volumes when left out */
  constructor(
    name: string,
    options: {
      readonly kind?: 'volumes' | 'package';
      readonly overwrite: boolean;
      readonly signal?: AbortSignal | undefined;
    },
  ) {
    const { kind = 'volumes', overwrite, signal } = options;
    this.#purpose = { kind, base: `.${name}` };
    this.#overwrite = overwrite;
    this.#signal = signal;
  }

  /** Begins with a folder: what a killed run has left there half exchanged is as it was before. @throws {BundleError} `STORAGE_*` */
  prepare(folder: string): void {
    this.#workFor(absolute(folder), folder);
  }

  /** Takes a file away when the others take their names; it is put back where those are. [pkg.11] */
  remove(path: ApartOutput): void {
    const target = absolute(path);
    const work = this.#workFor(dirname(target), path);
    this.#files.unshift({ target, path, work, waiting: this.#nextName(), overwrite: true }); // first: while others wait it is known what comes of it
  }

  /** Begins the next file. @throws {BundleError} `DESTINATION_EXISTS`, `STORAGE_*` */
  async begin(path: ApartOutput, overwrite = this.#overwrite): Promise<void> {
    const target = absolute(path);
    expectFree(target, path, overwrite);
    const work = this.#workFor(dirname(target), path);
    const waiting = this.#nextName();
    const writer = await FileWriter.create(join(work.marked.anchor, waiting), 0o666, path);
    this.#writing = writer;
    this.#files.push({ target, path, work, waiting, overwrite, writer });
  }

  #nextName(): string {
    return `volume-${this.#files.length + 1}`;
  }

  /** Takes the next bytes of it; they must stay as they are until the next call has returned. */
  async write(chunk: Uint8Array): Promise<void> {
    await this.#writing?.write(chunk);
  }

  /** Ends it. @throws {BundleError} `STORAGE_*` */
  async end(): Promise<void> {
    const writer = this.#writing;
    this.#writing = undefined;
    await writer?.finish();
  }

  /**
   * Gives all their names; what is in the way is kept until all have theirs, and put back when one cannot have its own. [vol.4]
   *
   * @throws {BundleError} `DESTINATION_EXISTS`, `STORAGE_*`, `INTERRUPTED`
   */
  async publish(): Promise<void> {
    checkAborted(this.#signal);
    const works = [...this.#works.values()];
    const files = this.#files.map((file) => ({
      ...file,
      ...(file.writer && { written: expectWritten(file) }),
    }));
    const planFor = (work: Work): readonly (Exchanged | Removed)[] =>
      files.map(({ target, work: its, waiting, written }) => {
        if (!written) return { target, waiting, removed: true };
        const { ino, size, mtimeNs } = written;
        return { target, waiting, elsewhere: its === work ? undefined : its.marked.path, ino, size, mtimeNs };
      });
    for (const folder of this.#works.keys()) this.#expectAlone(folder, folder);
    try {
      for (const work of works) {
        writePlan(work.marked.anchor, planFor(work));
        work.marked.rest();
      }
      for (const work of works) work.isHalf = true;
      const links: bigint[] = [];
      for (const file of files) links.push(await this.#name(file));
      for (const folder of this.#works.keys()) await syncFolder(folder);
      decideAll(works, 'done'); // the names first: where power is lost it is never known that they stand before they do
      for (const [i, file] of files.entries()) this.#expectNamed(file, links[i] ?? 1n);
    } catch (error) {
      throw this.#undone(writeError(error, files[0]?.path ?? ''), works);
    }
    for (const work of works) work.isHalf = false;
  }

  /** [vol.4] What it was before, as far as that can be; what cannot is kept, and said. */
  #undone(error: BundleError, works: readonly Work[]): BundleError {
    const stay: string[] = [];
    const half = works.filter(({ isHalf }) => isHalf);
    decideAll(half, 'undo');
    for (const work of half) {
      work.isHalf = !undo(work.marked).isWhole; // its folder may be gone
      if (work.isHalf)
        stay.push(`"${work.marked.path}"${work.marked.isThere() ? '' : ' (which was taken away)'}`);
      work.marked.rest();
    }
    return stay.length > 0 ? staying(error, stay) : error;
  }

  #workFor(folder: string, path: string): Work {
    const known = this.#works.get(folder);
    for (const [other, { marked }] of this.#works) if (other !== folder) marked.rest();
    if (known) return known;
    this.swept.push(...sweepLeft(folder, this.#purpose)); // first: what is left there may be what fills the disk
    this.#expectAlone(folder, path);
    const marked = makeMarked(folder, { purpose: this.#purpose, path });
    const work = { marked, timed: tellsChanges(marked.anchor), isHalf: false };
    this.#works.set(folder, work);
    return work;
  }

  /** [vol.9] While older volumes are put back no newer ones are put in their place. */
  #expectAlone(folder: string, path: string): void {
    if (!isBeingSwept(folder, this.#purpose)) return;
    throw new BundleError('STORAGE_FAILED', 'another run is just removing what a killed one has left there', {
      where: { file: path },
      why: 'it may be putting older files back that were half replaced, and would do so with the new ones',
      fix: { text: 'wait until it has ended, then run again', advice: 'wait-for-clean' },
    });
  }

  async #name({ target, path, work, waiting, overwrite, written }: Waiting & Made): Promise<bigint> {
    const { marked, timed } = work;
    let descriptor: number | undefined;
    try {
      const temporary = join(marked.anchor, waiting);
      if (!marked.isThere() || (written && !isAsWritten(temporary, written, { timed })))
        throw takenAway(path);
      expectFree(target, path, overwrite);
      descriptor = openFolder(realPath(dirname(target)));
      const final = join(anchorOf(descriptor, dirname(target)), basename(target));
      const kept = join(marked.anchor, keptName(waiting));
      if (!written) {
        await rename(final, kept);
        return 0n;
      }
      if (overwrite) await keep(final, kept);
      return await giveName({ temporary, target, path, overwrite }, final);
    } catch (error) {
      throw writeError(error, path);
    } finally {
      if (descriptor !== undefined) closeSync(descriptor);
      marked.rest();
    }
  }

  /** [pack.4] By the name that the user gave, whoever may rename on the way to it. */
  #expectNamed({ target, path, overwrite, written }: Waiting & Made, links: bigint): void {
    if (!written) return;
    const isThere = isAsWritten(target, written, { timed: false, links });
    if (!isThere && !(overwrite && isAnotherRuns(target, written))) throw takenAway(path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writing?.discard();
    for (const { marked, isHalf } of this.#works.values()) {
      if (isHalf) marked.rest();
      else marked.tryRemove();
    }
  }
}

function decideAll(works: readonly Work[], decision: 'done' | 'undo'): void {
  for (const { marked } of works) {
    decide(marked, decision);
    marked.rest();
  }
}

/** A file as it was when it was complete; none where it is taken away. */
interface Made {
  readonly written?: WrittenFile;
}

function expectWritten({ writer, path }: Waiting): WrittenFile {
  if (!writer?.written) throw takenAway(path);
  return writer.written;
}

/** Keeps what has the name, by a second one where the system knows such, so that there is something under it at any time. */
async function keep(final: string, kept: string): Promise<void> {
  try {
    await link(final, kept);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT') return;
    await rename(final, kept);
  }
}

/** [vol.4] What is gone is not made to seem as it was. */
function staying({ code, message, where, why, cause }: BundleError, folders: readonly string[]): BundleError {
  return new BundleError(code, message, {
    where,
    why,
    fix: { text: `older files are kept in ${folders.join(', ')}`, advice: 'look-at-volumes' },
    cause,
  });
}
