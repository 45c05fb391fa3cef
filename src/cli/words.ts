import type { Command, Option } from 'commander';
import { BundleError } from '../kit/errors/errors.ts';

/** What the words of a command line say, as far as they can be understood; the parser may have refused the line. */
export interface Words {
  /** the command that the line is for, as far as its words name one */
  readonly command: Command;
  /** the words of that command, the program's own first */
  readonly names: readonly string[];
  /** the first option before the command */
  readonly early: string | undefined;
  /** all words but those, and the values in them: what may name a file */
  readonly others: readonly string[];
  /** whether one JSON document is asked for */
  readonly json: boolean;
  /** how many arguments there are */
  readonly count: number;
  /** whether what is made goes to standard output, where a document among its bytes would help nobody */
  readonly toStdout: boolean;
  /** the last option that has taken the word behind it */
  readonly taking: Taking | undefined;
  /** the first option that has taken another option of the command for its value */
  readonly swallowing: Taking | undefined;
}

/** An option, and the word that it has taken. */
interface Taking {
  readonly option: string;
  readonly value: string;
}

/** Reads a command line word by word, as the parser does: the value of an option, and what stands behind `--`, is no option. */
export function readWords(program: Command, argv: readonly string[]): Words {
  let command = program;
  const names = [program.name()];
  const others = [...argv];
  const found = new Map<string, string | undefined>();
  let early: string | undefined;
  let taking: Taking | undefined;
  let swallowing: Taking | undefined;
  let count = 0; // behind an argument stands no subcommand
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i] ?? '';
    if (word === '--') {
      count += argv.length - i - 1;
      break;
    }
    if (word.startsWith('-') && word !== '-') {
      if (command === program) early ??= word;
      for (const { long, value, takesNext } of optionsIn(command, word)) {
        if (takesNext) i++;
        const next = takesNext ? argv[i] : undefined;
        found.set(long, next ?? value);
        if (next === undefined) continue;
        taking = { option: long, value: next };
        if (find(command, next)) swallowing ??= taking;
      }
      continue;
    }
    const next: Command | undefined =
      count > 0 ? undefined : command.commands.find((sub) => sub.name() === word);
    if (next === undefined) {
      count++;
      continue;
    }
    command = next;
    names.push(word);
    others.splice(others.indexOf(word), 1);
  }
  const values = others.flatMap(valuesIn);
  return {
    command,
    names,
    early,
    others: [...others, ...values],
    json: found.has('--json'),
    count,
    toStdout: found.get('--output') === '-',
    taking,
    swallowing,
  };
}

/** No path that the system takes is longer. */
const LONGEST_PATH = 4096;

/** What may be the value in one word: that of an option whose name nobody knows, too. */
function valuesIn(word: string): readonly string[] {
  if (word.startsWith('--')) return word.includes('=') ? [word.slice(word.indexOf('=') + 1)] : [];
  if (!word.startsWith('-')) return [];
  const rest = word.slice(2).slice(-LONGEST_PATH);
  return Array.from({ length: rest.length }, (_, at) => rest.slice(at));
}

interface Found {
  readonly long: string;
  readonly value?: string;
  readonly takesNext: boolean;
}

/** The options in one word, such as `--output=-`, `-o-` or `-qo`. */
export function optionsIn(command: Command, word: string): readonly Found[] {
  if (word.startsWith('--')) {
    const [long = '', ...values] = word.split('=');
    if (values.length > 0) return [{ long, value: values.join('='), takesNext: false }];
    return [{ long, takesNext: find(command, long)?.required ?? false }];
  }
  const option = find(command, word.slice(0, 2));
  const rest = word.slice(2);
  if (option?.long === undefined || option.long === null) return [];
  if (option.required) {
    return [{ long: option.long, ...(rest !== '' && { value: rest }), takesNext: rest === '' }];
  }
  return [{ long: option.long, takesNext: false }, ...(rest ? optionsIn(command, `-${rest}`) : [])];
}

function find(command: Command, flag: string): Option | undefined {
  return command.options.find(({ short, long }) => short === flag || long === flag);
}

/**
 * What of a word is not UTF-8 comes to Node as U+FFFD, whatever it was: two names would be one, and the second output
 * would replace the first. [out.2]
 *
 * @throws {BundleError} `USAGE`
 */
export function expectUtf8(paths: readonly string[]): void {
  const path = paths.find((one) => one.includes('\uFFFD'));
  if (path === undefined) return;
  throw new BundleError('USAGE', `the name "${path}" is not UTF-8`, {
    where: { file: path },
    why: 'such names cannot be told from one another here, and one file might be taken for another',
    fix: 'rename the file or folder, or choose another name for the output',
  });
}
