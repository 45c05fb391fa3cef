import { checkAborted } from '../../kit/bytes.ts';
import { unlessAborted } from '../../kit/deadline.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import { type ByteSink, type HeldSink, heldSink } from '../../kit/streams/byte-sink.ts';
import { openPrivateFile } from '../sources/private-file.ts';

/**
 * Where what is made goes: a sink, and what only files have besides. Nothing stands under a name before `finish`; disposing without it leaves nothing.
 */
export interface Output extends HeldSink {
  /** names of what runs for this file had left beside it that are gone; it has been removed */
  readonly swept: readonly string[];
  /** writes again what stands at `offset`; only where that was asked for */
  patch(offset: number, bytes: Uint8Array): Promise<void>;
}

/** An output in which nothing can be written again. */
export function inOrder(sink: HeldSink): Output {
  const patch = async (): Promise<void> => {
    throw new BundleError('INTERNAL', 'what has gone out cannot be written again');
  };
  return { ...sink, swept: [], patch };
}

/** A sink of the caller's as an output: one that takes nothing does not hold us beyond a signal or a deadline. [sink.3] */
export function sinkOutput(sink: ByteSink, signal: AbortSignal | undefined): Output {
  const held = heldSink(sink);
  return inOrder({
    ...held,
    write: (chunk) => unlessAborted(held.write(chunk), signal),
    finish: async () => {
      checkAborted(signal); // [cli.15]
      await held.finish(); // to its end, since its answer alone tells whether the bundle stands
    },
  });
}

/** Keeps what is written in a private file until it is complete, so that it can be written again: what goes out then is the same as a file would hold. [zip.15] */
export async function keptOutput(output: Output): Promise<Output> {
  const file = await openPrivateFile('output');
  const discard = async (): Promise<void> => {
    await file[Symbol.asyncDispose]();
    await output.discard();
  };
  const held = heldSink({
    write: (chunk) => file.append(chunk),
    finish: async () => {
      try {
        for await (const chunk of file.access().range(0, file.size)) await output.write(chunk);
        await output.finish();
      } finally {
        await discard();
      }
    },
    discard,
  });
  return { ...held, swept: output.swept, patch: (offset, bytes) => file.patch(offset, bytes) };
}
