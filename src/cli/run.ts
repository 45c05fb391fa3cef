import { CommanderError } from 'commander';
import { BundleError } from '../kit/errors/errors.ts';
import { formatJson } from '../kit/json.ts';
import type { StandardOutput } from '../storage/redirected.ts';
import { exitCodeOf } from '../verdict/report/exit-codes.ts';
import { type DefaultReport, makeReport } from '../verdict/report/report.ts';
import { toldIn } from '../verdict/report/telling.ts';
import { wordedReport } from './advice.ts';
import type { Context } from './context.ts';
import { expectNothingReadIsWritten, OPTION_NAMINGS, sentToNamed, streamsNamed } from './named-files.ts';
import { takeDefaults } from './options/signing-defaults.ts';
import { createProgram } from './program.ts';
import { defaultsField } from './render/field.ts';
import { renderError } from './render/render-error.ts';
import { spreadValues, takesBundles } from './several-values.ts';
import { trustingIn } from './typed-names.ts';
import { unexpected } from './unexpected.ts';
import { usageError } from './usage-error.ts';
import { readWords, type Words } from './words.ts';

/**
 * Runs one command line and returns the exit code; every fault becomes one message, and with `--json` one document.
 */
export async function run(words: readonly string[], given: Context): Promise<number> {
  const argv = words.length > 0 ? words : ['help']; // [cli.26]
  const defaults: DefaultReport[] = [];
  const trusting: string[] = [];
  const context = { ...given, defaults, trusting };
  let exitCode = 0;
  let isApart = false;
  const shown: string[] = [];
  const exit = (code: number): void => {
    exitCode = code;
  };
  const program = createProgram(context, exit, (text) => shown.push(text)).hook(
    'preAction',
    async (_program, command) => {
      defaults.push(...(await takeDefaults(command, context)));
      trusting.push(...trustingIn(command.opts()));
      await expectNothingReadIsWritten(command, context);
      isApart = true;
    },
  );
  let spread = argv;
  try {
    expectNoneEmpty(argv);
    expectValues(readWords(program, argv));
    spread = await spreadValues(program, argv);
    await program.parseAsync([...spread], { from: 'user' });
    for (const text of shown) context.print(text);
    return exitCode;
  } catch (error) {
    const words = readWords(program, argv);
    // [out.1] Until it is known what is read, every word may name it: help and errors of the parser come before that.
    const named = isApart ? NONE : await streamsNamed(words, context);
    if (isShown(error) && named.size === 0) {
      for (const text of shown) context.print(text);
      return 0;
    }
    const operation = words.names.slice(1).join(' ') || 'help';
    const fault = toldIn(operation, isShown(error) ? sentToNamed(named) : faultOf(error, words));
    const say = sayingOf(named, context);
    if (words.json) {
      const print = words.toStdout ? say.tell : say.print;
      const report = makeReport({ operation, errors: [fault] });
      const form = isForEach(readWords(program, spread)) ? 'line' : 'indented';
      const whole = { ...report, ...(defaults.length > 0 && { defaults }) };
      print(formatJson(wordedReport(whole, { trusting }), form), 'data');
    } else {
      renderError(fault, { ...context, tell: say.tell });
      if (defaults.length > 0) say.tell(defaultsField(defaults));
    }
    return exitCodeOf([fault]);
  }
}

const NONE: ReadonlyMap<StandardOutput, string> = new Map();

/** Whether a document for each of several bundles is asked for, each on a line. [many.4] */
function isForEach({ command, count }: Words): boolean {
  return count > 1 && takesBundles(command);
}

/** Whether the parser ended because help or the version was asked for. */
function isShown(error: unknown): boolean {
  return error instanceof CommanderError && error.exitCode === 0;
}

/** Where a fault can be told: on a stream that is one of the files read, nothing may be. [out.1] */
function sayingOf(
  silenced: ReadonlyMap<StandardOutput, string>,
  context: Context,
): Pick<Context, 'print' | 'tell'> {
  const print = silenced.has(1) ? undefined : context.print;
  const tell = silenced.has(2) ? undefined : context.tell;
  const nowhere = (): void => {};
  return { print: print ?? tell ?? nowhere, tell: tell ?? print ?? nowhere };
}

function faultOf(error: unknown, words: Words): BundleError {
  return error instanceof CommanderError ? usageError(error, words) : unexpected(error);
}

/** A variable of the shell that is not set becomes an empty word, and would name the folder one is in. */
function expectNoneEmpty(argv: readonly string[]): void {
  const at = argv.indexOf('');
  if (at < 0) return;
  const before = argv[at - 1];
  const what = before?.startsWith('-') ? `the value of ${before}` : 'an argument';
  throw new BundleError('USAGE', `${what} is empty`, {
    fix: 'check the variables of the shell that are in the command',
  });
}

/** [cli.18] The parser would take the option for a file, or whatever else is named there, and not do what it asks for. */
function expectValues({ swallowing, names }: Words): void {
  if (!swallowing) return;
  const { option, value } = swallowing;
  const isFile = OPTION_NAMINGS[option] !== 'no file';
  throw new BundleError('USAGE', `the option ${option} has no value: ${value} behind it is an option, too`, {
    fix: `give its value; ${isFile ? `a file of that name is ./${value}` : `see ${names.join(' ')} --help`}`,
  });
}

/** The exit code, unless the answer was lost on its way to standard output: then nobody has been told it. [cli.3] */
export async function reportLoss(exitCode: number, context: Context): Promise<number> {
  const failure = context.printFailure();
  if (exitCode !== 0 || failure === undefined) return exitCode;
  const { writeError } = await import('../storage/io-errors.ts');
  const { code, message, where, cause } = writeError(failure, 'standard output');
  const fault = new BundleError(code, `the answer could not be written: ${message}`, {
    where,
    why: 'what the command made, changed or removed stands; only the answer is lost, and nobody has been told it',
    fix: 'see what is there before running it again, with standard output going elsewhere',
    cause,
  });
  renderError(fault, context);
  return exitCodeOf([fault]);
}
