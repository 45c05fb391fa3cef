import { type FileHandle, open } from 'node:fs/promises';
import type { ByteStream } from '../kit/bytes.ts';
import { BundleError } from '../kit/errors.ts';
import { FileStream } from './file-stream.ts';
import { readError } from './io-errors.ts';

/** A regular file of the packer's, open for as long as it is used. */
export interface InputFile extends AsyncDisposable {
  readonly size: number;
  /** up to `length` bytes at `offset`; fewer at the end of the file */
  readAt(offset: number, length: number): Promise<Uint8Array>;
  stream(signal?: AbortSignal): ByteStream;
  /** the bytes from `start` on, `length` at most */
  part(range: { readonly start: number; readonly length: number }, signal?: AbortSignal): ByteStream;
}

/** Opens a file to be packed. @throws {BundleError} `FILE_NOT_FOUND`, `FILE_UNREADABLE` */
export async function openInputFile(path: string): Promise<InputFile> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, 'r');
    const stats = await handle.stat();
    if (!stats.isFile()) {
      const what = stats.isDirectory() ? 'a folder' : 'not a regular file';
      throw new BundleError('FILE_UNREADABLE', `this is ${what}, which cannot be packed`, {
        where: { file: path },
        fix: 'give the files themselves',
      });
    }
    return inputFile(handle, path, stats.size);
  } catch (error) {
    await handle?.close();
    throw readError(error, path);
  }
}

function inputFile(handle: FileHandle, path: string, size: number): InputFile {
  return {
    size,
    readAt: async (offset, length) => {
      const buffer = new Uint8Array(Math.min(length, Math.max(0, size - offset)));
      try {
        const { bytesRead } = await handle.read(buffer, 0, buffer.byteLength, offset);
        return buffer.subarray(0, bytesRead);
      } catch (error) {
        throw readError(error, path);
      }
    },
    stream: (signal) => new FileStream(handle.fd, path, signal),
    part: ({ start, length }, signal) =>
      new FileStream(handle.fd, path, signal, { start, end: start + length }),
    [Symbol.asyncDispose]: async () => {
      await handle.close();
    },
  };
}
