import { describe, expect, test } from 'vitest';
import { type ByteSink, discardedAtEnd, heldSink } from '../../../src/kit/streams/byte-sink.ts';

function told(): { readonly calls: string[]; readonly sink: ByteSink } {
  const calls: string[] = [];
  return {
    calls,
    sink: {
      write: async () => void calls.push('write'),
      finish: async () => void calls.push('finish'),
      discard: async () => void calls.push('discard'),
    },
  };
}

describe('[sink.1] a sink that is held to one end', () => {
  test('is discarded once by whoever leaves it, unless it was finished', async () => {
    const { calls, sink } = told();
    {
      await using held = heldSink(sink);
      await using _ = discardedAtEnd(held);
      await held.write(new Uint8Array(1));
      await held.discard();
    }
    expect(calls).toEqual(['write', 'discard']);
    const other = told();
    {
      await using held = heldSink(other.sink);
      await using _ = discardedAtEnd(held);
      await held.finish();
      await held.discard();
    }
    expect(other.calls).toEqual(['finish']);
  });

  test('is not discarded when its finish has failed, and takes nothing behind its end', async () => {
    const { calls, sink } = told();
    const held = heldSink({ ...sink, finish: () => Promise.reject(new Error('full')) });
    await expect(held.finish()).rejects.toThrow('full');
    await held.discard();
    await expect(held.write(new Uint8Array(1))).rejects.toMatchObject({ code: 'INTERNAL' });
    await expect(held.finish()).rejects.toMatchObject({ code: 'INTERNAL' });
    expect(calls).toEqual([]);
  });

  test('a name and nothing are left to others', async () => {
    await discardedAtEnd('out.ova')[Symbol.asyncDispose]();
    await discardedAtEnd(undefined)[Symbol.asyncDispose]();
  });
});
