import { homedir } from 'node:os';
import { join } from 'node:path';
import pc from 'picocolors';
import type { DefaultReport } from '../verdict/report/report.ts';

/** Told by a command how it ended. */
export type Exit = (code: number) => void;

/** What a command may touch of the process: its streams, its environment, and the word to stop. */
export interface Context {
  /** prints a line of data on standard output */
  print(line: string): void;
  /** what kept printed lines from arriving, if anything has, once they have been written out */
  printFailure(): unknown;
  /** prints a line for people on standard error */
  tell(line: string): void;
  readonly stderr: { readonly isTTY: boolean; readonly columns: number; write(text: string): void };
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  readonly style: Style;
  /** trust folders, the one that overrules first; the last is the user's own */
  readonly trustFolders: readonly string[];
  /** the options of the command that is run that were left out and have a default here; empty until it is run */
  readonly defaults?: readonly DefaultReport[];
}

/** Colours and marks, plain where the terminal or the user wants none; never the only carrier of a meaning. */
interface Style {
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly bold: (text: string) => string;
  readonly warn: (text: string) => string;
  readonly pass: string;
  readonly fail: string;
  readonly caution: string;
}

const SYSTEM_FOLDER = '/etc/bulla';

/** The context of a real process. */
export function createContext(proc: NodeJS.Process, signal: AbortSignal): Context {
  const { env, stdout, stderr } = proc;
  let lost: unknown;
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    // A reader that went away (a pipe into head, say) is no fault of ours; a full disk is, since nobody has the answer.
    if (error.code !== 'EPIPE') lost ??= error;
  });
  stderr.on('error', () => {});
  return {
    print: (line) => stdout.write(`${line}\n`),
    printFailure: () => lost,
    tell: (line) => stderr.write(`${line}\n`),
    stderr: {
      isTTY: stderr.isTTY,
      get columns() {
        return stderr.columns || 80; // a window may change its size
      },
      write: (text) => stderr.write(text),
    },
    env,
    signal,
    style: createStyle(stdout.isTTY && stderr.isTTY, env),
    trustFolders: [SYSTEM_FOLDER, userFolder(env)],
  };
}

function createStyle(terminal: boolean, env: NodeJS.ProcessEnv): Style {
  const forced = env['FORCE_COLOR'] !== undefined && env['FORCE_COLOR'] !== '0';
  const colour = !env['NO_COLOR'] && env['TERM'] !== 'dumb' && (terminal || forced);
  const unicode = /utf-?8/i.test(env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || '');
  const { green, red, dim, bold, yellow } = pc.createColors(colour);
  return {
    good: green,
    bad: red,
    dim,
    bold,
    warn: yellow,
    pass: unicode ? '✓' : 'OK',
    fail: unicode ? '✗' : 'FAILED',
    caution: unicode ? '⚠' : 'WARNING',
  };
}

function userFolder(env: NodeJS.ProcessEnv): string {
  return env['BULLA_HOME'] || join(env['XDG_CONFIG_HOME'] || join(homedir(), '.config'), 'bulla');
}
