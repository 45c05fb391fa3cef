import { Command, type Option } from 'commander';

/** A name that the help has, as `normalize --repair` or `exit-codes`, and what the help says of it. */
export type Hit = readonly [name: string, text: string];

/**
 * The commands, options and topics of the help that some words find: first what is called by them and nothing else, then what
 * is called by them, too, or has such a value, then what speaks of them. What several commands say alike of an option is one. [cli.32]
 */
export function helpHits(
  asked: readonly string[],
  program: Command,
  topics: Readonly<Record<string, () => readonly string[]>>,
): readonly Hit[] {
  if (!asked.every((word) => /[\p{L}\p{N}]/u.test(word))) return [];
  const words = asked.map(wordIn);
  const sole = asked.join('-').toLowerCase();
  const rankOf = ({ name, own, called, text, says }: Place): number => {
    if (own.toLowerCase() === sole) return 0;
    const isIn = (text: string): boolean => words.every((word) => word.test(`${name} ${text}`));
    if (words.some((word) => word.test(called)) && isIn(called)) return 1;
    if (isIn(`${called} ${text}`)) return called === name ? 2 : 3; // options come behind commands
    return isIn(`${called} ${says}`) ? 4 : NO_HIT;
  };
  const places = [...inTopics(topics), ...program.commands.flatMap((command) => inCommand(command))];
  const ranked = places.map((place) => ({ ...place, rank: rankOf(place) }));
  return alike(ranked.filter(({ rank }) => rank < NO_HIT).sort((a, b) => a.rank - b.rank));
}

const NO_HIT = 5;

/** A word by itself, one or several of it. */
function wordIn(word: string): RegExp {
  const escaped = word.replace(/(?<=\w{3})s$/i, '').replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
  return new RegExp(`(?<![\\p{L}\\p{N}])${escaped}s?(?![\\p{L}\\p{N}])`, 'iu');
}

/** What several commands say in the same words of an option of theirs, once. */
function alike(places: readonly Place[]): readonly Hit[] {
  const groups = new Map<string, Place[]>();
  for (const place of places) {
    const key = `${place.own}\n${place.text}`;
    groups.set(key, [...(groups.get(key) ?? []), place]);
  }
  return [...groups.values()].flatMap(([first, ...others]): readonly Hit[] => {
    if (first === undefined) return [];
    const also = others.map(({ command }) => command).join(', ');
    return [[first.name, others.length > 0 ? `${first.text}; also: ${also}` : first.text]];
  });
}

interface Place {
  readonly name: string;
  readonly command: string;
  /** the last of its names, without dashes in front */
  readonly own: string;
  /** what it is called by, and the values that it takes */
  readonly called: string;
  readonly says: string;
  readonly text: string;
}

function inTopics(topics: Readonly<Record<string, () => readonly string[]>>): readonly Place[] {
  return Object.entries(topics).map(([name, lines]) => {
    const [text = ''] = lines();
    return {
      name,
      command: name,
      own: name,
      called: name,
      says: lines().join('\n'),
      text: text.replace(/:$/, ''),
    };
  });
}

function inCommand(command: Command, before = ''): readonly Place[] {
  const name = `${before}${command.name()}`;
  const text = command.summary() || command.description();
  const listed = command.options.filter(({ hidden }) => !hidden);
  return [
    {
      name,
      command: name,
      own: command.name(),
      called: name,
      says: `${text} ${command.description()}`,
      text,
    },
    ...listed.map((option) => inOption(option, name)),
    ...command.commands.flatMap((sub) => inCommand(sub, `${name} `)),
  ];
}

function inOption({ long, argChoices, description }: Option, command: string): Place {
  const called = [`${long}`, ...(argChoices ?? [])].join('\n');
  const own = `${long}`.replace(/^--/, '');
  return { name: `${command} ${long}`, command, own, called, says: description, text: description };
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
