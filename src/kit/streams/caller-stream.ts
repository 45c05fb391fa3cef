import type { ByteStream } from '../bytes.ts';
import type { SourceOptions } from '../source.ts';
import { CallerIterator, type Turn } from './caller-iterator.ts';
import { Patience } from './idle.ts';

/** The bytes of a stream that a program hands in, under this name; they are timed and interrupted like those of a pipe. [net.4] [stream.1] */
export async function* callerStream(
  stream: ByteStream,
  name: string,
  options: SourceOptions,
  turn: Turn,
): AsyncGenerator<Uint8Array, void> {
  const patience = new Patience(options, name);
  const iterator = new CallerIterator(stream, name, options.signal, turn);
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
