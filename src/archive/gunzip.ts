import { constants, crc32, createInflateRaw } from 'node:zlib';
import { ByteCursor } from '../kit/byte-cursor.ts';
import { type ByteStream, concat, copyBytes } from '../kit/bytes.ts';
import { BundleError } from '../kit/errors.ts';
import type { Limits } from '../kit/limits.ts';
import { InflationGuard } from './inflation-guard.ts';
import { ENGINE_OPTIONS, SLICE_BYTES, throughZlib } from './zlib-stream.ts';

const FLAG = { text: 1, headerCrc: 2, extra: 4, name: 8, comment: 16 } as const;
const RESERVED_FLAGS = 0xe0;
/** A name or comment in the header; nobody needs it, so it may not cost much. */
const TEXT_LIMIT = 64 * 1024;

/**
 * Unpacks a gzip file of exactly one member; its checks are complete only when the stream has ended.
 *
 * zlib's own gunzip joins several members and forgives zero bytes behind them, where other readers stop: so the
 * framing is read here and zlib inflates only. Of the header only what the framing needs is believed.
 *
 * @throws {BundleError} `GZIP_MALFORMED`, `ARCHIVE_TRUNCATED`, `ARCHIVE_LIMIT`; offsets count compressed bytes
 * @see spec/archive.md, clauses gz.1 to gz.5
 */
export async function* gunzip(source: ByteStream, limits: Limits): AsyncGenerator<Uint8Array, void> {
  const cursor = new ByteCursor(source);
  try {
    await readHeader(cursor);
    const tail = yield* inflate(cursor, limits);
    await checkTrailer(cursor, tail);
  } finally {
    await cursor.close();
  }
}

interface Tail {
  /** compressed bytes that were taken for zlib but lie behind the deflate data */
  readonly rest: Uint8Array;
  readonly crc: number;
  readonly size: number;
  readonly offset: number;
}

async function* inflate(cursor: ByteCursor, limits: Limits): AsyncGenerator<Uint8Array, Tail> {
  const engine = createInflateRaw({ ...ENGINE_OPTIONS, finishFlush: constants.Z_FINISH });
  const start = cursor.offset;
  const guard = new InflationGuard(limits);
  let crc = 0;
  let size = 0;
  const inflated = throughZlib(engine, cursor);
  try {
    for (;;) {
      const next = await inflated.next();
      if (next.done) {
        const rest = copyBytes(next.value);
        return { rest, crc, size, offset: start + engine.bytesWritten };
      }
      const chunk = next.value;
      guard.add(chunk);
      // [gz.4] Counted on what zlib took in, not on what it was given.
      if (!guard.allows(engine.bytesWritten)) {
        throw new BundleError(
          'ARCHIVE_LIMIT',
          `the archive inflates to more than ${limits.inflateRatio} times its size`,
          { where: { offset: start + engine.bytesWritten } },
        );
      }
      size += chunk.byteLength;
      crc = crc32(chunk, crc);
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
  const offset = start + Math.floor((end - start - 1) / SLICE_BYTES) * SLICE_BYTES;
  return new BundleError('GZIP_MALFORMED', 'the compressed data is damaged', {
    where: { offset },
    cause: error,
  });
}

/** [gz.1] [gz.2] The header is what RFC 1952 says, and costs little, whatever it holds; its name is not believed. */
async function readHeader(cursor: ByteCursor): Promise<void> {
  const head = copyBytes(await need(cursor, 10));
  const flags = head[3] ?? 0;
  if (head[0] !== 0x1f || head[1] !== 0x8b || head[2] !== 8)
    throw malformed('this is not gzip with deflate', 0);
  if ((flags & RESERVED_FLAGS) !== 0) throw malformed('the gzip header uses reserved flags', 3);
  const seen: Uint8Array[] = [head];
  if (flags & FLAG.extra) {
    const length = copyBytes(await need(cursor, 2));
    seen.push(length);
    seen.push(copyBytes(await need(cursor, (length[0] ?? 0) + 256 * (length[1] ?? 0))));
  }
  if (flags & FLAG.name) seen.push(await text(cursor));
  if (flags & FLAG.comment) seen.push(await text(cursor));
  if (flags & FLAG.headerCrc) {
    const at = cursor.offset;
    const stored = await need(cursor, 2);
    const computed = crc32(concat(seen)) & 0xffff;
    if ((stored[0] ?? 0) + 256 * (stored[1] ?? 0) !== computed)
      throw malformed('the gzip header is damaged', at);
  }
}

async function text(cursor: ByteCursor): Promise<Uint8Array> {
  const start = cursor.offset;
  const bytes: number[] = [];
  for (;;) {
    const byte = (await need(cursor, 1))[0] ?? 0;
    bytes.push(byte);
    if (byte === 0) return Uint8Array.from(bytes);
    if (bytes.length > TEXT_LIMIT) throw malformed('the name in the gzip header has no end', start);
  }
}

/** [gz.3] CRC and size agree, and nothing follows: a second member or junk is another archive to another reader. */
async function checkTrailer(cursor: ByteCursor, tail: Tail): Promise<void> {
  const more = tail.rest.byteLength < 9 ? await cursor.take(9 - tail.rest.byteLength) : new Uint8Array(0);
  const trailer = concat([tail.rest, more]);
  if (trailer.byteLength < 8) throw cut(tail.offset + trailer.byteLength);
  const view = new DataView(trailer.buffer, trailer.byteOffset);
  if (view.getUint32(0, true) !== tail.crc) throw malformed('the gzip checksum is wrong', tail.offset);
  if (view.getUint32(4, true) !== tail.size % 2 ** 32)
    throw malformed('the gzip size is wrong', tail.offset + 4);
  if (trailer.byteLength > 8) {
    throw malformed('bytes follow the compressed archive, such as a second gzip member', tail.offset + 8);
  }
}

async function need(cursor: ByteCursor, count: number): Promise<Uint8Array> {
  const bytes = await cursor.take(count);
  if (bytes.byteLength < count) throw cut(cursor.offset);
  return bytes;
}

function cut(offset: number): BundleError {
  return new BundleError('ARCHIVE_TRUNCATED', 'the compressed archive ends early', { where: { offset } });
}

function malformed(message: string, offset: number): BundleError {
  return new BundleError('GZIP_MALFORMED', message, { where: { offset } });
}
