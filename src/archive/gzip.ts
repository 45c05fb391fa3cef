import { crc32, createDeflateRaw } from 'node:zlib';
import { ByteCursor } from '../kit/byte-cursor.ts';
import type { ByteStream } from '../kit/bytes.ts';
import { BundleError } from '../kit/errors.ts';
import { DEFAULT_LIMITS, type Limits } from '../kit/limits.ts';
import { InflationGuard } from './inflation-guard.ts';
import { ENGINE_OPTIONS, SLICE_BYTES, throughZlib } from './zlib-stream.ts';

/** Magic, deflate, no flags, no time, no compression hint, unknown system: the same bytes on every machine. */
const HEADER = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255);

/** The engine holds some input back, so the writer sees the ratio less exactly than the reader and must be stricter. */
const MARGIN = 0.9;

/**
 * Compresses to a gzip file of one member, without name or time, level 6.
 *
 * [gz.6] What `gunzip` would refuse with the same limits is refused here, before somebody signs and ships it.
 *
 * @throws {BundleError} `ARCHIVE_LIMIT`
 */
export async function* gzip(
  source: ByteStream,
  limits: Limits = DEFAULT_LIMITS,
): AsyncGenerator<Uint8Array, void> {
  const cursor = new ByteCursor(source);
  const guard = new InflationGuard({ ...limits, inflateRatio: limits.inflateRatio * MARGIN });
  let crc = 0;
  let written = HEADER.byteLength;
  try {
    yield HEADER.slice();
    const engine = createDeflateRaw({ ...ENGINE_OPTIONS, level: 6, chunkSize: SLICE_BYTES });
    const compressed = throughZlib(engine, cursor, (slice) => {
      crc = crc32(slice, crc);
      guard.add(slice);
    });
    for await (const chunk of compressed) {
      written += chunk.byteLength;
      if (!guard.allows(written)) throw tooDense(limits);
      yield chunk;
    }
    const trailer = new Uint8Array(8);
    const view = new DataView(trailer.buffer);
    view.setUint32(0, crc, true);
    view.setUint32(4, cursor.offset % 2 ** 32, true);
    yield trailer;
  } finally {
    await cursor.close();
  }
}

function tooDense(limits: Limits): BundleError {
  return new BundleError('ARCHIVE_LIMIT', `gzip makes this more than ${limits.inflateRatio} times smaller`, {
    why: 'bulla and other importers take an archive that inflates so much for an attack',
    fix: 'pack without gzip (an .ova), or convert the disk image to qcow2 or to a streamOptimized VMDK',
  });
}
