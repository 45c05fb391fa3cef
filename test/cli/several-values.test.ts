import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createContext } from '../../src/cli/context.ts';
import { createProgram } from '../../src/cli/program.ts';
import { spreadValues } from '../../src/cli/several-values.ts';
import { folderForTests } from '../factory/sandbox.ts';

const context = createContext(process, new AbortController().signal);
const program = createProgram(context, () => {});
const spread = async (line: string): Promise<string> =>
  (await spreadValues(program, line.split(' '))).join(' ');

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
    ['repack web.ova --set a=1 b=2 -o x.ova', 'repack web.ova --set a=1 --set b=2 -o x.ova'],
    ['repack --set a=1 b=2 web.ova', 'repack --set a=1 --set b=2 web.ova'],
    ['verify web.ova --trust', 'verify web.ova --trust'],
    ['verify --trust ca.pem more.pem web', 'verify --trust ca.pem --trust more.pem web'],
    ['verify a.ova b.ova --trust ca.pem more.pem', 'verify a.ova b.ova --trust ca.pem --trust more.pem'],
    ['', ''],
  ])('%s', async (line, expected) => {
    expect(await spread(line)).toBe(expected);
  });
});

describe('[many.8] bundles behind an option that takes several values', () => {
  const folder = folderForTests();
  const package_ = join(folder, 'web');
  mkdirSync(package_);
  writeFileSync(join(package_, 'WEB.OVF'), '');
  writeFileSync(join(package_, 'ca.pem'), '');
  const certificates = join(folder, 'cas');
  mkdirSync(certificates);
  writeFileSync(join(certificates, 'ca.pem'), '');

  test.each([
    ['verify --trust ca.pem a.ova b.OVA', 'verify --trust ca.pem a.ova b.OVA'],
    ['verify --trust ca.pem more.pem a.zip b.ova', 'verify --trust ca.pem --trust more.pem a.zip b.ova'],
    ['verify --crl a b --trust ca.pem a.mf other', 'verify --crl a --crl b --trust ca.pem a.mf other'],
    [
      `verify --trust ca.pem ${package_} https://a.example/b`,
      `verify --trust ca.pem ${package_} https://a.example/b`,
    ],
    [`verify --trust ca.pem ${certificates} web`, `verify --trust ca.pem --trust ${certificates} web`],
    [`verify --trust ca.pem --trust ${package_} web`, `verify --trust ca.pem --trust ${package_} web`],
    [
      'verify a.ova --trust ca.pem more.pem -- b.ova',
      'verify a.ova --trust ca.pem --trust more.pem -- b.ova',
    ],
    ['import --to web --trust ca.pem a.ova b.ova', 'import --to web --trust ca.pem --trust a.ova b.ova'],
  ])('%s', async (line, expected) => {
    expect(await spread(line)).toBe(expected);
  });

  test.each([
    ['verify a.ova --trust ca.pem b.ova', 'b.ova'],
    ['verify a.ova --trust ca.pem b.tar.gz more.pem', 'b.tar.gz'],
    [`verify a.ova --trust ca.pem ${package_}`, package_],
    ['verify --trust ca.pem a.ova more.pem b.ova', 'a.ova'],
    ['verify --crl a b.ova --trust ca.pem web.ova', 'b.ova'],
    ['verify - --pin 00 https://a.example/b', 'https://a.example/b'],
  ])('%s: refused', async (line, bundle) => {
    await expect(spread(line)).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining(`"${bundle}"`),
      fix: expect.stringContaining('name bundles before the options'),
    });
  });
});
