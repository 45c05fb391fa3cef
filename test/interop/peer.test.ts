import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { BASE } from './peer.ts';

const TESTS = join(import.meta.dirname, '..');
const named = (ending: string): readonly string[] =>
  readdirSync(TESTS, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith(ending));
const textOf = (name: string): string => readFileSync(join(TESTS, name), 'utf8');

/** Of the shell itself. */
const BUILT_IN =
  /^(\[|:|!|cd|command|do|done|echo|else|eval|exec|exit|export|fi|for|if|kill|read|set|shift|then|trap|ulimit|umask|wait|while|[A-Za-z_]\w*=.*|\d*[<>].*|-.*|)$/;

/** The programs that a line of shell starts. */
function programsOf(line: string): readonly string[] {
  const within: string[] = [];
  const plain = line
    .replace(/\\./g, '')
    .replace(/'[^']*'/g, 'QUOTED')
    .replace(/\$\(\([^)]*\)\)/g, 'NUMBER')
    .replace(/"([^"]*)"/g, (_, text: string) => {
      within.push(...(text.match(/\$\([^)]*\)/g) ?? []));
      return 'QUOTED';
    });
  return [plain, ...within]
    .join(';')
    .split(/\$\(|<\(|>\(|\|\||&&|[|;(){}`]|(?<!>)&(?!\d)|\b(?:do|then|else)\b/)
    .map(
      (part) =>
        part
          .trim()
          .split(/\s+/)
          .find((word) => !/^(\w+=.*|!|if|while|env|exec)$/.test(word)) ?? '',
    )
    .filter((word) => !BUILT_IN.test(word));
}

test('a transcript starts what every machine has, or says what it needs', () => {
  const files = named('.txt').filter((name) => name.startsWith('transcripts/'));
  expect(files.length).toBeGreaterThan(20);
  const found: string[] = [];
  for (const file of files) {
    const text = textOf(file);
    const needs = [...text.matchAll(/^# needs: (.*)$/gm)].flatMap(([, names = '']) => names.split(' '));
    const own = [...text.matchAll(/\b([a-z]\w*)\(\) \{/g)].map(([, name = '']) => name);
    const known = new Set([...BASE, ...needs, ...own, 'bulla', 'openstack']);
    const lines = text.split('\n').filter((line) => line.startsWith('$ '));
    const unknown = lines.flatMap((line) =>
      programsOf(line.slice(2)).filter((program) => !known.has(program)),
    );
    if (unknown.length > 0) found.push(`${file}: ${[...new Set(unknown)].join(', ')}`);
  }
  expect(found).toEqual([]);
});

test('a test starts what every machine has, or asks first whether it is there', () => {
  const found: string[] = [];
  let seen = 0;
  for (const file of named('.ts').filter((name) => name !== 'differential/peers.ts')) {
    const text = textOf(file);
    for (const [, program = ''] of text.matchAll(/\b(?:spawn|execFile)(?:Sync)?\(\s*'([\w.-]+)'/g)) {
      seen++;
      const asked =
        new RegExp(`hasPeer\\(\\s*['\`]${program} `).test(text) || /SKIPPED: \$\{shell\}/.test(text);
      if (!BASE.has(program) && !asked) found.push(`${file}: ${program}`);
    }
  }
  expect(seen).toBeGreaterThan(20);
  expect(found).toEqual([]);
});
