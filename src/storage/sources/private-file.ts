import { type FileHandle, open, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unguessable } from '../../engine/node/random.ts';
import { isSkippable } from '../../kit/byte-cursor.ts';
import type { ByteStream } from '../../kit/bytes.ts';
import { formatHex } from '../../kit/encoding.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import { DEFAULT_LIMITS } from '../../kit/limits.ts';
import type { RandomAccess, SeekableStream } from '../../kit/random-access.ts';
import type { SourceOptions } from '../../kit/source.ts';
import { writeError } from '../io-errors.ts';
import { fileAccess } from './file-stream.ts';

/** Chunks below this are gathered before they are written. */
const GATHERED_BYTES = 256 * 1024;

/** A file that has no name, so that nobody else opens it and nothing is left of it, whatever becomes of this program. */
export interface PrivateFile extends AsyncDisposable {
  readonly size: number;
  append(chunk: Uint8Array): Promise<void>;
  /** writes again what stands at `offset` */
  patch(offset: number, bytes: Uint8Array): Promise<void>;
  /** reads what has been written; disposing that closes the file */
  access(signal?: AbortSignal): RandomAccess;
}

/** What a private file is for, as its errors say it. */
const PURPOSES = {
  input: {
    why: 'the directory of a zip is at its end, so a zip from a pipe is kept whole until it has been read',
    fix: 'write the zip to a file and give that; or set TMPDIR to a folder with room for it',
  },
  output: {
    why: 'the headers of a zip are completed last, so a zip for standard output is kept until it is whole',
    fix: {
      text: 'name a file; or set TMPDIR to a folder with room for it',
      advice: 'name-output-or-room',
    },
  },
} as const;

/** Makes a private file in the folder for temporary files. @throws {BundleError} `STORAGE_*` */
export async function openPrivateFile(purpose: keyof typeof PURPOSES): Promise<PrivateFile> {
  const folder = tmpdir();
  const path = join(folder, `bulla-${formatHex(unguessable(12))}`);
  const fail = (error: unknown): BundleError => privateError(error, folder, purpose);
  let handle: FileHandle;
  try {
    handle = await open(path, 'wx+', 0o600);
  } catch (error) {
    throw fail(error);
  }
  let size = 0;
  let unlinked = false;
  const unlinkOnce = async (): Promise<void> => {
    if (unlinked) return;
    await unlink(path);
    unlinked = true;
  };
  await unlinkOnce().catch(() => {}); // where an open file cannot be unlinked, it is when it is closed
  const close = async (): Promise<void> => {
    await handle.close();
    await unlinkOnce().catch(() => {});
  };
  const writeAll = async (bytes: Uint8Array, offset: number): Promise<void> => {
    try {
      for (let at = 0; at < bytes.byteLength; ) {
        at += (await handle.write(bytes, at, bytes.byteLength - at, offset + at)).bytesWritten;
      }
    } catch (error) {
      throw fail(error);
    }
  };
  return {
    get size() {
      return size;
    },
    append: async (chunk) => {
      await writeAll(chunk, size);
      size += chunk.byteLength;
    },
    patch: (offset, bytes) => writeAll(bytes, offset),
    access: (signal) => ({
      ...fileAccess(handle.fd, '(private copy)', { size }, signal),
      copied: true,
      [Symbol.asyncDispose]: close,
    }),
    [Symbol.asyncDispose]: close,
  };
}

/** The stream of a pipe, which can be kept in a private file. */
export function spoolable(
  stream: ByteStream,
  options: Pick<SourceOptions, 'signal' | 'spoolBytes'>,
): SeekableStream {
  return {
    [Symbol.asyncIterator]: () => stream[Symbol.asyncIterator](),
    ...(isSkippable(stream) && { skip: (count: number) => stream.skip(count) }),
    randomAccess: (rest) => spool(rest, options),
  };
}

/**
 * Keeps what a pipe gives in a private file, so that it can be read anywhere.
 *
 * @throws {BundleError} `ARCHIVE_LIMIT` when it is larger than `spoolBytes`, `STORAGE_*`, what reading the stream throws
 */
async function spool(
  stream: ByteStream,
  options: Pick<SourceOptions, 'signal' | 'spoolBytes'>,
): Promise<RandomAccess> {
  const limit = options.spoolBytes ?? DEFAULT_LIMITS.spoolBytes;
  const file = await openPrivateFile('input');
  try {
    const small = new Uint8Array(GATHERED_BYTES);
    let filled = 0;
    let size = 0;
    for await (const chunk of stream) {
      size += chunk.byteLength;
      if (size > limit) throw tooLarge(limit);
      if (filled + chunk.byteLength > small.byteLength) {
        await file.append(small.subarray(0, filled));
        filled = 0;
      }
      if (chunk.byteLength < small.byteLength) {
        small.set(chunk, filled);
        filled += chunk.byteLength;
      } else await file.append(chunk);
    }
    await file.append(small.subarray(0, filled));
    return file.access(options.signal);
  } catch (error) {
    await file[Symbol.asyncDispose]();
    throw error;
  }
}

function tooLarge(limit: number): BundleError {
  return new BundleError(
    'ARCHIVE_LIMIT',
    `the zip that comes through the pipe is larger than ${limit} bytes`,
    {
      where: { offset: limit },
      why: 'the directory of a zip is at its end, so it must be kept whole before anything of it can be believed',
      fix: { text: 'write it to a file, and give that', advice: 'verify-file' },
    },
  );
}

function privateError(error: unknown, folder: string, purpose: keyof typeof PURPOSES): BundleError {
  const { code, message, cause } = writeError(error, folder);
  return new BundleError(code, `${message}, for the private copy that a zip needs`, {
    where: { file: folder },
    ...PURPOSES[purpose],
    cause,
  });
}
