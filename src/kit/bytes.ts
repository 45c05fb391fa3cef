import { BundleError } from './errors/errors.ts';
import { CHUNK_BYTES } from './limits.ts';

/**
 * Bytes that arrive in order, once.
 *
 * No chunk is empty. A chunk stays as it is until the second pull after it, so one write of it may be in flight while
 * the next is fetched; whoever keeps bytes longer copies them. Who iterates owns: leaving the loop closes the source.
 */
export type ByteStream = AsyncIterable<Uint8Array>;

/** All bytes of a stream, at most `limit`. @throws what `tooMuch` makes, at the first byte over the limit */
export async function collect(
  source: ByteStream,
  limit: number,
  tooMuch: () => BundleError,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of source) {
    length += chunk.byteLength;
    if (length > limit) throw tooMuch();
    parts.push(copyBytes(chunk));
  }
  return concat(parts);
}

/** A copy that is the caller's own. (`slice` of a `Buffer` is none: it shares the memory.) */
export function copyBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}

const ZEROS = new Uint8Array(CHUNK_BYTES);

/** So many zero bytes, in chunks that nobody may write to. */
export async function* zeros(size: number): AsyncGenerator<Uint8Array, void> {
  for (let left = size; left > 0; left -= CHUNK_BYTES) yield ZEROS.subarray(0, Math.min(left, CHUNK_BYTES));
}

/** One array with the bytes of all. */
export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const [only] = parts;
  if (parts.length === 1 && only) return only;
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.byteLength;
  }
  return whole;
}

/** True when both hold the same bytes. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.byteLength !== b.byteLength) return false;
  for (let i = 0; i < a.byteLength; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** True when every byte is zero. */
export function isZero(bytes: Uint8Array): boolean {
  const { buffer, byteOffset, byteLength } = bytes;
  const head = Math.min(byteLength, -byteOffset & 3);
  if (!isZeroFrom(bytes, 0, head)) return false;
  const words = (byteLength - head) >> 2;
  if (words === 0) return isZeroFrom(bytes, head, byteLength);
  // by words, since whole disks go by here
  const aligned = new Int32Array(buffer, byteOffset + head, words);
  for (let i = 0; i < words; i++) if (aligned[i] !== 0) return false;
  return isZeroFrom(bytes, head + 4 * words, byteLength);
}

/** True when every byte from `start` up to `end` is zero. */
export function isZeroFrom(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (bytes[i] !== 0) return false;
  return true;
}

/** A stream of one chunk; nothing when it is empty. */
export async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void> {
  if (bytes.byteLength > 0) yield bytes;
}

/** @throws {BundleError} `INTERRUPTED` (or the reason given to `abort`) when the signal has fired */
export function checkAborted(signal: AbortSignal | undefined): void {
  if (!signal?.aborted) return;
  throw signal.reason instanceof BundleError ? signal.reason : new BundleError('INTERRUPTED', 'interrupted');
}
