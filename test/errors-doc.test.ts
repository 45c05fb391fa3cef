import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fixOf } from '../src/cli/advice.ts';
import { EXIT_MEANINGS } from '../src/cli/exit-meanings.ts';
import { ERROR_TABLE } from '../src/kit/errors/error-codes.ts';
import { BundleError } from '../src/kit/errors/errors.ts';
import { EXIT_CODES } from '../src/verdict/report/exit-codes.ts';

const PAGE = readFileSync('spec/errors.md', 'utf8');
const CODES = Object.keys(ERROR_TABLE) as (keyof typeof ERROR_TABLE)[];

describe('spec/errors.md', () => {
  it('documents every code, and no other', () => {
    const documented = [...PAGE.matchAll(/^### (?<code>[A-Z_]+)$/gm)].map((match) => match.groups?.['code']);
    expect(documented.toSorted()).toEqual(CODES.toSorted());
  });

  it.each(CODES)('%s has its exit code on the page', (code) => {
    const section = PAGE.split(`### ${code}\n`)[1]?.split('\n###')[0] ?? '';
    expect(section).toContain(`Exit ${EXIT_CODES[ERROR_TABLE[code].kind]}.`);
    expect(section.length).toBeGreaterThan(35);
  });

  it('has a meaning for every exit code', () => {
    const codes = new Set([0, ...Object.values(EXIT_CODES)]);
    expect(EXIT_MEANINGS.map(([code]) => code).toSorted()).toEqual([...codes].toSorted());
  });

  it.each(CODES)('%s tells what to do, and never to switch a check off', (code) => {
    const error = new BundleError(code, 'it happened');
    const { why } = error;
    for (const fix of [error.fix, fixOf(error)]) {
      expect(fix.length).toBeGreaterThan(10);
      expect(`${why} ${fix}`).not.toMatch(/--allow|--no-|skip the check/);
      expect(`${why}${fix}`).not.toMatch(/\.$/);
    }
  });
});
