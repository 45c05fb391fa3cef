import { expect, it } from 'vitest';
import { endsOf, PassingEnds, readEnds } from '../../../src/formats/disk/image-ends.ts';
import { PROBE_HEAD_BYTES, PROBE_TAIL_BYTES } from '../../../src/formats/disk/probe.ts';

/** Bytes that tell where they are. */
function contentOf(size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => (i * 31 + (i >> 8)) & 0xff);
}

it.each([
  0,
  1,
  PROBE_TAIL_BYTES - 1,
  PROBE_TAIL_BYTES,
  PROBE_TAIL_BYTES + 1,
  5 * PROBE_TAIL_BYTES + 3,
  PROBE_HEAD_BYTES,
  PROBE_HEAD_BYTES + 7,
])('the ends of %i bytes are the same at hand, read from a file, and going by', async (size) => {
  const content = contentOf(size);
  const expected = [content.slice(0, PROBE_HEAD_BYTES), content.slice(-PROBE_TAIL_BYTES), size];
  expect(endsOf(content)).toEqual(expected);

  const file = new Uint8Array(size + 100).fill(0xee); // what lies around it in an archive is not its own
  file.set(content, 60);
  const readAt = async (offset: number, length: number) => file.slice(offset, offset + length);
  expect(await readEnds({ readAt }, { start: 60, size })).toEqual(expected);

  for (const step of [PROBE_TAIL_BYTES - 1, 65_537, PROBE_HEAD_BYTES + 1]) {
    const ends = new PassingEnds();
    const chunk = new Uint8Array(step); // used again, as sources may
    for (let at = 0; at < size; at += step) {
      const part = content.subarray(at, at + step);
      chunk.set(part);
      ends.add(chunk.subarray(0, part.byteLength));
    }
    expect(ends.size).toBe(size);
    expect(ends.ends()).toEqual(expected);
  }
});
