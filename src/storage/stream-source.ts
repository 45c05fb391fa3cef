import { isUint8Array } from 'node:util/types';
import { type ByteStream, copyBytes } from '../kit/bytes.ts';
import { BundleError } from '../kit/errors.ts';
import { Patience } from './idle.ts';
import { readError } from './io-errors.ts';
import { spoolable } from './private-file.ts';
import type { Source, SourceOptions } from './source.ts';

const NAME = '(stream)';

/**
 * Bytes that a program hands in as a source; they are timed and interrupted like those of a pipe.
 *
 * Each chunk is copied as it comes, so that a program that fills the same buffer again and again is judged by
 * what it gave, and stored as what was judged.
 */
export function streamSource(stream: ByteStream, options: SourceOptions): Source {
  return {
    name: NAME,
    repeatable: false,
    stream: () => spoolable(readStream(stream, options), options),
    checkUnchanged: () => {},
    [Symbol.asyncDispose]: async () => {},
  };
}

async function* readStream(stream: ByteStream, options: SourceOptions): AsyncGenerator<Uint8Array, void> {
  const iterator = stream[Symbol.asyncIterator]();
  const state = { waiting: false, over: false };
  const patience = new Patience(options, NAME);
  const pull = async (): Promise<Uint8Array | undefined> => {
    state.waiting = true;
    try {
      const next = await iterator.next();
      state.over = next.done === true;
      return next.done ? undefined : next.value;
    } catch (error) {
      state.over = true;
      throw readError(error, NAME);
    } finally {
      state.waiting = false;
    }
  };
  try {
    for (;;) {
      const chunk = await patience.wait(pull());
      if (chunk === undefined) return;
      const copy = copyOf(chunk);
      patience.arrived(copy.byteLength);
      if (copy.byteLength > 0) yield copy;
    }
  } finally {
    if (!state.over) {
      const closing = Promise.resolve(iterator.return?.()).catch(() => {}); // the reading has its end already
      if (!state.waiting) await closing; // else it closes when it wakes, and that may be never
    }
  }
}

function copyOf(chunk: Uint8Array): Uint8Array {
  if (isUint8Array(chunk)) return copyBytes(chunk);
  throw new BundleError('USAGE', 'the stream gives something else than bytes', {
    where: { file: NAME },
    fix: 'give a stream of Uint8Array or Buffer chunks, without an encoding and not in object mode',
  });
}
