import { homedir } from 'node:os';
import { join } from 'node:path';
import pc from 'picocolors';
import type { DefaultReport } from '../verdict/report/report.ts';
import { wrapText } from './render/wrap.ts';

/** Told by a command how it ended. */
export type Exit = (code: number) => void;

/** What a command may touch of the process: its streams, its environment, and the word to stop. */
export interface Context {
  /** prints a row for people on standard output, broken to the width of a terminal; or data, as they are */
  print(line: string, form?: 'data'): void;
  /** what kept printed lines from arriving, if anything has, once they have been written out */
  printFailure(): unknown;
  /** the same on standard error */
  tell(line: string, form?: 'data'): void;
  /** columns of the terminal that standard output is; undefined elsewhere, where no row is broken */
  readonly columns: number | undefined;
  readonly stderr: { readonly isTTY: boolean; readonly columns: number; write(text: string): void };
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  readonly style: Style;
  /** trust folders, the one that overrules first; the last is the user's own */
  readonly trustFolders: readonly string[];
  /** the options of the command that is run that were left out and have a default here; empty until it is run */
  readonly defaults?: readonly DefaultReport[];
  /** the options of that command that say whom to trust, for the commands that are advised; empty until it is run */
  readonly trusting?: readonly string[];
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
    print: (line, form) => stdout.write(`${form === 'data' ? line : fitted(line, stdout)}\n`),
    printFailure: () => lost,
    tell: (line, form) => stderr.write(`${form === 'data' ? line : fitted(line, stderr)}\n`),
    columns: stdout.isTTY ? columnsOfTerminal(stdout) : undefined,
    stderr: {
      isTTY: stderr.isTTY,
      get columns() {
        return columnsOfTerminal(stderr); // a window may change its size
      },
      write: (text) => stderr.write(text),
    },
    env,
    signal,
    style: createStyle(stdout.isTTY && stderr.isTTY, env),
    trustFolders: [SYSTEM_FOLDER, userFolder(env)],
  };
}

/** What a terminal that does not say how wide it is is taken for. */
const USUAL_COLUMNS = 80;

function columnsOfTerminal({ columns }: NodeJS.WriteStream): number {
  return columns || USUAL_COLUMNS;
}

/** Rows as wide as a terminal shows them; as they are where there is none. [show.2] */
function fitted(rows: string, stream: NodeJS.WriteStream): string {
  return stream.isTTY ? wrapText(rows, columnsOfTerminal(stream)) : rows;
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
  return env['BULLA_HOME'] || join(configFolder(env), 'bulla');
}

/** Where programs keep what their user has configured. */
export function configFolder(env: Context['env']): string {
  return env['XDG_CONFIG_HOME'] || join(homedir(), '.config');
}
