import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

interface Clause {
  readonly id: string;
  readonly text: string;
}

function filesIn(folder: string, ending: string): string[] {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return names.filter((name) => name.endsWith(ending)).map((name) => join(folder, name));
}

/** A clause begins `- **mf.1** …` and ends at the next clause, a blank line or a heading. */
function clausesIn(file: string): Clause[] {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(/^- \*\*([a-z0-9]+\.\d+)\*\*([\s\S]*?)(?=\n- \*\*|\n\n|\n#|$(?![\s\S]))/gm)].map(
    (match) => ({
      id: match[1] ?? '',
      text: match[2] ?? '',
    }),
  );
}

/** Ids cited as `[mf.1]` in a text. */
function citedIn(text: string): string[] {
  return [...text.matchAll(/\[([a-z][a-z0-9]*\.\d+)\]/g)].map((match) => match[1] ?? '');
}

/**
 * Ids that a title begins with: the first argument of a test or of a suite, the first word of a row of a table of them, or the
 * clause of a vector, which its title begins with. What a comment cites is not a test.
 */
function titledIn(text: string): string[] {
  const titles = text.matchAll(/(?:[([]\s*|\bclause: )['"`]((?:\[[a-z][a-z0-9]*\.\d+\] ?)+)/g);
  return [...titles].flatMap(([, ids = '']) => citedIn(ids));
}

const SPECS = filesIn('spec', '.md');
const CLAUSES = SPECS.flatMap(clausesIn);
const IDS = new Set(CLAUSES.map(({ id }) => id));
const THIS_FILE = join('test', 'spec-coverage.test.ts');
const TESTS = filesIn('test', '.ts').filter((file) => file !== THIS_FILE);
const SOURCES = filesIn('src', '.ts');

describe('specification', () => {
  it('has clauses, each once', () => {
    expect(CLAUSES.length).toBeGreaterThan(100);
    expect(IDS.size).toBe(CLAUSES.length);
  });

  it('has a test for every MUST, by its title', () => {
    const tested = new Set(TESTS.flatMap((file) => titledIn(readFileSync(file, 'utf8'))));
    const untested = CLAUSES.filter(({ id, text }) => /\bMUST\b/.test(text) && !tested.has(id)).map(
      ({ id }) => id,
    );
    expect(untested).toEqual([]);
  });

  it('has every clause that code and tests cite', () => {
    const unknown = [...SOURCES, ...TESTS].flatMap((file) =>
      citedIn(readFileSync(file, 'utf8'))
        .filter((id) => !IDS.has(id))
        .map((id) => `${file}: ${id}`),
    );
    expect(unknown).toEqual([]);
  });

  it('names the source of every clause that a standard has a say in', () => {
    const silent = CLAUSES.filter(({ id, text }) => !/^(cli|rep)\./.test(id) && !/\(source:/s.test(text)).map(
      ({ id }) => id,
    );
    expect(silent).toEqual([]);
  });
});
