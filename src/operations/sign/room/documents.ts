import type { RequestDocument, ResponseDocument } from '../../../formats/signing-room.ts';
import { toBundleError } from '../../../kit/errors/errors.ts';
import { fileOrBytes, type NamedBytes } from '../../../kit/given-bytes.ts';
import { DEFAULT_LIMITS } from '../../../kit/limits.ts';
import { readSmallFile } from '../../../storage/trust/small-files.ts';
import { type Waiting, waitingOptions, whileWaiting } from '../../waiting.ts';

/** A manifest of the most that is read, and as much again for how JSON writes it. */
const DOCUMENT_BYTES = 2 * DEFAULT_LIMITS.manifestBytes;

/** What was read, by what a program has of it: whoever makes one of his own has read none. */
export const REQUESTS = new WeakMap<object, RequestDocument>();
export const RESPONSES = new WeakMap<object, ResponseDocument>();

/** The bytes of a request or a response, read by what makes of them what a program gets; errors say where they are. */
export async function readDocument<T>(
  given: string | NamedBytes,
  waiting: Waiting,
  read: (bytes: Uint8Array, name: string) => T,
): Promise<T> {
  const from = fileOrBytes(given, 'from');
  const name = typeof from === 'string' ? from : from.name;
  const bytes =
    typeof from === 'string'
      ? await whileWaiting(waitingOptions(waiting, 'waiting'), (source) =>
          readSmallFile(from, source, DOCUMENT_BYTES),
        )
      : from.bytes;
  try {
    return read(bytes, name);
  } catch (error) {
    throw toBundleError(error).at({ file: name });
  }
}
