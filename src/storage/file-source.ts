import { closeSync, constants, fstatSync, openSync, readSync, type Stats, statSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import type { SkippableStream } from '../kit/byte-cursor.ts';
import { checkAborted } from '../kit/bytes.ts';
import { BundleError } from '../kit/errors.ts';
import { CHUNK_BYTES } from '../kit/limits.ts';
import { readError } from './io-errors.ts';
import { pipeSource } from './pipe-source.ts';
import type { Source, SourceOptions } from './source.ts';

/** Bytes read between two looks at signals and timers. */
const TURN_BYTES = 32 * CHUNK_BYTES;

/**
 * Opens a file once, by name; everything after goes through that one descriptor, so a file put in its place
 * later is never read.
 *
 * @throws {BundleError} `FILE_NOT_FOUND`, `FILE_UNREADABLE`
 */
export function openFileSource(path: string, options: SourceOptions): Source {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, constants.O_RDONLY | openFlags(path));
    const stats = fstatSync(descriptor);
    if (stats.isDirectory()) {
      throw new BundleError('FILE_UNREADABLE', 'this is a folder, not a bundle', {
        where: { file: path },
        fix: 'give the .ova file; a folder is packed with: bulla pack FOLDER/NAME.ovf -o NAME.ova',
      });
    }
    if (!stats.isFile()) return pipeSource(descriptor, path, options);
    return fileSource(descriptor, path, stats, options);
  } catch (error) {
    if (descriptor !== undefined) closeSync(descriptor);
    throw readError(error, path);
  }
}

/** Opening a named pipe would block the whole program until somebody writes to it; so would nothing else. */
function openFlags(path: string): number {
  return statSync(path).isFIFO() ? constants.O_NONBLOCK : 0;
}

function fileSource(descriptor: number, path: string, stats: Stats, options: SourceOptions): Source {
  let open = true;
  return {
    name: path,
    size: stats.size,
    repeatable: true,
    stream: () => new FileStream(descriptor, path, options.signal),
    checkUnchanged: () => {
      const now = statOf(descriptor, path);
      if (now.size === stats.size && now.mtimeMs === stats.mtimeMs) return;
      throw new BundleError('FILE_CHANGED', 'the file changed while it was read', { where: { file: path } });
    },
    [Symbol.asyncDispose]: async () => {
      if (open) closeSync(descriptor);
      open = false;
    },
  };
}

function statOf(descriptor: number, path: string): Stats {
  try {
    return fstatSync(descriptor);
  } catch (error) {
    throw readError(error, path);
  }
}

/** The bytes of a file through two buffers in turn, which is what the `ByteStream` contract needs and no more. */
export class FileStream implements SkippableStream, AsyncIterator<Uint8Array> {
  readonly #descriptor: number;
  readonly #path: string;
  readonly #signal: AbortSignal | undefined;
  readonly #buffers = [Buffer.allocUnsafeSlow(CHUNK_BYTES), Buffer.allocUnsafeSlow(CHUNK_BYTES)] as const;
  #position = 0;
  #turn = 0;
  #sinceYield = 0;

  /** Reads from the start of the file behind `descriptor`, which stays the caller's to close. */
  constructor(descriptor: number, path: string, signal: AbortSignal | undefined) {
    this.#descriptor = descriptor;
    this.#path = path;
    this.#signal = signal;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  skip(count: number): void {
    this.#position += count;
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    if (this.#sinceYield >= TURN_BYTES) {
      this.#sinceYield = 0;
      await setImmediate(); // reading never waits, so without this no signal would ever be seen
    }
    checkAborted(this.#signal);
    const buffer = this.#buffers[this.#turn === 0 ? 0 : 1];
    this.#turn = 1 - this.#turn;
    const count = this.#read(buffer);
    if (count === 0) return { done: true, value: undefined };
    this.#position += count;
    this.#sinceYield += count;
    return { done: false, value: buffer.subarray(0, count) };
  }

  #read(buffer: Buffer): number {
    try {
      return readSync(this.#descriptor, buffer, 0, buffer.length, this.#position);
    } catch (error) {
      throw readError(error, this.#path);
    }
  }
}
