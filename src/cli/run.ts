import { CommanderError } from 'commander';
import { toBundleError } from '../kit/errors.ts';
import { exitCodeOf } from '../operations/exit-codes.ts';
import { makeReport } from '../operations/report.ts';
import type { Context } from './context.ts';
import { createProgram } from './program.ts';
import { renderError } from './render-error.ts';
import { usageError } from './usage-error.ts';

/**
 * Runs one command line and returns the exit code; every fault becomes one message, and with `--json` one document.
 */
export async function run(argv: readonly string[], context: Context): Promise<number> {
  let exitCode = 0;
  const program = createProgram(context, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0; // help or version was shown
    const fault = error instanceof CommanderError ? usageError(error, program, argv) : toBundleError(error);
    if (argv.includes('--json')) {
      const operation = argv.find((word) => !word.startsWith('-')) ?? 'help';
      const print = writesToStdout(argv) ? context.tell : context.print;
      print(JSON.stringify(makeReport({ operation, errors: [fault] }), undefined, 2));
    } else {
      renderError(fault, context);
    }
    return exitCodeOf([fault]);
  }
}

/** Whether a bundle goes to standard output, where a document among its bytes would help nobody. */
function writesToStdout(argv: readonly string[]): boolean {
  return /(^| )(-o ?|--output[ =])-( |$)/.test(argv.join(' '));
}
