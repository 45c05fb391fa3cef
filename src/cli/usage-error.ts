import type { Command, CommanderError } from 'commander';
import { BundleError } from '../kit/errors.ts';

/** What the parser found wrong with a command line, in the words and slots of every other error. */
export function usageError(error: CommanderError, program: Command, argv: readonly string[]): BundleError {
  const { command, words } = commandOf(program, argv);
  const see = `see ${[...words, '--help'].join(' ')}`;
  if (error.code === 'commander.help') {
    const names = command.commands.map((sub) => sub.name()).join(', ');
    const problem =
      words.length === 1 ? 'no command is given' : `${words.join(' ')} needs another word: ${names}`;
    return new BundleError('USAGE', problem, { fix: see });
  }
  const text = error.message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ');
  const [, problem = text, similar] = /^(.*?) \(Did you mean (?:one of )?(.+?)\?\)$/.exec(text) ?? [];
  if (similar) return new BundleError('USAGE', problem, { fix: `did you mean ${similar}? otherwise ${see}` });
  const [, refused, remedy] =
    /^(.* is invalid(?: for argument '.*?')?|too many arguments for '.*?')\. (.+?)\.?$/.exec(text) ?? [];
  if (refused && remedy) {
    return new BundleError('USAGE', refused, {
      fix: `${remedy[0]?.toLowerCase()}${remedy.slice(1)}; ${see}`,
    });
  }
  const missing = /^required option '(.+)' not specified$/.exec(text)?.[1];
  return new BundleError('USAGE', text, { fix: missing ? `add ${missing}; ${see}` : see });
}

/** The command that a line is for, as far as its words name one. */
function commandOf(
  program: Command,
  argv: readonly string[],
): { readonly command: Command; readonly words: readonly string[] } {
  let command = program;
  const words = [program.name()];
  for (const word of argv) {
    const next = command.commands.find((sub) => sub.name() === word);
    if (!next) break;
    command = next;
    words.push(word);
  }
  return { command, words };
}
