import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createContext } from '../../../src/cli/context.ts';
import { createProgram } from '../../../src/cli/program.ts';
import { commandsIn } from '../../../src/cli/render/commands-in-text.ts';
import { cutRow } from '../../../src/cli/render/cut-row.ts';
import { sizedRows } from '../../../src/cli/render/field.ts';
import { wrapText } from '../../../src/cli/render/wrap.ts';
import { run } from '../../../src/cli/run.ts';
import { makeScreen } from '../screen.ts';

const TRANSCRIPTS = join(import.meta.dirname, '../../transcripts');
const WIDTHS = [40, 60, 80, 120, 200];

/** Whatever the program says for people anywhere in the transcripts. */
const ROWS = readdirSync(TRANSCRIPTS)
  .flatMap((name) => readFileSync(join(TRANSCRIPTS, name), 'utf8').split('\n'))
  .filter((line) => !/^[$#?]/.test(line))
  .map((line) => line.replace(/^! /, ''));

/** A row that is one word, of which a command may go on. */
const ONE_WORD = /^ *[^ ]+(?: \\)?$/;

/** What is there without the breaks: a command that goes on in the next row, and blanks. */
function joined(text: string): string {
  return text.replace(/ \\\n/g, ' ').replace(/\s+/g, ' ').trim();
}

describe('[show.2] what is printed on a terminal', () => {
  test.each(WIDTHS)('fits %d columns, but for single words, and nothing is lost', (columns) => {
    for (const row of ROWS) {
      const wrapped = wrapText(row, columns);
      for (const line of wrapped.split('\n'))
        if (!ONE_WORD.test(line)) expect(line.length, line).toBeLessThanOrEqual(columns);
      expect(joined(wrapped)).toBe(joined(row));
    }
  });

  test('goes on deeper than any row of its own begins, and what fits nowhere else stands under the label', () => {
    expect(
      wrapText('  why          nothing that you trust vouches for the key, and anyone makes one', 70),
    ).toBe(
      '  why          nothing that you trust vouches for the key, and anyone\n' +
        '                   makes one',
    );
    expect(wrapText('  why          nothing that you trust vouches for the key', 40)).toBe(
      '  why          nothing that you trust\n      vouches for the key',
    );
    expect(wrapText(`  where        ${'x'.repeat(70)}, byte 9`, 80)).toBe(
      `  where\n      ${'x'.repeat(70)},\n                   byte 9`,
    );
  });

  test('keeps colours out of the count, and the code of an error in one', () => {
    const row = '\x1b[31m✗\x1b[39m bulla: there is no such folder  \x1b[2m[FILE_NOT_FOUND, exit 3]\x1b[22m';
    expect(wrapText(row, 60)).toBe(row);
    expect(wrapText(row, 50)).toBe(row.replace('  \x1b[2m', '\n    \x1b[2m'));
  });

  test('counts two columns for what is wide, and none for accents', () => {
    expect(wrapText(`${'中'.repeat(10)} ${'中'.repeat(10)}`, 40)).toContain('\n');
    expect(cutRow('e\u0301e\u0301e\u0301', 2)).toBe('e\u0301e\u0301');
  });

  test('[show.8] has sizes one below the other', () => {
    const rows = sizedRows(
      [{ name: '中.img' }, { name: 'disk.img' }, { name: 'x'.repeat(50) }],
      ['9 B', '1.0 kB', '2 B'],
    );
    const blanks = ' '.repeat(32);
    expect(rows).toEqual([
      `中.img  ${blanks}       9 B`,
      `disk.img${blanks}    1.0 kB`,
      `${'x'.repeat(50)}       2 B`,
    ]);
  });

  test.each(WIDTHS)('is help that fits %d columns', async (columns) => {
    let written = '';
    const write = (text: string): void => {
      written += text;
    };
    const stream = { isTTY: true, columns, on: () => undefined, write };
    const proc = { env: { NO_COLOR: '1', LC_ALL: 'C.UTF-8' }, stdout: stream, stderr: stream };
    const context = createContext(proc as unknown as NodeJS.Process, new AbortController().signal);
    const topics = ['exit-codes', 'configuration', 'environment', 'formats', 'verify', 'pack', 'trust'];
    for (const topic of topics) await run(['help', topic], context);
    await run(['glance', 'verify', '--help'], context);
    await run(['verify', '--nonsense'], context);
    for (const line of written.split('\n'))
      if (!ONE_WORD.test(line)) expect(line.length, line).toBeLessThanOrEqual(columns);
    expect(written).toContain('exit 2]');
  });

  test('is broken on a terminal alone, and data never', () => {
    const long = `{"a": "${'b '.repeat(60)}"}`;
    for (const isTTY of [true, false]) {
      let written = '';
      const stream = { isTTY, columns: 60, on: () => undefined, write: (text: string) => (written += text) };
      const proc = { env: {}, stdout: stream, stderr: stream } as unknown as NodeJS.Process;
      const context = createContext(proc, new AbortController().signal);
      context.print(long, 'data');
      context.tell(long, 'data');
      context.print(long);
      expect(written.split('\n').length > 4).toBe(isTTY);
      expect(written.startsWith(`${long}\n${long}\n`)).toBe(true);
    }
  });

  test('is data wherever it is JSON', () => {
    const folder = join(import.meta.dirname, '../../../src/cli');
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.ts'),
    );
    const calls = files.flatMap(
      (name) => readFileSync(join(folder, name), 'utf8').match(/print\(formatJson.*/g) ?? [],
    );
    expect(calls.length).toBeGreaterThan(8);
    expect(calls.filter((call) => !call.includes("'data')"))).toEqual([]);
  });
});

describe('[show.4] a command in a row', () => {
  test.each([
    [
      '  do           get it, then: bulla trust add acme ca.pem (or once: --trust ca.pem)',
      ['bulla trust add acme ca.pem'],
    ],
    [
      "  do           pack it: bulla pack FOLDER/'a b;c'.ovf -o NEW.ova --key … --cert …",
      ["bulla pack FOLDER/'a b;c'.ovf -o NEW.ova --key … --cert …"],
    ],
    [
      '  do           write it: qemu-img convert -O vmdk reboot new.vmdk; then sign',
      ['qemu-img convert -O vmdk reboot new.vmdk;'],
    ],
    ['  do           pipe it: xz -dc FILE | bulla verify -', ['xz -dc FILE | bulla verify -']],
    ['    openstack image create --property a=b reboot', ['openstack image create --property a=b reboot']],
    ['  do           bulla inspect shows what is in it', ['bulla inspect']],
    ['  why          bulla never mixes its output with other files', []],
    ['  why          a tar or zip that openssl and others read', []],
  ] as const)('is found: %s', (row, commands) => {
    const seen = commandsIn(row).map(({ start, end }) => row.slice(start, end).trim());
    expect(seen).toEqual(commands);
  });

  test('is found of every command of ours', () => {
    const { commands } = createProgram(makeScreen().context, () => {});
    for (const command of commands) {
      const row = `  do           see bulla ${command.name()}`;
      expect(commandsIn(row)).toEqual([{ start: 19, end: row.length }]);
    }
  });
});
