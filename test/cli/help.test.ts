import type { Command, Option } from 'commander';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CODES } from '../../src/cli/commands/about/help-codes.ts';
import { pathOf } from '../../src/cli/named-files.ts';
import { isGatherer } from '../../src/cli/options/options.ts';
import { createProgram } from '../../src/cli/program.ts';
import { wrapText } from '../../src/cli/render/wrap.ts';
import { run } from '../../src/cli/run.ts';
import { version } from '../../src/cli/version.ts';
import { SETTING_KEYS } from '../../src/formats/ovf/edit/setting-keys.ts';
import { runHere } from '../factory/command-line.ts';
import { makeWorkbench, type Workbench } from '../factory/workbench.ts';
import { makeScreen } from './screen.ts';

let workbench: Workbench;
beforeAll(async () => {
  workbench = await makeWorkbench();
});
afterAll(() => workbench[Symbol.dispose]());

const program = createProgram(makeScreen().context, () => {});
const COMMANDS = below(program).filter((command) => command.commands.length === 0);

function below(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(below)];
}

async function shown(...words: readonly string[]): Promise<readonly [number, string, readonly string[]]> {
  const { context, out, err } = makeScreen();
  return [await run(words, context), out.join('\n'), err];
}

describe('[cli.26] help and version', () => {
  test.each([[], ['--help'], ['-h']])('bulla %s prints the help', async (...words: readonly string[]) => {
    const [code, out, err] = await shown(...words);
    expect([code, err]).toEqual([0, []]);
    expect(out).toBe((await shown('help'))[1]);
    expect(out).toMatch(/^Usage: bulla /);
  });

  test.each(['version', '--version', '-V'])('bulla %s prints the version', async (word) =>
    expect(await shown(word)).toEqual([0, version(), []]),
  );

  test.each(COMMANDS.map(pathOf))('bulla help %s is its --help', async (path) => {
    const [code, out, err] = await shown('help', ...path.split(' '));
    expect([code, err]).toEqual([0, []]);
    expect(await shown(...path.split(' '), '--help')).toEqual([0, out, []]);
    expect(out).toContain(`Usage: bulla ${path} `.trimEnd());
  });

  test.each([
    [['verfy'], 'verify'],
    [['trust', 'ad'], 'add'],
    [['glance', 'sing'], 'sign'],
    [['verify', 'web.ova', '--trsut', 'ca.pem'], '--trust'],
  ])('a slip as in %j is told what is meant', async (words, meant) => {
    const [code, , err] = await shown(...words);
    expect(code).toBe(2);
    expect(err.join('\n')).toContain(`did you mean ${meant}?`);
  });
});

/** What stands behind an option or for an argument, where it is neither one of its choices nor `1`. */
const VALUES: Readonly<Record<string, string>> = {
  '<a>': 'none.ova', // what is no option is refused before that is missed [api.1]
  '<age>': '1d',
  '<b>': 'none.ova',
  '<bundle>': 'none.ova',
  '<ca.pem>': 'ca.pem',
  '<certificate>': 'signer.pem',
  '<dir>': 'made',
  '<file>': 'made.ova',
  '<image>': 'none.qcow2',
  '<json>': 'none.json',
  '<leaf>': 'signer.pem',
  '<name>': 'acme',
  '<oid>': '2.5.29.32.0',
  '<pem>': 'ca.pem',
  '<sha256>': '00'.repeat(32),
  '<size>': '1MiB',
  '<time>': '2026-01-01',
  '<url>': 'http://127.0.0.1:1/',
  '<uuid>': '5bf1dc08-5b9a-4b61-8b0e-7d4a1c7c2b0d',
  '--cert': 'signer.pem',
  '--crl': 'none.crl',
  '--key': 'signer.key',
  '--relax': 'folders',
  'dev-certs <dir>': 'no/such/folder',
  'pack <file>': 'none.qcow2',
  'join <volume>': 'none.ova',
};

function valuesOf(option: Option): readonly string[] {
  if (!option.required) return [];
  const [placeholder = ''] = /<[^>]+>/.exec(option.flags) ?? [];
  return [option.argChoices?.[0] ?? VALUES[`${option.long}`] ?? VALUES[placeholder] ?? '1'];
}

describe('[cli.28] help lists what is taken, and nothing else', () => {
  test.each(COMMANDS.map(pathOf))('each option of bulla %s is one of what it does', async (path) => {
    const command = COMMANDS.find((one) => pathOf(one) === path) as Command;
    using desk = workbench.desk('keys');
    const needed = command.options.filter(
      ({ mandatory, long }) => mandatory || (path === 'sign' && /^--(key|cert|output)$/.test(`${long}`)),
    );
    const inputs = command.registeredArguments.map(
      (argument) => VALUES[`${path} <${argument.name()}>`] ?? VALUES[`<${argument.name()}>`] ?? '1',
    );
    for (const option of command.options) {
      const options = [...new Set([...needed, option])].flatMap((one) => [`${one.long}`, ...valuesOf(one)]);
      const { stderr } = await runHere(desk, ...path.split(' '), ...options, '--', ...inputs);
      expect(stderr).not.toMatch(/no option|INTERNAL/);
    }
  });

  test('the help of repack lists what can be set, one and all', async () => {
    const [, out] = await shown('help', 'repack');
    const [, keys = ''] = /What can be set: ([\s\S]*?)\.\n/.exec(out) ?? [];
    expect(keys.split(/,\s+/)).toEqual([...SETTING_KEYS]);
  });

  test('what is taken and not listed is another name of what is', () => {
    const hidden = COMMANDS.flatMap(({ options }) => options).filter((option) => option.hidden);
    expect([...new Set(hidden.map(({ long, description }) => `${long}: ${description}`))]).toEqual([
      '--anchor: the same as --trust',
    ]);
  });

  test('[cli.25] an option takes several values, one behind the other, just where its help says so', () => {
    const options = COMMANDS.flatMap((command) => command.options);
    const said = options.filter(({ description }) => /^one or more /.test(description));
    const taking = options.filter(({ parseArg }) => isGatherer(parseArg));
    const names = (some: typeof options) => [...new Set(some.map(({ long }) => `${long}`))].sort();
    expect(names(said).length).toBeGreaterThan(3);
    expect(names(said).filter((name) => !names(taking).includes(name))).toEqual([]);
  });

  test('an option with a value says what holds without it, unless nothing does', () => {
    const NOTHING = [
      '--cert',
      '--cert-uuid',
      '--certificates',
      '--chain',
      '--chunk-size',
      '--fingerprint',
      '--format', // the extension
      '--glance-key',
      '--glance-passphrase-file',
      '--glance-properties',
      '--glance-sign',
      '--key',
      '--older-than',
      '--os-auth-url',
      '--os-cacert',
      '--output',
      '--passphrase-file',
      '--product',
      '--properties',
      '--barbican',
      '--signature',
      '--size',
      '--to',
      '--tsa',
      '--tsq-out',
      '--tsr-in',
      '--attach',
      '--prepare',
      '--vendor',
      '--version',
    ];
    const silent = COMMANDS.flatMap(({ options }) => options)
      .filter(({ required, hidden }) => required && !hidden)
      .filter(
        ({ defaultValue, description }) =>
          defaultValue === undefined && !/default|one or more|instead of/.test(description),
      );
    expect([...new Set(silent.map(({ long }) => `${long}`))].sort()).toEqual(NOTHING.sort());
  });

  test('what may be given several times says so in one way', () => {
    const odd = COMMANDS.flatMap(({ options }) => options).filter(({ description }) =>
      /repeat|several times/.test(description),
    );
    expect(odd.map(({ flags }) => flags)).toEqual([]);
  });
});

describe('[cli.25] --anchor is --trust', () => {
  test.each(COMMANDS.filter(({ options }) => options.some(({ long }) => long === '--trust')).map(pathOf))(
    'in bulla %s',
    async (path) => {
      const command = COMMANDS.find((one) => pathOf(one) === path) as Command;
      expect(command.options.some(({ long }) => long === '--anchor')).toBe(true);
    },
  );

  test('together they name all that is trusted', async () => {
    using desk = workbench.desk('bundle', 'keys');
    const line = ['verify', 'web.ova', '--anchor', 'ca.pem', '--trust', 'signer.pem', '--json'];
    const { stdout, code } = await runHere(desk, ...line);
    expect([code, JSON.parse(stdout).verdict]).toEqual([0, 'trusted']);
    expect((await runHere(desk, 'verify', 'web.ova', '--anchor', 'ca.pem')).code).toBe(0);
    expect((await runHere(desk, 'verify', 'web.ova', '--anchor', 'none.pem')).code).toBe(3);
  });
});

describe('[cli.32] help on a word', () => {
  test.each([
    ['resume', /^ {2}import --resume {2}/m],
    ['repair', /^ {2}normalize --repair {2}/m],
    ['set', /^ {2}repack --set {2}/m],
    ['vsphere', /^ {2}\S+ --target {2}/m],
    ['exit', /^ {2}exit-codes {2}/m],
    ['canonical', /^ {2}normalize {2}/m],
    ['trust add', /^Usage: bulla trust add /],
  ])('%s is found', async (words, expected) => {
    const [code, out, err] = await shown('help', ...words.split(' '));
    expect([code, err]).toEqual([0, []]);
    expect(out).toMatch(expected);
  });

  test.each([
    ['key', 'pack --key', 'also: sign, repack'],
    ['key sign', 'sign --key', 'private key'],
    ['set', 'repack --set', ''],
    ['format', 'pack --format', ''],
  ])('%s: first comes what is called so: %s', async (words, name, says) => {
    const [, out] = await shown('help', ...words.split(' '));
    const [, first = ''] = out.split(/\n(?= {2}\S|and )/);
    expect(first.trim().replace(/\s+/g, ' ')).toMatch(new RegExp(`^${name} .*${says}`));
  });

  test('a common word has twelve hits, how many more, and what finds fewer', async () => {
    const [, out] = await shown('help', 'the');
    expect(out.match(/^ {2}\S/gm)).toHaveLength(12);
    expect(out).toMatch(/^and [1-9]\d* more; a command or another word beside it finds fewer$/m);
    const [, fewer] = await shown('help', 'the', 'split');
    expect(fewer).not.toContain(' more;');
  });

  test.each([
    ['pakc', 'did you mean pack?'],
    ['configuratoin', 'did you mean configuration?'],
    ['trust shwo', 'did you mean show?'],
    ['KEY_WEEK', 'did you mean KEY_WEAK?'],
    ['7', 'try one of: exit-codes, '],
    ['xyzzy', 'try one of: exit-codes, '],
    ['verify xyzzy', 'see bulla verify --help'],
    ['.*', 'try one of: '],
    ['(', 'try one of: '],
    ['-- --', 'try one of: '],
    ['not-a-word', 'try one of: '],
  ])('%s is not, and %s', async (words, expected) => {
    const [code, out, err] = await shown('help', ...words.split(' '));
    expect([code, out]).toEqual([2, '']);
    expect(err.join('\n')).toContain(expected);
  });
});

describe('[cli.35] help on a code', () => {
  test.each(CODES)('%s is told with its exit code', async (code) => {
    const [exit, out] = await shown('help', code);
    expect(exit).toBe(0);
    expect(out).toMatch(/^[A-Z0-9_]+: exit code \d+, \S.*\n {2}why +\S[\s\S]*\n {2}do +\S/);
    expect(out).not.toMatch(/undefined|: *;| {3}do +:/);
  });

  test('a code of a run has its meaning, and the errors that have it', async () => {
    expect((await shown('help', '11'))[1]).toMatch(
      /^Exit code 11: a digest does not match\n {2}errors +.*DIGEST_MISMATCH/,
    );
    expect((await shown('help', '0'))[1]).toBe('Exit code 0: done; for verify and import: trusted');
    expect((await shown('help', 'key_weak'))[1]).toBe((await shown('help', 'KEY_WEAK'))[1]);
  });
});

/** A row that is one word, or one in quotes, of which a command may go on. */
const ONE_WORD = /^ *(?:'[^']*'|[^ ]*)(?: \\)?$/;

describe('[cli.33] help at any width', () => {
  const pages = [
    ...below(program).map((command) => pathOf(command)),
    ...['exit-codes', 'environment', 'configuration', 'formats', 'repair', 'canonical'],
  ];
  test.each([50, 80, 120])('fits %d columns, and breaks no sentence behind a backslash', async (columns) => {
    for (const page of pages) {
      const { context, out } = makeScreen();
      await run(['help', ...page.split(' ').filter(Boolean)], { ...context, columns });
      const text = out.map((rows) => wrapText(rows, columns)).join('\n');
      for (const row of text.split('\n')) {
        if (!ONE_WORD.test(row)) expect(row.length, `${page}: ${row}`).toBeLessThanOrEqual(columns);
      }
      const [prose = ''] = text.split(/^Examples?:$/m);
      expect(prose.replace(/^Usage:.*\\\n.*/, ''), page).not.toMatch(/ \\$/m);
    }
  });

  test.each(COMMANDS.map((command) => [pathOf(command), command.description()] as const))(
    'the description of %s begins as a sentence, and has rows only in a list',
    (_path, description) => {
      expect(description).toMatch(/^[A-Z]/);
      expect(description).not.toMatch(/\n(?! {2}\S)/);
    },
  );
});

test('[cli.4] a slip is told why it is not guessed at', async () => {
  const [, , err] = await shown('verfy');
  expect(err.join('\n')).toMatch(/^ {2}why +bulla does not guess what was meant/m);
});

test.each([
  ['2G', 2048],
  ['2GiB', 2048],
  ['512M', 512],
  ['512MB', 512],
])('--memory %s is told the number that is meant', async (value, meant) => {
  const [code, , err] = await shown('pack', 'disk.qcow2', '-o', 'new.ova', '--memory', value);
  expect(code).toBe(2);
  expect(err.join('\n')).toContain(`give a whole number of MiB, without a unit: ${meant};`);
});

test.each([
  ['-v', "unknown option '-v'", 'did you mean -V? otherwise see bulla --help'],
  ['--verison', "unknown option '--verison'", 'did you mean --version? otherwise see bulla --help'],
  ['--verify web.ova', "unknown option '--verify'", 'did you mean verify? otherwise see bulla --help'],
  ['verify web.ova -Q', "unknown option '-Q'", 'did you mean -q? otherwise see bulla verify --help'],
  [
    '--force pack disk.qcow2',
    'the option --force stands before the command',
    'options come after the command',
  ],
  ['-q verify', 'the option -q stands before the command', 'options come after the command'],
  ['-x verify', 'the option -x stands before the command', 'options come after the command'],
])('[cli.4] %s is told what it looks like', async (words, problem, fix) => {
  const [code, , err] = await shown(...words.split(' '));
  expect(code).toBe(2);
  const told = err.join('\n');
  expect(told).toContain(problem);
  expect(told).toContain(fix);
});

test.each([
  ['100K', '100KiB (102400 bytes) or 100KB (100000 bytes)'],
  ['2g', '2GiB (2147483648 bytes) or 2GB (2000000000 bytes)'],
])('[cli.4] the size %s is told both units that it may be in', async (size, meant) => {
  const [code, , err] = await shown('split', 'web.ova', '--size', size);
  expect(code).toBe(2);
  expect(err.join('\n')).toContain(`give the whole unit: ${meant};`);
});
