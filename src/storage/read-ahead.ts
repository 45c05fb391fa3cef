import { read } from 'node:fs';
import { promisify } from 'node:util';
import { checkAborted } from '../kit/bytes.ts';
import { CHUNK_BYTES } from '../kit/limits.ts';
import { readError } from './io-errors.ts';

const readFrom = promisify(read);

/**
 * The bytes of a file from `start` up to `end`, which another thread reads while those before are used.
 *
 * Three buffers in turn: two that the reader has by the `ByteStream` contract, and one that is being filled. The
 * descriptor stays the caller's to close, after the stream has ended or was left.
 */
export async function* readAhead(
  descriptor: number,
  path: string,
  {
    start,
    end,
    signal,
  }: { readonly start: number; readonly end: number; readonly signal: AbortSignal | undefined },
): AsyncGenerator<Uint8Array, void> {
  const size = Math.max(1, Math.min(CHUNK_BYTES, end - start));
  const buffers = Array.from({ length: 3 }, () => Buffer.allocUnsafeSlow(size));
  let position = start;
  const fill = (turn: number): Promise<Uint8Array> => {
    const buffer = buffers[turn % 3] as Buffer;
    const length = Math.max(0, Math.min(buffer.length, end - position));
    const filled = readFrom(descriptor, buffer, 0, length, position).then(({ bytesRead }) =>
      buffer.subarray(0, bytesRead),
    );
    filled.catch(() => {}); // met by whoever awaits it; not "unhandled" until then
    return filled;
  };
  let next = fill(0);
  try {
    for (let turn = 1; ; turn++) {
      checkAborted(signal);
      const chunk = await next;
      if (chunk.byteLength === 0) return;
      position += chunk.byteLength;
      next = fill(turn);
      yield chunk;
    }
  } catch (error) {
    throw readError(error, path);
  } finally {
    await next.catch(() => {}); // it still writes into its buffer, and reads from the descriptor
  }
}
