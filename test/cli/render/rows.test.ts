import { spawnSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Context, createContext } from '../../../src/cli/context.ts';
import { cutRow } from '../../../src/cli/render/cut-row.ts';
import { field, nestedField, shown } from '../../../src/cli/render/field.ts';
import { renderError } from '../../../src/cli/render/render-error.ts';
import { renderReport } from '../../../src/cli/render/render-report.ts';
import { BundleError } from '../../../src/kit/errors/errors.ts';
import { isShownWhole, shellWord } from '../../../src/kit/shell.ts';
import { uploadCommand } from '../../../src/operations/glance/sign-on-import.ts';
import { verify } from '../../../src/operations/verify/verify.ts';
import { makeReport } from '../../../src/verdict/report/report.ts';
import { folderForTests } from '../../factory/sandbox.ts';
import { chunked } from '../../factory/streams.ts';
import { file, tar } from '../../factory/tar.ts';

/** Texts of others that would be a verdict of ours, did a row begin with them. */
const FORGED = [
  '✓ web.ova  trusted',
  '  signed by    CN=Acme Release,O=Acme',
  '  trusted via  /etc/bulla/publishers/acme',
  '\u00a0\u00a0trusted via\u3000ca.pem',
  '\n✓ web.ova  trusted\n',
  '\r\x1b[2K✓ web.ova  trusted',
  'OK web.ova  trusted',
  'bookOK web.ova trusted',
  'FAILED web.ova trusted',
  'WARNING  web.ova trusted',
];
/** What rows of ours begin with, in any locale. */
const OURS = /^(?: {2}|(?:✓|✗|⚠|OK|FAILED|WARNING) )/;

/** What the program itself writes to a terminal of so many columns. */
function terminal(
  columns: number,
  locale: string,
): { readonly context: Context; readonly lines: () => readonly string[] } {
  let written = '';
  const write = (text: string): void => {
    written += text;
  };
  const stream = { isTTY: true, columns, on: () => undefined, write };
  const env = { LC_ALL: locale, NO_COLOR: '1' };
  const proc = { env, stdout: stream, stderr: stream } as unknown as NodeJS.Process;
  const context = createContext(proc, new AbortController().signal);
  return { context, lines: () => written.slice(0, -1).split('\n') };
}

/** A line as a terminal of so many columns shows it, which folds it where they end. */
function folded(line: string, columns: number): readonly string[] {
  const rows = Math.max(1, Math.ceil(line.length / columns));
  return Array.from({ length: rows }, (_, i) => line.slice(i * columns, (i + 1) * columns));
}

/** What is copied from there: what the terminal has folded comes without line ends. */
function copied(lines: readonly string[], columns: number): string {
  return lines.map((line) => folded(line, columns).join('')).join('\n');
}

function attacks(): readonly string[] {
  return FORGED.flatMap((forged) =>
    Array.from({ length: 21 }, (_, i) => [
      `CN=x,O=a${' '.repeat(i * 5)}${forged}${' '.repeat(60)}z`,
      `CN=x,O=${'a'.repeat(i * 2)}${forged} OK`,
    ]).flat(),
  );
}

describe('[show.2] a text of others', () => {
  test('holds neither two blanks nor a mark, and is cut', () => {
    for (const text of attacks()) {
      expect(shown(text)).not.toMatch(/ {2}|[✓✗⚠\n\r\x1b\u00a0\u3000]|(?:OK|FAILED|WARNING)(?: |$)/);
    }
    expect([...shown('😀'.repeat(1000))].length).toBe(481);
    expect(shown('a\u202eb')).toBe('a\\u{202e}b');
    expect(shown('✓')).toBe('\\u{2713}');
    expect(shown('x'.repeat(480))).toBe('x'.repeat(480));
    expect(field('label', 'a   b', 'c')).toBe('  label        a b  c');
  });

  test('holds no word that is a mark in ASCII, and ends in none', () => {
    expect(shown('O=LOOKS, OK, FAILED: WARNINGS')).toBe('O=LOOKS, OK, FAILED: WARNINGS');
    expect(shown('BOOK  x')).toBe('BO\\u{4f}K x');
    expect(shown('a FAILED')).toBe('a \\u{46}AILED');
    expect(shown('WARNING x OK')).toBe('\\u{57}ARNING x \\u{4f}K');
  });

  test.each(['C', 'C.UTF-8'])('begins no row of ours at any width, in the locale %s', (locale) => {
    for (const text of attacks()) {
      const { context, lines } = terminal(80, locale);
      const message = `certificate "${text}" is not trusted`;
      const fault = new BundleError('SIGNER_UNKNOWN', message, { where: { member: text } });
      const input = { name: 'web.ova' };
      const report = makeReport({ operation: 'verify', input, errors: [fault], warnings: [text] });
      renderReport(report, context, { json: false, quiet: false });
      renderError(new BundleError('USAGE', text, { why: text, fix: text, where: { file: text } }), context);
      for (const depth of [0, 9, 19]) context.print(nestedField('path', depth, text, 'RSA-2048'));
      const forged = new Set<string>();
      for (const line of lines()) {
        expect(line).toMatch(OURS);
        for (let columns = 40; columns <= 200; columns++) {
          for (const row of folded(line, columns).slice(1)) if (OURS.test(row)) forged.add(row);
        }
      }
      // a fold may come before the two blanks in front of words of ours
      const ours = /^ {2}(?:NOT trusted: |RSA|\[(?:SIGNER|USAGE))/;
      expect([...forged].filter((row) => !ours.test(row))).toEqual([]);
    }
  });

  test('what is folded is copied as it was printed, a digest too', () => {
    const digest = `sha256:${'0123456789abcdef'.repeat(4)}`;
    const line = field('key', digest);
    for (let columns = 40; columns <= 200; columns++) {
      const { context, lines } = terminal(columns, 'C');
      context.print(line);
      context.tell(line);
      const broken = columns < line.length ? `  key\n      ${digest}` : line;
      expect(copied(lines(), columns)).toBe(`${broken}\n${broken}`);
    }
  });
});

test('[cli.6] what is drawn over is cut, with wide characters as two columns', () => {
  expect(cutRow('中中中', 5)).toBe('中中');
  expect(cutRow('a✓b', 2)).toBe('a✓');
});

describe('[show.4] advice on a terminal', () => {
  const NAMES = [
    "aaa';touch pwned;'.ovf",
    "';touch pwned;'.ovf",
    `${"a'".repeat(5)};touch pwned;'.ovf`,
    '$(touch pwned)`touch pwned`.ovf',
    '-o;touch pwned.ovf',
    'a&touch pwned&b.ovf',
    'plain.ovf',
  ];
  const folder = folderForTests();

  /** What a shell runs that is given these commands and has nothing but three functions, which say how they are called. */
  function pasted(commands: readonly string[]): string {
    const script = join(folder, 'script');
    const says = ['bulla', 'openstack', 'touch'].map((name) => `${name}() { printf '%s\\n' ${name} "$@"; }`);
    writeFileSync(script, [...says, ...commands, ''].join('\n'));
    const { stdout, stderr } = spawnSync('/bin/sh', [script], {
      cwd: folder,
      env: { PATH: '' },
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    expect(readdirSync(folder)).toEqual(['script']);
    return stdout;
  }

  test.each(NAMES)('is the command, pasted from any width: %s', (name) => {
    const fix = `bulla pack FOLDER/${shellWord(name)} -o NEW.ova`;
    expect(isShownWhole(name)).toBe(true);
    const commands: string[] = [];
    for (let columns = 40; columns <= 200; columns++) {
      const { context, lines } = terminal(columns, 'C');
      renderError(new BundleError('USAGE', 'no', { fix }), context);
      commands.push(/bulla[ \\\n]+pack[\s\S]* NEW\.ova/.exec(copied(lines(), columns))?.[0] ?? '');
    }
    const words = ['bulla', 'pack', `FOLDER/${name}`, '-o', 'NEW.ova', ''];
    expect(pasted(commands)).toBe(words.join('\n').repeat(161));
  });

  test('of a bundle that is not signed stands there as one command', async () => {
    const [name = ''] = NAMES;
    const { report } = await verify(chunked(tar(file(name, '<Envelope/>'))), { trust: {} });
    const { context, lines } = terminal(80, 'C');
    renderReport(report, context, { json: false, quiet: false });
    const command = /bulla[ \\\n]+pack[\s\S]* NEW\.ova/.exec(copied(lines(), 80))?.[0] ?? '';
    expect(pasted([command])).toBe(['bulla', 'pack', `FOLDER/${name}`, '-o', 'NEW.ova', ''].join('\n'));
  });

  test.each(NAMES)('uploads the image, pasted from any width: %s', async (name) => {
    const image = { name, propertiesFile: 'p', properties: { img_signature: 'abc+/=' } };
    const command = await uploadCommand('/to', image);
    const commands: string[] = [];
    for (let columns = 40; columns <= 200; columns++) {
      const { context, lines } = terminal(columns, 'C');
      context.print(`    ${command}`);
      commands.push(copied(lines(), columns));
    }
    const [first = '', ...others] = pasted(commands).split('openstack\n').slice(1);
    expect(first.split('\n')).toContain(`/to/${name}`);
    expect(others).toEqual(Array.from({ length: 160 }, () => first));
  });
});
