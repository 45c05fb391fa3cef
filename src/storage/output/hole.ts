/** Holes begin and end where the file has whole blocks of so many bytes, or where the bytes at hand do. */
const BLOCK_BYTES = 64 * 1024;
const ZEROS = Buffer.alloc(BLOCK_BYTES);

/**
 * What is to be written of bytes that stand at `position` of a new file: from where to where in them. Between these
 * parts are zeros, which are as good as written when the file has its length.
 */
export function occupiedParts(bytes: Uint8Array, position: number): readonly (readonly [number, number])[] {
  const parts: [number, number][] = [];
  let from = 0;
  for (let at = 0; at < bytes.byteLength; ) {
    const end = Math.min(bytes.byteLength, at + BLOCK_BYTES - ((position + at) % BLOCK_BYTES));
    if (isHole(bytes.subarray(at, end))) {
      if (at > from) parts.push([from, at]);
      from = end;
    }
    at = end;
  }
  if (from < bytes.byteLength) parts.push([from, bytes.byteLength]);
  return parts;
}

/** True for a block of the file system or more of zeros; short runs are not worth a hole. */
function isHole(bytes: Uint8Array): boolean {
  if (bytes.byteLength < 4096) return false;
  if (bytes[0] !== 0 || bytes[bytes.byteLength >> 1] !== 0 || bytes[bytes.byteLength - 1] !== 0) return false;
  return ZEROS.compare(bytes, 0, bytes.byteLength, 0, bytes.byteLength) === 0;
}
