import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BlockDigester } from '../../../src/crypto/block-digester.ts';
import {
  type BlocksHeader,
  blockDigestsSize,
  blocksNameOf,
  blocksSubject,
  formatBlockDigests,
  isBlockDigests,
  parseBlockDigests,
} from '../../../src/formats/blocks/block-digests.ts';
import { blockCountOf, blockSizeFor, MOST_BLOCKS } from '../../../src/formats/blocks/block-size.ts';
import { concat } from '../../../src/kit/bytes.ts';
import { encodeUtf8 } from '../../../src/kit/encoding.ts';
import { noiseFile } from '../../factory/bundles.ts';
import { codeOf } from '../../factory/errors.ts';
import { mutated } from '../../factory/mutation.ts';

const MIB = 1024 * 1024;
const HEX = 'ab'.repeat(32);
const SUBJECT = { name: 'disks/web.img', size: 2 * MIB + 1, algorithm: 'sha256', digest: HEX } as const;
const RAW = Uint8Array.from({ length: 96 }, (_, i) => i);
const GOOD = formatBlockDigests(SUBJECT, RAW);
const LINES = new TextDecoder().decode(GOOD).split('\n');

function withLines(change: (lines: string[]) => void): Uint8Array {
  const lines = [...LINES];
  change(lines);
  return encodeUtf8(lines.join('\n'));
}

function withHeader(change: Partial<Record<keyof BlocksHeader, unknown>>): Uint8Array {
  return withLines((lines) => {
    lines[1] = JSON.stringify({ ...JSON.parse(LINES[1] ?? ''), ...change });
  });
}

describe('block digests', () => {
  test('[blocks.1] [blocks.2] are read as they were written', () => {
    expect(LINES).toEqual([
      'bulla-blocks/1',
      `{"name":"disks/web.img","size":2097153,"algorithm":"sha256","digest":"${HEX}","blockSize":1048576}`,
      ...[0, 32, 64].map((at) => Buffer.from(RAW.subarray(at, at + 32)).toString('hex')),
      '',
    ]);
    const { blockDigest, ...rest } = parseBlockDigests(GOOD);
    expect(rest).toEqual({ ...SUBJECT, blockSize: MIB, count: 3 });
    expect([0, 1, 2].map(blockDigest)).toEqual(LINES.slice(2, 5));
  });

  test('[blocks.1] are known by name and by their first line, and later versions are ordinary files', () => {
    expect([blocksNameOf('a.img'), blocksSubject('a.img.blocks'), blocksSubject('a.img')]).toEqual([
      'a.img.blocks',
      'a.img',
      undefined,
    ]);
    expect(isBlockDigests(GOOD)).toBe(true);
    for (const text of ['', 'bulla-blocks/1', 'bulla-blocks/2\n', 'blocks\n'])
      expect(isBlockDigests(encodeUtf8(text))).toBe(false);
  });

  test.each(['sha256', 'sha384', 'sha512'] as const)(
    '[blocks.2] have a size that is known before, by %s',
    (algorithm) => {
      for (const size of [0, 1, MIB - 1, MIB, MIB + 1, 5 * MIB]) {
        const { bytes } = noiseFile('a.img', size);
        const digester = new BlockDigester(algorithm, blockSizeFor(size));
        digester.update(bytes);
        const digest = createHash(algorithm).update(bytes).digest('hex');
        const written = formatBlockDigests({ name: 'a.img', size, algorithm, digest }, digester.finish());
        expect(written.byteLength).toBe(blockDigestsSize({ name: 'a.img', size, algorithm }));
        const { count, blockDigest } = parseBlockDigests(written);
        expect(count).toBe(Math.ceil(size / MIB));
        for (let block = 0; block < count; block++) {
          const part = bytes.subarray(block * MIB, (block + 1) * MIB);
          expect(blockDigest(block)).toBe(createHash(algorithm).update(part).digest('hex'));
        }
      }
    },
  );

  test('[blocks.2] of another number of blocks are not written', () => {
    expect(() => formatBlockDigests(SUBJECT, RAW.subarray(32))).toThrow(RangeError);
  });

  test('[blocks.4] have blocks of 1 MiB, and of more when they would be too many', () => {
    const gib = 1024 * MIB;
    const sizes = [0, 1, 128 * gib, 128 * gib + 1, 256 * gib, 256 * gib + 1, Number.MAX_SAFE_INTEGER];
    expect(sizes.map((size) => blockSizeFor(size) / MIB)).toEqual([1, 1, 1, 2, 2, 4, 65_536]);
    for (const size of sizes) expect(blockCountOf(size)).toBeLessThanOrEqual(MOST_BLOCKS);
    const most = { name: 'a', size: 128 * gib, algorithm: 'sha512' } as const;
    expect(blockDigestsSize(most)).toBeLessThan(17 * MIB);
  });

  test('[blocks.4] are the same in whatever pieces the content comes', () => {
    const { bytes } = noiseFile('a.img', 10_000);
    const inPieces = (sizes: readonly number[]): Uint8Array => {
      const digester = new BlockDigester('sha256', 1024);
      let at = 0;
      for (const size of sizes) {
        digester.update(bytes.subarray(at, at + size));
        at += size;
      }
      digester.update(bytes.subarray(at));
      return digester.finish();
    };
    const whole = inPieces([]);
    expect(whole.byteLength).toBe(10 * 32);
    fc.assert(
      fc.property(fc.array(fc.nat(3000)), (sizes) => {
        expect(inPieces(sizes)).toEqual(whole);
      }),
    );
  });
});

describe('[blocks.3] refused, with the line', () => {
  test.each<[string, Partial<Record<keyof BlocksHeader, unknown>>]>([
    ['no name', { name: 7 }],
    ['a name that leaves its folder', { name: '../web.img' }],
    ['a name that is long', { name: 'a'.repeat(5000) }],
    ['a size that is text', { size: '2097153' }],
    ['a size that is no whole number', { size: 2_097_152.5 }],
    ['a negative size', { size: -1 }],
    ['a size that nobody can count', { size: 2 ** 53 }],
    ['no size', { size: null }],
    ['SHA-1', { algorithm: 'sha1', digest: HEX.slice(0, 40) }],
    ['SHA-224', { algorithm: 'sha224', digest: HEX.slice(0, 56) }],
    ['an algorithm of every object', { algorithm: 'constructor' }],
    ['an algorithm in a list', { algorithm: ['sha256'] }],
    ['the name of another algorithm', { algorithm: 'sha512' }],
    ['a digest in capitals', { digest: HEX.toUpperCase() }],
    ['a digest that is short', { digest: 'ab' }],
    ['a digest in a list', { digest: [HEX] }],
    ['blocks of another size', { blockSize: 2 * MIB }],
    ['blocks of no size', { blockSize: 0 }],
    ['blocks of a negative size', { blockSize: -MIB }],
    ['a key more', { more: 1 } as object],
  ])('a header with %s', (_, change) => {
    expect(refusalOf(withHeader(change))).toEqual(['BLOCKS_SYNTAX', 2]);
  });

  test.each<[string, (text: string) => string]>([
    ['a blank', (text) => text.replace(',', ', ')],
    ['its keys in another order', (text) => text.replace(/^\{("name":"[^"]+"),("size":\d+)/, '{$2,$1')],
    ['a key twice', (text) => text.replace('{', '{"size":1,')],
    ['an escape that need not be', (text) => text.replace('web', '\\u0077eb')],
    ['a size in another form', (text) => text.replace('2097153', '2097153.0')],
    ['nothing in it', () => ''],
    ['a list', () => '[]'],
    ['null', () => 'null'],
    ['a carriage return', (text) => `${text}\r`],
  ])('a header with %s', (_, change) => {
    const changed = withLines((lines) => {
      lines[1] = change(lines[1] ?? '');
    });
    expect(refusalOf(changed)).toEqual(['BLOCKS_SYNTAX', 2]);
  });

  test('a header that is not UTF-8, or has no end', () => {
    const broken = GOOD.slice();
    broken[25] = 0xff;
    expect(refusalOf(broken)).toEqual(['BLOCKS_SYNTAX', 2]);
    expect(refusalOf(encodeUtf8('bulla-blocks/1\n{'))).toEqual(['BLOCKS_SYNTAX', 2]);
    expect(refusalOf(encodeUtf8('bulla-blocks/1\n'))).toEqual(['BLOCKS_SYNTAX', 2]);
    expect(refusalOf(concat([encodeUtf8('bulla-blocks/1\n'), new Uint8Array(10_000)]))).toEqual([
      'BLOCKS_SYNTAX',
      2,
    ]);
  });

  test('what is no block digests at all', () => {
    expect(refusalOf(encodeUtf8('bulla-blocks/2\n{}\n'))).toEqual(['BLOCKS_SYNTAX', 1]);
  });

  test.each<[string, (lines: string[]) => void, number]>([
    ['a line that is missing', (lines) => lines.splice(3, 1), 5],
    ['a line more', (lines) => lines.splice(3, 0, HEX), 6],
    ['no line at all', (lines) => lines.splice(2, 3), 3],
    ['no end of the last line', (lines) => lines.pop(), 5],
    ['an empty line more', (lines) => lines.push(''), 6],
    ['capitals in a digest', (lines) => lines.splice(3, 1, HEX.toUpperCase()), 4],
    ['another letter in a digest', (lines) => lines.splice(4, 1, HEX.replace('a', 'g')), 5],
    ['a blank in a digest', (lines) => lines.splice(2, 1, HEX.replace('a', ' ')), 3],
    ['two lines of other lengths', (lines) => lines.splice(2, 2, `${HEX}a`, HEX.slice(1)), 3],
  ])('digests with %s', (_, change, line) => {
    expect(refusalOf(withLines((lines) => void change(lines)))).toEqual(['BLOCKS_SYNTAX', line]);
  });

  test('or read as what they are, whatever is changed', () => {
    fc.assert(
      fc.property(mutated(GOOD), (bytes) => {
        const code = codeOf(() => parseBlockDigests(bytes));
        expect([undefined, 'BLOCKS_SYNTAX']).toContain(code);
        if (code !== undefined) return;
        const read = parseBlockDigests(bytes);
        const digests = Array.from({ length: read.count }, (_, i) => Buffer.from(read.blockDigest(i), 'hex'));
        expect(formatBlockDigests(read, concat(digests))).toEqual(bytes);
      }),
    );
  });
});

function refusalOf(bytes: Uint8Array): unknown {
  try {
    parseBlockDigests(bytes);
  } catch (error) {
    const { code, where } = error as { code: string; where: { line?: number } };
    return [code, where.line];
  }
  return 'it was read';
}
