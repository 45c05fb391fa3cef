import { describe, expect, test } from 'vitest';
import { openArchive } from '../../src/archive/open-archive.ts';
import { Relaxed } from '../../src/archive/relaxed.ts';
import { concat } from '../../src/kit/bytes.ts';
import { encodeUtf8 } from '../../src/kit/encoding.ts';
import { isAdvised, type Told } from '../../src/kit/errors/advice.ts';
import { isBundleError } from '../../src/kit/errors/errors.ts';
import { DEFAULT_LIMITS, type Limits } from '../../src/kit/limits.ts';
import { RELAXATIONS, type Relaxation } from '../../src/kit/relaxation.ts';
import { waysIn } from '../factory/streams.ts';
import { END, type HeaderFields, header, MAGIC } from '../factory/tar.ts';

/** An entry: its header, and its content filled up to whole blocks. */
function entry(fields: HeaderFields, content = ''): Uint8Array {
  const bytes = encodeUtf8(content);
  const padding = new Uint8Array((512 - (bytes.byteLength % 512)) % 512);
  return concat([header({ size: bytes.byteLength, ...fields }), bytes, padding]);
}

const file = (name: string, content = 'x'): Uint8Array => entry({ name }, content);
const folder = (name: string, fields: HeaderFields = {}): Uint8Array => entry({ name, type: '5', ...fields });
const LONG = `${'n'.repeat(60)}/${'m'.repeat(80)}`;
const long = (name: string, fields: HeaderFields = {}): Uint8Array =>
  entry({ name: '././@LongLink', type: 'L', magic: MAGIC.gnu, ...fields }, `${name}\0`);
const gnu = (name: string): Uint8Array => entry({ name: name.slice(0, 100), magic: MAGIC.gnu }, 'x');
const record = (key: string, value: string): string => {
  const rest = ` ${key}=${value}\n`;
  const digits = String(rest.length + 2).length;
  return `${rest.length + digits}${rest}`;
};
const global = (body: string): Uint8Array => entry({ name: 'pax_global_header', type: 'g' }, body);
const pax = (body: string): Uint8Array => entry({ name: 'PaxHeaders/x', type: 'x' }, body);

interface Outcome {
  readonly names: readonly string[];
  readonly used: readonly Relaxation[];
  readonly code?: string;
  readonly advice?: readonly Told[];
}

/** Reads in every way; all must come to the same. */
async function read(
  bytes: Uint8Array,
  relax: readonly Relaxation[] = RELAXATIONS,
  limits: Partial<Limits> = {},
): Promise<Outcome> {
  const outcomes: Outcome[] = [];
  for (const [, source] of waysIn(bytes)) {
    const relaxed = new Relaxed(relax);
    const names: string[] = [];
    try {
      const { entries } = await openArchive(source(), { ...DEFAULT_LIMITS, ...limits }, relaxed);
      for await (const { name } of entries) names.push(name);
      outcomes.push({ names, used: relaxed.used });
    } catch (error) {
      if (!isBundleError(error)) throw error;
      outcomes.push({ names, used: relaxed.used, code: error.code, advice: error.advice });
    }
  }
  const [first] = outcomes;
  for (const other of outcomes) expect(other).toEqual(first);
  return first ?? { names: [], used: [] };
}

const HABITS: readonly (readonly [
  what: string,
  bytes: readonly Uint8Array[],
  needs: readonly Relaxation[],
  names: readonly string[],
])[] = [
  ['[relax.2] ./ before names', [file('./a'), file('./b/c'), END], ['dot-prefix'], ['a', 'b/c']],
  ['[relax.3] folders', [folder('d/'), file('d/a'), folder('e'), END], ['folders'], ['d/a']],
  [
    '[relax.3] a folder after what is in it',
    [file('d/a'), folder('d/'), folder('d/'), END],
    ['folders'],
    ['d/a'],
  ],
  [
    '[relax.2] [relax.3] tar -C DIR .',
    [folder('./'), folder('./d/'), file('./d/a'), END],
    ['dot-prefix', 'folders'],
    ['d/a'],
  ],
  ['[relax.4] no end mark', [file('a'), file('b')], ['no-end-mark'], ['a', 'b']],
  ['[relax.4] half an end mark', [file('a'), END.subarray(0, 512)], ['no-end-mark'], ['a']],
  [
    '[relax.5] git archive',
    [global(record('comment', 'a'.repeat(40))), file('a'), END],
    ['pax-global'],
    ['a'],
  ],
  [
    '[relax.9] numbers that end in blanks, as bsdtar writes them',
    [entry({ name: 'a', size: '00000000001 ', mode: '000644 \0' }, 'x'), file('b'), END],
    ['blank-ended-numbers'],
    ['a', 'b'],
  ],
  [
    '[relax.9] numbers of a pax header that end in blanks',
    [entry({ name: 'PaxHeaders/x', type: 'x', mode: '000644 \0' }, record('mtime', '1')), file('b'), END],
    ['blank-ended-numbers'],
    ['b'],
  ],
  [
    '[relax.6] [relax.9] numbers of a GNU long name that end in blanks',
    [long(LONG, { mode: '000644 \0' }), gnu(LONG), END],
    ['blank-ended-numbers', 'gnu-long-names'],
    [LONG],
  ],
  ['[relax.6] a GNU long name', [long(LONG), gnu(LONG), file('a'), END], ['gnu-long-names'], [LONG, 'a']],
  [
    '[relax.6] a GNU long name, cut after 99 bytes',
    [long(LONG), entry({ name: LONG.slice(0, 99), magic: MAGIC.gnu }, 'x'), END],
    ['gnu-long-names'],
    [LONG],
  ],
];

describe('what honest tools write', () => {
  test.each(HABITS)('%s: read when it is allowed, and told', async (_, bytes, needs, names) => {
    const whole = concat(bytes);
    expect(await read(whole, needs)).toEqual({ names, used: needs });
    expect(await read(whole)).toEqual({ names, used: needs });
  });

  test.each(HABITS)(
    '[relax.1] [relax.8] %s: refused without each that it needs, with the way to repair it',
    async (_, bytes, needs) => {
      for (const left of needs) {
        const { code, advice } = await read(
          concat(bytes),
          RELAXATIONS.filter((name) => name !== left),
        );
        expect(code).toMatch(/^ARCHIVE_/);
        expect(advice?.filter(isAdvised)).toMatchObject([
          { advice: 'repair', of: expect.stringContaining(left) },
        ]);
      }
      expect((await read(concat(bytes), [])).code).toMatch(/^ARCHIVE_/);
    },
  );

  test('[relax.1] what is not needed is not told', async () => {
    expect(await read(concat([file('a'), END]))).toEqual({ names: ['a'], used: [] });
  });
});

describe('what nobody may be allowed', () => {
  test.each<[string, readonly Uint8Array[], string]>([
    ['[relax.2] ././', [file('././a'), END], 'ARCHIVE_NAME'],
    ['[relax.2] ./ before a name that leaves its folder', [file('./../a'), END], 'ARCHIVE_NAME'],
    ['[relax.2] ./ alone', [file('./'), END], 'ARCHIVE_NAME'],
    ['[relax.2] . inside', [file('a/./b'), END], 'ARCHIVE_NAME'],
    ['[relax.2] one name with ./ and without', [file('./a'), file('a'), END], 'ARCHIVE_DUPLICATE'],
    ['[relax.2] one name in two spellings', [file('./a'), file('A'), END], 'ARCHIVE_DUPLICATE'],
    ['[relax.3] a folder that leaves its folder', [folder('../d/'), file('a'), END], 'ARCHIVE_NAME'],
    ['[relax.3] an absolute folder', [folder('/d/'), file('a'), END], 'ARCHIVE_NAME'],
    [
      '[relax.3] a folder with content',
      [entry({ name: 'd/', type: '5' }, 'hidden'), file('a'), END],
      'ARCHIVE_TYPE',
    ],
    [
      '[relax.3] a folder whose size is in a pax header',
      [pax(record('size', '512')), folder('d/'), file('a'), END],
      'ARCHIVE_SIZE_CONFLICT',
    ],
    [
      '[relax.3] a folder whose huge size is in a pax header',
      [pax(record('size', '8589934592')), folder('d/'), file('a'), END],
      'ARCHIVE_TYPE',
    ],
    [
      '[relax.3] a folder behind a pax name that leaves it',
      [pax(record('path', 'd')), folder('../d/'), file('a'), END],
      'ARCHIVE_NAME',
    ],
    [
      '[relax.3] a folder with a link target',
      [folder('d/', { link: 'x' }), file('a'), END],
      'ARCHIVE_HEADER',
    ],
    [
      '[relax.3] a folder with a special mode',
      [folder('d/', { mode: '0001777\0' }), file('a'), END],
      'ARCHIVE_HEADER',
    ],
    ['[relax.3] a folder that is a file', [file('d'), folder('d/'), END], 'ARCHIVE_DUPLICATE'],
    ['[relax.3] a file that is a folder', [folder('D/'), file('d'), END], 'ARCHIVE_DUPLICATE'],
    ['[relax.3] a folder in a file', [file('d'), folder('d/e/'), END], 'ARCHIVE_DUPLICATE'],
    ['[relax.3] folders alone', [folder('d/'), END], 'ARCHIVE_EMPTY'],
    ['[relax.3] a file with a slash at its end', [file('a/'), END], 'ARCHIVE_NAME'],
    ['[relax.4] an end in a header', [file('a'), file('b').subarray(0, 300)], 'ARCHIVE_TRUNCATED'],
    ['[relax.4] an end in a member', [file('a'), file('b').subarray(0, 512)], 'ARCHIVE_TRUNCATED'],
    ['[relax.4] an end in the filling', [file('a').subarray(0, 700)], 'ARCHIVE_TRUNCATED'],
    ['[relax.4] an end after a pax header', [file('a'), pax(record('path', 'b'))], 'ARCHIVE_TRUNCATED'],
    ['[relax.4] an end after a long name', [file('a'), long(LONG)], 'ARCHIVE_TRUNCATED'],
    ['[relax.4] half of a zero block', [file('a'), END.subarray(0, 700)], 'ARCHIVE_TRUNCATED'],
    [
      '[relax.4] a member after one zero block',
      [file('a'), END.subarray(0, 512), file('b')],
      'ARCHIVE_TRAILING',
    ],
    ['[relax.5] a global path', [global(record('path', 'EVIL')), file('a'), END], 'ARCHIVE_PAX'],
    [
      '[relax.5] a global size',
      [global(record('comment', 'x') + record('size', '7')), file('a'), END],
      'ARCHIVE_PAX',
    ],
    [
      '[relax.5] a global header later',
      [file('a'), global(record('comment', 'x')), file('b'), END],
      'ARCHIVE_PAX',
    ],
    [
      '[relax.5] two of them',
      [global(record('comment', 'x')), global(record('comment', 'x')), file('a'), END],
      'ARCHIVE_PAX',
    ],
    ['[relax.5] an empty one', [global(''), file('a'), END], 'ARCHIVE_PAX'],
    [
      '[relax.5] a global header behind a long name',
      [long(LONG), global(record('comment', 'x')), gnu(LONG), END],
      'ARCHIVE_PAX',
    ],
    ['[relax.6] a long name for another', [long(LONG), gnu('other'), END], 'ARCHIVE_NAME'],
    [
      '[relax.6] a long name and a pax header',
      [long(LONG), pax(record('path', LONG)), gnu(LONG), END],
      'ARCHIVE_HEADER',
    ],
    [
      '[relax.6] a pax header and a long name',
      [pax(record('path', LONG)), long(LONG), gnu(LONG), END],
      'ARCHIVE_HEADER',
    ],
    ['[relax.6] two long names', [long(LONG), long(LONG), gnu(LONG), END], 'ARCHIVE_HEADER'],
    ['[relax.6] a long name without a member', [file('a'), long(LONG), END], 'ARCHIVE_HEADER'],
    ['[relax.6] a long name with a NUL inside', [long(`${LONG}\0x`), gnu(LONG), END], 'ARCHIVE_HEADER'],
    [
      '[relax.6] a long name in a POSIX header',
      [long(LONG, { magic: MAGIC.posix }), gnu(LONG), END],
      'ARCHIVE_HEADER',
    ],
    [
      '[relax.6] a long name that leaves its folder',
      [long(`${'n'.repeat(120)}/../../x`), gnu('n'.repeat(120)), END],
      'ARCHIVE_NAME',
    ],
    [
      '[relax.6] a long name longer than names are',
      [long('n'.repeat(4097)), gnu('n'.repeat(4097)), END],
      'ARCHIVE_PAX',
    ],
    ['a symbolic link', [entry({ name: 'l', type: '2', link: 'a' }), END], 'ARCHIVE_TYPE'],
    [
      'a GNU long link',
      [entry({ name: '././@LongLink', type: 'K', magic: MAGIC.gnu }, 'x\0'), file('a'), END],
      'ARCHIVE_TYPE',
    ],
  ])('%s is refused with all that can be', async (_, bytes, code) => {
    expect((await read(concat(bytes))).code).toBe(code);
  });

  test('[relax.3] folders without end meet the limit of members', async () => {
    const many = Array.from({ length: 6 }, (_, i) => folder(`d${i}/`));
    expect((await read(concat([...many, file('a'), END]), RELAXATIONS, { members: 5 })).code).toBe(
      'ARCHIVE_LIMIT',
    );
  });
});
