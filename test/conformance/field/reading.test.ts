import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runHere } from '../../factory/command-line.ts';
import { folderForTests } from '../../factory/sandbox.ts';
import { vectorFolder } from '../vectors.ts';

const folder = vectorFolder('field');
const out = folderForTests();

/** Runs a command within a folder of the vectors, which is read only. */
async function runIn(name: string, ...words: readonly string[]) {
  const desk = { folder: join(folder ?? '', name), env: { BULLA_HOME: join(out, 'none'), NO_COLOR: '1' } };
  const { code, stdout } = await runHere(desk, ...words, '--json');
  return { code, report: JSON.parse(stdout) };
}

describe.skipIf(!folder)('what people have met: descriptors', () => {
  test.each([
    ['[desc.1]', '03-xencenter-encoding-label', [expect.stringContaining('labelled utf-16 and is UTF-8')]],
    ['[desc.13]', '05-empty-fileref', []],
  ])('%s %s: verified, imported, inspected and packed', async (_, name, warnings) => {
    const trust = ['--trust', 'ca.pem', '--at', '2026-11-27'];
    const verified = await runIn(name, 'verify', 'web.ova', ...trust);
    expect(verified).toMatchObject({ code: 0, report: { verdict: 'trusted', warnings } });
    const imported = await runIn(name, 'import', 'web.ova', '--to', join(out, name), ...trust);
    expect(imported).toMatchObject({ code: 0, report: { verdict: 'trusted', warnings } });
    const inspected = await runIn(name, 'inspect', 'web.ova');
    expect(inspected).toMatchObject({ code: 0, report: { result: { kind: 'ovf' } } });
    expect(inspected.report.warnings.slice(1)).toEqual(warnings);
    const packed = await runIn(name, 'pack', 'web.ovf', '-o', join(out, `${name}.ova`));
    expect(packed.code).toBe(0);
    expect(packed.report.warnings).toEqual(expect.arrayContaining(warnings));
  });
});
