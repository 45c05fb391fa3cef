import { chmodSync, chownSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { normalize } from '../../../src/operations/pack/normalize.ts';
import type { Report } from '../../../src/verdict/report/report.ts';
import {
  appliance,
  archiveOf,
  DISK,
  makeBundle,
  makeMembers,
  NOTES,
  noiseFile,
  textFile,
} from '../../factory/bundles.ts';
import { withFlipped } from '../../factory/damage.ts';
import { namesIn, verdictOn } from '../../factory/packing.ts';
import { codesOf, valid } from '../../factory/reports.ts';
import { makeSandbox, type Sandbox, trusting } from '../../factory/sandbox.ts';
import { chunked } from '../../factory/streams.ts';

const CANONICAL = ['app.ovf', 'app.mf', 'app.cert', 'disk.img', 'notes.txt'];

async function normalized(
  sandbox: Sandbox,
  bytes: Uint8Array,
  options: Partial<Parameters<typeof normalize>[1]> = {},
): Promise<Report> {
  const trust = await trusting(sandbox);
  const report = await normalize(chunked(bytes, 4000), {
    ...trust,
    output: sandbox.path('out.ova'),
    format: 'tar',
    ...options,
  });
  valid(report);
  return report;
}

describe('a bundle that is good and oddly packed', () => {
  test.each(['leading', 'trailing', 'split', 'first'] as const)(
    '[norm.2] %s: comes out in the one order, byte for byte',
    async (order) => {
      using sandbox = makeSandbox();
      const members = await makeMembers({ order });
      const report = await normalized(sandbox, await archiveOf(members, order === 'split'));
      const out = readFileSync(sandbox.path('out.ova'));
      expect([report.exitCode, report.verdict, await namesIn(out)]).toEqual([0, 'trusted', CANONICAL]);
      expect(report.result).toMatchObject({
        reordered: order !== 'leading',
        files: CANONICAL,
        bytes: out.byteLength,
      });
      const sorted = CANONICAL.flatMap((name) => members.filter((member) => member.name === name));
      expect(Buffer.compare(out, await archiveOf(sorted))).toBe(0);
      expect(await verdictOn(sandbox, out)).toEqual(['trusted']);
    },
  );

  test('[norm.2] has what came to its signature right behind that, and files in the order of the manifest', async () => {
    using sandbox = makeSandbox();
    const files = [noiseFile('b.img', 100), noiseFile('a.img', 100), textFile('sub/c.txt', 'c')];
    const members = await makeMembers({
      files,
      order: 'trailing',
      members: (all) =>
        [textFile('revocation/none.crl', ''), ...all.toReversed()].filter(
          ({ name }) => name !== 'revocation/none.crl',
        ),
    });
    await normalized(sandbox, await archiveOf(members));
    expect(await namesIn(readFileSync(sandbox.path('out.ova')))).toEqual([
      'app.mf',
      'app.cert',
      'b.img',
      'a.img',
      'sub/c.txt',
    ]);
  });

  test('[norm.3] stays as it is when it is normalized already', async () => {
    using sandbox = makeSandbox();
    const once = await makeBundle();
    await normalized(sandbox, once);
    expect(Buffer.compare(readFileSync(sandbox.path('out.ova')), once)).toBe(0);
    await normalized(sandbox, once, { output: sandbox.path('out.tgz'), format: 'tgz' });
    await normalized(sandbox, readFileSync(sandbox.path('out.tgz')), { overwrite: true });
    expect(Buffer.compare(readFileSync(sandbox.path('out.ova')), once)).toBe(0);
  });
});

describe('a bundle that verify refuses', () => {
  test.each<[string, Parameters<typeof makeBundle>[0], string]>([
    [
      'changed',
      {
        members: (all) => withFlipped(all, 'disk.img', 2999),
      },
      'DIGEST_MISMATCH',
    ],
    ['unsigned', { signed: false }, 'SIGNATURE_MISSING'],
    ['with a file beside', { members: (all) => [...all, textFile('more', '')] }, 'FILE_UNLISTED'],
  ])('[norm.1] %s is refused the same way, and not written', async (_, options, code) => {
    using sandbox = makeSandbox();
    const report = await normalized(sandbox, await makeBundle(options));
    expect(codesOf(report)).toContain(code);
    expect(sandbox.list().filter((name) => !name.startsWith('.trust'))).toEqual([]);
  });

  test('[norm.1] is written when that is allowed, and the report says so', async () => {
    using sandbox = makeSandbox();
    const report = await normalized(sandbox, await makeBundle({ signed: false }), {
      allow: { unsigned: true },
    });
    expect([report.exitCode, report.trusted, report.allowances]).toEqual([0, false, ['unsigned']]);
    expect(await namesIn(readFileSync(sandbox.path('out.ova')))).toEqual([
      'app.ovf',
      'app.mf',
      'disk.img',
      'notes.txt',
    ]);
  });

  test('[norm.1] never replaces what it reads, or what is there', async () => {
    using sandbox = makeSandbox();
    const trust = await trusting(sandbox);
    const input = sandbox.write('out.ova', await makeBundle());
    const into = normalize(input, { ...trust, output: input, format: 'tar', overwrite: true });
    await expect(into).rejects.toMatchObject({ code: 'USAGE' });
    await expect(normalized(sandbox, await makeBundle())).rejects.toMatchObject({
      code: 'DESTINATION_EXISTS',
    });
  });
});

test.each([0o777, 0o2775])('[norm.4] goes into a folder where others may write (%o), too', async (mode) => {
  using sandbox = makeSandbox();
  mkdirSync(sandbox.path('open'));
  if (process.geteuid?.() === 0) chownSync(sandbox.path('open'), 0, 54_321);
  chmodSync(sandbox.path('open'), mode);
  const report = await normalized(sandbox, await makeBundle(), { output: sandbox.path('open/out.ova') });
  expect([report.exitCode, report.verdict]).toEqual([0, 'trusted']);
  expect(sandbox.list().filter((name) => name.startsWith('open/'))).toEqual(['open/', 'open/out.ova']);
});

test('[norm.4] members wait for the user alone, and are gone in the end', async () => {
  using sandbox = makeSandbox();
  const large = noiseFile('large.img', 3_000_000);
  const modes = new Set<string>();
  await normalized(sandbox, await makeBundle({ files: [large] }), {
    onProgress: () => {
      for (const name of sandbox.list().filter((entry) => entry.includes('.partial-')))
        modes.add(
          `${name.replace(/partial-[\w-]+/, '*')} ${(statSync(sandbox.path(name)).mode & 0o777).toString(8)}`,
        );
    },
  });
  expect([...modes]).toContain('.out.ova.*/ 700');
  expect([...modes]).toContain('.out.ova.*/content/large.img 600');
  expect(sandbox.list().filter((name) => !name.startsWith('.trust'))).toEqual(['out.ova']);
  expect([DISK, NOTES, ...appliance()].length).toBe(5);
});
