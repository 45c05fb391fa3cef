import { engine } from '#engine';
import { ByteCursor } from '../../kit/byte-cursor.ts';
import { type ByteStream, concat, copyBytes } from '../../kit/bytes.ts';
import { PACKED_ANEW, REBUILT, REPAIRED } from '../../kit/errors/archive-errors.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import type { Limits } from '../../kit/limits.ts';
import { restBehind } from '../repair/rest-behind.ts';
import { cut, type GzipHeaderOptions, malformed, readGzipHeader } from './gzip-header.ts';
import { InflationGuard } from './inflation-guard.ts';
import { SLICE_BYTES, throughInflater } from './through-inflater.ts';

/**
 * Unpacks a gzip file of exactly one member; its checks are complete only when the stream has ended.
 *
 * zlib's own gunzip joins several members and forgives zero bytes behind them, where other readers stop: so the
 * framing is read here and zlib inflates only. Of the header only what the framing needs is believed; how much else may
 * stand there depends on who answers for the file, the carrier of a bundle or (`signed`) whoever signed it.
 *
 * @throws {BundleError} `GZIP_MALFORMED`, `ARCHIVE_TRUNCATED`, `ARCHIVE_LIMIT`; offsets count compressed bytes
 * @see spec/archive.md, clauses gz.1 to gz.5
 */
export async function* gunzip(
  source: ByteStream,
  limits: Limits,
  options: GzipHeaderOptions = {},
): AsyncGenerator<Uint8Array, void> {
  const cursor = new ByteCursor(source);
  try {
    await readGzipHeader(cursor, limits, options);
    const tail = yield* inflate(cursor, limits);
    if (options.onOdd) yield* furtherMembers(cursor, tail, { limits, onOdd: options.onOdd });
    else await checkTrailer(cursor, tail);
  } finally {
    await cursor.close();
  }
}

/** [repair.9] A member costs time even when nothing is in it: beyond so many, each must bring so many bytes, all together. */
const FREE_MEMBERS = 256;
const BYTES_OF_MEMBER = 16 * 1024;

/** [repair.4] What follows the first member: others are read on, as gzip itself does, and what is none is left out. */
async function* furtherMembers(
  cursor: ByteCursor,
  first: Tail,
  { limits, onOdd }: { readonly limits: Limits; readonly onOdd: (refusal: BundleError) => void },
): AsyncGenerator<Uint8Array, void> {
  let unpacked = first.size;
  let tail = first;
  for (let members = 2; ; members++) {
    cursor.giveBack(tail.rest);
    const trailer = copyBytes(await cursor.take(8));
    await checkTrailer(cursor, { ...tail, rest: trailer }, true);
    const at = cursor.offset;
    const next = copyBytes(await cursor.take(2));
    if (next.byteLength === 0) return;
    if (next[0] !== 0x1f || next[1] !== 0x8b) {
      onOdd(malformed('bytes follow the compressed archive, which are left out', at));
      for await (const _ of restBehind(cursor, 'compressedOffset'));
      return;
    }
    onOdd(malformed('the compressed archive is made of several gzip members', at));
    if ((members - FREE_MEMBERS) * BYTES_OF_MEMBER > unpacked)
      throw new BundleError(
        'ARCHIVE_LIMIT',
        'the compressed archive has too many gzip members for its size',
        {
          where: { compressedOffset: at },
          fix: REBUILT,
          own: PACKED_ANEW,
        },
      );
    cursor.giveBack(next);
    await readGzipHeader(cursor, limits, { onOdd });
    tail = yield* inflate(cursor, limits, tail);
    unpacked += tail.size;
  }
}

interface Tail {
  /** compressed bytes that were taken for zlib but lie behind the deflate data */
  readonly rest: Uint8Array;
  readonly crc: number;
  readonly size: number;
  readonly offset: number;
  /** of this member and those before it */
  readonly guard: InflationGuard;
  readonly compressed: number;
}

async function* inflate(
  cursor: ByteCursor,
  limits: Limits,
  before: Pick<Tail, 'guard' | 'compressed'> = { guard: new InflationGuard(limits), compressed: 0 },
): AsyncGenerator<Uint8Array, Tail> {
  const inflater = engine.openInflater();
  const start = cursor.offset;
  const { guard } = before;
  let crc = 0;
  let size = 0;
  const inflated = throughInflater(inflater, cursor);
  try {
    for (;;) {
      const next = await inflated.next();
      if (next.done) {
        const rest = copyBytes(next.value);
        const compressed = before.compressed + inflater.bytesWritten;
        return { rest, crc, size, offset: start + inflater.bytesWritten, guard, compressed };
      }
      const chunk = next.value;
      guard.add(chunk);
      // [gz.4] Counted on what zlib took in, not on what it was given.
      if (!guard.allows(before.compressed + inflater.bytesWritten)) {
        throw new BundleError(
          'ARCHIVE_LIMIT',
          `the archive inflates to more than ${limits.inflateRatio} times its size`,
          { where: { compressedOffset: start + inflater.bytesWritten } },
        );
      }
      size += chunk.byteLength;
      crc = engine.crc32(chunk, crc);
      yield chunk;
    }
  } catch (error) {
    throw wrap(error, start, cursor.offset);
  } finally {
    await inflated.return(new Uint8Array(0));
  }
}

/** An error of zlib in our terms; it does not tell the byte, so damage is placed at the start of the slice it is in. */
function wrap(error: unknown, start: number, end: number): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'Z_BUF_ERROR') return cut(end);
  if (code !== 'Z_DATA_ERROR') return error;
  const compressedOffset = start + Math.floor((end - start - 1) / SLICE_BYTES) * SLICE_BYTES;
  return new BundleError('GZIP_MALFORMED', 'the compressed data is damaged', {
    where: { compressedOffset },
    cause: error,
  });
}

/** [gz.3] CRC and size agree, and nothing follows: a second member or junk is another archive to another reader. */
async function checkTrailer(cursor: ByteCursor, tail: Tail, alone = false): Promise<void> {
  const more =
    !alone && tail.rest.byteLength < 9 ? await cursor.take(9 - tail.rest.byteLength) : new Uint8Array(0);
  const trailer = concat([tail.rest, more]);
  if (trailer.byteLength < 8) throw cut(tail.offset + trailer.byteLength);
  const view = new DataView(trailer.buffer, trailer.byteOffset);
  if (view.getUint32(0, true) !== tail.crc) throw malformed('the gzip checksum is wrong', tail.offset);
  if (view.getUint32(4, true) !== tail.size % 2 ** 32)
    throw malformed('the gzip size is wrong', tail.offset + 4);
  if (trailer.byteLength > 8) {
    throw new BundleError(
      'GZIP_MALFORMED',
      'bytes follow the compressed archive, such as a second gzip member',
      { where: { compressedOffset: tail.offset + 8 }, fix: REPAIRED, own: PACKED_ANEW },
    );
  }
}
