import { describe, expect, test } from 'vitest';
import { createProgram } from '../../src/cli/program.ts';
import { run } from '../../src/cli/run.ts';
import { readWords } from '../../src/cli/words.ts';
import { makeScreen } from './screen.ts';

const program = createProgram(makeScreen().context, () => {});

describe('[cli.3] where one document is asked for, and where it goes', () => {
  test.each<readonly [line: readonly string[], json: boolean, toStdout: boolean]>([
    [['verify', 'x.ova', '--json'], true, false],
    [['verify', 'x -o - y', '--json'], true, false],
    [['verify', '--json', '--', '--json'], true, false],
    [['verify', '--', '--json'], false, false],
    [['verify', 'x.ova', '--trust', '--json'], false, false],
    [['verify', 'x.ova', '--trust=--json'], false, false],
    [['pack', 'x', '-o', '-', '--json'], true, true],
    [['pack', 'x', '-qo-', '--json'], true, true],
    [['pack', 'x', '--output=-', '--json'], true, true],
    [['pack', 'x', '--name', '-o', '-', '--json'], true, false],
    [['pack', 'x', '-o', 'y', '--', '-o', '-'], false, false],
    [['pack', 'x', '-o', '-', '-o', 'y', '--json'], true, false],
  ])('%j', (line, json, toStdout) => {
    const words = readWords(program, line);
    expect([words.json, words.toStdout]).toEqual([json, toStdout]);
  });
});

describe('[rep.1] the operation in a document is a command', () => {
  test.each<readonly [line: readonly string[], operation: string]>([
    [['verify'], 'verify'],
    [['trust'], 'trust'],
    [['trust', 'show', 'nobody'], 'trust show'],
    [['trust', 'x -o - y'], 'trust'],
    [['unknown'], 'help'],
    [['unknown', 'verify', 'x.ova'], 'help'],
    [['./verify'], 'help'],
    [[], 'help'],
    [['--deadline', '3s', 'verify', 'x.ova'], 'help'],
  ])('%j', async (line, operation) => {
    const { context, out, err } = makeScreen();
    expect(await run([...line, '--json'], context)).not.toBe(0);
    expect(err).toEqual([]);
    expect(JSON.parse(out.join('\n'))).toMatchObject({ operation, verdict: 'error' });
  });
});

test('[cli.3] words in a name neither ask for a document nor send it elsewhere', async () => {
  const { context, out, err } = makeScreen();
  expect(await run(['verify', 'x -o - y', '--json'], context)).toBe(3);
  expect(err).toEqual([]);
  expect(JSON.parse(out.join('\n'))).toMatchObject({
    operation: 'verify',
    errors: [{ where: { file: 'x -o - y' } }],
  });
  const plain = makeScreen();
  expect(await run(['verify', '--', '--json'], plain.context)).toBe(3);
  expect(plain.out).toEqual([]);
  expect(plain.err.join('\n')).toMatch(/where +--json/);
});

describe('[cli.18] a word that an option has taken', () => {
  test.each<readonly [line: readonly string[], told: readonly RegExp[]]>([
    [
      ['verify', '--trust', 'ca.pem'],
      [/missing required argument 'bundle'/, /--trust has taken .*"ca.pem"/, /add it/],
    ],
    [['verify', '--trust', 'web.ova'], [/--trust has taken .*"web.ova"/]],
    [['import', '--to', 'web', '--trust', 'web.ova'], [/--trust has taken .*"web.ova"/]],
    [
      ['inspect', 'a.ova', 'b.ova'],
      [/too many arguments for 'inspect'/, /expected 1 argument but got 2; see/],
    ],
    [['verify', 'web.ova', '--trust', '--json'], [/--trust has no value: --json/]],
    [
      ['verify', 'web.ova', '--trust', '-q'],
      [/--trust has no value: -q/, /a file of that name is \.\/-q/],
    ],
    [
      ['pack', 'x', '--cpus', '--force', '-o', 'y.ova'],
      [/--cpus has no value: --force/, /give its value; see/],
    ],
  ])('%j', async (line, told) => {
    const { context, err } = makeScreen();
    expect(await run([...line], context)).toBe(2);
    for (const one of told) expect(err.join('\n').replace(/\s+/g, ' ')).toMatch(one);
  });

  test('may be anything else that begins with a dash', async () => {
    const { context, err } = makeScreen();
    expect(await run(['verify', 'web.ova', '--trust', '--yaml'], context)).toBe(3);
    expect(err.join('\n')).toMatch(/no such file/);
  });
});
