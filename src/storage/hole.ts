import { CHUNK_BYTES } from '../kit/limits.ts';

const ZEROS = Buffer.alloc(CHUNK_BYTES);

/** True for a whole block or more of zeros; short runs are not worth a hole. */
export function isHole(bytes: Uint8Array): boolean {
  if (bytes.byteLength < 4096 || bytes.byteLength > ZEROS.length) return false;
  if (bytes[0] !== 0 || bytes[bytes.byteLength >> 1] !== 0 || bytes[bytes.byteLength - 1] !== 0) return false;
  return ZEROS.compare(bytes, 0, bytes.byteLength, 0, bytes.byteLength) === 0;
}
