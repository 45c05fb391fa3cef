import { inflateRawSync } from 'node:zlib';
import { describe, expect, it, test } from 'vitest';
import { openArchive } from '../../src/archive/open-archive.ts';
import { ERROR_TABLE } from '../../src/kit/errors/error-codes.ts';
import { inspect } from '../../src/operations/verify/inspect.ts';
import { verify } from '../../src/operations/verify/verify.ts';
import { openSource } from '../../src/storage/sources/open-source.ts';
import { asArchive, type Outcome, read } from '../factory/archives.ts';
import { importHere, left } from '../factory/importing.ts';
import { makeSandbox } from '../factory/sandbox.ts';
import { chunked, irregular, sourceOf } from '../factory/streams.ts';
import { zip } from '../factory/zip.ts';
import { archives, bytesOf, deflates, found, leftOut, named, ourVerdict, pathOf } from './archive-vectors.ts';

/** The largest file that is also read byte by byte. */
const SMALL = 64 * 1024;

/** Refusals that are about no member: of the end of the archive, or of headers that have no name one could believe. */
const OF_NO_MEMBER =
  /end mark|end record|directory|empty|no members|kind that|checksum|header|gzip|compressed|block|name|folder|kind|part of|members|bzip2|the input is/;

function expectRefusal({ error }: Outcome): void {
  expect(error).toBeDefined();
  if (!error) return;
  expect(['archive', 'unsupported'], error.code).toContain(ERROR_TABLE[error.code].kind);
  expect(error.offset, `${error.code} has its place`).toBeGreaterThanOrEqual(0);
  if (error.member === undefined) expect(error.message, 'names the member').toMatch(OF_NO_MEMBER);
}

async function readFile(path: string): Promise<Outcome> {
  await using source = await openSource(path, { idleMs: 1000 });
  return await read(source.stream(), async (stream, limits) => (await openArchive(stream, limits)).entries);
}

describe.skipIf(!found)('archives of other makers', () => {
  it('[arc.1] are there, and what is no archive is left out', () => {
    console.info(
      `${archives.length} archives, ${deflates.length} deflate streams, ${leftOut} files left out`,
    );
    expect(archives.length).toBeGreaterThan(700);
  });

  test.each(named(archives))('[arc.3] %s, in time', { timeout: 60_000 }, async (_, vector) => {
    const outcome = await readFile(pathOf(vector));
    expect(outcome.error ? 'reject' : 'ok', outcome.error?.message).toBe(ourVerdict(vector));
    if (outcome.error) expectRefusal(outcome);
    expect(outcome.members.map(({ name }) => name)).not.toContain('EVIL');
  });

  test.each(named(archives))('[arc.2] %s: the same in chunks', async (_, vector) => {
    const bytes = bytesOf(vector);
    const whole = await readFile(pathOf(vector));
    const fixed = [7, 511, 512, 513, 65_536, ...(bytes.byteLength < SMALL ? [1] : [])];
    for (const size of fixed.filter((count) => count > 7 || bytes.byteLength < 8 * SMALL))
      expect(await read(chunked(bytes, size), asArchive), `chunks of ${size}`).toEqual(whole);
    const hostile = { sizes: irregular(1), hostile: true };
    expect(await read(sourceOf(bytes, hostile), asArchive), 'random chunks').toEqual(whole);
  });

  test.each(named(archives))(
    '[import.1] [inspect.1] %s: importing and inspecting it leaves nothing',
    async (_, vector) => {
      using sandbox = makeSandbox();
      const { report, imported } = await importHere(sandbox, pathOf(vector));
      expect([imported, left(sandbox)]).toEqual([false, []]);
      const piped = await importHere(sandbox, chunked(bytesOf(vector), 4096));
      expect([piped.imported, left(sandbox)]).toEqual([false, []]);
      expect(piped.report.errors.map(({ code, where }) => [code, where.offset])).toEqual(
        report.errors.map(({ code, where }) => [code, where.offset]),
      );
      const verified = await verify(pathOf(vector));
      expect(verified.verdict).not.toBe('trusted');
      const { exitCode, files, errors } = (await inspect(pathOf(vector))).report;
      // A sound archive is no package of ours, or one that has faults: it was made by somebody else for something else.
      if (ourVerdict(vector) === 'ok') expect([0, 16]).toContain(exitCode);
      else expect([15, 17]).toContain(exitCode);
      if (exitCode === 17) expect(errors.map(({ code }) => code)).toEqual(['FORMAT_UNSUPPORTED']);
      if (exitCode === 0 || exitCode === 16)
        expect(files.every(({ actual }) => actual?.length === 64)).toBe(true);
    },
  );

  test.each(named(deflates))('[zip.10] %s as the data of a zip', { timeout: 2000 }, async (_, vector) => {
    const data = bytesOf(vector);
    const content = inflated(data);
    const bytes = zip([{ name: 'a', content, data, both: { method: 8 } }]);
    const { error } = await read(chunked(bytes), asArchive);
    expect(error ? 'reject' : 'ok', error?.message).toBe(vector.expected);
  });
});

function inflated(data: Uint8Array): Uint8Array {
  try {
    return inflateRawSync(data);
  } catch {
    return new Uint8Array(0);
  }
}
