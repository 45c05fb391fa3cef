import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EXIT_MEANINGS } from '../src/cli/exit-meanings.ts';
import { runWithin } from './factory/command-line.ts';
import { type Desk, makeWorkbench, type Outcome, type Workbench } from './factory/workbench.ts';

/**
 * What a user types and sees. In a transcript `$` is a line of shell and below it stand its standard output as it is, its
 * standard error behind `!`, and its exit code behind `?`; `#` is a comment, `# fixture: NAME` files to work with
 * (test/factory/workbench.ts), `# needs: NAME` what the machine must allow.
 *
 * Each command is run as a program with each of its options and to each of its exit codes, and wherever a line asks more of
 * the shell than to start it; what is left, `AGAIN`, is the same program on other files, and is run within this process.
 *
 * `npx vitest run test/transcripts.test.ts -u` writes what is seen now; read every line of the difference.
 */
const FOLDER = join(import.meta.dirname, 'transcripts');
const FILES = readdirSync(FOLDER).filter((name) => name.endsWith('.txt'));

/** What changes from run to run, and what stands for it in a transcript. Certificates last from 2020 or end in 2021. */
const VOLATILE: readonly (readonly [pattern: RegExp, placeholder: string])[] = [
  [/\b[0-9a-f]{64}([0-9a-f]{32}){0,2}\b/g, '<hex>'],
  [/\b[0-9a-f]{16}(?=…|\.pem)/g, '<hex>'],
  [/\b(?!2020-|2021-|2099-)20\d\d-\d\d-\d\d(T[\d:.]+Z)?/g, '<date>'],
  [/\.partial-[\w-]+/g, '.partial-<id>'],
  [/(?<= {2}owner )\S+:\S+/g, '<user>:<group>'],
  [/127\.0\.0\.1:\d+/g, '127.0.0.1:<port>'],
  [/\b[A-Za-z0-9+/]{120,}={0,2}/g, '<signature>'],
];

/**
 * A line that is a command and its words, with nothing for the shell to do but what may stand before it; it reads and writes
 * files by their names alone.
 */
const PLAIN = /^\$ (?:((?!.*\bcd ).*)(?: &&|;) )?bulla((?: (?:[\w./:@%+,=-]*[\w./]|'[^']*'|\$BARBICAN))*)$/;

/** The lines that bring nothing new for a program to show: where they stand, as `FILE:NUMBER`. */
const AGAIN: ReadonlySet<string> = linesAgain();

let workbench: Workbench;
beforeAll(async () => {
  workbench = await makeWorkbench();
});
afterAll(() => workbench[Symbol.dispose]());

test.concurrent.for(FILES)('%s', async (file, { expect, skip }) => {
  using desk = workbench.desk();
  const lines = readFileSync(join(FOLDER, file), 'utf8').split('\n');
  for (const need of directives(lines, 'needs')) {
    const { code } = await desk.run(NEEDS[need] ?? 'false');
    if (code === 0) continue;
    console.warn(`SKIPPED: ${file}, since this machine does not allow: ${need}`);
    skip();
  }
  const seen: string[] = [];
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? '';
    for (const set of directives([line], 'fixture')) desk.add(set);
    seen.push(line);
    if (!line.startsWith('$ ')) continue;
    const run = AGAIN.has(`${file}:${at}`) ? runAgain : runLine;
    seen.push(...shown(await run(desk, line), desk));
    const end = lines.findIndex((other, i) => i > at && /^[?$] /.test(other));
    if (lines[end]?.startsWith('?')) at = end; // what was written here last time is over
  }
  const written = seen.filter((line) => !lines.includes(line)).join('\n');
  await expect(seen.join('\n'), `${file} says now:\n${written}`).toMatchFileSnapshot(join(FOLDER, file));
});

describe.each(FILES)('%s', (file) => {
  const steps = stepsOf(readFileSync(join(FOLDER, file), 'utf8')).filter(({ line }) =>
    /^bulla [^|]*$/.test(line),
  );
  const refused = steps.filter(({ code }) => code !== 0 && code !== 6); // that bundles differ is an answer

  test('[cli.1] every command ends with a code that has a meaning', () => {
    const codes = new Set(EXIT_MEANINGS.map(([code]) => code));
    for (const { line, code } of steps) expect(codes, line).toContain(code);
  });

  test('[cli.2] [cli.4] a fault is told once, on standard error, with why and a way out', () => {
    for (const { line, told, code, count } of refused) {
      const heads = told.filter((text) => text.includes('✗'));
      expect(heads.length, line).toBe(count);
      for (const head of heads) expect(head, line).toMatch(/^✗ .+: .+ {2}\[[A-Z_]+, exit \d+\]$/);
      expect(told[0], line).toContain(heads[0]);
      expect(heads.join('\n'), line).toContain(`, exit ${code}]`);
      expect(
        told.some((text) => text.startsWith('  why          ')),
        line,
      ).toBe(true);
      const ways = told.filter((text) => text.startsWith('  do           '));
      expect(ways.length, line).toBeGreaterThan(0);
      expect(ways.join(), line).not.toMatch(/--allow|--no-/);
    }
  });
});

interface Step {
  readonly line: string;
  readonly told: readonly string[];
  readonly code: number;
  /** how many were refused, where several were judged; else one, if any */
  readonly count: number;
}

/** The commands of a transcript with what stands on standard error, and their exit codes. */
function stepsOf(transcript: string): readonly Step[] {
  const steps = transcript.split(/^\$ /m).slice(1);
  return steps.map((step) => {
    const [line = '', ...rest] = step.split('\n');
    const told = rest.filter((text) => text.startsWith('! ')).map((text) => text.slice(2));
    const code = Number(rest.find((text) => text.startsWith('? '))?.slice(2));
    const [, trusted = 0, all = 1] =
      rest.map((text) => /^✗ (\d+) of (\d+) trusted/.exec(text)).find(Boolean) ?? [];
    return { line, told, code, count: Number(all) - Number(trusted) };
  });
}

/** What a transcript may ask of the machine, and how that is tried. */
const NEEDS: Readonly<Record<string, string>> = {
  openssl: 'openssl version',
  mount: 'mkdir .try && mount -t tmpfs -o size=1m none .try && umount .try && rmdir .try',
};

function directives(lines: readonly string[], kind: string): readonly string[] {
  const prefix = `# ${kind}: `;
  return lines
    .filter((line) => line.startsWith(prefix))
    .flatMap((line) => line.slice(prefix.length).split(' '));
}

/** Finds them: each of what they show, a command with an option or with an exit code, a line before them has shown. */
function linesAgain(): ReadonlySet<string> {
  const known = new Set<string>();
  const again = new Set<string>();
  for (const file of FILES) {
    const lines = readFileSync(join(FOLDER, file), 'utf8').split('\n');
    if (directives(lines, 'needs').length > 0) continue; // it may be left out
    for (const [at, line] of lines.entries()) {
      const words = PLAIN.exec(line)?.[2];
      if (words === undefined) continue;
      const [command] = /^(?: (?:trust|glance))?(?: [a-z-]+)?/.exec(words) ?? [];
      const ending = lines.find((other, i) => i > at && /^[?$] /.test(other)) ?? '$';
      const options = words.match(/(?<= )--?[a-z][a-z0-9-]*/g) ?? [];
      const traits = [ending, ...options].map((trait) => `${command} ${trait}`);
      if (ending.startsWith('?') && traits.every((trait) => known.has(trait))) again.add(`${file}:${at}`);
      for (const trait of traits) known.add(trait);
    }
  }
  return again;
}

function runLine(desk: Desk, line: string): Promise<Outcome> {
  return desk.run(line.slice(2));
}

async function runAgain(desk: Desk, line: string): Promise<Outcome> {
  const [, before, words = ''] = PLAIN.exec(line) ?? [];
  const first = await desk.run(before ?? ':');
  expect(first.code, line).toBe(0);
  const { stdout, stderr, code } = await runWithin(desk, `bulla${words}`);
  return { stdout: first.stdout + stdout, stderr: first.stderr + stderr, code };
}

function shown({ stdout, stderr, code }: Outcome, desk: Desk): readonly string[] {
  const told = linesOf(stderr, desk).map((text) => `! ${text}`.trimEnd());
  return [...linesOf(stdout, desk), ...told, `? ${code}`];
}

function linesOf(output: string, desk: Desk): readonly string[] {
  let text = output.replaceAll(desk.home, '<home>').replaceAll(desk.folder, '<here>');
  for (const [pattern, placeholder] of VOLATILE) text = text.replaceAll(pattern, placeholder);
  const lines = text.split('\n');
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
}
