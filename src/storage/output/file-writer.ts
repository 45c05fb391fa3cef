import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { CHUNK_BYTES } from '../../kit/limits.ts';
import { writeError } from '../io-errors.ts';
import { occupiedParts } from './hole.ts';
import { asWritten, type WrittenFile } from './written-file.ts';

/** Chunks below this are gathered before they are written. */
const DIRECT_BYTES = CHUNK_BYTES / 4;
/** What is written before the disk is given it, beside further writes: else all of it would be waited for in the end. */
const SYNC_BYTES = 64 * CHUNK_BYTES;

/**
 * Writes one new file from chunks in order, with at most one write under way: more of them only fight over the file.
 *
 * Runs of zeros become holes. Whoever opens it either finishes or discards it.
 */
export class FileWriter {
  readonly #handle: FileHandle;
  readonly #name: string;
  #gathered: Buffer | undefined;
  #filled = 0;
  #position = 0;
  #pending: Promise<void> = Promise.resolve();
  #unsynced = 0;
  #syncing: Promise<void> | undefined;
  #written: WrittenFile | undefined;

  private constructor(handle: FileHandle, name: string) {
    this.#handle = handle;
    this.#name = name;
  }

  /** Creates `path`, which must not exist; messages call it `name`. @throws {BundleError} `STORAGE_*`, `DESTINATION_EXISTS` */
  static async create(path: string, mode: number, name: string = path): Promise<FileWriter> {
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    try {
      return new FileWriter(await open(path, flags, mode), name);
    } catch (error) {
      throw writeError(error, name);
    }
  }

  /**
   * Goes on with a file that is there, which must be `made`, behind its first `length` bytes; what it has behind them is cut off.
   *
   * @throws {BundleError} `STORAGE_*`
   */
  static async resume(
    path: string,
    { made, length, name }: { readonly made: WrittenFile; readonly length: number; readonly name: string },
  ): Promise<FileWriter> {
    let handle: FileHandle | undefined;
    try {
      handle = await open(path, constants.O_WRONLY | constants.O_NOFOLLOW);
      const { dev, ino } = await handle.stat({ bigint: true });
      if (dev !== made.dev || ino !== made.ino) throw new Error('another file was put in its place');
      await handle.truncate(length);
      const writer = new FileWriter(handle, name);
      writer.#position = length;
      return writer;
    } catch (error) {
      await handle?.close();
      throw writeError(error, name);
    }
  }

  /** The file as it was when it was finished; undefined until then. */
  get written(): WrittenFile | undefined {
    return this.#written;
  }

  /** Takes the next bytes; they must stay as they are until the next call has returned. */
  async write(chunk: Uint8Array): Promise<void> {
    if (chunk.byteLength >= DIRECT_BYTES) {
      await this.#flush();
      await this.#start(chunk);
      return;
    }
    await this.#pending; // it may still read the chunk before this one, which is the caller's again when we return
    this.#gathered ??= Buffer.allocUnsafeSlow(DIRECT_BYTES);
    for (let at = 0; at < chunk.byteLength; ) {
      const count = Math.min(chunk.byteLength - at, DIRECT_BYTES - this.#filled);
      this.#gathered.set(chunk.subarray(at, at + count), this.#filled);
      this.#filled += count;
      at += count;
      if (this.#filled === DIRECT_BYTES) await this.#flush();
    }
  }

  /** Writes again what stands at `offset`, which has been written before. */
  async patch(offset: number, bytes: Uint8Array): Promise<void> {
    await this.#flush();
    await this.#writeAll(bytes, offset);
  }

  /** Puts everything on the disk and closes the file. @throws {BundleError} `STORAGE_FULL`, `STORAGE_FAILED` */
  async finish(): Promise<void> {
    try {
      await this.#flush();
      await this.#syncing; // the system tells of a failure once, so what it told here counts
      await this.#handle.truncate(this.#position); // a hole at the end has no write that would set the size
      await this.#handle.sync();
      this.#written = asWritten(await this.#handle.stat({ bigint: true }));
    } catch (error) {
      throw writeError(error, this.#name);
    } finally {
      await this.#close();
    }
  }

  /** Closes the file as it is; removing it is for whoever chose its place. */
  async discard(): Promise<void> {
    await this.#pending.catch(() => {}); // the error that led here has been reported
    await this.#close().catch(() => {});
  }

  async #flush(): Promise<void> {
    if (this.#gathered && this.#filled > 0) await this.#start(this.#gathered.subarray(0, this.#filled));
    await this.#pending;
    this.#filled = 0;
  }

  async #start(bytes: Uint8Array): Promise<void> {
    await this.#pending;
    const position = this.#position;
    this.#position += bytes.byteLength;
    this.#pending = this.#writeParts(bytes, position);
    this.#pending.catch(() => {}); // met by whoever awaits it next; not "unhandled" until then
    this.#unsynced += bytes.byteLength;
    if (this.#unsynced >= SYNC_BYTES && this.#syncing === undefined) this.#syncBeside();
  }

  #syncBeside(): void {
    this.#unsynced = 0;
    this.#syncing = this.#handle.datasync().then(() => {
      this.#syncing = undefined;
    });
    this.#syncing.catch(() => {}); // it stays, and is met in the end
  }

  async #writeParts(bytes: Uint8Array, position: number): Promise<void> {
    for (const [from, to] of occupiedParts(bytes, position))
      await this.#writeAll(bytes.subarray(from, to), position + from);
  }

  async #writeAll(bytes: Uint8Array, position: number): Promise<void> {
    try {
      for (let at = 0; at < bytes.byteLength; ) {
        const { bytesWritten } = await this.#handle.write(bytes, at, bytes.byteLength - at, position + at);
        if (bytesWritten === 0) throw new Error('the file system takes no more bytes, and does not say why');
        at += bytesWritten;
      }
    } catch (error) {
      throw writeError(error, this.#name);
    }
  }

  async #close(): Promise<void> {
    await this.#syncing?.catch(() => {}); // it uses the file yet; what it told has been met, or does not matter any more
    try {
      await this.#handle.close();
    } catch (error) {
      throw writeError(error, this.#name);
    }
  }
}
