import { describe, expect, it, test } from 'vitest';
import { OCTAL_LIMIT } from '../../../src/formats/tar/header.ts';
import { concat } from '../../../src/kit/bytes.ts';
import type { ErrorCode } from '../../../src/kit/errors/errors.ts';
import type { Limits } from '../../../src/kit/limits.ts';
import { read, readEveryWay } from '../../factory/archives.ts';
import { chunked } from '../../factory/streams.ts';
import { base256, END, file, header, latin1, MAGIC, padded, pax, record, tar } from '../../factory/tar.ts';

const A = file('a', 'hello');
const EVIL = file('EVIL', 'evil');
const BLOCK = new Uint8Array(512);

/** An archive that is refused, if need be with limits of its own. */
type Row = readonly [title: string, archive: Uint8Array, limits?: Partial<Limits>];

/** Each row is refused with the code at the offset, having shown the names before it and never EVIL. */
function refused(
  code: ErrorCode,
  rows: readonly (readonly [...Row, at?: { offset: number; shown?: string[] }])[],
): void {
  for (const [title, archive, limits, at] of rows) {
    test(title, async () => {
      const outcome = await readEveryWay(archive, undefined, limits);
      expect(outcome.error?.code, outcome.error?.message).toBe(code);
      expect(outcome.error?.offset).toBe(at?.offset ?? 1024);
      expect(outcome.members.map(({ name }) => name)).toEqual(at?.shown ?? ['a']);
    });
  }
}

describe('refused: headers', () => {
  refused('ARCHIVE_HEADER', [
    ['[tar.1] an old header', tar(A, header({ name: 'b', magic: MAGIC.v7 }))],
    ['[tar.2] a wrong checksum, and what follows is not looked for', tar(A, header({ checksum: '0' }), EVIL)],
    [
      '[tar.2] a wrong checksum in the first header',
      tar(header({ checksum: '0' }), EVIL),
      {},
      { offset: 0, shown: [] },
    ],
    ['[tar.6] junk in place of a header', tar(A, new Uint8Array(512).fill(0x20), EVIL)],
    ['[tar.6] a header that is not on a block', tar(A, concat([latin1('x'), EVIL])), {}],
    ['[tar.3] a size that some readers hang on', tar(A, header({ size: base256(1n, 0x81) }), EVIL)],
    ['[tar.3] a negative size', tar(A, header({ size: new Uint8Array(12).fill(0xff) }), EVIL)],
    ['[tar.5] a setuid bit', tar(A, header({ mode: '0004755\0' }))],
    [
      '[pax.1] a pax header made as a GNU header',
      tar(A, pax([record('path', 'p')], { magic: MAGIC.gnu }), EVIL),
    ],
  ]);
});

describe('refused: types', () => {
  refused(
    'ARCHIVE_TYPE',
    [...'1234567gLKSDMNVX9z'].map((type) => [
      `[tar.4] the type ${type} with a content that holds a header`,
      tar(A, header({ type, size: 1024 }), EVIL, EVIL),
    ]),
  );
});

describe('refused: cuts', () => {
  const full = tar(pax([record('path', 'b')]), file('b', 'hello'));
  it('[tar.6] refuses an archive cut anywhere', async () => {
    for (let length = 0; length < full.byteLength; length++) {
      const { error } = await read(chunked(full.subarray(0, length)));
      expect(error?.code, `${length} bytes`).toBe('ARCHIVE_TRUNCATED');
      expect(error?.offset, `${length} bytes`).toBeLessThanOrEqual(length);
    }
    expect(await read(chunked(full))).not.toHaveProperty('error');
  });

  refused('ARCHIVE_TRUNCATED', [
    ['[tar.6] nothing behind a member', A],
    ['[tar.6] half a header', concat([A, BLOCK.slice(0, 300)])],
    ['[tar.6] half a content', concat([A, header({ name: 'b', size: 2000 }), BLOCK]), {}, { offset: 2048 }],
    [
      '[tar.6] a content without its padding',
      concat([A, header({ name: 'b', size: 5 }), latin1('hello')]),
      {},
      { offset: 1541, shown: ['a', 'b'] },
    ],
    [
      '[tar.6] half a padding',
      concat([A, header({ name: 'b', size: 5 }), latin1('hello\0\0')]),
      {},
      { offset: 1541, shown: ['a', 'b'] },
    ],
    [
      '[tar.6] half a pax header',
      concat([A, header({ name: 'PaxHeader', type: 'x', size: 600 }), BLOCK]),
      {},
      { offset: 1536 },
    ],
    [
      '[tar.6] a pax header with nothing behind',
      concat([A, pax([record('path', 'p')])]),
      {},
      { offset: 2048 },
    ],
    ['[tar.8] one zero block only', concat([A, BLOCK]), {}, { offset: 1536 }],
    ['[tar.8] one zero block and a half', concat([A, BLOCK, BLOCK.slice(1)]), {}, { offset: 1536 }],
    ['[tar.8] zeros that do not fill a block', concat([tar(A), BLOCK.slice(1)]), {}, { offset: 2048 }],
  ]);
});

describe('refused: padding and end', () => {
  refused('ARCHIVE_PADDING', [
    [
      '[tar.7] a byte behind the content',
      tar(header({ name: 'a', size: 5 }), padded('hello', 1)),
      {},
      { offset: 517 },
    ],
    [
      '[tar.7] the last byte of the block',
      tar(header({ name: 'a', size: 5 }), lastByteSet(padded('hello'))),
      {},
      { offset: 517 },
    ],
    [
      '[tar.7] a byte behind a pax header',
      tar(A, header({ name: 'PaxHeader', type: 'x', size: 10 }), padded(record('path', 'p'), 1), EVIL),
      {},
      { offset: 1546 },
    ],
  ]);
  refused('ARCHIVE_TRAILING', [
    ['[tar.8] a member behind one zero block', tar(A, BLOCK, EVIL), {}, { offset: 1536 }],
    ['[tar.8] a member behind the end mark', concat([tar(A), EVIL, END]), {}, { offset: 2048 }],
    ['[tar.8] another archive', concat([tar(A), BLOCK, tar(EVIL)]), {}, { offset: 2560 }],
    ['[tar.8] one byte behind the end mark', concat([tar(A), latin1('\0\0x')]), {}, { offset: 2050 }],
    [
      '[tar.8] the last byte of many',
      concat([tar(A), lastByteSet(new Uint8Array(5120))]),
      {},
      { offset: 7167 },
    ],
    [
      '[tar.8] the last byte that is looked at',
      concat([tar(A), lastByteSet(BLOCK), BLOCK]),
      { trailingZeros: 512 },
      { offset: 2559 },
    ],
  ]);
  refused('ARCHIVE_LIMIT', [
    [
      '[tar.8] more zeros than the limit',
      tar(A, new Uint8Array(1024)),
      { trailingZeros: 1023 },
      { offset: 3071 },
    ],
    [
      '[tar.8] a byte behind more zeros than the limit',
      tar(A, new Uint8Array(2000), latin1('x')),
      { trailingZeros: 512 },
      { offset: 2560 },
    ],
  ]);
  refused('ARCHIVE_EMPTY', [
    ['[tar.9] an archive without members', END, {}, { offset: 0, shown: [] }],
    ['[tar.9] zeros without end', new Uint8Array(20_480), {}, { offset: 0, shown: [] }],
  ]);
});

describe('refused: pax', () => {
  const path = record('path', 'p');
  refused('ARCHIVE_PAX', [
    ['[pax.1] two pax headers for one member', tar(A, pax([path]), pax([record('size', '0')]), EVIL)],
    ['[pax.1] a pax header in front of the end mark', tar(A, pax([path]))],
    ['[pax.1] an empty pax header', tar(A, pax(''), EVIL)],
    ['[pax.1] a pax header over the limit', tar(A, pax([record('comment', 'x'.repeat(65_600))]), EVIL)],
    [
      '[pax.1] a pax header just over a limit',
      tar(A, pax([record('path', 'p'.repeat(11))]), EVIL),
      { paxBytes: 19 },
    ],
    [
      '[pax.1] a pax header of 8 GiB',
      tar(A, header({ name: 'PaxHeader', type: 'x', size: base256(2n ** 33n) }), EVIL),
    ],
    ['[pax.2] a record that ends too late', tar(A, pax('99 path=p\n'), EVIL)],
    ['[pax.2] a record hidden in a value', tar(A, pax([record('comment', 'x\n13 path=EVIL')]), EVIL)],
    ['[pax.3] a key twice', tar(A, pax([path, path]), EVIL)],
    ['[pax.4] an unknown key', tar(A, pax([record('GNU.sparse.name', 'EVIL')]), file('b'))],
    ['[pax.5] a size that readers read differently', tar(A, pax([record('size', '1e3')]), EVIL)],
  ]);
  refused('ARCHIVE_TYPE', [
    [
      '[pax.1] a GNU name behind a pax header',
      tar(A, pax([path]), header({ type: 'L', size: 5 }), padded('EVIL\0'), EVIL),
    ],
    ['[pax.1] a global header', tar(A, pax([record('path', 'EVIL')], { type: 'g' }), EVIL)],
  ]);
  refused('ARCHIVE_SIZE_CONFLICT', [
    [
      '[pax.5] a pax size over the size of the header',
      tar(A, pax([record('size', '2048')]), header({ name: 'b' }), EVIL, EVIL),
    ],
    [
      '[pax.5] a pax size under the size of the header',
      tar(A, pax([record('size', '0')]), header({ name: 'b', size: 1024 }), EVIL),
    ],
    ['[pax.5] a pax size that is one off', tar(A, pax([record('size', '6')]), file('b', 'hello'))],
    [
      '[pax.5] a pax size below 8 GiB beside a size of 0',
      tar(A, pax([record('size', String(OCTAL_LIMIT - 1))]), header({ name: 'b' })),
    ],
    [
      '[pax.5] a pax size of 8 GiB beside another size',
      tar(A, pax([record('size', String(OCTAL_LIMIT))]), header({ name: 'b', size: 1 })),
    ],
    [
      '[pax.5] a pax size of 8 GiB beside another in base-256',
      tar(
        A,
        pax([record('size', String(OCTAL_LIMIT))]),
        header({ name: 'b', size: base256(2n ** 33n + 1n) }),
      ),
    ],
  ]);
});

describe('refused: names', () => {
  const under = (path: string, fields: Parameters<typeof header>[0]) =>
    tar(A, pax([record('path', path)]), header(fields));
  refused('ARCHIVE_NAME', [
    ['[name.1] a backslash', tar(A, file('..\\EVIL'))],
    ['[name.1] a drive', tar(A, file('C:EVIL'))],
    ['[name.2] an escape', tar(A, file('a\x1b[2J'))],
    ['[name.2] a line end in a name', tar(A, file('a\nb'))],
    ['[name.2] a name that is not composed', tar(A, file('e\u0301'))],
    ['[name.3] no name', tar(A, file('', '', { name: '' }))],
    ['[name.3] a way up', tar(A, file('../EVIL'))],
    ['[name.3] a way up from prefix and name', tar(A, header({ prefix: '..', name: 'EVIL' }))],
    ['[name.3] an absolute name', tar(A, file('/etc/EVIL'))],
    ['[name.3] an absolute prefix', tar(A, header({ prefix: '/etc', name: 'EVIL' }))],
    ['[name.3] this folder in front', tar(A, file('./b'))],
    ['[name.3] a slash at the end', tar(A, file('b/'))],
    ['[name.3] a prefix without a name', tar(A, header({ prefix: 'b', name: '' }))],
    ['[name.3] a prefix that ends in a slash', tar(A, header({ prefix: 'b/', name: 'c' }))],
    ['[name.3] a pax path that goes up', under('../EVIL', { name: 'b' })],
    ['[name.3] a pax path that ends in a slash', under('b/', { name: 'b' })],
    ['[name.4] a way up behind a pax path', under('p', { name: '../EVIL' })],
    ['[name.4] a way up in the prefix behind a pax path', under('p', { name: 'b', prefix: 'x/..' })],
    ['[name.4] an absolute name behind a pax path', under('p', { name: '/EVIL' })],
    ['[name.4] a backslash behind a pax path', under('p', { name: 'C\\EVIL' })],
    ['[name.6] a name that is not UTF-8', tar(A, header({ name: 'b\xff' }))],
    ['[name.6] a prefix that is not UTF-8', tar(A, header({ name: 'b', prefix: '\xc3' }))],
    ['[name.6] a name over the limit', tar(A, file('bcdef')), { nameBytes: 4 }],
    ['[name.6] a name too deep', tar(A, file('1/2/3')), { nameDepth: 1 }],
  ]);
  refused('ARCHIVE_DUPLICATE', [
    ['[name.5] a name twice', tar(A, A)],
    ['[name.5] a name twice, once from a pax header', tar(A, pax([record('path', 'a')]), A)],
    [
      '[name.5] a name twice, once from a prefix',
      tar(file('a/b'), header({ prefix: 'a', name: 'b' })),
      {},
      { offset: 512, shown: ['a/b'] },
    ],
    ['[name.5] a name in another case', tar(A, file('A'))],
    ['[name.5] sharp s and ss', tar(file('straße'), file('STRASSE')), {}, { offset: 512, shown: ['straße'] }],
    ['[name.5] a wide letter', tar(A, file('ａ'))],
    ['[name.5] a file that is a folder of another', tar(A, file('a/b'))],
    ['[name.5] a file that is a folder of another, in another case', tar(A, file('A/b/c'))],
    [
      '[name.5] a folder that is a file of another',
      tar(file('a/b/c', 'hello'), file('a/b')),
      {},
      { offset: 1024, shown: ['a/b/c'] },
    ],
  ]);
});

describe('refused: limits', () => {
  refused('ARCHIVE_LIMIT', [
    ['[tar.9] more members than the limit', tar(A, file('b')), { members: 1 }],
    ['[tar.9] a member over the limit', tar(A, header({ name: 'b', size: 101 })), { memberBytes: 100 }],
    ['[tar.9] all together over the limit', tar(A, header({ name: 'b', size: 96 })), { totalBytes: 100 }],
    ['[tar.9] a size over 2^53 − 1', tar(A, header({ name: 'b', size: base256(2n ** 53n) }))],
    [
      '[tar.9] sizes that add up to more than 2^53 − 1',
      tar(A, header({ name: 'b', size: base256(2n ** 53n - 1n) })),
    ],
  ]);

  it('[tar.9] reads as much as the limits allow', async () => {
    const archive = tar(A, file('b', 'x'.repeat(95)));
    expect(
      await readEveryWay(archive, undefined, { members: 2, memberBytes: 95, totalBytes: 100 }),
    ).not.toHaveProperty('error');
  });

  it('[tar.9] refuses 257 members, each of which is small', async () => {
    const files = Array.from({ length: 257 }, (_, i) => file(`f${i}`));
    const outcome = await read(chunked(tar(...files)));
    expect(outcome.members).toHaveLength(256);
    expect(outcome.error).toMatchObject({ code: 'ARCHIVE_LIMIT', offset: 256 * 512 });
  });
});

function lastByteSet(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  copy[copy.byteLength - 1] = 1;
  return copy;
}
