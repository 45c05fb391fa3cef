import { randomBytes } from 'node:crypto';

/** Bytes that nobody can guess. */
export function unguessable(count: number): Uint8Array {
  return Uint8Array.from(randomBytes(count));
}
