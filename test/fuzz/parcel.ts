import { childrenOf, readOnly, TAG } from '../../src/formats/der/cursor.ts';
import { derOctets, derSequence } from '../../src/formats/der/writer.ts';
import { unlessRefused } from './signed-bytes.ts';

/** Several inputs in one, so that a finding is one file. */
export function formatParcel(parts: readonly Uint8Array[]): Uint8Array {
  return derSequence(...parts.map(derOctets));
}

/** What was put together; bytes that are no parcel are one part. */
export function parseParcel(bytes: Uint8Array): readonly Uint8Array[] {
  const parts = unlessRefused(() => childrenOf(readOnly(bytes, TAG.sequence, 'a parcel'), 'a parcel'));
  return parts?.every(({ tag }) => tag === TAG.octetString) ? parts.map(({ value }) => value) : [bytes];
}
