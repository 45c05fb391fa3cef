import type { Context } from '../../src/cli/context.ts';

/** A context that keeps what is written; `terminal` says what standard error is. */
export interface Screen {
  readonly context: Context;
  readonly out: string[];
  readonly err: string[];
}

/** Makes one. */
export function makeScreen(
  options: {
    readonly terminal?: boolean;
    readonly columns?: number;
    readonly env?: Readonly<Record<string, string>>;
  } = {},
): Screen {
  const out: string[] = [];
  const err: string[] = [];
  const plain = (text: string): string => text;
  const context: Context = {
    printFailure: () => undefined,
    print: (line) => out.push(line),
    tell: (line) => err.push(line),
    columns: undefined,
    stderr: {
      isTTY: options.terminal ?? false,
      columns: options.columns ?? 80,
      write: (text) => err.push(text),
    },
    env: options.env ?? {},
    signal: new AbortController().signal,
    style: {
      good: plain,
      bad: plain,
      dim: plain,
      bold: plain,
      warn: plain,
      pass: 'OK',
      fail: 'FAILED',
      caution: 'WARNING',
    },
    trustFolders: [],
  };
  return { context, out, err };
}
