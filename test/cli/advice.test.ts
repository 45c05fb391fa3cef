import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { fixOf, worded, wordedReport } from '../../src/cli/advice.ts';
import { createProgram } from '../../src/cli/program.ts';
import { besideIn, trustingIn } from '../../src/cli/typed-names.ts';
import { ADVICE, allowed, type Told } from '../../src/kit/errors/advice.ts';
import { ERROR_TABLE } from '../../src/kit/errors/error-codes.ts';
import { BundleError, ownError } from '../../src/kit/errors/errors.ts';
import { repairOf } from '../../src/kit/relaxation.ts';
import { makeReport } from '../../src/verdict/report/report.ts';
import { makeScreen } from './screen.ts';

const program = createProgram(makeScreen().context, () => {});

function withAll(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(withAll)];
}

const ALL = withAll(program);
const COMMANDS = program.commands.map((command) => command.name());
const OPTIONS = ALL.flatMap(({ options }) => options.flatMap(({ long }) => long ?? []));
const SHORT = ALL.flatMap(({ options }) => options.flatMap(({ short }) => short ?? []));

/** A command of this program, an option of one, a variable that only the command line reads. */
const OURS = new RegExp(
  [
    `\\bbulla (?:${COMMANDS.join('|')}|COMMAND|--|…)`,
    `(?:${[...OPTIONS, '--help'].join('|')})(?![\\w-])`,
    `(?:^|[ (])(?:${[...new Set(SHORT)].join('|')})(?![\\w-])`,
    '\\bBULLA_',
  ].join('|'),
);

/** What other programs call theirs. */
const OTHERS = /\btar --format=ustar|\bopenssl [a-z0-9]+ (?:-\w+ ?)+|\bqemu-img convert (?:-\w \S+ ?)+/g;

/** Every text in a file of code: literals, and the fixed parts of templates. */
function textsIn(path: string): readonly string[] {
  const texts: string[] = [];
  const visit = (node: ts.Node): void => {
    const isText = ts.isStringLiteralLike(node) || ts.isTemplateHead(node);
    if (isText || ts.isTemplateMiddle(node) || ts.isTemplateTail(node)) texts.push(node.text);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest));
  return texts;
}

function namesOurs(text: string): boolean {
  return OURS.test(text.replace(OTHERS, ''));
}

const BELOW = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .map((file) => join('src', file))
  .filter((file) => file.endsWith('.ts') && !file.startsWith(join('src', 'cli')));

describe('the rooms below the command line', () => {
  test('[show.6] know a command and an option when they see one', () => {
    for (const text of [
      'files are packed with: bulla pack',
      'give a larger --chunk-size, such as 2GiB',
      'it was allowed (--allow-sha1)',
      'name a file with -o, or pipe it on',
      'set BULLA_HOME',
      'NODE_EXTRA_CA_CERTS=ca.pem bulla …',
    ]) {
      expect(namesOurs(text), text).toBe(true);
    }
    for (const text of [
      'bulla reads only formats that every reader understands alike',
      'write the archive again with: tar --format=ustar',
      'qemu-img convert -O vmdk -o subformat=streamOptimized -f raw IN OUT',
      'openssl pkey -in KEY -pubout and openssl x509 -in CERT -pubkey -noout',
    ]) {
      expect(namesOurs(text), text).toBe(false);
    }
  });

  test('[show.6] name no command and no option', () => {
    const naming = BELOW.flatMap((file) =>
      textsIn(file)
        .filter(namesOurs)
        .map((text) => `${file}: ${text}`),
    );
    expect(naming).toEqual([]);
  });
});

describe('advice', () => {
  test.each(ADVICE)('[show.6] %s is told with words of the command line', (advice) => {
    const words = worded({ text: 'do this with bulla', advice, of: 'folders' });
    expect(words).toMatch(OURS);
    expect(words).not.toMatch(/undefined/);
  });

  test('[show.6] is the same sentence, and the way to do it', () => {
    expect(worded('check the path')).toBe('check the path');
    expect(worded(repairOf('folders', 'dot-prefix'))).toMatch(
      /^if it comes .*: bulla normalize --repair BUNDLE -o NEW\.ova$/,
    );
    expect(worded(allowed('it has SHA-1 digests', 'sha1'))).toBe('it has SHA-1 digests (--allow-sha1)');
  });

  test('[show.9] has the names that were typed, each as one word, and none that cannot be typed again', () => {
    const fix = (name: string, output?: string): string => {
      const input = { name };
      const error = new BundleError('ARCHIVE_HEADER', 'it ends', { fix: repairOf('folders') });
      return (
        wordedReport(makeReport({ operation: 'normalize', input, errors: [error] }), besideIn({}, output))
          .errors[0]?.fix ?? ''
      );
    };
    expect(fix('odd.tar', 'web.ova')).toMatch(/: bulla normalize --repair odd\.tar -o web\.ova$/);
    expect(fix('-x $& b.tar')).toMatch(/: bulla normalize --repair '\.\/-x \$& b\.tar' -o NEW\.ova$/);
    for (const name of ['-', 'https://example.com/odd.tar', 'a\u202eb.tar'])
      expect(fix(name)).toMatch(/--repair BUNDLE -o NEW\.ova$/);
  });

  test('[show.9] repeats whom to trust where the command asks for that, and a value that cannot be typed again as none', () => {
    const trusting = trustingIn({
      trust: ['my ca.pem', '-ca.pem'],
      pin: ['sha256:00 11'],
      untrusted: ['a\u202eb.pem'],
      at: new Date(),
      allowUnsigned: true,
    });
    const words = "--trust 'my ca.pem' --trust ./-ca.pem --pin 'sha256:00 11' --untrusted …";
    const fix = (operation: string, told: Told): string => {
      const errors = [new BundleError('ARCHIVE_HEADER', 'it ends', { fix: told })];
      const report = makeReport({ operation, input: { name: 'web.ova' }, errors });
      return wordedReport(report, { trusting }).errors[0]?.fix ?? '';
    };
    expect(fix('verify', repairOf('folders'))).toContain(`--repair web.ova -o NEW.ova ${words}`);
    const folder = fix('verify', { text: 'unpack it', advice: 'verify-folder', of: 'web' });
    expect(folder).toContain(`bulla verify web ${words}; bulla normalize web -o NEW.ova ${words} makes`);
    const inner = fix('import', { text: 'take it', advice: 'verify-inner', of: 'in.ova' });
    expect(inner).toContain(`--to FOLDER ${words}; or unpack it, then: bulla verify in.ova ${words}`);
    expect(fix('verify', { text: 'sign it', advice: 'sign-own' })).toMatch(/-o NEW\.ova --key … --cert …$/);
  });

  test('[show.9] names the bundle inside of what was typed as such', () => {
    const input = { name: 'outer.zip', inner: { name: 'web.ova' } };
    const error = new BundleError('ARCHIVE_HEADER', 'it ends');
    expect(wordedReport(makeReport({ operation: 'verify', input, errors: [error] })).errors[0]?.fix).toMatch(
      /: bulla normalize --repair outer\.zip --inner -o NEW\.ova$/,
    );
  });

  test('[show.4] has no name in a command that a shell could take for more', () => {
    const advised = (of: string): string => worded({ text: 'sign it', advice: 'sign-export', of });
    expect(advised('a b.ovf')).toContain("FOLDER/'a b.ovf' -o");
    expect(advised('a\u202eb.ovf')).toContain('FOLDER/NAME.ovf -o');
  });
});

describe('a report', () => {
  const error = new BundleError('ARCHIVE_HEADER', 'it ends', {
    fix: ['fetch it again', repairOf('folders')],
  });
  const report = makeReport({
    operation: 'verify',
    errors: [error],
    checks: [{ id: 'policy', status: 'warn', detail: 'weak', advice: allowed('weak', 'weakKeys') }],
    warnings: ['plain', allowed('weak', 'weakKeys'), allowed('weak', 'weakKeys'), 'plain'],
  });

  test('[rep.6] has sentences for every face, and what they advise', () => {
    expect(report.errors[0]?.fix).toBe(
      'fetch it again; if it comes from where you expect it, have it written again in the form that all readers share, which is done only when what was signed holds',
    );
    expect(report.errors[0]?.advice?.[1]).toMatchObject({ advice: 'repair', of: 'folders' });
    expect(report.warnings).toEqual(['plain', 'weak (allowed: weakKeys)']);
    expect(report.advice).toEqual([allowed('weak', 'weakKeys')]);
  });

  test('[show.6] is printed in the words of the command line, without anything else', () => {
    const { advice, ...printed } = report;
    expect(wordedReport(report)).toEqual({
      ...printed,
      checks: [{ id: 'policy', status: 'warn', detail: 'weak (--allow-weak-keys)' }],
      errors: [
        {
          code: error.code,
          message: error.message,
          where: {},
          why: error.why,
          fix: expect.stringMatching(/^fetch it again; if .*: bulla normalize --repair BUNDLE .*$/),
        },
      ],
      warnings: ['plain', 'weak (--allow-weak-keys)'],
    });
    expect(wordedReport(wordedReport(report))).toEqual(wordedReport(report));
  });
});

describe('[show.7] whoever makes a bundle', () => {
  const CODES = Object.keys(ERROR_TABLE) as (keyof typeof ERROR_TABLE)[];
  const toldIn = (operation: string, error: BundleError): string =>
    wordedReport(makeReport({ operation, errors: [error] })).errors[0]?.fix ?? '';

  test.each(CODES)('is not sent to the publisher for %s', (code) => {
    const error = new BundleError(code, 'it happened').at({ file: 'web.ova' });
    for (const operation of ['pack', 'sign', 'timestamp']) {
      const fix = toldIn(operation, error);
      expect(fix.length).toBeGreaterThan(5);
      if (!WHOM_TO_TRUST.has(code)) expect(fix).not.toMatch(/(ask|to|from) the publisher|fetch the bundle/);
      expect(fix).not.toMatch(/--allow|--no-|skip the check/);
    }
    for (const operation of ['verify', 'import', 'inspect', 'normalize'])
      expect(toldIn(operation, error)).toBe(fixOf(error));
  });

  test('packs the files of an odd archive anew first, which a repair without a manifest does not', () => {
    const report = makeReport({
      operation: 'sign',
      input: { name: 'web.tar' },
      errors: [new BundleError('ARCHIVE_TYPE', 'a folder', { fix: repairOf('folders') })],
    });
    expect(wordedReport(report, { output: 'out.ova' }).errors[0]?.fix).toMatch(
      /^if it is your own and nobody .*: bulla pack FOLDER -o out\.ova --key … --cert …; if .*: bulla normalize --repair web\.tar -o out\.ova$/,
    );
  });

  test.each([
    [{ name: 'web.ova' }, 'bulla sign web.ova -o NEW.ova --key … --cert …'],
    [{ name: 'web', format: 'files' as const }, 'bulla sign web --key … --cert …'],
    [{ name: 'a.zip', inner: { name: 'web.ova' } }, 'bulla sign BUNDLE -o NEW.ova --key … --cert …'],
  ])('signs what is not signed: %j', (input, command) => {
    const errors = [new BundleError('SIGNATURE_MISSING', 'no')];
    const { fix } = wordedReport(makeReport({ operation: 'verify', input, errors })).errors[0] ?? {};
    expect(fix).toBe(`ask the publisher for the signed bundle; or, if it is your own, sign it: ${command}`);
  });

  test('has words of its own for what a caller says by hand, wherever the error goes', () => {
    const error = new BundleError('FILE_UNLISTED', 'no', { fix: 'ask for it', own: 'list it' });
    expect(error.at({ file: 'x' }).forMaker().at({ line: 1 })).toMatchObject({
      fix: 'list it',
      where: { line: 1 },
    });
    expect(new BundleError('FILE_UNLISTED', 'no', { fix: 'ask for it' }).forMaker().fix).toBe('ask for it');
  });
});

/** What a normalizing maker is asked as well: whom to trust. */
const WHOM_TO_TRUST: ReadonlySet<string> = new Set(['SIGNER_UNKNOWN', 'TRUST_EMPTY']);

describe('an error', () => {
  const error = new BundleError('USAGE', 'no', { fix: ['first', repairOf('folders')] });

  test('[api.2] keeps what it advises when more is known of its place, and when a caller hands it back', () => {
    expect(error.at({ file: 'x' }).advice).toEqual(error.advice);
    expect(ownError(error)?.advice).toEqual(error.advice);
    expect(ownError(error)?.fix).toBe(error.fix);
  });

  test.each([
    ['none', undefined],
    ['a name that is not known', ['first', { text: 'second', advice: 'dance' }]],
    ['a text that is none', [{ text: 1, advice: 'pack' }]],
    ['something else', 'first'],
  ])('[api.2] of another copy of the library with %s has its fix', (_, advice) => {
    const other = Object.assign(new BundleError('USAGE', 'no', { fix: 'do it' }), { advice });
    expect(ownError(other)).toMatchObject({ fix: 'do it', advice: ['do it'] });
  });
});
