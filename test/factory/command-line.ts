import { createContext } from '../../src/cli/context.ts';
import { run } from '../../src/cli/run.ts';
import type { Desk, Outcome } from './workbench.ts';

/** One after the other, since a process is in one folder. */
let before: Promise<unknown> = Promise.resolve();

/**
 * Runs a command line of bulla on a desk in this process, as `cli/main.ts` runs it: what is left out are the start of a
 * program, its signals and its end. What Node warns of is on standard error, too. Nothing may read standard input or write bytes to standard output.
 */
export function runHere(desk: Pick<Desk, 'folder' | 'env'>, ...words: readonly string[]): Promise<Outcome> {
  const outcome = before.then(() => here(desk, words));
  before = outcome.catch(() => {});
  return outcome;
}

/** The same for a line as it is typed, whose words may be in single quotes, or one variable. */
export function runWithin(desk: Pick<Desk, 'folder' | 'env'>, line: string): Promise<Outcome> {
  const [, ...words] = line.match(/'[^']*'|[^ ]+/g) ?? [];
  return runHere(desk, ...words.map((word) => wordOf(word, desk.env)));
}

/** Runs a line of shell on a desk; one that is a command of bulla alone, in this process. */
export function runLine(desk: Desk, line: string): Promise<Outcome> {
  return line.startsWith('bulla ') ? runWithin(desk, line) : desk.run(line);
}

async function here(
  { folder, env }: Pick<Desk, 'folder' | 'env'>,
  words: readonly string[],
): Promise<Outcome> {
  let stdout = '';
  let stderr = '';
  const streams = {
    env,
    stdout: streamTo((text) => {
      stdout += text;
    }),
    stderr: streamTo((text) => {
      stderr += text;
    }),
  };
  const context = createContext(streams as unknown as NodeJS.Process, new AbortController().signal);
  const home = process.cwd();
  const onWarning = (warning: Error): void => {
    stderr += `${warning}\n`;
  };
  process.on('warning', onWarning);
  process.chdir(folder);
  try {
    const code = await run(words, context);
    return { code, stdout, stderr };
  } finally {
    process.off('warning', onWarning);
    process.chdir(home);
  }
}

function wordOf(word: string, env: NodeJS.ProcessEnv): string {
  return word.startsWith('$') ? (env[word.slice(1)] ?? '') : word.replaceAll("'", '');
}

/** As much of a stream as the command line uses: one that is no terminal, and takes everything. */
function streamTo(take: (text: string) => void): object {
  const stream = { isTTY: false, write: take, on: () => stream };
  return stream;
}
