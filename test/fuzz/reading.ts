import { createHash } from 'node:crypto';
import { openArchive } from '../../src/archive/open-archive.ts';
import type { ByteStream } from '../../src/kit/bytes.ts';
import { isBundleError } from '../../src/kit/errors/errors.ts';
import type { Limits } from '../../src/kit/limits.ts';
import { chunked, irregular, sourceOf } from '../factory/streams.ts';
import { expectThat, Violation } from './target.ts';

/** What reading came to: an error's code is the answer when there is one. */
export interface Reading {
  readonly code: string;
  /** all that was seen, as one text: name, size, place and digest of each member, the error with its place */
  readonly story: string;
  readonly members: readonly { readonly name: string; readonly size: number; readonly dataOffset: number }[];
  readonly digests: readonly string[];
}

/** Reads an archive of any kind to its end. Chunks are used as late as `ByteStream` allows. */
export async function readArchive(source: ByteStream, limits: Limits): Promise<Reading> {
  const members: Reading['members'][number][] = [];
  const digests: string[] = [];
  try {
    const { entries } = await openArchive(source, limits);
    for await (const { name, size, dataOffset, body } of entries) {
      members.push({ name, size, dataOffset });
      digests.push(await digestOf(body));
    }
    return { code: 'ok', story: JSON.stringify([members, digests]), members, digests };
  } catch (error) {
    if (!isBundleError(error)) throw error;
    const { code, message, where } = error;
    return { code, story: JSON.stringify([members, digests, code, message, where]), members, digests };
  }
}

async function digestOf(body: ByteStream): Promise<string> {
  const hash = createHash('sha256');
  let before: Uint8Array = new Uint8Array(0);
  for await (const chunk of body) {
    hash.update(before);
    before = chunk;
  }
  return hash.update(before).digest('hex');
}

/** What `read` makes of the bytes, which must be the same in chunks of any size from a source that reuses its buffers. */
export async function inAnyChunks<T extends { readonly story: string }>(
  bytes: Uint8Array,
  read: (source: ByteStream) => Promise<T>,
): Promise<T> {
  const whole = await read(chunked(bytes));
  const sizes = [
    () => 512,
    () => 511,
    irregular(bytes.byteLength),
    ...(bytes.byteLength < 3000 ? [() => 1] : []),
  ];
  for (const size of sizes) {
    const source = sourceOf(bytes, { sizes: size, hostile: true });
    const other = await read(source);
    if (other.story !== whole.story)
      throw new Violation(`in chunks of ${size()}: ${other.story}, whole: ${whole.story}`);
    expectThat(source.seen.ended || source.seen.closed, 'the source is neither read to its end nor let go');
  }
  return whole;
}
