import { appendFileSync, renameSync, truncateSync, utimesSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { DEFAULT_LIMITS } from '../../../src/kit/limits.ts';
import { verify } from '../../../src/operations/verify/verify.ts';
import { BUNDLE_CHECK_IDS } from '../../../src/verdict/report/report.ts';
import { appliance, archiveOf, makeBundle, makeMembers, noiseFile, textFile } from '../../factory/bundles.ts';
import { flipped } from '../../factory/damage.ts';
import { codesOf, valid } from '../../factory/reports.ts';
import { makeSandbox, trusting } from '../../factory/sandbox.ts';
import { chunked } from '../../factory/streams.ts';

const LARGE = noiseFile('large.img', 3 * 1024 * 1024);
const MIB = 1024 * 1024;

describe('a report', () => {
  test.each([
    ['trusted', {}, 1],
    ['unsigned', { signed: false }, 1],
    ['without a manifest', { members: () => [textFile('app.ovf', '')] }, 1],
    ['ambiguous', { files: [...appliance(), textFile('b.ovf', '')] }, 1],
    ['cut short', {}, 0.4],
    ['with a certificate file that is not understood', { certificate: () => new Uint8Array(3) }, 1],
  ] as const)('[judge.2] has an entry with its reason for every check: %s', async (_, options, part) => {
    using sandbox = makeSandbox();
    const bytes = await makeBundle(options);
    const { report } = await verify(
      chunked(bytes.slice(0, part * bytes.byteLength)),
      await trusting(sandbox),
    );
    expect(report.checks.map(({ id }) => id)).toEqual(BUNDLE_CHECK_IDS);
    for (const check of report.checks) expect(check.detail, check.id).not.toBe('');
    expect(report.checks.some(({ status }) => status === 'fail')).toBe(report.exitCode !== 0);
  });

  test('[judge.2] says nothing good about members that were not read', async () => {
    using sandbox = makeSandbox();
    const bytes = (await makeBundle()).subarray(0, 9000);
    const { report } = await verify(chunked(bytes), await trusting(sandbox));
    const statusOf = (id: string) => report.checks.find((check) => check.id === id)?.status;
    expect(['package.members', 'manifest.digests', 'descriptor'].map(statusOf)).toEqual([
      'skip',
      'skip',
      'skip',
    ]);
    expect(['signature', 'certificate.path', 'policy'].map(statusOf)).toEqual(['pass', 'pass', 'pass']);
  });

  test('[judge.2] has a warning where an allowance let something pass', async () => {
    using sandbox = makeSandbox();
    const allow = { unlistedDescriptor: true };
    const bytes = await makeBundle({ lines: (entries) => entries.slice(1) });
    const { report } = await verify(chunked(bytes), { ...(await trusting(sandbox)), allow });
    expect(report.checks.filter(({ status }) => status === 'warn').map(({ id }) => id)).toEqual([
      'package.members',
    ]);
  });

  test('[cover.6] has both digests, and where each member begins', async () => {
    using sandbox = makeSandbox();
    const members = await makeMembers();
    const bytes = await archiveOf(members);
    const at = bytes.findIndex(
      (_, i) => new TextDecoder().decode(bytes.subarray(i, i + 8)) === 'disk.img' && i % 512 === 0,
    );
    const { report } = await verify(chunked(flipped(bytes, at + 512)), await trusting(sandbox));
    const file = report.files.find(({ name }) => name === 'disk.img');
    expect(file).toMatchObject({ status: 'mismatch', algorithm: 'sha256', offset: at, size: 3000 });
    expect(file?.expected).toMatch(/^[0-9a-f]{64}$/);
    expect(file?.actual).not.toBe(file?.expected);
    expect(report.errors[0]?.where).toMatchObject({ member: 'disk.img', offset: at });
    expect(report.errors[0]?.message).toContain('"app.mf" line 2');
  });
});

describe('reading', () => {
  test('[judge.1] takes a stream once, and to its end', async () => {
    using sandbox = makeSandbox();
    const stream = chunked(await makeBundle(), 4096);
    let opened = 0;
    const once = {
      [Symbol.asyncIterator]: () => {
        opened++;
        return stream[Symbol.asyncIterator]();
      },
    };
    expect((await verify(once, await trusting(sandbox))).verdict).toBe('trusted');
    expect({ opened, ended: stream.seen.ended }).toEqual({ opened: 1, ended: true });
  });

  test.each([
    ['grows', (path: string) => appendFileSync(path, new Uint8Array(512))],
    ['shrinks', (path: string) => truncateSync(path, 2 * MIB)],
    ['is written to', (path: string) => utimesSync(path, new Date(0), new Date(0))],
  ])('[judge.6] a file that %s meanwhile is refused', async (_, change) => {
    using sandbox = makeSandbox();
    const path = sandbox.write('app.ova', await makeBundle({ files: [LARGE] }));
    let changed = false;
    const onProgress = (): void => {
      if (!changed) change(path);
      changed = true;
    };
    const { report } = await verify(path, { ...(await trusting(sandbox)), onProgress });
    expect(codesOf(valid(report))).toEqual(['FILE_CHANGED']);
    expect(report).toMatchObject({ exitCode: 3, verdict: 'error' });
  });

  test('[judge.6] [stamp.1] a file that is put in its place meanwhile is not read, and is noticed', async () => {
    using sandbox = makeSandbox();
    const path = sandbox.write('app.ova', await makeBundle({ files: [LARGE] }));
    const other = sandbox.write('other.ova', 'something else');
    let renamed = false;
    const onProgress = (): void => {
      if (!renamed) renameSync(other, path);
      renamed = true;
    };
    const { report } = await verify(path, { ...(await trusting(sandbox)), onProgress });
    expect(report.errors.map(({ code, message }) => `${code}: ${message}`)).toEqual([
      'FILE_CHANGED: the file changed while it was read: it was removed, or another was put in its place',
    ]);
  });

  test('tells how far it is, up to the size of the file', async () => {
    using sandbox = makeSandbox();
    const bytes = await makeBundle({ files: [LARGE] });
    const seen: (readonly [number, string | undefined])[] = [];
    await verify(sandbox.write('app.ova', bytes), {
      ...(await trusting(sandbox)),
      onProgress: ({ bytes: at, member, total }) => {
        expect(total).toBe(bytes.byteLength);
        seen.push([at, member]);
      },
    });
    expect(seen.at(-1)?.[0]).toBe(bytes.byteLength);
    expect(seen.map(([at]) => at)).toEqual(seen.map(([at]) => at).sort((a, b) => a - b));
    expect(seen.map(([, member]) => member)).toContain('large.img');
  });

  test('keeps no more in memory than one manifest may have, however many there are', async () => {
    using sandbox = makeSandbox();
    const names = ['a.mf', 'b.mf', 'c.mf'];
    const many = names.map((name) => textFile(name, ' '.repeat(DEFAULT_LIMITS.manifestBytes / 2)));
    const { report } = await verify(chunked(await archiveOf(many), MIB), await trusting(sandbox));
    expect(codesOf(report)[0]).toBe('ARCHIVE_LIMIT');
    expect(report.errors[0]?.where.member).toBe('c.mf');
  });

  test('ends with the word to stop', async () => {
    using sandbox = makeSandbox();
    const stop = new AbortController();
    const path = sandbox.write('app.ova', await makeBundle({ files: [LARGE] }));
    const options = { ...(await trusting(sandbox)), signal: stop.signal, onProgress: () => stop.abort() };
    const { report } = await verify(path, options);
    expect([report.exitCode, codesOf(valid(report))]).toEqual([130, ['INTERRUPTED']]);
  });

  test('judges at no time that is none', async () => {
    await expect(verify(chunked(new Uint8Array(0)), { at: new Date(Number.NaN) })).rejects.toThrow(
      '"at" is an invalid Date',
    );
  });
});
