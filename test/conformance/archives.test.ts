import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { extract } from 'tar-stream';
import { describe, expect, it, test } from 'vitest';
import { ERROR_TABLE } from '../../src/kit/error-codes.ts';
import { asArchive, type Outcome, read, sha256 } from '../factory/archives.ts';
import { chunked, irregular, sourceOf } from '../factory/streams.ts';

interface Entry {
  readonly file: string;
  readonly format: string;
  readonly expected: 'ok' | 'reject' | 'n/a';
  readonly note: string;
}

/** The largest file that is also read byte by byte. */
const SMALL = 64 * 1024;

/** Files where our verdict differs from that of the index on purpose; `spec/archive.md` says why of each. */
const DIFFERENT: Readonly<Record<string, 'ok' | 'reject'>> = {
  'go-tar/star.tar': 'reject',
  'synthetic/gz-bomb-64m.tgz': 'ok',
};

const { BULLA_VECTORS: vectors } = process.env;
const folder = vectors ? join(vectors, 'archives') : '';
const index = join(folder, 'index.json');
const found = folder !== '' && existsSync(index);
const entries: readonly Entry[] = found ? JSON.parse(readFileSync(index, 'utf8')) : [];
if (!found) {
  console.warn(
    'SKIPPED: set BULLA_VECTORS to a folder with archives/index.json to read archives of other makers',
  );
}

const judged = entries.filter(({ expected }) => expected !== 'n/a');
const ours = judged.filter(({ format }) => ['tar', 'tgz', 'gz'].includes(format));
const others = judged.filter((entry) => !ours.includes(entry));

function expectRefusal({ error }: Outcome): void {
  expect(error).toBeDefined();
  if (!error) return;
  expect(['archive', 'unsupported'], error.code).toContain(ERROR_TABLE[error.code].kind);
  expect(error.offset, `${error.code} has its place`).toBeGreaterThanOrEqual(0);
}

describe.skipIf(!found)('archives of other makers', () => {
  it('[arc.1] are there, and what is no archive is left out', () => {
    const left = entries.length - judged.length;
    console.info(`${ours.length} tar and gzip files, ${others.length} of other formats, ${left} left out`);
    expect(ours.length).toBeGreaterThan(100);
  });

  test.each(ours)('[arc.3] $file: $expected, in time', { timeout: 2000 }, async ({ file, expected }) => {
    const outcome = await read(chunked(readFileSync(join(folder, file))), asArchive);
    expect(outcome.error ? 'reject' : 'ok', outcome.error?.message).toBe(DIFFERENT[file] ?? expected);
    if (outcome.error) expectRefusal(outcome);
    expect(outcome.members.map(({ name }) => name)).not.toContain('EVIL');
  });

  test.each(ours)('[arc.2] $file: the same in chunks', async ({ file }) => {
    const bytes = readFileSync(join(folder, file));
    const whole = await read(chunked(bytes), asArchive);
    const sizes = [() => 513, () => 512, irregular(1), ...(bytes.byteLength < SMALL ? [() => 1] : [])];
    for (const size of sizes)
      expect(await read(sourceOf(bytes, { sizes: size, hostile: true }), asArchive)).toEqual(whole);
  });

  // Nothing else is given to tar-stream: it hangs on some of the others.
  const accepted = ours.filter(({ file, expected }) => (DIFFERENT[file] ?? expected) === 'ok');
  test.each(accepted)(
    '[arc.2] $file: what is accepted is read alike by tar-stream',
    async ({ file, format }) => {
      const bytes = readFileSync(join(folder, file));
      const outcome = await read(chunked(bytes), asArchive);
      const seen: unknown[] = [];
      for await (const entry of Readable.from([format === 'tar' ? bytes : gunzipSync(bytes)]).pipe(
        extract(),
      )) {
        seen.push([entry.header.name, entry.header.size, sha256(await buffer(entry))]);
      }
      expect(outcome.members.map(({ name, size, sha256: digest }) => [name, size, digest])).toEqual(seen);
    },
  );

  test.each(others)('[arc.1] $file ($format) is refused', async ({ file, format }) => {
    const outcome = await read(chunked(readFileSync(join(folder, file))), asArchive);
    expectRefusal(outcome);
    const code = outcome.error?.code;
    if (format.startsWith('zip') && code !== 'ARCHIVE_EMPTY') expect(code).toBe('FORMAT_UNSUPPORTED');
    expect(outcome.members).toEqual([]);
  });
});
