import { createContext } from '../../src/cli/context.ts';
import { run } from '../../src/cli/run.ts';
import type { Desk } from './workbench.ts';

/**
 * Runs a command line on a desk, in this process: what the program itself runs, without the start of a process for it. For
 * what is asked after a fault again and again; the faults themselves are those of processes.
 */
export async function runHere(
  { folder, env }: Pick<Desk, 'folder' | 'env'>,
  ...words: readonly string[]
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  let stdout = '';
  let stderr = '';
  const sink = (take: (text: string) => void): object => ({
    isTTY: false,
    on: () => {},
    write: (text: string) => take(text),
  });
  const streams = {
    stdout: sink((text) => {
      stdout += text;
    }),
    stderr: sink((text) => {
      stderr += text;
    }),
  };
  const home = process.cwd();
  process.chdir(folder);
  try {
    const context = createContext({ env, ...streams } as NodeJS.Process, new AbortController().signal);
    const code = await run(words, context);
    return { code, stdout, stderr };
  } finally {
    process.chdir(home);
  }
}
