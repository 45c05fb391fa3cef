import { type BigIntStats, closeSync, fstatSync, lstatSync, readSync, statSync } from 'node:fs';
import { sep } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { type ByteStream, checkAborted } from '../../kit/bytes.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import { CHUNK_BYTES } from '../../kit/limits.ts';
import { linkBytes, realBytes } from '../absolute.ts';
import { readError } from '../io-errors.ts';
import { isSameId } from '../same-file.ts';
import { asStamp, expectSame, type FileStamp } from './file-stamp.ts';
import { FileStream, fileAccess } from './file-stream.ts';
import { openInto, READ, whileOpen } from './open-descriptor.ts';

/** A regular file of the packer's, open for as long as it is used. */
export interface InputFile extends AsyncDisposable {
  readonly size: number;
  readonly stamp: FileStamp;
  /** up to `length` bytes at `offset`; fewer at the end of the file */
  readAt(offset: number, length: number): Promise<Uint8Array>;
  stream(signal?: AbortSignal): ByteStream;
  /** the bytes from `start` on, `length` at most */
  part(range: { readonly start: number; readonly length: number }, signal?: AbortSignal): ByteStream;
  /** @param doing what was done with it meanwhile @throws {BundleError} `FILE_CHANGED` */
  expectUnchanged(since: FileStamp, doing: string): void;
}

/** Looks at a file to be packed. @throws {BundleError} `FILE_NOT_FOUND`, `FILE_UNREADABLE` */
export function stampOf(path: string): FileStamp {
  try {
    return regular(statSync(path, { bigint: true }), path);
  } catch (error) {
    throw readError(error, path);
  }
}

/**
 * Looks at a file to be packed that must lie in `folder`, links resolved; what is opened later must be the very same. [links.1]
 *
 * @throws {BundleError} `FILE_NOT_FOUND`, `FILE_UNREADABLE`
 */
export function stampWithin(path: string, folder: string): FileStamp {
  stampOf(path);
  try {
    return whileOpen(path, READ, (descriptor) => {
      const stamp = regular(fstatSync(descriptor, { bigint: true }), path);
      const inside = realBytes(folder);
      const real = realBytes(path);
      const outside = [real, openedAs(descriptor) ?? real].find((place) => !isBelow(place, inside));
      const same = isSameId(lstatSync(real, { bigint: true }), stamp);
      if (outside !== undefined || !same) throw leadsOut(path, (outside ?? real).toString());
      return stamp;
    });
  } catch (error) {
    throw readError(error, path);
  }
}

/** By the bytes of the names, since others have the same text. [out.4] */
function isBelow(path: Buffer, folder: Buffer): boolean {
  const start = folder.toString('latin1');
  return path.toString('latin1').startsWith(start.endsWith(sep) ? start : start + sep);
}

/** Where a link leads that leads out of `folder`; undefined for what lies in it. [links.1] */
export function leadsOutTo(path: string, folder: string): string | undefined {
  const real = realBytes(path);
  return isBelow(real, realBytes(folder)) ? undefined : real.toString();
}

/** What the system says was opened, on Linux; who exchanges links meanwhile does not exchange that. */
function openedAs(descriptor: number): Buffer | undefined {
  try {
    return linkBytes(`/proc/self/fd/${descriptor}`);
  } catch {
    return undefined;
  }
}

function leadsOut(path: string, target: string): BundleError {
  return new BundleError(
    'FILE_UNREADABLE',
    `a link leads out of the folder of the descriptor, to "${target}"`,
    {
      where: { file: path },
      why: 'whoever put the link there chose which of your files goes into the bundle, and is signed',
      fix: 'see whether that file is meant; if it is, put it there itself in place of the link',
    },
  );
}

/** Opens a file to be packed. @throws {BundleError} `FILE_NOT_FOUND`, `FILE_UNREADABLE` */
export async function openInputFile(path: string): Promise<InputFile> {
  stampOf(path); // to open a named pipe would wait for whoever writes to it
  try {
    return openInto(path, READ, (descriptor) =>
      inputFile(descriptor, path, regular(fstatSync(descriptor, { bigint: true }), path)),
    );
  } catch (error) {
    throw readError(error, path);
  }
}

function regular(stats: BigIntStats, path: string): FileStamp {
  if (stats.isFile()) return asStamp(stats);
  const what = stats.isDirectory() ? 'a folder' : 'no regular file';
  throw new BundleError('FILE_UNREADABLE', `this is ${what}; a regular file is needed here`, {
    where: { file: path },
    why: 'it is read more than once, and its size must be known first',
    fix: 'give the files themselves; what comes from a pipe is written to a file first',
  });
}

function inputFile(descriptor: number, path: string, stamp: FileStamp): InputFile {
  const { size } = stamp;
  return {
    size,
    stamp,
    readAt: fileAccess(descriptor, path, { size }, undefined).readAt,
    stream: (signal) => new FileStream(descriptor, path, signal, { ahead: true }),
    part: ({ start, length }, signal) =>
      new FileStream(descriptor, path, signal, { start, end: start + length, ahead: true }),
    expectUnchanged: (since, doing) => expectSame({ descriptor, path }, since, doing), // [links.1] the file that was looked at
    [Symbol.asyncDispose]: async () => closeSync(descriptor),
  };
}

/** Files up to this are read whole, with as few calls of the system as can be. */
export const WHOLE_BYTES = CHUNK_BYTES / 4;

/** Reads small files; what it gives stays as it is until the second reading after it. */
export class WholeReader {
  readonly #buffers = [Buffer.allocUnsafeSlow(WHOLE_BYTES), Buffer.allocUnsafeSlow(WHOLE_BYTES)] as const;
  readonly #signal: AbortSignal | undefined;
  #turn: 0 | 1 = 0;
  #sinceYield = 0;

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
  }

  /** All of a file that had at most `WHOLE_BYTES`. @throws {BundleError} `FILE_CHANGED`, `FILE_NOT_FOUND`, `FILE_UNREADABLE` */
  async read(path: string, since: FileStamp): Promise<Uint8Array> {
    if (this.#sinceYield > TURN_FILES) {
      this.#sinceYield = 0;
      await setImmediate(); // reading never waits, so without this no signal would ever be seen
    }
    checkAborted(this.#signal);
    this.#sinceYield++;
    this.#turn = this.#turn === 0 ? 1 : 0;
    const bytes = this.#buffers[this.#turn].subarray(0, since.size);
    try {
      whileOpen(path, READ, (descriptor) => {
        fill(bytes, descriptor);
        expectSame({ descriptor, path }, since, 'packed');
      });
    } catch (error) {
      throw readError(error, path);
    }
    return bytes;
  }
}

/** Files read between two looks at signals and timers. */
const TURN_FILES = 256;

/** Reads until all is there or the file ends; how long it is then is for `expectSame` to see. */
function fill(bytes: Uint8Array, descriptor: number): void {
  for (let at = 0; at < bytes.byteLength; ) {
    const count = readSync(descriptor, bytes, at, bytes.byteLength - at, at);
    if (count === 0) return;
    at += count;
  }
}
