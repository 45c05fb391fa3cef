import { closeSync, constants, fstatSync, openSync, type Stats, statSync } from 'node:fs';
import { BundleError } from '../kit/errors.ts';
import { FileStream, fileAccess } from './file-stream.ts';
import { readError } from './io-errors.ts';
import { pipeSource } from './pipe-source.ts';
import type { Source, SourceOptions } from './source.ts';

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
  const access = fileAccess(descriptor, path, stats.size, options.signal);
  return {
    name: path,
    size: stats.size,
    repeatable: true,
    stream: () => new FileStream(descriptor, path, options.signal),
    parts: {
      readAt: (offset, length) => access.readAt(offset, length),
      hash: async (ranges, lanes) => {
        const { hashRanges } = await import('./lanes.ts'); // most bundles are small
        return hashRanges({ descriptor, path }, ranges, { ...lanes, signal: options.signal });
      },
    },
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
