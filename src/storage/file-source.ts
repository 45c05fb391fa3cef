import { closeSync, constants, fstatSync, openSync, type Stats, statSync } from 'node:fs';
import { BundleError } from '../kit/errors.ts';
import { FileStream, fileAccess } from './file-stream.ts';
import { readError } from './io-errors.ts';
import { pipeSource, STDIN } from './pipe-source.ts';
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
    return fileSource({ descriptor, path, stats, start: 0 }, options);
  } catch (error) {
    if (descriptor !== undefined) closeSync(descriptor);
    throw readError(error, path);
  }
}

/** Opening a named pipe would block the whole program until somebody writes to it; so would nothing else. */
function openFlags(path: string): number {
  return statSync(path).isFIFO() ? constants.O_NONBLOCK : 0;
}

interface OpenFile {
  readonly descriptor: number;
  readonly path: string;
  /** as it was when it was opened */
  readonly stats: Stats;
  readonly start: number;
}

/** An open file as a source, from `start` to its end; it is closed with the source, unless it is standard input. */
export function fileSource(
  { descriptor, path, stats, start }: OpenFile,
  options: Pick<SourceOptions, 'signal'>,
): Source {
  let latest: FileStream | undefined;
  let open = descriptor !== STDIN;
  const size = Math.max(0, stats.size - start);
  const access = fileAccess(descriptor, path, { start, size }, options.signal);
  return {
    name: path,
    size,
    repeatable: true,
    stream: () => {
      latest = new FileStream(descriptor, path, options.signal, { start, ahead: true });
      return latest;
    },
    parts: {
      readAt: (offset, length) => access.readAt(offset, length),
      hash: async (ranges, lanes) => {
        const { hashRanges } = await import('./lanes.ts'); // most bundles are small
        const placed = ranges.map((range) => ({
          ...range,
          start: start + range.start,
          end: start + range.end,
        }));
        return hashRanges({ descriptor, path }, placed, { ...lanes, signal: options.signal });
      },
    },
    checkUnchanged: () => {
      const now = statOf(descriptor, path);
      if (now.size === stats.size && now.mtimeMs === stats.mtimeMs) return;
      throw new BundleError('FILE_CHANGED', 'the file changed while it was read', { where: { file: path } });
    },
    [Symbol.asyncDispose]: async () => {
      await latest?.return();
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
