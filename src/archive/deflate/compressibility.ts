import { engine } from '#engine';

/** Below this a file is not worth a second thought. */
const WORTH_BYTES = 4096;
/** Deflate must save a tenth, or it costs every reader more time than it saves. */
const GAIN = 0.9;

/** [zip.16] Whether to deflate a file of `size` bytes, judged by samples of it; images that are compressed already are not. */
export function paysToDeflate(size: number, samples: readonly Uint8Array[]): boolean {
  const bytes = samples.reduce((sum, sample) => sum + sample.byteLength, 0);
  if (size < WORTH_BYTES || bytes === 0) return false;
  const deflated = samples.reduce((sum, sample) => sum + engine.deflate(sample, { level: 1 }).byteLength, 0);
  return deflated < bytes * GAIN;
}
