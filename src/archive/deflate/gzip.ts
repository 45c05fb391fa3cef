import { engine } from '#engine';
import type { ByteStream } from '../../kit/bytes.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import { DEFAULT_LIMITS, type Limits } from '../../kit/limits.ts';
import { Deflation, deflateBlocks } from './deflate-blocks.ts';

/** Magic, deflate, no flags, no time, no compression hint, unknown system: the same bytes on every machine. */
const HEADER = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255);

/**
 * Compresses to a gzip file of one member, without name or time, level 6, on all cores.
 *
 * [gz.6] What `gunzip` would refuse with the same limits is refused here, before somebody signs and ships it.
 *
 * @throws {BundleError} `ARCHIVE_LIMIT`
 */
export async function* gzip(
  source: ByteStream,
  limits: Limits = DEFAULT_LIMITS,
): AsyncGenerator<Uint8Array, void> {
  const sum = { crc: 0, size: 0 };
  let begun = false;
  for await (const chunk of deflateBlocks(
    summed(source, sum),
    new Deflation(limits, () => tooDense(limits)),
  )) {
    if (!begun) yield HEADER.slice();
    begun = true;
    yield chunk;
  }
  const trailer = new Uint8Array(8);
  const view = new DataView(trailer.buffer);
  view.setUint32(0, sum.crc, true);
  view.setUint32(4, sum.size % 2 ** 32, true);
  yield trailer;
}

/** The same bytes, their checksum and number taken. */
async function* summed(
  source: ByteStream,
  sum: { crc: number; size: number },
): AsyncGenerator<Uint8Array, void> {
  for await (const chunk of source) {
    sum.crc = engine.crc32(chunk, sum.crc);
    sum.size += chunk.byteLength;
    yield chunk;
  }
}

function tooDense(limits: Limits): BundleError {
  return new BundleError('ARCHIVE_LIMIT', `gzip makes this more than ${limits.inflateRatio} times smaller`, {
    why: 'bulla and other importers take an archive that inflates so much for an attack',
    fix: 'pack without gzip (an .ova), or convert the disk image to qcow2 or to a streamOptimized VMDK',
  });
}
