import { type Command, InvalidArgumentError } from 'commander';
import type { Context } from '../context.ts';
import type { Exit } from '../program.ts';

/** A command with the words that may follow it. */
interface Words {
  readonly path: readonly string[];
  readonly words: readonly { readonly text: string; readonly description: string }[];
}

const WRITERS: Readonly<Record<string, (words: readonly Words[]) => string>> = { bash, zsh, fish };

/** `bulla completion bash|zsh|fish` */
export function completionCommand(program: Command, context: Context, _exit: Exit): void {
  program
    .command('completion')
    .summary('print a completion script for bash, zsh or fish')
    .description('Prints a completion script. For bash: source <(bulla completion bash)')
    .argument('<shell>', 'bash, zsh or fish', (shell: string) => {
      if (WRITERS[shell]) return shell;
      throw new InvalidArgumentError('Known are bash, zsh and fish.');
    })
    .action((shell: string) => context.print(WRITERS[shell]?.(wordsOf(program, [])) ?? ''));
}

/** Every command below `command`, with its subcommands and options, from the table that parses them. */
function wordsOf(command: Command, path: readonly string[]): readonly Words[] {
  const subcommands = command.commands.map((sub) => ({
    text: sub.name(),
    description: sub.summary() || sub.description(),
  }));
  const options = command.options.map((option) => ({
    text: option.long ?? option.flags,
    description: option.description,
  }));
  const own = { path, words: [...subcommands, ...options, { text: '--help', description: 'show help' }] };
  return [own, ...command.commands.flatMap((sub) => wordsOf(sub, [...path, sub.name()]))];
}

function bash(all: readonly Words[]): string {
  const cases = all.map(
    ({ path, words }) => `    '${path.join(' ')}') words='${words.map(({ text }) => text).join(' ')}' ;;`,
  );
  return `_bulla() {
  local word path='' words=''
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in
      -*) ;;
      ${subcommandsOf(all).join('|')}) path="\${path:+$path }$word" ;;
    esac
  done
  case "$path" in
${cases.join('\n')}
  esac
  if [[ "\${COMP_WORDS[COMP_CWORD]}" == -* || -z "$path" || "$path" == trust ]]; then
    COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
  else
    COMPREPLY=($(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}"))
  fi
}
complete -o filenames -F _bulla bulla`;
}

function zsh(all: readonly Words[]): string {
  return `#compdef bulla
autoload -U +X bashcompinit && bashcompinit
${bash(all)}`;
}

function fish(all: readonly Words[]): string {
  const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  return all
    .flatMap(({ path, words }) => {
      const condition =
        path.length === 0
          ? '__fish_use_subcommand'
          : path.map((word) => `__fish_seen_subcommand_from ${word}`).join('; and ');
      return words.map(({ text, description }) => {
        const what = text.startsWith('--') ? `-l ${text.slice(2)}` : `-a ${text}`;
        return `complete -c bulla -n '${condition}' ${what} -d ${quoted(description.split('\n')[0] ?? '')}`;
      });
    })
    .join('\n');
}

function subcommandsOf(all: readonly Words[]): readonly string[] {
  return [...new Set(all.flatMap(({ path }) => path))];
}
