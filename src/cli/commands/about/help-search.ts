import { Command, type Option } from 'commander';

/** A name that the help has, as `normalize --repair` or `exit-codes`, and what the help says of it. */
export type Hit = readonly [name: string, text: string];

/** The commands, options and topics of the help that are called by a word, or, where there are none, that speak of it. [cli.32] */
export function helpHits(
  asked: string,
  program: Command,
  topics: Readonly<Record<string, () => readonly string[]>>,
): readonly Hit[] {
  const escaped = asked.trim().replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
  if (!/[\p{L}\p{N}]/u.test(asked)) return [];
  const word = new RegExp(`(?<![\\p{L}\\p{N}])${escaped}(?![\\p{L}\\p{N}])`, 'iu');
  const places = [...inTopics(topics), ...program.commands.flatMap((command) => inCommand(command))];
  const called = places.filter(({ called }) => word.test(called));
  const hits = called.length > 0 ? called : places.filter(({ says }) => word.test(says));
  return [...new Map(hits.map(({ name, text }) => [name, text]))];
}

interface Place {
  readonly name: string;
  /** what it is called by, and the values that it takes */
  readonly called: string;
  readonly says: string;
  readonly text: string;
}

function inTopics(topics: Readonly<Record<string, () => readonly string[]>>): readonly Place[] {
  return Object.entries(topics).map(([name, lines]) => {
    const [text = ''] = lines();
    return { name, called: name, says: lines().join('\n'), text: text.replace(/:$/, '') };
  });
}

function inCommand(command: Command, before = ''): readonly Place[] {
  const name = `${before}${command.name()}`;
  const text = command.summary() || command.description();
  const listed = command.options.filter(({ hidden }) => !hidden);
  return [
    { name, called: name, says: `${text} ${command.description()}`, text },
    ...listed.map((option) => inOption(option, name)),
    ...command.commands.flatMap((sub) => inCommand(sub, `${name} `)),
  ];
}

function inOption({ long, argChoices, description }: Option, command: string): Place {
  const called = [`${long}`, ...(argChoices ?? [])].join('\n');
  return { name: `${command} ${long}`, called, says: description, text: description };
}

/** What a word looks like, by the parser's own measure; undefined when it looks like none. */
export function similarTo(word: string, names: readonly string[]): string | undefined {
  const parser = new Command()
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .helpCommand(false);
  for (const name of names) parser.command(name);
  try {
    parser.parse(['--', word], { from: 'user' });
  } catch (error) {
    return /\(Did you mean (?:one of )?(.+?)\?\)/.exec(String(error))?.[1];
  }
  return undefined;
}
