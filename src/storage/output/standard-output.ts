import { fstatSync, readFileSync, statSync } from 'node:fs';
import { BundleError } from '../../kit/errors/errors.ts';
import { heldSink } from '../../kit/streams/byte-sink.ts';
import { reasonOf } from '../../kit/streams/idle.ts';
import { writeError } from '../io-errors.ts';
import { inOrder, type Output } from './output.ts';

/** What went out before cannot be called back. [cli.14] */
function cutShort(error: Error): BundleError {
  const { code, message, where, cause } = writeError(error, 'standard output');
  return new BundleError(code, message, {
    where,
    why: 'what has come there is not whole, and must not be used',
    fix: 'run it again, with standard output going where it can be written',
    cause,
  });
}

/** In what Linux says of an open file: for reading and for writing. */
const READ_AND_WRITE = 2;
const ACCESS = 3;

/**
 * Whether standard output was closed, for all that can be told: Node opens `/dev/null` in its place, for reading, too, as hardly
 * anybody does who wants nothing of what is written.
 */
function isClosed(): boolean {
  try {
    if (fstatSync(1).rdev !== statSync('/dev/null').rdev || !fstatSync(1).isCharacterDevice()) return false;
    const [, flags = '0'] = /^flags:\s*([0-7]+)$/m.exec(readFileSync('/proc/self/fdinfo/1', 'latin1')) ?? [];
    return (Number.parseInt(flags, 8) & ACCESS) === READ_AND_WRITE;
  } catch {
    return false; // this system does not say how it was opened
  }
}

function closed(): BundleError {
  return new BundleError('STORAGE_FAILED', 'standard output is closed', {
    where: { file: 'standard output' },
    why: 'what is written there would be lost without a word',
    fix: {
      text: 'name a file, or let standard output go to one, or to a program (> /dev/null, to throw it away)',
      advice: 'name-output',
    },
  });
}

/** What a stream has failed with. One listener each, which stays: it may fail when nothing is written any more. */
const STATES = new WeakMap<object, { failure?: Error }>();

function stateOf(stream: NodeJS.WriteStream): { readonly failure?: Error } {
  const known = STATES.get(stream);
  if (known) return known;
  const state: { failure?: Error } = {};
  STATES.set(stream, state);
  stream.on('error', (error) => {
    state.failure = error;
  });
  return state;
}

/** Standard output as the place of a bundle. @throws {BundleError} `USAGE` for a terminal, `STORAGE_FAILED` when it is closed */
export function stdoutOutput(signal: AbortSignal | undefined): Output {
  const { stdout } = process;
  if (stdout.isTTY) {
    throw new BundleError('USAGE', 'standard output is a terminal', {
      why: 'a bundle is not for reading, and its bytes would steer the terminal',
      fix: { text: 'name a file, or pipe it on', advice: 'pipe-output' },
    });
  }
  if (isClosed()) throw closed(); // [cli.14]
  const state = stateOf(stdout);
  const held = heldSink({
    write: async (chunk) => {
      if (state.failure) throw cutShort(state.failure);
      let onAbort = (): void => {};
      await new Promise<void>((done, fail) => {
        onAbort = () => fail(reasonOf(signal)); // [cli.9] a reader that takes nothing must not hold us
        signal?.addEventListener('abort', onAbort);
        stdout.write(chunk, (error) => (error ? fail(cutShort(error)) : done()));
      }).finally(() => signal?.removeEventListener('abort', onAbort));
    },
    finish: async () => {},
    discard: async () => {},
  });
  return inOrder(held);
}
