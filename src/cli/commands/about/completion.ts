import { type Command, InvalidArgumentError, type Option } from 'commander';
import type { Context, Exit } from '../../context.ts';
import { OPTION_NAMINGS } from '../../named-files.ts';
import { isList } from '../../options/options.ts';
import { type CommandWords, SCRIPTS, type Word } from './completion-scripts.ts';
import { helpTopics } from './help.ts';

const SHELLS = Object.keys(SCRIPTS);
/** The commands whose argument is the name of somebody in a trust folder. */
const TAKING_NAMES = ['trust show', 'trust remove'];

/** `bulla completion bash|zsh|fish|powershell` */
export function completionCommand(program: Command, context: Context, _exit: Exit): void {
  program
    .command('completion')
    .summary(`print a completion script for ${SHELLS.slice(0, -1).join(', ')} or ${SHELLS.at(-1)}`)
    .description(
      'Prints a completion script. To have it now, and in every new shell when the line is put there:\n' +
        '  bash        source <(bulla completion bash)                      in ~/.bashrc\n' +
        '  zsh         source <(bulla completion zsh)                       in ~/.zshrc\n' +
        '  fish        bulla completion fish | source                       in ~/.config/fish/config.fish\n' +
        '  powershell  bulla completion powershell | Out-String | Invoke-Expression   in $PROFILE',
    )
    .argument('<shell>', SHELLS.join(', '), (shell: string) => {
      if (SHELLS.includes(shell)) return shell;
      throw new InvalidArgumentError(`Known are ${SHELLS.join(', ')}.`);
    })
    .action((shell: string) => context.print(SCRIPTS[shell]?.(wordsOf(program, program, [])) ?? '', 'data'));
}

/** Every command from `command` down, with its subcommands and options, from the table that parses them. */
function wordsOf(program: Command, command: Command, path: readonly string[]): readonly CommandWords[] {
  const subcommands = command.commands.map((sub) => word(sub.name(), sub.summary() || sub.description()));
  const options = command.options.filter((option) => !option.hidden).map(optionWord);
  const name = path.join(' ');
  const arguments_ = name === 'completion' ? SHELLS : name === 'help' ? helpTopics(program) : [];
  const takesNames = TAKING_NAMES.includes(name);
  const own = {
    path,
    words: [
      ...subcommands,
      ...arguments_.map((text) => word(text, '')),
      ...options,
      word('--help', 'show this help'),
    ],
    takesNames,
    filesToo: command.registeredArguments.length > 0 && arguments_.length === 0 && !takesNames,
  };
  return [own, ...command.commands.flatMap((sub) => wordsOf(program, sub, [...path, sub.name()]))];
}

function word(text: string, description: string): Word {
  return {
    text,
    flags: [text],
    description: description.split('\n')[0] ?? '',
  };
}

function optionWord(option: Option): Word {
  const name = option.long ?? option.flags;
  return {
    ...word(name, option.description),
    flags: [option.long, option.short].filter((flag) => typeof flag === 'string'),
    ...(option.required && {
      values: {
        choices: option.argChoices ?? [],
        commas: isList(option.parseArg),
        files: OPTION_NAMINGS[name] !== 'no file',
      },
    }),
  };
}
