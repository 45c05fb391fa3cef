import type { Command } from 'commander';
import { isGatherer } from './options/options.ts';
import { optionsIn } from './words.ts';

/** Words that stand behind the first value of an option that takes several, and where. */
interface Run {
  readonly flag: string;
  readonly at: number;
  readonly extra: readonly string[];
}

/**
 * The same line with each value of such an option behind its own: `--crl a b` becomes `--crl a --crl b`. [cli.25]
 *
 * Where an argument would be missing then, the last words are taken back for it, as in `verify --trust ca.pem web.ova`: all but the
 * first value where any number of arguments is taken, else as many as are missing.
 */
export function spreadValues(program: Command, argv: readonly string[]): readonly string[] {
  let command = program;
  let given = 0;
  const words: string[] = [];
  const runs: Run[] = [];
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i] ?? '';
    words.push(word);
    if (word === '--') {
      words.push(...argv.slice(i + 1));
      given += argv.length - i - 1;
      break;
    }
    if (!isOption(word)) {
      const next: Command | undefined =
        given > 0 ? undefined : command.commands.find((sub) => sub.name() === word);
      if (next) command = next;
      else given++;
      continue;
    }
    const option = optionsIn(command, word).find(({ takesNext }) => takesNext);
    if (!option || i + 1 >= argv.length) continue;
    words.push(argv[++i] ?? '');
    if (!takesSeveral(command, option.long)) continue;
    const end = argv.findIndex((other, at) => at > i && (isOption(other) || other === '-'));
    const extra = argv.slice(i + 1, end < 0 ? argv.length : end);
    if (extra.length > 0) runs.push({ flag: word, at: words.length, extra });
    i += extra.length;
  }
  return withRuns(words, runs, missingIn(command, given));
}

/** How many words of the last run are arguments. */
function missingIn({ registeredArguments }: Command, given: number): number {
  const missing = registeredArguments.filter(({ required }) => required).length - given;
  if (missing <= 0) return 0;
  return registeredArguments.some(({ variadic }) => variadic) ? Number.MAX_SAFE_INTEGER : missing;
}

function withRuns(words: readonly string[], runs: readonly Run[], missing: number): readonly string[] {
  const all = [...words];
  for (const run of [...runs].reverse()) {
    const back = run === runs.at(-1) ? Math.min(missing, run.extra.length) : 0;
    const kept = run.extra.slice(0, run.extra.length - back);
    all.splice(run.at, 0, ...kept.flatMap((value) => [run.flag, value]), ...run.extra.slice(kept.length));
  }
  return all;
}

function isOption(word: string): boolean {
  return word.startsWith('-') && word !== '-';
}

function takesSeveral(command: Command, long: string): boolean {
  return isGatherer(command.options.find((option) => option.long === long)?.parseArg);
}
