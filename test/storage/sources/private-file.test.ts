import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { isSeekable } from '../../../src/kit/random-access.ts';
import { apartFrom } from '../../../src/storage/apart.ts';
import { openOutput } from '../../../src/storage/output/open-output.ts';
import { openPrivateFile, spoolable } from '../../../src/storage/sources/private-file.ts';
import { bytesOf, noiseFile } from '../../factory/bundles.ts';
import { makeSandbox } from '../../factory/sandbox.ts';
import { chunked, sourceOf } from '../../factory/streams.ts';

afterEach(() => vi.unstubAllEnvs());

function leftovers(): readonly string[] {
  return readdirSync(tmpdir()).filter((name) => /^bulla-[0-9a-f]{24}$/.test(name));
}

describe('[zip.14] a private file', () => {
  test('has no name, and gives back what was written, anywhere', async () => {
    const before = leftovers();
    await using file = await openPrivateFile('input');
    expect(leftovers()).toEqual(before);
    await file.append(Uint8Array.of(1, 2, 3, 4));
    await file.append(Uint8Array.of(5, 6));
    await file.patch(1, Uint8Array.of(9, 9));
    const access = file.access();
    expect([access.size, access.copied]).toEqual([6, true]);
    expect(await access.readAt(4, 100)).toEqual(Uint8Array.of(5, 6));
    expect(await bytesOf(access.range(1, 5))).toEqual(Uint8Array.of(9, 9, 4, 5));
    expect(await bytesOf(access.range(3, 3))).toEqual(new Uint8Array(0));
    expect(await bytesOf(access.range(5, 99))).toEqual(Uint8Array.of(6));
  });

  test.each(['input', 'output'] as const)(
    'says what it is for when there is no place: %s',
    async (purpose) => {
      using sandbox = makeSandbox();
      vi.stubEnv('TMPDIR', sandbox.path('absent'));
      await expect(openPrivateFile(purpose)).rejects.toMatchObject({
        code: 'STORAGE_FAILED',
        where: { file: sandbox.path('absent') },
        fix: /TMPDIR/,
      });
    },
  );

  test('keeps a stream from its beginning, closes it, and is gone when the stream fails', async () => {
    const before = leftovers();
    const source = chunked(new Uint8Array(10_000).fill(7), 999);
    const stream = spoolable(source, {});
    expect(isSeekable(stream)).toBe(true);
    await using access = await stream.randomAccess(stream);
    expect([access.size, source.seen.ended]).toEqual([10_000, true]);
    const mixed = noiseFile('x', 2_000_000).bytes;
    const sizes = [1, 7, 300_000, 262_143, 2, 262_144, 64_000, 200_000, 262_145];
    let next = 0;
    const chunks = sourceOf(mixed, { sizes: () => sizes[next++ % sizes.length] ?? 1, hostile: true });
    await using copy = await spoolable(chunks, {}).randomAccess(chunks);
    expect(Buffer.compare(await bytesOf(copy.range(0, copy.size)), mixed)).toBe(0);
    const failing = spoolable(chunked(new Uint8Array(10_000), 999), { spoolBytes: 1000 });
    await expect(failing.randomAccess(failing)).rejects.toMatchObject({ code: 'ARCHIVE_LIMIT' });
    expect(leftovers()).toEqual(before);
  });
});

test('[zip.15] a file can be written again before it is published', async () => {
  using sandbox = makeSandbox();
  const path = sandbox.path('out');
  {
    await using output = await openOutput(apartFrom(path, []), { overwrite: false, patched: true });
    await output.write(Uint8Array.of(1, 2, 3));
    await output.patch(0, Uint8Array.of(8));
    await output.write(new Uint8Array(600_000).fill(4));
    await output.patch(1, Uint8Array.of(9));
    await output.finish();
  }
  const bytes = readFileSync(path);
  expect([bytes.byteLength, bytes[0], bytes[1], bytes[2], bytes[3], bytes.at(-1)]).toEqual([
    600_003, 8, 9, 3, 4, 4,
  ]);
});
