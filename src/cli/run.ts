import { CommanderError } from 'commander';
import { BundleError, toBundleError } from '../kit/errors.ts';
import { exitCodeOf } from '../operations/exit-codes.ts';
import { makeReport } from '../operations/report.ts';
import type { Context } from './context.ts';
import { createProgram } from './program.ts';
import { renderError } from './render-error.ts';

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
    const fault = error instanceof CommanderError ? usageError(error, argv) : toBundleError(error);
    if (argv.includes('--json')) {
      const operation = argv.find((word) => !word.startsWith('-')) ?? 'help';
      context.print(JSON.stringify(makeReport({ operation, errors: [fault] }), undefined, 2));
    } else {
      renderError(fault, context);
    }
    return exitCodeOf([fault]);
  }
}

function usageError(error: CommanderError, argv: readonly string[]): BundleError {
  const message = error.message
    .replace(/^error: /, '')
    .replace(/\s*\n\s*/g, ' ')
    .trim();
  const command = argv.find((word) => /^[a-z][a-z-]*$/.test(word));
  if (error.code === 'commander.help' || error.code === 'commander.unknownCommand' || command === undefined) {
    return new BundleError('USAGE', error.code === 'commander.help' ? 'no command is given' : message, {
      fix: 'see bulla --help',
    });
  }
  return new BundleError('USAGE', message, { fix: `see bulla ${command} --help` });
}
