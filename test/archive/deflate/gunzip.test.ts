import { crc32, deflateRawSync, gzipSync } from 'node:zlib';
import { describe, expect, it, test } from 'vitest';
import { gunzip } from '../../../src/archive/deflate/gunzip.ts';
import { SLICE_BYTES } from '../../../src/archive/deflate/through-inflater.ts';
import { concat, copyBytes, equalBytes } from '../../../src/kit/bytes.ts';
import { encodeUtf8 } from '../../../src/kit/encoding.ts';
import { type ErrorCode, isBundleError } from '../../../src/kit/errors/errors.ts';
import { DEFAULT_LIMITS, type Limits } from '../../../src/kit/limits.ts';
import { chunked, irregular, sourceOf, type TestSource, waysIn } from '../../factory/streams.ts';
import { latin1 } from '../../factory/tar.ts';

const TEXT = encodeUtf8('the same bytes, however they arrive '.repeat(100));

interface Result {
  readonly inflated: number;
  readonly crc: number;
  readonly error?: {
    readonly code: ErrorCode;
    readonly offset?: number | undefined;
    readonly message: string;
  };
}

async function inflate(source: TestSource, limits: Partial<Limits> = {}): Promise<Result> {
  let inflated = 0;
  let crc = 0;
  try {
    for await (const chunk of gunzip(source, { ...DEFAULT_LIMITS, ...limits })) {
      inflated += chunk.byteLength;
      crc = crc32(chunk, crc);
    }
    return { inflated, crc };
  } catch (error) {
    if (!isBundleError(error)) throw error;
    return {
      inflated,
      crc,
      error: { code: error.code, offset: error.where.compressedOffset, message: error.message },
    };
  } finally {
    expect(source.seen.ended || source.seen.closed).toBe(true);
  }
}

async function inflateEveryWay(bytes: Uint8Array, limits: Partial<Limits> = {}): Promise<Result> {
  const first = await inflate(chunked(bytes), limits);
  for (const [way, source] of waysIn(bytes))
    expect({ way, ...(await inflate(source(), limits)) }).toEqual({ way, ...first });
  return first;
}

/** A gzip file from its parts, each as it is. */
function member(
  parts: {
    flags?: number;
    head?: Uint8Array;
    fields?: Uint8Array;
    data?: Uint8Array;
    trailer?: Uint8Array;
  } = {},
): Uint8Array {
  const head = parts.head ?? Uint8Array.of(0x1f, 0x8b, 8, parts.flags ?? 0, 0, 0, 0, 0, 0, 3);
  const trailer = parts.trailer ?? trailerOf(crc32(TEXT), TEXT.byteLength);
  return concat([head, parts.fields ?? new Uint8Array(0), parts.data ?? deflateRawSync(TEXT), trailer]);
}

function trailerOf(crc: number, size: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setUint32(0, crc, true);
  new DataView(bytes.buffer).setUint32(4, size, true);
  return bytes;
}

/** Bytes that do not compress, the same in every run. */
function noise(length: number): Uint8Array {
  const next = irregular(length, 256);
  return Uint8Array.from({ length }, () => next() - 1);
}

const GOOD = member();

function named(name: string): Uint8Array {
  return member({ flags: 8, fields: concat([encodeUtf8(name), latin1('\0')]) });
}

const FIELDS = {
  extra: latin1('\x04\x00ABCD'),
  name: latin1('web.tar\0'),
  comment: latin1('by hand\0'),
};

describe('gunzip', () => {
  test.each<[string, Uint8Array]>([
    ['[gz.1] one member', GOOD],
    ['[gz.1] what zlib writes', gzipSync(TEXT)],
    ['[gz.1] the mark of text', member({ flags: 1 })],
    [
      '[gz.1] any time, hint and system',
      member({ head: Uint8Array.of(0x1f, 0x8b, 8, 0, 1, 2, 3, 4, 2, 255) }),
    ],
    ['[gz.1] stored blocks', member({ data: deflateRawSync(TEXT, { level: 0 }) })],
    ['[gz.2] an extra field', member({ flags: 4, fields: FIELDS.extra })],
    ['[gz.2] an empty extra field', member({ flags: 4, fields: latin1('\0\0') })],
    ['[gz.2] the longest extra field', member({ flags: 4, fields: concat([latin1('\x40\0'), noise(64)]) })],
    ['[gz.2] a name', member({ flags: 8, fields: FIELDS.name })],
    ['[gz.2] the longest name', named('a'.repeat(255))],
    ['[gz.2] a name in letters that are no ASCII', named('B\u00fcro 1.tar')],
    ['[gz.2] a name as macOS decomposes it', named('Bu\u0308ro.tar')],
    ['[gz.2] a name in Latin-1, as RFC 1952 has it', member({ flags: 8, fields: latin1('B\xfcro.tar\0') })],
    ['[gz.2] the longest comment', member({ flags: 16, fields: latin1(`${'c'.repeat(64)}\0`) })],
    ['[gz.2] an empty name', member({ flags: 8, fields: latin1('\0') })],
    ['[gz.2] a comment', member({ flags: 16, fields: FIELDS.comment })],
    ['[gz.2] a checksum of the header', withHeaderCrc(2, new Uint8Array(0))],
    ['[gz.2] all fields', withHeaderCrc(31, concat([FIELDS.extra, FIELDS.name, FIELDS.comment]))],
  ])('%s', async (_, bytes) => {
    expect(await inflateEveryWay(bytes)).toEqual({ inflated: TEXT.byteLength, crc: crc32(TEXT) });
  });

  it('[whole.4] leaves the header to whoever has signed it', async () => {
    const fields = concat([
      latin1('\xff\xff'),
      noise(65_535),
      latin1('/etc/cron.d/x\0'),
      latin1('\x1b[2J\0'),
    ]);
    const content: Uint8Array[] = [];
    for await (const chunk of gunzip(chunked(member({ flags: 28, fields })), DEFAULT_LIMITS, {
      signed: true,
    }))
      content.push(copyBytes(chunk));
    expect(equalBytes(concat(content), TEXT)).toBe(true);
  });

  it('[gz.3] reads an empty content', async () => {
    expect(await inflateEveryWay(gzipSync(new Uint8Array(0)))).toEqual({ inflated: 0, crc: 0 });
  });

  test.each<[string, Uint8Array, ErrorCode, number]>([
    ['[gz.1] another magic', concat([latin1('\x1f\x8c'), GOOD.subarray(2)]), 'GZIP_MALFORMED', 0],
    ['[gz.1] another method', concat([latin1('\x1f\x8b\x07'), GOOD.subarray(3)]), 'GZIP_MALFORMED', 0],
    ['[gz.1] the reserved flag 32', member({ flags: 0x20 }), 'GZIP_MALFORMED', 3],
    ['[gz.1] the reserved flag 64', member({ flags: 0x40 }), 'GZIP_MALFORMED', 3],
    ['[gz.1] the reserved flag 128', member({ flags: 0x80 }), 'GZIP_MALFORMED', 3],
    [
      '[gz.1] the zlib format',
      latin1('\x78\x9c\x03\x00\x00\x00\x00\x01\x00\x00\x00\x00'),
      'GZIP_MALFORMED',
      0,
    ],
    [
      '[gz.2] a wrong checksum of the header',
      member({ flags: 2, fields: latin1('\0\0') }),
      'GZIP_MALFORMED',
      10,
    ],
    [
      '[gz.2] a checksum that leaves the name out',
      member({ flags: 10, fields: concat([FIELDS.name, headerCrc(10)]) }),
      'GZIP_MALFORMED',
      18,
    ],
    [
      '[gz.2] a name without end',
      member({ flags: 8, fields: new Uint8Array(70_000).fill(0x61) }),
      'GZIP_MALFORMED',
      10,
    ],
    [
      '[gz.2] a comment without end',
      member({ flags: 16, fields: new Uint8Array(70_000).fill(0x61) }),
      'GZIP_MALFORMED',
      10,
    ],
    [
      '[gz.2] an extra field of 65 bytes',
      member({ flags: 4, fields: concat([latin1('\x41\0'), noise(65)]) }),
      'GZIP_MALFORMED',
      10,
    ],
    [
      '[gz.2] the longest extra field that there is',
      member({ flags: 4, fields: concat([latin1('\xff\xff'), noise(65_535)]) }),
      'GZIP_MALFORMED',
      10,
    ],
    ['[gz.2] a name of 256 bytes', named('a'.repeat(256)), 'GZIP_MALFORMED', 10],
    [
      '[gz.2] a comment of 65 bytes',
      member({ flags: 16, fields: latin1(`${'c'.repeat(65)}\0`) }),
      'GZIP_MALFORMED',
      10,
    ],
    [
      '[gz.2] a comment that moves the cursor',
      member({ flags: 16, fields: latin1('\x1b[2J\0') }),
      'GZIP_MALFORMED',
      10,
    ],
    [
      '[gz.2] a comment of several lines',
      member({ flags: 16, fields: latin1('a\nb\0') }),
      'GZIP_MALFORMED',
      10,
    ],
    [
      '[gz.2] a name of its own behind an extra field',
      member({ flags: 12, fields: concat([FIELDS.extra, latin1('.bashrc\0')]) }),
      'GZIP_MALFORMED',
      16,
    ],
    ...[
      '.bashrc',
      '../web.tar',
      '/etc/cron.d/x',
      'a/b.tar',
      '..',
      'a\\b',
      'C:x',
      'a\nb',
      '\x1b]0;x\x07',
      '\x9b2J',
      'a ',
      '~x',
      'con.tar',
      'x\u202eb.tar',
      'a;1',
    ].map((name): [string, Uint8Array, ErrorCode, number] => [
      `[gz.2] the name ${JSON.stringify(name)}`,
      named(name),
      'GZIP_MALFORMED',
      10,
    ]),
    [
      '[gz.3] a wrong checksum',
      member({ trailer: trailerOf(crc32(TEXT) ^ 1, TEXT.byteLength) }),
      'GZIP_MALFORMED',
      GOOD.byteLength - 8,
    ],
    [
      '[gz.3] a wrong size',
      member({ trailer: trailerOf(crc32(TEXT), TEXT.byteLength + 1) }),
      'GZIP_MALFORMED',
      GOOD.byteLength - 4,
    ],
    ['[gz.3] a byte behind', concat([GOOD, latin1('x')]), 'GZIP_MALFORMED', GOOD.byteLength],
    ['[gz.3] a zero behind', concat([GOOD, latin1('\0')]), 'GZIP_MALFORMED', GOOD.byteLength],
    ['[gz.3] many zeros behind', concat([GOOD, new Uint8Array(100_000)]), 'GZIP_MALFORMED', GOOD.byteLength],
    ['[gz.3] a second member', concat([GOOD, GOOD]), 'GZIP_MALFORMED', GOOD.byteLength],
    [
      '[gz.3] the magic of a second member',
      concat([GOOD, latin1('\x1f\x8b')]),
      'GZIP_MALFORMED',
      GOOD.byteLength,
    ],
    ['[gz.3] a block of a type that is none', member({ data: latin1('\x07') }), 'GZIP_MALFORMED', 10],
    [
      '[gz.3] a stored block whose length is wrong',
      member({ data: latin1('\x01\x05\x00\x00\x00hello') }),
      'GZIP_MALFORMED',
      10,
    ],
    [
      '[gz.3] a distance beyond the beginning',
      member({ data: latin1('\x4b\x04\x82') }),
      'GZIP_MALFORMED',
      10,
    ],
    ['[gz.5] nothing', new Uint8Array(0), 'ARCHIVE_TRUNCATED', 0],
  ])('%s is refused', async (_, bytes, code, offset) => {
    expect((await inflateEveryWay(bytes)).error).toMatchObject({ code, offset });
  });

  it('[gz.3] refuses a file cut anywhere, in the header, the data, and the trailer', async () => {
    const full = withHeaderCrc(31, concat([FIELDS.extra, FIELDS.name, FIELDS.comment]));
    for (let length = 0; length < full.byteLength; length++) {
      for (const size of [length + 1, 7]) {
        const { error } = await inflate(chunked(full.subarray(0, length), size));
        expect(error, `${length} bytes`).toMatchObject({ code: 'ARCHIVE_TRUNCATED', offset: length });
      }
    }
  });

  // The engine is fed in slices, so where a slice ends must not matter.
  it.each([0, 1, 7, 8, 9, 10, 11])(
    '[gz.3] finds the trailer with its last %d bytes in another slice',
    async (over) => {
      const wanted = SLICE_BYTES + over - 8;
      const stored = (part: Uint8Array) => deflateRawSync(part, { level: 0 });
      let length = wanted - 100;
      while (stored(new Uint8Array(length)).byteLength < wanted) length++;
      const content = noise(length);
      const data = stored(content);
      expect(data.byteLength).toBe(wanted);
      const bytes = member({ data, trailer: trailerOf(crc32(content), length) });
      expect(await inflate(chunked(bytes, 1 << 20))).toEqual({ inflated: length, crc: crc32(content) });
      const hostile = sourceOf(bytes, { sizes: irregular(1, 100_000), hostile: true });
      expect(await inflate(hostile)).toEqual({ inflated: length, crc: crc32(content) });
      const more = concat([bytes, latin1('x')]);
      expect((await inflate(chunked(more))).error).toMatchObject({
        code: 'GZIP_MALFORMED',
        offset: bytes.byteLength,
      });
    },
  );

  it('[arc.2] gives the same content and the same error for large files, however they arrive', async () => {
    const content = noise(1_500_000);
    const bytes = concat([gzipSync(content)]);
    expect(await inflateEveryWay(bytes)).toEqual({ inflated: content.byteLength, crc: crc32(content) });
    const damaged = bytes.slice();
    damaged.fill(0xff, 700_000, 700_100);
    const { error } = await inflateEveryWay(damaged);
    expect(error?.code).toBe('GZIP_MALFORMED');
    expect((await inflateEveryWay(bytes.subarray(0, 1_000_000))).error).toMatchObject({
      code: 'ARCHIVE_TRUNCATED',
      offset: 1_000_000,
    });
  });

  it('[arc.2] shows the inflated bytes before an error, and always as many', async () => {
    const text = encodeUtf8('a line of text that repeats itself, with numbers: ');
    const content = concat(Array.from({ length: 60_000 }, (_, i) => concat([text, encodeUtf8(`${i}\n`)])));
    const packed = gzipSync(content);
    const damaged = concat([packed.subarray(0, packed.byteLength - 3000), new Uint8Array(3000).fill(0xff)]);
    const first = await inflateEveryWay(damaged);
    expect(first.error?.code).toBe('GZIP_MALFORMED');
    for (let i = 0; i < 10; i++) {
      expect(await inflate(sourceOf(damaged, { sizes: irregular(i, 100_000) }))).toEqual(first);
    }
  });
});

describe('the limit of inflation', () => {
  const MIB = 1024 * 1024;
  const packed = (content: Uint8Array) => gzipSync(content, { level: 9 });

  it('[gz.4] refuses what inflates too much, before it has inflated all', async () => {
    const bytes = packed(new Uint8Array(5 * MIB).fill(0x41));
    const result = await inflateEveryWay(bytes, { inflateFree: MIB });
    expect(result.error?.code).toBe('ARCHIVE_LIMIT');
    expect(result.inflated).toBeLessThan(3 * MIB);
    expect(result.error?.offset).toBeLessThan(bytes.byteLength);
  });

  it('[gz.4] does not count zeros by the MiB: an empty disk passes', async () => {
    const bytes = packed(new Uint8Array(5 * MIB));
    expect(await inflateEveryWay(bytes, { inflateFree: 0 })).toMatchObject({ inflated: 5 * MIB });
  });

  it('[gz.4] counts a MiB whole that holds one byte', async () => {
    const content = new Uint8Array(5 * MIB);
    for (let at = 500; at < content.byteLength; at += MIB) content[at] = 1;
    expect((await inflateEveryWay(packed(content), { inflateFree: MIB })).error?.code).toBe('ARCHIVE_LIMIT');
  });

  it('[gz.4] allows what is within the ratio, or within the free part', async () => {
    const content = new Uint8Array(5 * MIB).fill(0x41);
    const bytes = packed(content);
    expect((await inflate(chunked(bytes), { inflateFree: 5 * MIB })).error).toBeUndefined();
    expect((await inflate(chunked(bytes), { inflateFree: 0, inflateRatio: 1100 })).error).toBeUndefined();
    expect((await inflate(chunked(bytes), { inflateFree: 5 * MIB - 1 })).error?.code).toBe('ARCHIVE_LIMIT');
  });
});

describe('lifetime', () => {
  const packed = gzipSync(noise(3_000_000));

  it('[arc.4] closes the source when the loop is left', async () => {
    const source = chunked(packed, 10_000);
    for await (const _ of gunzip(source, DEFAULT_LIMITS)) break;
    expect(source.seen.closed).toBe(true);
    const pulls = source.seen.pulls;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(source.seen.pulls).toBe(pulls);
  });

  it('[arc.4] passes an error of the source on as it is, wherever it happens', async () => {
    for (const offset of [
      0,
      5,
      10,
      11,
      1000,
      SLICE_BYTES,
      1_000_000,
      packed.byteLength - 8,
      packed.byteLength,
    ]) {
      const error = new Error('broken');
      const source = sourceOf(packed, { sizes: () => 50_000, failAt: { offset, error } });
      const reading = async () => {
        for await (const _ of gunzip(source, DEFAULT_LIMITS));
      };
      await expect(reading()).rejects.toBe(error);
    }
  });

  it('[arc.4] passes an error of the reader on as it is', async () => {
    const source = chunked(packed, 10_000);
    const reading = async () => {
      for await (const _ of gunzip(source, DEFAULT_LIMITS)) throw new Error('of the reader');
    };
    await expect(reading()).rejects.toThrow('of the reader');
    expect(source.seen.closed).toBe(true);
  });

  it('[arc.2] gives chunks that stay as they are', async () => {
    const chunks: Uint8Array[] = [];
    const copies: Uint8Array[] = [];
    for await (const chunk of gunzip(
      sourceOf(packed, { sizes: () => 70_000, hostile: true }),
      DEFAULT_LIMITS,
    )) {
      chunks.push(chunk);
      copies.push(copyBytes(chunk));
    }
    expect(equalBytes(concat(chunks), concat(copies))).toBe(true);
  });
});

function headerCrc(flags: number, fields: Uint8Array = new Uint8Array(0)): Uint8Array {
  const crc = crc32(concat([Uint8Array.of(0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 3), fields])) & 0xffff;
  return Uint8Array.of(crc & 0xff, crc >> 8);
}

function withHeaderCrc(flags: number, fields: Uint8Array): Uint8Array {
  return member({ flags, fields: concat([fields, headerCrc(flags, fields)]) });
}
