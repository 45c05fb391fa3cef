import { closeSync, fstatSync, fsync, fsyncSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { writeError } from '../io-errors.ts';
import { asWritten, type WrittenFile } from './written-file.ts';

/** Less than anybody notices. */
const PATIENCE_MS = 100;
/** The most files that are put on the disk at a time, and so are open. */
const AT_ONCE = 16;
/** Milliseconds between two looks at signals and timers. */
const TURN_MS = 50;

/** A file on its way to the disk, as messages call it, and who is told how it is known again: when it is there, and before when that takes long. */
interface Settler {
  readonly name: string;
  onSettled(written: WrittenFile): void;
}

/**
 * Puts written files on the disk. [import.4]
 *
 * Where that costs nothing (in memory, or with a disk that keeps what it has taken) it is done at once, since
 * handing a file over would cost more. Elsewhere it is done for several at a time while others are written: the
 * file system then writes its journal once for all of them.
 */
export class Settling {
  readonly #patience: number;
  readonly #underWay = new Set<Promise<void>>();
  #waited = 0;
  #turned = performance.now();
  #failure: unknown;

  /** @param patience milliseconds that may be lost by waiting for the disk file by file */
  constructor(patience: number = PATIENCE_MS) {
    this.#patience = patience;
  }

  /**
   * Takes over an open file, to put it on the disk and close it. Gives something to wait for before there may be more.
   *
   * @throws {BundleError} `STORAGE_*`, for this file or one before it
   */
  add(descriptor: number, file: Settler): Promise<void> | undefined {
    if (this.#failure !== undefined || this.#waited < this.#patience) this.#settleNow(descriptor, file);
    else this.#settleLater(descriptor, file);
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#underWay.size >= AT_ONCE) return Promise.race(this.#underWay);
    return performance.now() - this.#turned > TURN_MS ? this.#turn() : undefined;
  }

  /** Waits for all of them. @throws {BundleError} `STORAGE_*` when one of them is not on the disk */
  async settled(): Promise<void> {
    await Promise.all(this.#underWay);
    if (this.#failure !== undefined) throw this.#failure;
  }

  #settleNow(descriptor: number, file: Settler): void {
    const begun = performance.now();
    let failure: unknown;
    try {
      fsyncSync(descriptor);
    } catch (error) {
      failure = error;
    }
    this.#close(descriptor, failure, file);
    this.#waited += performance.now() - begun;
  }

  #settleLater(descriptor: number, file: Settler): void {
    try {
      file.onSettled(asWritten(fstatSync(descriptor, { bigint: true }))); // until it is there it may be read
    } catch {
      // told when it is put on the disk
    }
    const settling = new Promise<void>((resolve) => {
      fsync(descriptor, (error) => {
        this.#close(descriptor, error ?? undefined, file);
        this.#underWay.delete(settling);
        resolve();
      });
    });
    this.#underWay.add(settling);
  }

  #close(descriptor: number, failure: unknown, { name, onSettled }: Settler): void {
    try {
      try {
        // [import.9] Not before: some file systems settle the times of a file when they write it.
        if (failure === undefined) onSettled(asWritten(fstatSync(descriptor, { bigint: true })));
      } finally {
        closeSync(descriptor);
      }
      if (failure !== undefined) throw failure;
    } catch (error) {
      this.#failure ??= writeError(failure ?? error, name);
    }
  }

  async #turn(): Promise<void> {
    await setImmediate();
    this.#turned = performance.now();
  }
}
