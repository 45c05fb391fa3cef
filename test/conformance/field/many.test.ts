import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runHere } from '../../factory/command-line.ts';
import { folderForTests } from '../../factory/sandbox.ts';
import { vectorFolder } from '../vectors.ts';

const folder = vectorFolder('field');
const out = folderForTests();

/** What people have met, all at once, each with the exit code that it has by itself. */
const FOUND: readonly (readonly [name: string, exitCode: number])[] = [
  ['02-loose-package', 0],
  ['02-loose-package/web.mf', 0],
  ['03-xencenter-encoding-label/web.ova', 0],
  ['05-empty-fileref/web.ova', 0],
  ['07-download-is-html-or-lfs/login.ova', 17],
  ['07-download-is-html-or-lfs/lfs.ova', 17],
  ['07-download-is-html-or-lfs/error.ova', 17],
];
const ANCHORS = ['02-loose-package', '03-xencenter-encoding-label', '05-empty-fileref'];

function runIn(...words: readonly string[]) {
  const desk = { folder: folder ?? '', env: { BULLA_HOME: join(out, 'none'), NO_COLOR: '1' } };
  return runHere(desk, 'verify', ...words);
}

describe.skipIf(!folder)('what people have met: many at once', () => {
  const names = FOUND.map(([name]) => name);
  const trust = ['--at', '2026-11-27', '--trust', ...ANCHORS.map((name) => `${name}/ca.pem`)];

  test.each(['1', '4'])('[many.1] [many.4] [many.5] a document for each, %s at a time', async (jobs) => {
    const { code, stdout } = await runIn(...names, ...trust, '--json', '--jobs', jobs);
    const reports = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(reports.map(({ input, exitCode }) => [input.name, exitCode])).toEqual(FOUND);
    expect(code).toBe(17);
  });

  test('[many.2] [many.8] a line for each, with bundles at the end, and where they would be values', async () => {
    const { code, stdout } = await runIn(...trust, ...names);
    expect(code).toBe(17);
    expect(stdout).toMatch(/ 4 of 7 trusted; 3 NOT trusted {2}\[exit 17\]\n$/);
    const swallowed = await runIn('05-empty-fileref/web.ova', ...trust, '02-loose-package');
    expect(swallowed).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('02-loose-package'),
    });
  });
});
