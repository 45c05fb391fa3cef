import { describe, expect, test } from 'vitest';
import { ERROR_TABLE } from '../../src/kit/errors/error-codes.ts';
import { asArchive, read } from '../factory/archives.ts';
import { readOddly } from '../factory/repairing.ts';
import { chunked, irregular, sourceOf } from '../factory/streams.ts';
import { archives, bytesOf, found, named } from './archive-vectors.ts';

/** Bytes of holes and of a private copy: one of the archives is a file of 60 GB. */
const LIMITS = { spoolBytes: 64 * 1024 * 1024 };

describe.skipIf(!found)('archives of other makers, taken apart', () => {
  test.each(named(archives))('[repair.2] [repair.3] %s', { timeout: 60_000 }, async (_, vector) => {
    const bytes = bytesOf(vector);
    const strict = await read(chunked(bytes), asArchive, LIMITS);
    const odd = await readOddly(bytes, LIMITS);
    if (odd.error) expect(['archive', 'unsupported']).toContain(ERROR_TABLE[odd.error.code].kind);
    if (!strict.error) {
      expect(odd).toEqual({ ...strict, repairs: [] });
      return;
    }
    if (!odd.error) expect(odd.repairs, strict.error.message).not.toEqual([]);
    expect(await readOddly(sourceOf(bytes, { sizes: irregular(1), hostile: true }), LIMITS)).toEqual(odd);
  });
});
