import {
  closeSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  unlinkSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { unguessable } from '../../engine/node/random.ts';
import { formatHex } from '../../kit/encoding.ts';
import { isMissing } from '../absence.ts';
import { linkBytes } from '../absolute.ts';
import { anchorOf, openFolder } from '../open-folder.ts';
import { NOTHING_UNDONE, type Swept, undo } from '../output/exchange.ts';
import { isSame } from '../output/written-file.ts';
import { isUtf8Name } from '../utf8-names.ts';
import { measure } from './measure.ts';
import { isPartialName, partialName } from './partial.ts';
import {
  giveBack,
  isExchange,
  isOursAlone,
  MARKER,
  type Marker,
  type Places,
  type Purpose,
  placesOf,
  readMarker,
  removeMade,
  rewriteMarker,
  writeMarker,
} from './partial-marker.ts';
import { isAtWork, markName, markOf, thisProcess } from './process-place.ts';

/** What another machine has not touched for so long is taken for left; only there, for its processes cannot be seen. */
const LEFT_MS = 24 * 60 * 60 * 1000;

/** In the name of a marker, before the process that is at it: it is being removed. */
const DOOMED = 'gone-';

/** What becomes of the work in a folder: a process is at it, or may be, or it was given up, or its process is gone. */
export type WorkState = 'running' | 'unknown' | 'kept' | 'left';

/**
 * A folder of unfinished work, mode 0700, with a marker in it that proves that bulla made it, and for what. [import.8]
 *
 * It is held open: what is done in it by way of `anchor` is done in this very folder, whatever has been put under its name.
 */
export class MarkedFolder implements Disposable {
  readonly path: string;
  #descriptor: number | undefined;
  readonly #places: Places;
  #marker: Marker;
  #markerFile: { readonly name: string; readonly ino: bigint } | undefined;

  private constructor(path: string, descriptor: number, places: Places, marker: Marker) {
    this.path = path;
    this.#descriptor = descriptor;
    this.#places = places;
    this.#marker = marker;
  }

  /** Makes one in `parent`, as this process's. @throws what the system does */
  static make(parent: string, purpose: Purpose): MarkedFolder {
    const path = join(parent, partialName(purpose.base));
    mkdirSync(path, 0o700);
    let descriptor: number | undefined;
    try {
      descriptor = openFolder(path);
      const places = placesOf(descriptor, parent);
      const marker = { ...purpose, ...thisProcess(), left: false };
      const folder = new MarkedFolder(path, descriptor, places, marker);
      writeMarker(folder.anchor, MARKER, marker, places);
      return folder;
    } catch (error) {
      if (descriptor !== undefined) closeSync(descriptor);
      removeMade(path);
      throw error;
    }
  }

  /** All in `parent` that prove to be this user's, for `purpose` when one is given; each is to be disposed of. */
  static findIn(parent: string, purpose?: Purpose): readonly MarkedFolder[] {
    let names: readonly string[];
    try {
      names = readdirSync(parent).filter((name) => isPartialName(name) && isUtf8Name(name)); // [out.3]
    } catch {
      return []; // a folder that cannot be listed is told of when something is put there
    }
    const found = names.flatMap((name) => MarkedFolder.#prove(parent, name) ?? []);
    const isWanted = ({ kind, base }: Purpose): boolean =>
      purpose === undefined || (kind === purpose.kind && base === purpose.base);
    for (const folder of found) if (!isWanted(folder.purpose)) folder[Symbol.dispose]();
    return found.filter((folder) => isWanted(folder.purpose));
  }

  static #prove(parent: string, name: string): MarkedFolder | undefined {
    let descriptor: number | undefined;
    try {
      descriptor = openFolder(join(parent, name));
      const places = placesOf(descriptor, parent);
      const at = anchorOf(descriptor, join(parent, name));
      const found = isOursAlone(places.folder) ? readMarker(at, places) : undefined;
      if (found) {
        const folder = new MarkedFolder(join(parent, name), descriptor, places, found.marker);
        folder.#markerFile = found;
        return folder;
      }
    } catch {
      // a link, a file, another user's, or gone by now
    }
    if (descriptor !== undefined) closeSync(descriptor);
    return undefined;
  }

  /** The way to what is in it, which leads nowhere else where the system has such ways (/proc). */
  get anchor(): string {
    this.#descriptor ??= this.#openAgain();
    return anchorOf(this.#descriptor, this.path);
  }

  #openAgain(): number {
    const descriptor = openFolder(this.path);
    const { ino, dev } = fstatSync(descriptor, { bigint: true });
    const { folder } = this.#places;
    if (ino === folder.ino && dev === folder.dev) return descriptor;
    closeSync(descriptor);
    throw new Error('another folder was put in its place');
  }

  /** Holds it open no more until it is used again, when it must be the same: whoever has many of them has descriptors for one. */
  rest(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  get purpose(): Purpose {
    return this.#marker;
  }

  /** Whether it still stands under its name. */
  isThere(): boolean {
    return isSame(this.path, this.#places.folder);
  }

  get state(): WorkState {
    const remover = markOf(this.#doom ?? '');
    const work = remover && isAtWork(remover);
    if (work === undefined || work === 'no')
      return this.#marker.left ? 'kept' : this.#stateBy(isAtWork(this.#marker));
    return this.#stateBy(work);
  }

  #stateBy(work: ReturnType<typeof isAtWork>): WorkState {
    if (work === 'no') return 'left';
    if (work === 'yes') return 'running';
    return Date.now() - this.written > LEFT_MS ? 'left' : 'unknown';
  }

  /** When something in it was written last, in milliseconds. A clock that was set back makes it younger, which keeps it. */
  get written(): number {
    try {
      return measure(this.anchor, Number(this.#places.folder.mtimeMs)).written;
    } catch (error) {
      if (!isMissing(error)) throw error;
      return this.isThere() ? this.written : Date.now(); // another run takes things out of it, or has removed it
    }
  }

  /** The bytes that it takes. */
  get bytes(): number {
    return measure(this.anchor, 0).bytes;
  }

  /** Makes it this process's, which must have been given up or left; false when another run was faster. [resume.1] @throws what the system does */
  take(): boolean {
    const marker = { ...this.#marker, ...thisProcess(), left: false };
    const at = this.anchor;
    const old = this.#claim('old');
    if (old === undefined) return false;
    try {
      writeMarker(at, MARKER, marker, this.#places); // succeeds in one of several runs
      unlinkSync(old);
      this.#marker = marker;
      return true;
    } catch (error) {
      if (isMissing(error)) return false; // another, that found the old marker, removes it all
      if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
      throw error;
    } finally {
      giveBack(old, join(at, this.#markerFile?.name ?? MARKER));
    }
  }

  /** Removes what was given up or left, where no other run is at that, and what was half exchanged is as before. */
  sweep(): Swept {
    const nothing = { isRemoved: false, undoing: NOTHING_UNDONE };
    const claimed = this.isFree ? this.#claim(`${DOOMED}${markName(thisProcess())}`) : undefined;
    if (claimed === undefined) return nothing;
    const { isWhole, ...undoing } = isExchange(this.purpose)
      ? undo(this) // [vol.9]
      : { ...NOTHING_UNDONE, isWhole: true };
    const isRemoved = isWhole && this.tryRemove();
    if (!isRemoved) this.#release(claimed);
    return { isRemoved, undoing };
  }

  /** Whether nobody is at work on it, and it may be removed. */
  get isFree(): boolean {
    return this.state === 'kept' || this.state === 'left';
  }

  /** Whether a run has begun to remove it. */
  get isDoomed(): boolean {
    return this.#doom !== undefined;
  }

  get #doom(): string | undefined {
    const doomed = `${MARKER}.${DOOMED}`;
    const { name } = this.#markerFile ?? {};
    return name?.startsWith(doomed) ? name.slice(doomed.length) : undefined;
  }

  /** What could not be removed is nobody's again, but for that its removal has begun. */
  #release(claimed: string): void {
    try {
      const at = this.anchor;
      renameSync(join(at, basename(claimed)), join(at, `${MARKER}.${DOOMED}${formatHex(unguessable(4))}`));
    } catch {
      // gone; or it is free when this process has ended
    } finally {
      this.rest();
    }
  }

  /** Gives the marker that proved it another name, which of several runs one can; nothing has to be written for that. */
  #claim(word: string): string | undefined {
    const { name, ino } = this.#markerFile ?? {};
    const at = this.anchor;
    if (name === undefined) return undefined;
    const old = join(at, `${MARKER}.${word}-${formatHex(unguessable(4))}`);
    try {
      renameSync(join(at, name), old);
    } catch {
      return undefined;
    }
    if (lstatSync(old, { throwIfNoEntry: false, bigint: true })?.ino === ino) return old;
    giveBack(old, join(at, name)); // it was the new one of a run that was faster
    return undefined;
  }

  /** Gives it up, so that a later run may go on with what is in it. False when that cannot be done. [resume.1] */
  leave(): boolean {
    const at = this.anchor;
    const next = `${MARKER}.${formatHex(unguessable(4))}`;
    try {
      if (!this.isThere()) return false; // nobody would find it
      const marker = { ...this.#marker, left: true };
      try {
        writeMarker(at, next, marker, this.#places);
        renameSync(join(at, next), join(at, MARKER));
      } catch {
        rmSync(join(at, next), { force: true });
        rewriteMarker(at, MARKER, marker, this.#places); // the disk is full, perhaps
      }
      return true;
    } catch {
      return false; // taken away, perhaps; why it came to this says more
    }
  }

  /** Removes it with all that is in it, the marker last; false when that cannot be done. */
  tryRemove(): boolean {
    try {
      const at = this.anchor;
      if (at === this.path && !this.isThere()) return false;
      const isMarker = (name: string): number => Number(name.startsWith(MARKER));
      const names = readdirSync(at).sort((a, b) => isMarker(a) - isMarker(b));
      for (const name of names) rmSync(join(at, name), { recursive: true, force: true });
      rmdirSync(at === this.path ? at : linkBytes(at)); // wherever it has been moved
      return true;
    } catch {
      return false; // what is left is proven yet
    } finally {
      this[Symbol.dispose]();
    }
  }

  [Symbol.dispose](): void {
    this.rest();
  }
}
