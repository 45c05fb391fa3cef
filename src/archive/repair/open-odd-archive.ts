import { hasTarChecksum, isZeroBlock, TAR_BLOCK } from '../../formats/tar/header.ts';
import { parseOddTarHeader } from '../../formats/tar/odd-header.ts';
import { peek } from '../../kit/byte-cursor.ts';
import { isBundleError } from '../../kit/errors/errors.ts';
import { isSeekable, type RandomAccess, type SeekableStream } from '../../kit/random-access.ts';
import { gunzip } from '../deflate/gunzip.ts';
import type { ArchiveEntries } from '../entry.ts';
import { isGzip, type OpenArchive, type OpenedArchive, openArchive, refusalOf } from '../open-archive.ts';
import { type OddOptions, readOddTar } from './odd-tar-reader.ts';

/** Reads a zip that the strict reader may refuse; undefined where there is none in the file. */
export type ReadOddZip = (file: RandomAccess, options: OddOptions) => Promise<ArchiveEntries | undefined>;

/**
 * Opens archives as `openArchive` does, and those as well whose form alone is odd; what was odd is told to `repairs`.
 *
 * Nothing is believed because of it: it is for whoever holds a signed manifest against what was read.
 *
 * @see spec/archive.md, clauses repair.1 to repair.9
 */
export function openingOdd(
  { repairs, takeTurn }: Omit<OddOptions, 'limits'>,
  readOddZip: ReadOddZip,
): OpenArchive {
  return async (source, limits, relaxed) => {
    const { head, stream } = await peek(source, TAR_BLOCK);
    const options: OddOptions = { limits, repairs, takeTurn };
    if (isOddTar(head)) return { format: 'tar', entries: readOddTar(stream, options) };
    if (isGzip(head)) return await openGzip(stream, options);
    if (!isSeekable(stream)) return await openArchive(stream, limits, relaxed);
    // The directory of a zip is at its end: so it is found there, whatever comes first.
    const file = await stream.randomAccess(stream);
    const copied = file.copied ? { copied: file.size } : {};
    const entries = await closedOnError(file, () => readOddZip(file, options));
    if (entries) return { format: 'zip', entries, ...copied };
    return await openArchive(asStream(file), limits, relaxed);
  };
}

async function openGzip(stream: AsyncIterable<Uint8Array>, options: OddOptions): Promise<OpenedArchive> {
  const { limits, repairs } = options;
  const unpacked = gunzip(stream, limits, { onOdd: (refusal) => repairs.addRefusal(refusal) });
  const inner = await peek(unpacked, TAR_BLOCK);
  if (isOddTar(inner.head)) return { format: 'tgz', entries: readOddTar(inner.stream, options) };
  throw await refusalOf(inner, 'gzip'); // [gz.5]
}

function isOddTar(head: Uint8Array): boolean {
  if (head.byteLength < TAR_BLOCK || isZeroBlock(head)) return false;
  if (hasTarChecksum(head)) return true;
  try {
    parseOddTarHeader(head);
    return true;
  } catch (error) {
    if (!isBundleError(error)) throw error;
    return String.fromCharCode(...head.subarray(257, 262)) === 'ustar'; // which is damaged, and refused as that
  }
}

async function closedOnError<T>(file: RandomAccess, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    await file[Symbol.asyncDispose]();
    throw error;
  }
}

/** A file that is open already, as a stream; whoever leaves it closes the file, also after its last byte. */
function asStream(file: RandomAccess): SeekableStream {
  const bytes = file.range(0, file.size)[Symbol.asyncIterator]();
  let taken = false;
  return {
    [Symbol.asyncIterator]: () => ({
      next: () => bytes.next(),
      return: async () => {
        await bytes.return?.();
        if (!taken) await file[Symbol.asyncDispose]();
        return { done: true, value: undefined };
      },
    }),
    randomAccess: async (rest) => {
      taken = true;
      await rest[Symbol.asyncIterator]().return?.();
      return file;
    },
  };
}
