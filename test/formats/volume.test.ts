import { describe, expect, test } from 'vitest';
import {
  formatVolumeHeader,
  isVolume,
  parseVolumeHeader,
  VOLUME_HEADER_BYTES,
  type VolumeHeader,
} from '../../src/formats/volume/header.ts';
import { encodeUtf8 } from '../../src/kit/encoding.ts';
import { flipped } from '../factory/damage.ts';

import { codeOf } from '../factory/errors.ts';

const GOOD: VolumeHeader = {
  name: 'web.ova',
  size: 1000,
  sha256: 'a'.repeat(64),
  volume: 2,
  volumes: 3,
  offset: 400,
  length: 400,
  digest: 'b'.repeat(64),
};

function written(text: string): Uint8Array {
  const bytes = new Uint8Array(VOLUME_HEADER_BYTES);
  bytes.set(encodeUtf8(text));
  return bytes;
}

describe('the header of a volume', () => {
  test('[vol.1] is read as it was written', () => {
    const bytes = formatVolumeHeader(GOOD);
    expect([bytes.byteLength, isVolume(bytes), parseVolumeHeader(bytes)]).toEqual([
      VOLUME_HEADER_BYTES,
      true,
      GOOD,
    ]);
    expect(new TextDecoder().decode(bytes).split('\n').slice(0, 2)).toEqual([
      'bulla-volume/1',
      `{"name":"web.ova","size":1000,"sha256":"${GOOD.sha256}","volume":2,"volumes":3,"offset":400,"length":400,"digest":"${GOOD.digest}"}`,
    ]);
  });

  test.each<[string, Partial<Record<keyof VolumeHeader, unknown>>]>([
    ['a size that is text', { size: '1000' }],
    ['a size that is no whole number', { size: 1000.5 }],
    ['a negative offset', { offset: -1 }],
    ['a digest in capitals', { digest: 'B'.repeat(64) }],
    ['a digest that is short', { sha256: 'a' }],
    ['the number 0', { volume: 0 }],
    ['a number behind the last', { volume: 4 }],
    ['a thousand volumes', { volumes: 1000 }],
    ['nothing in it', { length: 0 }],
    ['more than the file has', { length: 601 }],
    ['the place of the first', { offset: 0 }],
    ['another place as the first', { volume: 1 }],
    ['an early end as the last', { volume: 3 }],
    ['a name that leaves its folder', { name: '../web.ova' }],
    ['no name', { name: 7 }],
  ])('[vol.2] with %s is refused', (_, change) => {
    expect(
      codeOf(() => parseVolumeHeader(written(`bulla-volume/1\n${JSON.stringify({ ...GOOD, ...change })}\n`))),
    ).toBe('VOLUME_SYNTAX');
  });

  test('[vol.2] in any other spelling is refused', () => {
    const line = JSON.stringify(GOOD);
    const spellings = [
      `bulla-volume/2\n${line}\n`,
      `bulla-volume/1\n${line.replace(',', ', ')}\n`,
      `bulla-volume/1\n${line.replace('"size"', '"more":1,"size"')}\n`,
      `bulla-volume/1\n${line.replace('"size":1000,', '')}\n`,
      `bulla-volume/1\n${line.replace('"size":1000', '"size":1e3')}\n`,
      `bulla-volume/1\n${line}`,
      `bulla-volume/1\nnull\n`,
      `bulla-volume/1\n[]\n`,
      `bulla-volume/1\n${line}\nmore`,
      '',
    ];
    for (const text of spellings)
      expect(
        codeOf(() => parseVolumeHeader(written(text))),
        text,
      ).toBe('VOLUME_SYNTAX');
    const whole = formatVolumeHeader(GOOD);
    expect(codeOf(() => parseVolumeHeader(whole.subarray(0, -1)))).toBe('VOLUME_SYNTAX');
    expect(codeOf(() => formatVolumeHeader({ ...GOOD, name: 'a/../b' }))).toBe('ARCHIVE_NAME');
  });

  test('[vol.2] with any bit turned over is refused, or says something else', () => {
    const bytes = formatVolumeHeader(GOOD);
    for (let at = 0; at < bytes.byteLength; at += at < 400 ? 1 : 97) {
      const other = flipped(bytes, at, at % 8);
      const code = codeOf(() => expect(parseVolumeHeader(other)).not.toEqual(GOOD));
      expect([undefined, 'VOLUME_SYNTAX']).toContain(code);
    }
  });
});
