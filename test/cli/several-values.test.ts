import { describe, expect, test } from 'vitest';
import { createContext } from '../../src/cli/context.ts';
import { createProgram } from '../../src/cli/program.ts';
import { spreadValues } from '../../src/cli/several-values.ts';

const context = createContext(process, new AbortController().signal);
const spread = (line: string): string =>
  spreadValues(
    createProgram(context, () => {}),
    line.split(' '),
  ).join(' ');

describe('[cli.25] several values of an option', () => {
  test.each([
    ['verify web.ova --crl a b', 'verify web.ova --crl a --crl b'],
    ['verify web.ova --crl a --crl b', 'verify web.ova --crl a --crl b'],
    [
      'verify web.ova --trust a b --crl c d --json',
      'verify web.ova --trust a --trust b --crl c --crl d --json',
    ],
    ['verify --trust ca.pem web.ova', 'verify --trust ca.pem web.ova'],
    ['verify --trust a --crl c web.ova', 'verify --trust a --crl c web.ova'],
    ['verify --trust a b -', 'verify --trust a --trust b -'],
    ['verify --trust a b -- web.ova', 'verify --trust a --trust b -- web.ova'],
    ['verify --trust=a web.ova', 'verify --trust=a web.ova'],
    ['verify web.ova --at 2026-01-01 other', 'verify web.ova --at 2026-01-01 other'],
    ['trust check --anchor a b leaf.pem', 'trust check --anchor a --anchor b leaf.pem'],
    ['trust check leaf.pem --trust a b', 'trust check leaf.pem --trust a --trust b'],
    ['trust check leaf.pem --policy 1.2 1.3', 'trust check leaf.pem --policy 1.2 --policy 1.3'],
    ['trust add acme ca.pem --scope a/* b/*', 'trust add acme ca.pem --scope a/* --scope b/*'],
    ['trust add --scope a/* acme ca.pem more.pem', 'trust add --scope a/* acme ca.pem more.pem'],
    ['split web.ova --to a b', 'split web.ova --to a --to b'],
    ['verify web.ova --trust', 'verify web.ova --trust'],
    ['', ''],
  ])('%s', (line, expected) => {
    expect(spread(line)).toBe(expected);
  });
});
