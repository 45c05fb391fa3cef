import type { ByteStream } from '../../kit/bytes.ts';
import type { Source, SourceOptions } from '../../kit/source.ts';
import { CallerIterator } from './caller-iterator.ts';
import { Patience } from './idle.ts';
import { spoolable } from './private-file.ts';

const NAME = '(stream)';

/** Bytes that a program hands in as a source; they are timed and interrupted like those of a pipe. */
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
  const patience = new Patience(options, NAME);
  const iterator = new CallerIterator(stream, NAME, options.signal);
  try {
    for (;;) {
      const chunk = await patience.wait(iterator.pull());
      if (chunk === undefined) return;
      patience.arrived(chunk.byteLength);
      if (chunk.byteLength > 0) yield chunk;
    }
  } finally {
    await iterator.close();
  }
}
