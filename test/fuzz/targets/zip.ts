import { buffer } from 'node:stream/consumers';
import yauzl from 'yauzl';
import { DEFAULT_LIMITS } from '../../../src/kit/limits.ts';
import type { SeekableStream } from '../../../src/kit/random-access.ts';
import { chunked, irregular, sourceOf } from '../../factory/streams.ts';
import { zip } from '../../factory/zip.ts';
import { mutateZip } from '../mutators/zip-mutator.ts';
import { type Reading, readArchive } from '../reading.ts';
import { sha256 } from '../seeds/pki.ts';
import { vectorFiles } from '../seeds/vectors.ts';
import { expectThat, type Target } from '../target.ts';
import { ARCHIVE_CODES, refusal } from './tar.ts';
import { pickSeed } from './x509.ts';

const LIMITS = { ...DEFAULT_LIMITS, inflateFree: 1024 * 1024, totalBytes: 16 * 1024 * 1024 };

/** Zip: the same answer whatever is fetched at once; what is accepted, another reader reads alike. */
export const ZIP: Target = {
  name: 'zip',
  group: 'archives',
  share: 1,
  codes: ARCHIVE_CODES,
  open: async () => ({
    seeds: [
      zip([
        { name: 'a.ovf', content: '<Envelope/>' },
        { name: 'disk.img', content: 'x'.repeat(1025), deflate: true },
      ]),
      zip([{ name: 'empty', content: '' }]),
      ...vectorFiles('archives', /\.zip$/),
    ],
    mutate: (random, corpus) => mutateZip(random, pickSeed(random, corpus, 20_000)),
    run: async (input) => {
      const reading = await readArchive(
        seekable(input, () => Number.POSITIVE_INFINITY),
        LIMITS,
      );
      const pieces = await readArchive(seekable(input, irregular(input.byteLength)), LIMITS);
      expectThat(reading.story === pieces.story, `whole: ${reading.story}, in pieces: ${pieces.story}`);
      if (reading.code !== 'ok') return refusal(reading);
      await expectAlike(input, reading);
      return 'ok';
    },
  }),
};

/** The bytes as a file: in order, or from any place on, in chunks of these sizes. */
function seekable(bytes: Uint8Array, sizes: () => number): SeekableStream {
  const stream = chunked(bytes, 512);
  return {
    [Symbol.asyncIterator]: () => stream[Symbol.asyncIterator](),
    randomAccess: async () => ({
      size: bytes.byteLength,
      copied: false,
      readAt: async (offset, length) => bytes.slice(offset, offset + length),
      range: (start, end) => sourceOf(bytes.subarray(start, end), { sizes, hostile: true }),
      [Symbol.asyncDispose]: async () => undefined,
    }),
  };
}

/** yauzl reads what we accept, name for name and byte for byte. */
async function expectAlike(input: Uint8Array, { members, digests }: Reading): Promise<void> {
  const seen = await readByYauzl(input);
  const ours = members.map(({ name, size }, i) => `${name} ${size} ${digests[i]}`);
  expectThat(
    ours.join('\n') === seen.join('\n'),
    `yauzl reads ${seen.join(', ')}; we read ${ours.join(', ')}`,
  );
}

async function readByYauzl(input: Uint8Array): Promise<readonly string[]> {
  const seen: string[] = [];
  const archive = await yauzl.fromBufferPromise(Buffer.from(input), {
    lazyEntries: true,
    strictFileNames: true,
  });
  for await (const entry of archive.eachEntry()) {
    const bytes = await buffer(await archive.openReadStreamPromise(entry));
    seen.push(`${entry.fileName} ${bytes.byteLength} ${Buffer.from(sha256(bytes)).toString('hex')}`);
  }
  return seen;
}
