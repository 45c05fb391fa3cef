import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import {
  formatOf,
  gatherOids,
  mtimeOf,
  parseCount,
  parseEnd,
  parseTime,
} from '../../../src/cli/options/options.ts';
import { readOptionsOf } from '../../../src/cli/options/read-options.ts';
import { signingFilesOf } from '../../../src/cli/options/sign-options.ts';
import { verifyOptionsOf } from '../../../src/cli/options/trust-options.ts';
import { createProgram } from '../../../src/cli/program.ts';
import { run } from '../../../src/cli/run.ts';
import { codeOf } from '../../factory/errors.ts';
import { makeScreen } from '../screen.ts';

const { context } = makeScreen();

test('[cli.15] seconds with a fraction are whole milliseconds', () => {
  for (let ms = 1; ms < 3000; ms++) {
    const seconds = Number((ms / 1000).toFixed(3));
    expect(readOptionsOf({ deadline: seconds, idleTimeout: seconds })).toEqual({
      deadlineMs: ms,
      limits: { idleMs: ms },
    });
  }
});

describe('times', () => {
  test.each([
    ['2026-11-21', '2026-11-21T00:00:00.000Z'],
    ['2026-11-21T12:00Z', '2026-11-21T12:00:00.000Z'],
    ['2026-11-21T12:00:30.25+05:30', '2026-11-21T06:30:30.250Z'],
    ['2024-02-29', '2024-02-29T00:00:00.000Z'],
  ])('%s is a moment', (text, iso) => expect(parseTime(text).toISOString()).toBe(iso));

  test.each([
    '',
    'now',
    'yesterday',
    '21.11.2026',
    '2026-11',
    '2026-02-29',
    '2026-02-31',
    '2026-13-01',
    '2026-11-21 12:00',
    '2026-11-21T12:00', // whose noon?
    '2026-11-21T25:00Z',
    ' 2026-11-21',
    '1795262400',
  ])('"%s" is none', (text) => expect(() => parseTime(text)).toThrow(/Give a date/));

  test('the end of a date is its last moment, the end of a moment that moment', () => {
    expect(parseEnd('2026-11-21').toISOString()).toBe('2026-11-21T23:59:59.999Z');
    expect(parseEnd('2026-11-21T12:00Z').toISOString()).toBe('2026-11-21T12:00:00.000Z');
  });
});

describe('the format of a bundle to be written', () => {
  test.each<readonly [string, Parameters<typeof formatOf>[1], string]>([
    ['web.ova', undefined, 'tar'],
    ['WEB.OVA', undefined, 'tar'],
    ['web.tar', undefined, 'tar'],
    ['web.tgz', undefined, 'tgz'],
    ['web.tar.gz', undefined, 'tgz'],
    ['-', undefined, 'tar'],
    ['-', 'tgz', 'tgz'],
    ['web.zip', undefined, 'zip'],
    ['WEB.ZIP', undefined, 'zip'],
    ['-', 'zip', 'zip'],
    ['web.ova', 'tar', 'tar'],
    ['web.TAR.GZ', 'tgz', 'tgz'],
    ['web.bundle', 'zip', 'zip'],
    ['web', 'ova', 'tar'],
  ])('%s with --format %s is %s', (output, format, expected) => {
    expect(formatOf(output, format)).toBe(expected);
  });

  test.each<readonly [string, Parameters<typeof formatOf>[1]]>([
    ['web.ova', 'tgz'],
    ['web.tar', 'zip'],
    ['web.TGZ', 'ova'],
    ['web.tar.gz', 'tar'],
    ['web.zip', 'ova'],
  ])('[cli.17] %s contradicts --format %s', (output, format) => {
    expect(() => formatOf(output, format)).toThrow(/contradicts the extension/);
    expect(codeOf(() => formatOf(output, format))).toBe('USAGE');
  });

  test('[cli.17] for every command that writes a bundle', async () => {
    for (const [command, ...more] of [
      ['pack'],
      ['sign', '--key', 'k', '--cert', 'c'],
      ['timestamp', '--tsr-in', 'x.tsr'],
      ['normalize'],
      ['repack', '--key', 'k', '--cert', 'c'],
    ] as const) {
      const { context, err } = makeScreen();
      expect(await run([command, 'a', '-o', 'b.ova', '--format', 'tgz', ...more], context)).toBe(2);
      expect(err.join('\n')).toContain('--format tgz contradicts the extension of "b.ova"');
    }
    const { context, err } = makeScreen();
    expect(await run(['timestamp', 'a', '--tsq-out', 'a.tsq', '--format', 'tgz'], context)).toBe(2);
    expect(err.join('\n')).toContain('--format speaks of a second output');
  });

  test.each(['web', 'web.7z', 'web.gz', 'web.ova.tmp', ''])('"%s" says none', (output) => {
    expect(codeOf(() => formatOf(output, undefined))).toBe('USAGE');
  });
});

test('the time of packed members is SOURCE_DATE_EPOCH, else 0', () => {
  const at = (epoch: string): number => mtimeOf(makeScreen({ env: { SOURCE_DATE_EPOCH: epoch } }).context);
  expect(mtimeOf(context)).toBe(0);
  expect(at('')).toBe(0);
  expect(at('1795262400')).toBe(1795262400);
  for (const wrong of ['-1', '1.5', 'now', '0x10', '99999999999']) {
    expect(codeOf(() => at(wrong))).toBe('USAGE');
  }
});

test('a count is a whole number of at least 1', () => {
  expect(parseCount('16')).toBe(16);
  for (const wrong of ['0', '-1', '1.5', '1e3', 'many', '']) expect(() => parseCount(wrong)).toThrow(/whole/);
});

describe('signing', () => {
  test('[pub.24] needs a key, or nothing', () => {
    const of = (flags: object) => signingFilesOf(flags, context);
    expect(of({})).toBeUndefined();
    expect(of({ key: 'k', cert: 'c', chain: 'i' })).toMatchObject({
      key: 'k',
      certificate: 'c',
      chain: 'i',
    });
    expect(of({ key: 'k.p12' })).toMatchObject({ key: 'k.p12' });
    for (const flags of [{ cert: 'c' }, { chain: 'i' }, { cert: 'c', chain: 'i' }]) {
      expect(codeOf(() => of(flags))).toBe('USAGE');
    }
  });

  test('[cli.8] no option takes a passphrase, only the name of a file with one', () => {
    const flags = everyOption().filter((option) => /pass|secret|pin\b/i.test(option.flags));
    expect([...new Set(flags.map((option) => option.flags))].sort()).toEqual([
      '--glance-passphrase-file <file>',
      '--passphrase-file <file>',
      '--pin <sha256>', // the digest of a public key or certificate
    ]);
  });
});

describe('trust', () => {
  test('allows nothing that is not asked for by name', () => {
    const { allow, at } = verifyOptionsOf({}, context);
    expect(Object.values(allow ?? {})).toEqual([false, false, false, false]);
    expect(at).toBeUndefined();
  });

  test('[cli.5] every option that weakens a check says what it gives up', () => {
    const allowing = everyOption().filter((option) => option.flags.startsWith('--allow'));
    expect(new Set(allowing.map((option) => option.flags)).size).toBe(6);
    for (const option of allowing) expect(option.description).toMatch(/^accept .+: .+/);
    expect(everyOption().filter((option) => /insecure|skip|no-(check|verify)/.test(option.flags))).toEqual(
      [],
    );
  });
});

function everyOption(): readonly { flags: string; description: string }[] {
  const below = (command: Command): readonly Command[] => [command, ...command.commands.flatMap(below)];
  return below(createProgram(context, () => {})).flatMap((command) => command.options);
}

test('policies are object identifiers', () => {
  expect(gatherOids('1.2.3', ['2.5.29.32.0'])).toEqual(['2.5.29.32.0', '1.2.3']);
  for (const text of ['', 'foo', '1', '3.1', '1.02', '1.2.', '1..2', '1.2 ']) {
    expect(() => gatherOids(text)).toThrow(/Give an object identifier/);
  }
});
