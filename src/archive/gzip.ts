import { crc32, createDeflateRaw } from 'node:zlib';
import type { ByteStream } from '../kit/bytes.ts';
import { rechunk } from '../kit/bytes.ts';
import { CHUNK_BYTES } from '../kit/limits.ts';
import { throughZlib } from './zlib-stream.ts';

/** Magic, deflate, no flags, no time, no compression hint, unknown system: the same bytes on every machine. */
const HEADER = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255);

/** Compresses to a gzip file of one member, without name or time, level 6. */
export async function* gzip(source: ByteStream): AsyncGenerator<Uint8Array, void> {
  let crc = 0;
  let size = 0;
  async function* counted(): AsyncGenerator<Uint8Array, void> {
    for await (const chunk of rechunk(source, 64 * 1024)) {
      crc = crc32(chunk, crc);
      size += chunk.byteLength;
      yield chunk;
    }
  }
  yield HEADER;
  yield* throughZlib(createDeflateRaw({ level: 6, chunkSize: CHUNK_BYTES / 4 }), counted());
  const trailer = new Uint8Array(8);
  const view = new DataView(trailer.buffer);
  view.setUint32(0, crc, true);
  view.setUint32(4, size % 2 ** 32, true);
  yield trailer;
}
