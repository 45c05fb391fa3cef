import type { Command } from 'commander';
import { BundleError } from '../kit/errors/errors.ts';
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
 * first value where any number of arguments is taken, else as many as are missing. Where any number of bundles is taken it is the last
 * word, and those before it that can be nothing but bundles. [many.8]
 *
 * @throws {BundleError} `USAGE` for a bundle that would be a value then: nobody who names one wants to trust who made it
 */
export async function spreadValues(program: Command, argv: readonly string[]): Promise<readonly string[]> {
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
  const last = runs.at(-1);
  if (!last) return words;
  const isBundle = takesBundles(command) ? await bundleTest() : undefined;
  return withRuns(words, runs, missingIn(command, given, { extra: last.extra, isBundle }), isBundle);
}

type IsBundle = (word: string) => boolean;

/** How many words of the last run are arguments. */
function missingIn(
  { registeredArguments }: Command,
  given: number,
  { extra, isBundle }: { readonly extra: readonly string[]; readonly isBundle: IsBundle | undefined },
): number {
  const missing = registeredArguments.filter(({ required }) => required).length - given;
  if (missing <= 0) return 0;
  if (isBundle) return extra.length - 1 - extra.slice(0, -1).findLastIndex((word) => !isBundle(word));
  return registeredArguments.some(({ variadic }) => variadic)
    ? extra.length
    : Math.min(missing, extra.length);
}

/** Whether any number of bundles is an argument of the command. */
export function takesBundles({ registeredArguments }: Command): boolean {
  return registeredArguments.some((argument) => argument.variadic && argument.name() === 'bundle');
}

/** Tells whether a word can be nothing but a bundle: by its name, or as a folder with a descriptor or a manifest in it. */
async function bundleTest(): Promise<IsBundle> {
  const { isFolder, namesIn } = await import('../storage/beside.ts');
  return (word) =>
    /^https?:|\.(ova|ovf|mf|tar|tgz|tar\.gz|zip)$/i.test(word) ||
    (isFolder(word) && namesIn(word).some((name) => /\.(ovf|mf)$/i.test(name)));
}

function taken(bundle: string, flag: string): BundleError {
  const message = `the option ${flag} would take the bundle "${bundle}" behind it for a value`;
  return new BundleError('USAGE', message, {
    where: { file: bundle },
    why: 'it would not be verified; and nothing that is to be judged is taken to judge by',
    fix: `name bundles before the options, or at the end behind --, as in: bulla verify ${flag} … -- BUNDLE…`,
  });
}

function withRuns(
  words: readonly string[],
  runs: readonly Run[],
  missing: number,
  isBundle: IsBundle | undefined,
): readonly string[] {
  const all = [...words];
  for (const run of [...runs].reverse()) {
    const back = run === runs.at(-1) ? missing : 0;
    const kept = run.extra.slice(0, run.extra.length - back);
    const bundle = isBundle && kept.find(isBundle);
    if (bundle !== undefined) throw taken(bundle, run.flag);
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
