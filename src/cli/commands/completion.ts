import { type Command, InvalidArgumentError, type Option } from 'commander';
import type { Context, Exit } from '../context.ts';
import { helpTopics } from './help.ts';

/** A word that may follow, and what it is for; `choices` are what may follow an option itself. */
interface Word {
  readonly text: string;
  /** all its spellings, such as `--output` and `-o` */
  readonly flags: readonly string[];
  readonly description: string;
  readonly takesValue: boolean;
  readonly choices: readonly string[];
}

/** A command with the words that may follow it; `filesToo`: so may the name of a file. */
interface CommandWords {
  readonly path: readonly string[];
  readonly words: readonly Word[];
  readonly filesToo: boolean;
}

const SHELLS = ['bash', 'zsh', 'fish'] as const;
const WRITERS: Readonly<Record<string, (commands: readonly CommandWords[]) => string>> = { bash, zsh, fish };

/** `bulla completion bash|zsh|fish` */
export function completionCommand(program: Command, context: Context, _exit: Exit): void {
  program
    .command('completion')
    .summary('print a completion script for bash, zsh or fish')
    .description(
      'Prints a completion script. To have it now, and in every new shell when the line is put there:\n' +
        '  bash  source <(bulla completion bash)                in ~/.bashrc\n' +
        '  zsh   source <(bulla completion zsh)                 in ~/.zshrc\n' +
        '  fish  bulla completion fish | source                 in ~/.config/fish/config.fish',
    )
    .argument('<shell>', SHELLS.join(', '), (shell: string) => {
      if (WRITERS[shell]) return shell;
      throw new InvalidArgumentError(`Known are ${SHELLS.join(', ')}.`);
    })
    .action((shell: string) => context.print(WRITERS[shell]?.(wordsOf(program, program, [])) ?? ''));
}

/** Every command from `command` down, with its subcommands and options, from the table that parses them. */
function wordsOf(program: Command, command: Command, path: readonly string[]): readonly CommandWords[] {
  const subcommands = command.commands.map((sub) => word(sub.name(), sub.summary() || sub.description()));
  const options = command.options.map(optionWord);
  const name = path.join(' ');
  const arguments_ =
    name === 'completion' ? [...SHELLS] : name === 'help' ? helpTopics(program) : ([] as readonly string[]);
  const own = {
    path,
    words: [
      ...subcommands,
      ...arguments_.map((text) => word(text, '')),
      ...options,
      word('--help', 'show help'),
    ],
    filesToo: subcommands.length === 0 && arguments_.length === 0,
  };
  return [own, ...command.commands.flatMap((sub) => wordsOf(program, sub, [...path, sub.name()]))];
}

function word(text: string, description: string): Word {
  return {
    text,
    flags: [text],
    description: description.split('\n')[0] ?? '',
    takesValue: false,
    choices: [],
  };
}

function optionWord(option: Option): Word {
  return {
    ...word(option.long ?? option.flags, option.description),
    flags: [option.long, option.short].filter((flag) => typeof flag === 'string'),
    takesValue: option.required,
    choices: option.argChoices ?? [],
  };
}

/** Runs in the bash 3.2 of macOS, too: no mapfile, no associative arrays. */
function bash(commands: readonly CommandWords[]): string {
  const list = (texts: readonly string[]): string => texts.join('\\n');
  const branches = commands.map(
    ({ path, words, filesToo }) =>
      `    '${path.join(' ')}') offered=$'${list(words.map(({ text }) => text))}'; files=${filesToo ? 1 : ''} ;;`,
  );
  const values = commands.flatMap(({ path, words }) => {
    const taking = words.filter(({ takesValue }) => takesValue);
    const of = (text: string): string => `'${[...path, ''].join(' ')}'${text}`;
    const plain = taking.filter(({ choices }) => choices.length === 0).flatMap(({ flags }) => flags.map(of));
    return [
      ...taking
        .filter(({ choices }) => choices.length > 0)
        .map(
          ({ flags, choices }) => `    ${flags.map(of).join('|')}) offered=$'${list(choices)}'; files= ;;`,
        ),
      ...(plain.length > 0 ? [`    ${plain.join('|')}) offered=''; files=1 ;;`] : []),
    ];
  });
  const names = [...new Set(commands.flatMap(({ path }) => path))];
  return `_bulla() {
  local word command='' offered='' files='' IFS=$'\\n'
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}"
  for word in "\${COMP_WORDS[@]:1:$((COMP_CWORD-1))}"; do
    case "$word" in
      ${names.join('|')}) command="\${command:+$command }$word" ;;
    esac
  done
  case "$command" in
${branches.join('\n')}
  esac
  case "$command $previous" in
${values.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$offered" -- "$current"))
  if [[ -n "$files" && "$current" != -* ]]; then
    COMPREPLY=($(compgen -f -- "$current"))
  fi
}
complete -o filenames -F _bulla bulla`;
}

function zsh(commands: readonly CommandWords[]): string {
  return `#compdef bulla
if ! whence compdef >/dev/null; then autoload -Uz compinit && compinit; fi
autoload -U +X bashcompinit && bashcompinit
${bash(commands)}`;
}

function fish(commands: readonly CommandWords[]): string {
  const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  return commands
    .flatMap(({ path, words }) => {
      const condition =
        path.length === 0
          ? '__fish_use_subcommand'
          : path.map((name) => `__fish_seen_subcommand_from ${name}`).join('; and ');
      return words.map(({ text, description, takesValue, choices }) => {
        const what = text.startsWith('--') ? `-l ${text.slice(2)}` : `-a ${text}`;
        const value = choices.length > 0 ? ` -xa ${quoted(choices.join(' '))}` : takesValue ? ' -r' : '';
        return `complete -c bulla -n '${condition}' ${what}${value} -d ${quoted(description)}`;
      });
    })
    .join('\n');
}
