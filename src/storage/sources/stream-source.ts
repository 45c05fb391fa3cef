import { setImmediate } from 'node:timers/promises';
import type { ByteStream } from '../../kit/bytes.ts';
import type { Source, SourceOptions } from '../../kit/source.ts';
import { callerStream } from '../../kit/streams/caller-stream.ts';
import { spoolable } from './private-file.ts';

const NAME = '(stream)';

/** Bytes that a program hands in as a source; they are timed and interrupted like those of a pipe. */
export function streamSource(stream: ByteStream, options: SourceOptions): Source {
  return {
    name: NAME,
    repeatable: false,
    stream: () => spoolable(callerStream(stream, NAME, options, setImmediate), options),
    checkUnchanged: () => {},
    [Symbol.asyncDispose]: async () => {},
  };
}
