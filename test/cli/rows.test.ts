import { describe, expect, test } from 'vitest';
import { field, shown } from '../../src/cli/field.ts';
import { renderError } from '../../src/cli/render-error.ts';
import { renderReport } from '../../src/cli/render-report.ts';
import { cutRow, wrapRow } from '../../src/cli/wrap.ts';
import { BundleError } from '../../src/kit/errors.ts';
import { makeReport } from '../../src/operations/report.ts';
import { makeScreen } from './screen.ts';

/** Texts of others that would be a verdict of ours, did a row begin with them. */
const FORGED = [
  '✓ web.ova  trusted',
  '  signed by    CN=Acme Release,O=Acme',
  '  trusted via  /etc/bulla/publishers/acme',
  '\u00a0\u00a0trusted via\u3000ca.pem',
  '\n✓ web.ova  trusted\n',
  '\r\x1b[2K✓ web.ova  trusted',
];

/** The rows of a terminal of so many columns that is given these lines. */
function rowsOf(lines: readonly string[], columns: number): readonly string[] {
  return lines.flatMap((line) =>
    line.split('\n').flatMap((part) => {
      const chars = [...part];
      const rows: string[] = [];
      do rows.push(chars.splice(0, columns).join(''));
      while (chars.length > 0);
      return rows;
    }),
  );
}

function attacks(): readonly string[] {
  return FORGED.flatMap((forged) =>
    Array.from({ length: 41 }, (_, i) => `CN=x,O=a${' '.repeat(i * 5)}${forged}${' '.repeat(60)}z`),
  );
}

describe('[show.2] a text of others', () => {
  test('holds neither two blanks nor a mark, and is cut', () => {
    for (const text of attacks()) {
      expect(shown(text)).not.toMatch(/ {2}|[✓✗⚠\n\r\x1b\u00a0\u3000]/);
    }
    expect([...shown('😀'.repeat(1000))].length).toBe(481);
    expect(shown('a\u202eb')).toBe('a\\u{202e}b');
    expect(shown('✓')).toBe('\\u{2713}');
    expect(shown('x'.repeat(480))).toBe('x'.repeat(480));
    expect(field('label', 'a   b', 'c')).toBe('  label        a b  c');
  });

  test('begins no row of ours at any width', () => {
    for (const text of attacks()) {
      const { context, err, out } = makeScreen();
      const report = makeReport({
        operation: 'verify',
        input: { name: 'web.ova' },
        errors: [
          new BundleError('SIGNER_UNKNOWN', `certificate "${text}" is not trusted`, {
            where: { member: text },
          }),
        ],
        warnings: [text],
      });
      renderReport(report, context, { json: false, quiet: false });
      renderError(new BundleError('USAGE', text, { why: text, fix: text, where: { file: text } }), context);
      expect(out).toEqual([]);
      for (let columns = 40; columns <= 200; columns++) {
        const marks = ['FAILED ', '  where ', '  why ', '  do ', '  warning ', '  also ', '  ['];
        const rows = rowsOf(err, columns);
        const ours = rows.filter((row) => /^( {2}\S|✓|✗|⚠)/.test(row));
        expect(ours.filter((row) => !marks.some((mark) => row.startsWith(mark)))).toEqual([]);
      }
    }
  });
});

describe('[show.3] a row on a terminal', () => {
  test('goes on under its text, whatever the width', () => {
    for (const text of attacks()) {
      const line = field('signed by', text, 'RSA-2048');
      for (let columns = 40; columns <= 200; columns++) {
        const [first = '', ...more] = wrapRow(line, columns).split('\n');
        expect(first.startsWith('  signed by    CN=x')).toBe(true);
        for (const row of [first, ...more]) expect([...row].length).toBeLessThan(columns);
        for (const row of more) expect(row.startsWith(' '.repeat(15))).toBe(true);
        expect([first, ...more.map((row) => row.slice(15))].join('')).toBe(line);
      }
    }
  });

  test('counts wide characters as two, and colours as none', () => {
    expect(wrapRow(`  label        ${'中'.repeat(20)}`, 40)).toBe(
      `  label        ${'中'.repeat(12)}\n${' '.repeat(15)}${'中'.repeat(8)}`,
    );
    expect(wrapRow(`\x1b[32m${'a'.repeat(39)}\x1b[0m`, 40)).not.toContain('\n');
    expect(cutRow('中中中', 5)).toBe('中中');
  });

  test('is left alone when it is data', () => {
    for (const text of ['{\n  "a": 1\n}', `--property ${'a'.repeat(200)}`])
      expect(wrapRow(text, 40)).toBe(text);
  });
});
