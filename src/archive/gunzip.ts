import { constants, crc32, createInflateRaw } from 'node:zlib';
import { ByteCursor } from '../kit/byte-cursor.ts';
import { type ByteStream, concat, copyBytes, rechunk } from '../kit/bytes.ts';
import { BundleError, isBundleError } from '../kit/errors.ts';
import { CHUNK_BYTES, type Limits } from '../kit/limits.ts';
import { throughZlib } from './zlib-stream.ts';

const FLAG = { text: 1, headerCrc: 2, extra: 4, name: 8, comment: 16 } as const;
const RESERVED_FLAGS = 0xe0;
/** A name or comment in the header; nobody needs it, so it may not cost much. */
const TEXT_LIMIT = 64 * 1024;

/**
 * Unpacks a gzip file of exactly one member; its checks are complete only when the stream has ended.
 *
 * zlib's own gunzip joins several members and forgives zero bytes behind them, where other readers stop: so the
 * framing is read here and zlib inflates only. The name in the header is ignored.
 *
 * @throws {BundleError} `GZIP_MALFORMED`, `ARCHIVE_TRUNCATED`, `ARCHIVE_LIMIT`; offsets count compressed bytes
 * @see spec/archive.md, clauses gz.1 to gz.5
 */
export async function* gunzip(source: ByteStream, limits: Limits): AsyncGenerator<Uint8Array, void> {
  const cursor = new ByteCursor(rechunk(source, 64 * 1024));
  try {
    await readHeader(cursor);
    const tail = yield* inflate(cursor, limits);
    await checkTrailer(cursor, tail);
  } finally {
    await cursor.close();
  }
}

interface Tail {
  /** compressed bytes that were handed to zlib but lie behind the deflate data */
  readonly rest: Uint8Array;
  readonly crc: number;
  readonly size: number;
  readonly offset: number;
}

async function* inflate(cursor: ByteCursor, limits: Limits): AsyncGenerator<Uint8Array, Tail> {
  const engine = createInflateRaw({ chunkSize: CHUNK_BYTES, finishFlush: constants.Z_FINISH });
  const start = cursor.offset;
  let last: Uint8Array = new Uint8Array(0);
  async function* fed(): AsyncGenerator<Uint8Array, void> {
    for (;;) {
      const chunk = await cursor.takeSome(Number.MAX_SAFE_INTEGER);
      if (!chunk) return;
      last = chunk;
      yield chunk;
    }
  }

  let crc = 0;
  let size = 0;
  try {
    for await (const chunk of throughZlib(engine, fed())) {
      size += chunk.byteLength;
      // [gz.4] Counted on what zlib took in, not on what it was given.
      if (size > limits.inflateFree && size > engine.bytesWritten * limits.inflateRatio) {
        throw new BundleError(
          'ARCHIVE_LIMIT',
          `the archive inflates to more than ${limits.inflateRatio} times its size`,
          {
            where: { offset: cursor.offset },
          },
        );
      }
      crc = crc32(chunk, crc);
      yield chunk;
    }
  } catch (error) {
    throw wrap(error, cursor.offset);
  }
  const taken = engine.bytesWritten;
  const rest = copyBytes(last.subarray(last.byteLength - (cursor.offset - start - taken)));
  return { rest, crc, size, offset: start + taken };
}

function wrap(error: unknown, offset: number): unknown {
  if (isBundleError(error)) return error;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'Z_BUF_ERROR') return cut(offset);
  if (typeof code !== 'string' || !code.startsWith('Z_')) return error;
  return new BundleError('GZIP_MALFORMED', 'the compressed data is damaged', {
    where: { offset },
    cause: error,
  });
}

async function readHeader(cursor: ByteCursor): Promise<void> {
  const head = await need(cursor, 10);
  const flags = head[3] ?? 0;
  if (head[0] !== 0x1f || head[1] !== 0x8b || head[2] !== 8)
    throw malformed('this is not gzip with deflate', 0);
  if ((flags & RESERVED_FLAGS) !== 0) throw malformed('the gzip header uses reserved flags', 3);
  const seen: Uint8Array[] = [copyBytes(head)];
  if (flags & FLAG.extra) {
    const length = await need(cursor, 2);
    seen.push(copyBytes(length));
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
