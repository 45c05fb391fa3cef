import type { CommanderError } from 'commander';
import { BundleError } from '../kit/errors/errors.ts';
import type { Words } from './words.ts';

/** What the parser found wrong with a command line, in the words and slots of every other error. */
export function usageError(error: CommanderError, { command, names, early, taking }: Words): BundleError {
  const see = `see ${[...names, '--help'].join(' ')}`;
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
  const text = error.message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ');
  const [, problem = text, similar] = /^(.*?) \(Did you mean (?:one of )?(.+?)\?\)$/.exec(text) ?? [];
  if (similar) return new BundleError('USAGE', problem, { fix: `did you mean ${similar}? otherwise ${see}` });
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
