import { closeSync, constants, ftruncateSync, openSync, writeSync } from 'node:fs';
import { occupiedParts } from './hole.ts';

/**
 * Creates `path`, which must not exist, with this content, without waiting: for a small file each wait would take
 * longer than the writing. It is open until somebody has put it on the disk.
 *
 * @returns its descriptor
 * @throws what the system does; nothing is open then
 */
export function writeWholeFile(path: string, mode: number, content: Uint8Array): number {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const descriptor = openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
  try {
    const parts = occupiedParts(content, 0);
    for (const [from, to] of parts) writeAll(descriptor, content.subarray(from, to), from);
    if (parts.at(-1)?.[1] !== content.byteLength) ftruncateSync(descriptor, content.byteLength);
    return descriptor;
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

function writeAll(descriptor: number, bytes: Uint8Array, position: number): void {
  for (let at = 0; at < bytes.byteLength; ) {
    const count = writeSync(descriptor, bytes, at, bytes.byteLength - at, position + at);
    if (count === 0) throw new Error('the file system takes no more bytes, and does not say why');
    at += count;
  }
}
