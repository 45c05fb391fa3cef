import { copyBytes } from '../bytes.ts';
import { asked } from '../errors/asked.ts';
import { BundleError } from '../errors/errors.ts';
import { callback, face, needed, type Rule } from '../shape.ts';

/**
 * Where bytes go that come in order, once: what `ByteStream` is to reading. In the end one of `finish` and `discard` is called, once, and
 * nothing after it. No call is made before the last one has ended, but for `discard` when a signal or a deadline has ended the waiting.
 *
 * @see spec/robustness.md, clauses sink.1 to sink.3
 */
export interface ByteSink {
  /** takes the next bytes: a program's own sink gets copies, which are its own; others read them alone, until the next call has ended */
  write(chunk: Uint8Array): Promise<void>;
  /** all have come, and nothing speaks against them any more; what this throws is why it was not done after all */
  finish(): Promise<void>;
  /** no more come, and what has come is to go; what this throws counts for nothing, since why it is called says more */
  discard(): Promise<void>;
}

/** A sink that is held to one end: disposing discards it unless it has been finished, and a second discarding does nothing. */
export interface HeldSink extends ByteSink, AsyncDisposable {}

/** Holds a sink to one end. @throws {BundleError} `INTERNAL` for bytes, or a second finish, that come behind it */
export function heldSink(sink: ByteSink): HeldSink {
  let state: 'open' | 'finished' | 'discarded' = 'open';
  const expectOpen = (): void => {
    if (state !== 'open') throw new BundleError('INTERNAL', `what takes the bytes was ${state} before`);
  };
  const discard = async (): Promise<void> => {
    if (state !== 'open') return;
    state = 'discarded';
    await sink.discard();
  };
  return {
    write: async (chunk) => {
      expectOpen();
      await sink.write(chunk);
    },
    finish: async () => {
      expectOpen();
      state = 'finished';
      await sink.finish();
    },
    discard,
    [Symbol.asyncDispose]: discard,
  };
}

/** Discards a sink in the end, unless it has been finished by then; a name is for whoever opens it. */
export function discardedAtEnd(output: string | ByteSink | undefined): AsyncDisposable {
  return {
    [Symbol.asyncDispose]: async () => {
      if (typeof output === 'object') await output.discard();
    },
  };
}

const sinkFace = (what: string): Rule<ByteSink> =>
  face<ByteSink>(
    {
      write: needed(callback<ByteSink['write']>()),
      finish: needed(callback<ByteSink['finish']>()),
      discard: needed(callback<ByteSink['discard']>()),
    },
    what,
  );

const FIX = 'see what it says; nothing of what came there is to be used';

/**
 * A sink of the caller's, an object of any class; what its methods throw is a slip of the caller's, unless it is an error of the library's. [api.2]
 *
 * @param what it is to be, for whoever gave something else
 */
export function byteSink(what: string): Rule<HeldSink> {
  const own = sinkFace(what);
  return (value, name) => {
    const sink = own(value, name);
    return heldSink({
      // [sink.1] A copy: a queue may hold it longer, and a worker take its memory away, while ours is hashed and read on.
      write: (chunk) => asked(`${name}.write()`, () => sink.write(copyBytes(chunk)), FIX),
      finish: () => asked(`${name}.finish()`, sink.finish, FIX),
      discard: () => asked(`${name}.discard()`, sink.discard).catch(() => {}),
    });
  };
}
