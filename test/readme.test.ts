import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { EXIT_MEANINGS } from '../src/cli/exit-meanings.ts';
import { createProgram } from '../src/cli/program.ts';
import * as library from '../src/index.ts';
import { makeScreen } from './cli/screen.ts';

const README = readFileSync('README.md', 'utf8');
const PAGES = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'bench/README.md'];

describe('README.md', () => {
  test('has the exit codes, all of them, in the words of the program', () => {
    const rows = [...README.matchAll(/^\| (\d+) *\| (.+?) *\|$/gm)].map(([, code, meaning]) => [
      Number(code),
      meaning,
    ]);
    expect(rows).toEqual(EXIT_MEANINGS);
  });

  test('quotes what was measured, in five lines, and all of it on the page of the bench', async () => {
    const bench: { pagesToBe(): (readonly [name: string, text: string])[] } = await import(
      new URL('../bench/pages.mjs', import.meta.url).href
    );
    const pages = bench.pagesToBe();
    expect(pages.map(([name]) => name)).toEqual(['README.md', 'bench/README.md']);
    for (const [name, text] of pages) expect(readFileSync(name, 'utf8'), name).toBe(text);
    const [, quoted = ''] = README.split(/<!-- \/?speed -->\n/);
    expect(quoted.match(/^\| (?!---|\d+ GiB)/gm)).toHaveLength(5);
  });

  test('uses only commands and options that there are', () => {
    const program = createProgram(makeScreen().context, () => {});
    const lines = README.replaceAll('\\\n', ' ')
      .replaceAll(/\$\(date[^)]*\)/g, 'NOW')
      .matchAll(/\bbulla ([a-z-]+)\b([^\n`|#;]*)/g);
    let checked = 0;
    for (const [line, name = '', rest = ''] of lines) {
      const command = program.commands.find((candidate) => candidate.name() === name);
      for (const [option = ''] of rest.matchAll(/(?<=\s)--?[a-z][a-z0-9-]*/g)) {
        const sub = command?.commands.find((candidate) => rest.includes(` ${candidate.name()} `)) ?? command;
        const known = sub?.options.some(({ long, short }) => long === option || short === option);
        expect(known, line).toBe(true);
        checked++;
      }
    }
    expect(checked).toBeGreaterThan(30);
  });

  test('imports only what the library exports', () => {
    const names = /import \{ (.+) \} from 'bulla'/.exec(README)?.[1]?.split(', ') ?? [];
    expect(names.length).toBeGreaterThan(2);
    for (const name of names) expect(library).toHaveProperty(name);
  });
});

test.each(PAGES)('every link in %s leads to a file', (page) => {
  const links = [...readFileSync(page, 'utf8').matchAll(/\]\(([^)#]+)/g)].map(([, target = '']) => target);
  expect(links.filter((target) => !existsSync(join(dirname(page), target)))).toEqual([]);
});
