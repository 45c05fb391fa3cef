import { copyBytes } from '../../kit/bytes.ts';
import { unlessAborted } from '../../kit/deadline.ts';
import { asked, askedAtOnce } from '../../kit/errors/asked.ts';
import { callback, face, needed, type Rule } from '../../kit/shape.ts';
import { byteSink } from '../../kit/streams/byte-sink.ts';
import type { BundleSink } from './member.ts';

const WHAT = 'a BundleSink: an object with create() and store()';

const sinkFace = face<BundleSink>(
  { create: needed(callback<BundleSink['create']>()), store: needed(callback<BundleSink['store']>()) },
  WHAT,
);

const memberSink = byteSink('what takes a member: an object with write(), finish() and discard()');

/** Where a program wants the members of a bundle; what it throws is a slip of the caller's, unless it is an error of the library's. [api.2] */
export const bundleSink: Rule<BundleSink> = (value, name) => {
  const { create, store } = sinkFace(value, name);
  const call = (method: string): string => `${name}.${method}()`;
  return {
    create: async (member, size) =>
      memberSink(await asked(call('create'), () => create(member, size)), call('create')),
    store: (member, content) => {
      const stored = askedAtOnce(call('store'), () => store(member, copyBytes(content)));
      return stored === undefined ? undefined : asked(call('store'), () => stored);
    },
  };
};

/** A sink that does not answer holds up no deadline: what it has begun of a member is discarded, while its call may still run. [sink.3] */
export function sinkUntil(sink: BundleSink, signal: AbortSignal | undefined): BundleSink {
  if (signal === undefined) return sink;
  return {
    create: async (member, size) => {
      const creating = sink.create(member, size);
      const taker = await unlessAborted(creating, signal).catch((error: unknown) => {
        creating.then((late) => late.discard()).catch(() => {}); // it may come when nobody waits for it any more
        throw error;
      });
      return {
        write: (chunk) => unlessAborted(taker.write(chunk), signal),
        finish: () => unlessAborted(taker.finish(), signal),
        discard: () => unlessAborted(taker.discard(), signal).catch(() => {}), // why it is called is what is told
      };
    },
    store: (member, content) => {
      const stored = sink.store(member, content);
      return stored === undefined ? undefined : unlessAborted(stored, signal);
    },
  };
}
