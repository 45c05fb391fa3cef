import { describe, expect, test } from 'vitest';
import { openArchive } from '../../src/archive/open-archive.ts';
import { concat } from '../../src/kit/bytes.ts';
import { DEFAULT_LIMITS } from '../../src/kit/limits.ts';
import { chunked } from '../factory/streams.ts';
import { END, type HeaderFields, header, latin1, record } from '../factory/tar.ts';

const CONTENT = 'content';
const BLANK = { mode: '000644 \0', size: '00000000007 ' };
const NUL = { mode: '0000644\0', size: '00000000007\0' };

/** A header with `fields`, whose checksum ends in `end`, and its content. */
function entry(fields: HeaderFields, content = CONTENT, end = '\0 '): Uint8Array {
  const sum = header({ ...fields, checksum: ' '.repeat(8) }).reduce((all, byte) => all + byte, 0);
  const checksum = `${sum.toString(8).padStart(6, '0')}${end}`;
  return concat([
    header({ ...fields, checksum }),
    latin1(content.padEnd(Math.ceil(content.length / 512) * 512, '\0')),
  ]);
}

const a = (fields: HeaderFields, end?: string): Uint8Array => entry({ name: 'a', ...fields }, CONTENT, end);
const b = (fields: HeaderFields, end?: string): Uint8Array => entry({ name: 'b', ...fields }, CONTENT, end);
const MTIME = new TextDecoder().decode(record('mtime', '1'));
const SIZE = MTIME.length.toString(8).padStart(11, '0');
const pax = (fields: HeaderFields): Uint8Array =>
  entry({ name: 'PaxHeaders/b', type: 'x', ...fields }, MTIME);

async function namesIn(parts: readonly Uint8Array[]): Promise<readonly string[]> {
  const { entries } = await openArchive(chunked(concat([...parts, END])), DEFAULT_LIMITS);
  const names: string[] = [];
  for await (const { name } of entries) names.push(name);
  return names;
}

describe('numbers of tar headers that end in a blank', () => {
  test.each([
    ['sizes and modes of every header', [a(BLANK), b(BLANK)]],
    ['those of a pax header, too', [a(BLANK), pax({ ...BLANK, size: `${SIZE} ` }), b(BLANK)]],
    ['checksums of some, too, as node-tar has them', [a(BLANK, ' \0'), b(BLANK)]],
    ['modes, where a size fills its field', [a({ ...BLANK, size: '000000000007' }), b(BLANK)]],
    ['none', [a(NUL), b({ ...NUL, size: '000000000007' })]],
  ])('[tar.11] are read: %s', async (_, parts) => {
    expect(await namesIn(parts)).toEqual(['a', 'b']);
  });

  test.each([
    ['in the first header alone', [a(BLANK), b(NUL)]],
    ['in the last header alone', [a(NUL), b(BLANK)]],
    ['in a size alone', [a({ ...NUL, size: BLANK.size }), b(NUL)]],
    ['in all sizes, and no mode', [a({ ...NUL, size: BLANK.size }), b({ ...NUL, size: BLANK.size })]],
    ['in all modes, and no size', [a({ ...NUL, mode: BLANK.mode }), b({ ...NUL, mode: BLANK.mode })]],
    ['in a checksum alone', [a(NUL, ' \0'), b(NUL)]],
    ['in all checksums, and nothing else', [a(NUL, ' \0'), b(NUL, ' \0')]],
    ['in a pax header alone', [a(NUL), pax({ ...BLANK, size: `${SIZE} ` }), b(NUL)]],
    ['everywhere but in a pax header', [a(BLANK), pax({ ...NUL, size: `${SIZE}\0` }), b(BLANK)]],
  ])('[tar.11] are refused: %s', async (_, parts) => {
    await expect(namesIn(parts)).rejects.toMatchObject({
      code: 'ARCHIVE_HEADER',
      message: expect.stringContaining('some numbers'),
      fix: expect.stringContaining('--relax blank-ended-numbers'),
    });
  });
});
