import type { Command, CommanderError } from 'commander';
import { BundleError } from '../kit/errors/errors.ts';
import type { Words } from './words.ts';

/** What the parser found wrong with a command line, in the words and slots of every other error. */
export function usageError(error: CommanderError, { command, names, early, taking }: Words): BundleError {
  const see = `see ${[...names, '--help'].join(' ')}`;
  const text = error.message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ');
  const [, problem = text, closest = otherCase(text, command)] =
    /^(.*?) \(Did you mean (?:one of )?(.+?)\?\)$/.exec(text) ?? [];
  const similar = command.commands.find((one) => `--${one.name()}` === early)?.name() ?? closest;
  if (similar && !(early !== undefined && isOption(early, command)))
    return new BundleError('USAGE', problem, { fix: `did you mean ${similar}? otherwise ${see}` });
  if (early !== undefined && error.code === 'commander.unknownOption') {
    return new BundleError('USAGE', `the option ${early} stands before the command`, {
      fix: `options come after the command: bulla COMMAND ${early} …; ${see}`,
    });
  }
  if (error.code === 'commander.help') {
    const subs = command.commands.map((sub) => sub.name()).join(', ');
    const problem =
      names.length === 1 ? 'no command is given' : `${names.join(' ')} needs another word: ${subs}`;
    return new BundleError('USAGE', problem, { fix: see });
  }
  const took = taking && `${taking.option} has taken the word behind it, "${taking.value}", for its value`;
  const [, refused, remedy] =
    /^(.* is invalid(?: for argument '.*?')?|too many arguments for '.*?')\. (.+?)\.?$/.exec(text) ?? [];
  if (refused && remedy) {
    const each = error.code === 'commander.excessArguments' && took;
    const more = each ? `; ${took}, and no other: give an option again for each` : '';
    return new BundleError('USAGE', refused, {
      fix: `${remedy[0]?.toLowerCase()}${remedy.slice(1)}${more}; ${see}`,
    });
  }
  const absent = /^missing required argument '(.+)'$/.exec(text)?.[1];
  if (absent) return new BundleError('USAGE', text, { fix: `${took ? `${took}; ` : ''}add it; ${see}` });
  const missing = /^required option '(.+)' not specified$/.exec(text)?.[1];
  return new BundleError('USAGE', text, { fix: missing ? `add ${missing}; ${see}` : see });
}

/** Whether an option that stands before the command is one of some command. */
function isOption(word: string, program: Command): boolean {
  const [name] = word.split('=');
  const all = [...program.options, ...program.commands.flatMap(({ options }) => options)];
  return all.some(({ short, long }) => name === short || name === long);
}

/** The short option that an unknown one would be in the other case, as `-V` for `-v`. */
function otherCase(problem: string, command: Command): string | undefined {
  const letter = /^unknown option '(-[A-Za-z])'$/.exec(problem)?.[1]?.toLowerCase();
  return command.options.find(({ short }) => letter !== undefined && short?.toLowerCase() === letter)?.short;
}
