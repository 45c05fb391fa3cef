import fc from 'fast-check';
import { expect, test } from 'vitest';
import { memberNameFault } from '../../src/formats/member-name.ts';
import { formatManifest, parseManifest } from '../../src/formats/ovf/manifest.ts';
import type { DigestName } from '../../src/kit/digest-name.ts';
import { encodeUtf8, formatHex } from '../../src/kit/encoding.ts';
import { isBundleError } from '../../src/kit/errors/errors.ts';
import { DEFAULT_LIMITS } from '../../src/kit/limits.ts';
import { mutated } from '../factory/mutation.ts';

const LENGTHS: readonly (readonly [DigestName, number])[] = [
  ['sha1', 20],
  ['sha256', 32],
  ['sha384', 48],
  ['sha512', 64],
];

const CODES = ['MANIFEST_SYNTAX', 'MANIFEST_DUPLICATE', 'ALGORITHM_UNSUPPORTED'];

const names = fc
  .oneof(fc.string({ unit: 'grapheme', minLength: 1 }), fc.stringMatching(/^[a-c()= /.]{1,12}$/))
  .filter((name) => memberNameFault(name, DEFAULT_LIMITS) === undefined);

const entries = fc.uniqueArray(
  fc.constantFrom(...LENGTHS).chain(([algorithm, length]) => {
    const digest = fc.uint8Array({ minLength: length, maxLength: length }).map(formatHex);
    return fc.record({ name: names, algorithm: fc.constant(algorithm), digest });
  }),
  { selector: ({ name }) => name, maxLength: 20 },
);

/** A manifest, or one of the refusals that a manifest can get. */
function survives(bytes: Uint8Array): ReturnType<typeof parseManifest> | undefined {
  try {
    return parseManifest(bytes);
  } catch (error) {
    if (!isBundleError(error)) throw error;
    expect(CODES).toContain(error.code);
    return undefined;
  }
}

test('[mf.9] what is written is read again, and noted by nobody', () => {
  fc.assert(
    fc.property(entries, (list) => {
      const { entries: read, notes } = parseManifest(formatManifest(list));
      expect(read).toEqual(list.map((entry, i) => ({ ...entry, line: i + 1 })));
      expect(notes).toEqual([]);
    }),
  );
});

test('[mf.9] any names and digests are written so that they are read again, or refused', () => {
  const any = fc.record({
    name: fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.stringMatching(/^[a\n\r)(= ]*$/)),
    algorithm: fc.constantFrom<DigestName[]>('sha1', 'sha256'),
    digest: fc.oneof(fc.string(), fc.constant('0'.repeat(40)), fc.constant('0'.repeat(64))),
  });
  fc.assert(
    fc.property(fc.array(any, { maxLength: 3 }), (list) => {
      try {
        const read = parseManifest(formatManifest(list)).entries;
        expect(read.map(({ name, algorithm, digest }) => ({ name, algorithm, digest }))).toEqual(list);
      } catch (error) {
        if (!isBundleError(error)) throw error;
      }
    }),
    { numRuns: 2000 },
  );
});

test('[mf.5] the usual line is read as one that ends in a blank', () => {
  const name = fc.oneof(fc.string(), fc.stringMatching(/^[a-c()= /.\r\u2028]{1,12}$/));
  const word = fc.constantFrom('SHA256', 'SHA1', 'SHA512', 'MD5', 'SHA', 'sha256');
  const hex = fc.constantFrom('0'.repeat(64), 'a'.repeat(40), 'F'.repeat(64), 'abc');
  const line = fc
    .tuple(word, name, hex)
    .map(([algorithm, file, digest]) => `${algorithm}(${file})= ${digest}`);
  const outcome = (text: string): unknown => {
    try {
      return parseManifest(encodeUtf8(text));
    } catch (error) {
      if (!isBundleError(error)) throw error;
      return error.message;
    }
  };
  fc.assert(
    fc.property(line, (text) => {
      expect(outcome(text)).toEqual(outcome(`${text} `));
    }),
    { numRuns: 3000 },
  );
});

test('[mf.1] any bytes give a manifest or a refusal', () => {
  const pieces = fc
    .array(
      fc.constantFrom(
        'SHA256',
        'SHA2-256',
        'MD5',
        '(',
        ')',
        '=',
        ' ',
        '\t',
        '\r',
        '\n',
        'a',
        '0',
        '\ufeff',
        '\0',
        '0'.repeat(64),
      ),
    )
    .map((parts) => encodeUtf8(parts.join('')));
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), pieces), (bytes) => void survives(bytes)),
    {
      numRuns: 5000,
    },
  );
});

test('[mf.1] every line that is not blank is an entry, whatever is changed in a manifest', () => {
  const valid = formatManifest(
    LENGTHS.map(([algorithm, length]) => ({
      name: `${algorithm}.bin`,
      algorithm,
      digest: '0a'.repeat(length),
    })),
  );
  fc.assert(
    fc.property(mutated(valid), (bytes) => {
      const read = survives(bytes);
      if (!read) return;
      const lines = new TextDecoder().decode(bytes).split('\n');
      const written = lines.filter((line) => line.replace(/^\ufeff/, '').trim() !== '');
      expect(read.entries).toHaveLength(written.length);
      for (const { name, digest, line } of read.entries) {
        expect(lines[line - 1]).toContain(`(${name})`);
        expect(lines[line - 1]?.toLowerCase()).toContain(digest);
      }
    }),
    { numRuns: 5000 },
  );
});
