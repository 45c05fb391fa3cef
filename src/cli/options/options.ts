import { type Command, InvalidArgumentError, Option } from 'commander';
import type { PackFormat } from '../../archive/open-archive.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import type { Context } from '../context.ts';
import { createProgress, type ProgressMode } from '../render/progress.ts';

const DAY_MS = 86_400_000;

/** Options of every command that works on a bundle. */
export interface OutputFlags {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly progress: ProgressMode;
}

/** Adds `--json`, `--quiet` and `--progress`. */
export function withOutputOptions(command: Command): Command {
  return command
    .option('--json', 'print one JSON document on standard output, whatever happens')
    .option('-q, --quiet', 'print nothing but refusals')
    .addOption(
      new Option('--progress <how>', 'progress on standard error: auto, json (a line a second) or none')
        .choices(['auto', 'json', 'none'])
        .default('auto'),
    );
}

/** Progress as the flags want it. */
export function progressOf(flags: OutputFlags, context: Context): ReturnType<typeof createProgress> {
  return createProgress(flags.quiet ? 'none' : flags.progress, context);
}

/** What `--format` may be. */
export const FORMATS = ['ova', 'tar', 'tgz', 'zip'] as const;

/** The container from `--format` or the file's extension; tar for standard output. [cli.17] @throws {BundleError} `USAGE` */
export function formatOf(output: string, format: (typeof FORMATS)[number] | undefined): PackFormat {
  const said = formatSaidBy(output);
  const asked = format === 'ova' ? 'tar' : format;
  if (said !== undefined && asked !== undefined && said !== asked) throw contradicts(output, `${format}`);
  const chosen = asked ?? said ?? (output === '-' ? 'tar' : undefined);
  if (chosen !== undefined) return chosen;
  throw new BundleError('USAGE', `the extension of "${output}" does not say which format to write`, {
    fix: 'end the name in .ova, .tar, .tgz, .tar.gz or .zip, or give --format ova|tar|tgz|zip',
  });
}

/** Loose files that are changed where they lie are put into no container. @throws {BundleError} `USAGE` */
export function inPlace(format: (typeof FORMATS)[number] | undefined): undefined {
  if (format === undefined) return undefined;
  throw new BundleError(
    'USAGE',
    `--format ${format} asks for an archive, and without -o loose files stay as they are`,
    {
      fix: `give the archive a name with -o NEW.${format}, or leave out --format`,
    },
  );
}

function formatSaidBy(output: string): PackFormat | undefined {
  if (/\.(ova|tar)$/i.test(output)) return 'tar';
  if (/\.(tgz|tar\.gz)$/i.test(output)) return 'tgz';
  return /\.zip$/i.test(output) ? 'zip' : undefined;
}

function contradicts(output: string, format: string): BundleError {
  return new BundleError('USAGE', `--format ${format} contradicts the extension of "${output}"`, {
    why: 'whoever is given the file takes it for what its name says',
    fix: `leave out --format, or end the name in .${format}`,
  });
}

/** SOURCE_DATE_EPOCH, else 0. @throws {BundleError} `USAGE` */
export function mtimeOf(context: Context): number {
  const text = context.env['SOURCE_DATE_EPOCH'];
  if (text === undefined || text === '') return 0;
  if (/^\d{1,10}$/.test(text)) return Number(text);
  throw new BundleError('USAGE', `SOURCE_DATE_EPOCH is "${text}", which is no count of seconds`, {
    fix: 'set it to seconds since 1970, or unset it',
  });
}

/** What takes the values of an option that may have several. @param before those given so far; nothing, or `true`, at first */
type Gatherer<T> = (value: string, before?: unknown) => readonly T[];

const gatherers = new WeakSet<object>();

/** Collects the values of an option that may have several, each as `parse` reads it. [cli.25] */
export function gatherBy<T>(parse: (value: string) => T): Gatherer<T> {
  const gatherer: Gatherer<T> = (value, before) => [
    ...(Array.isArray(before) ? (before as readonly T[]) : []),
    parse(value),
  ];
  gatherers.add(gatherer);
  return gatherer;
}

/** Whether an option whose values `parse` reads takes several. */
export function isGatherer(parse: unknown): boolean {
  return typeof parse === 'function' && gatherers.has(parse);
}

/** Collects values as they are. */
export const gather = gatherBy((value) => value);

/** Collects object identifiers. */
export const gatherOids = gatherBy((value) => {
  if (/^[0-2](\.(0|[1-9]\d{0,18})){1,32}$/.test(value)) return value;
  throw new InvalidArgumentError('Give an object identifier, such as 2.23.140.1.4.1.');
});

/** Collects some of `choices`. */
export function gatherOf<T extends string>(choices: readonly T[]): Gatherer<T> {
  return gatherBy((value) => {
    const known = choices.find((choice) => choice === value);
    if (known !== undefined) return known;
    throw new InvalidArgumentError(`Allowed choices are ${choices.join(', ')}.`);
  });
}

const lists = new WeakSet<object>();

/** Collects some of `choices`, of which a value has one or more with commas between. */
export function gatherListOf<T extends string>(choices: readonly T[]): Gatherer<readonly T[]> {
  const gatherer = gatherBy((value: string): readonly T[] => {
    const words = value.split(',').map((word) => choices.find((choice) => choice === word));
    const known = words.filter((word) => word !== undefined);
    if (known.length === words.length) return known;
    throw new InvalidArgumentError(`Give some of ${choices.join(', ')}, with commas between.`);
  });
  lists.add(gatherer);
  return gatherer;
}

/** Whether an option whose values `parse` reads takes several in one value, with commas between. */
export function isList(parse: unknown): boolean {
  return typeof parse === 'function' && lists.has(parse);
}

/** A moment in ISO 8601: a date, or a date and time with its offset. */
export function parseTime(text: string): Date {
  const form = /^(\d{4}-\d{2}-\d{2})(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2}))?$/;
  const date = form.exec(text)?.[1];
  const time = new Date(date === undefined ? Number.NaN : text);
  if (!Number.isNaN(time.getTime()) && isOnCalendar(date ?? '')) return time;
  throw new InvalidArgumentError(
    'Give a date (2026-11-21) or a time with its offset (2026-11-21T12:00:00Z).',
  );
}

/** The last moment of a date, or a moment. */
export function parseEnd(text: string): Date {
  const time = parseTime(text);
  return text.includes('T') ? time : new Date(time.getTime() + DAY_MS - 1);
}

/** False for 31 February, which Date takes for 3 March. */
function isOnCalendar(date: string): boolean {
  const day = new Date(date);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(date);
}

/** A count that may be none. */
export function parseDepth(text: string): number {
  if (/^(0|[1-9]\d{0,3})$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Give a whole number.');
}

/** A count of at least one. */
export function parseCount(text: string): number {
  if (/^[1-9]\d{0,6}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Give a whole number of at least 1.');
}

/** Memory in MiB; whoever writes a unit is told the number that is meant. */
export function parseMemory(text: string): number {
  const [, count = '', unit = ''] = /^(\d{1,7}) ?([MG])i?B?$/i.exec(text) ?? [];
  if (count === '') return parseCount(text);
  const meant = Number(count) * (/g/i.test(unit) ? 1024 : 1);
  throw new InvalidArgumentError(`Give a whole number of MiB, without a unit: ${meant}.`);
}

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KIB: 1024,
  MIB: 1024 ** 2,
  GIB: 1024 ** 3,
};

/** A count of bytes, plain or in units of 1000 or 1024. */
export function parseSize(text: string): number {
  const [, digits = '', unit = ''] = /^([1-9]\d{0,12}) ?([KMG]i?B)?$/i.exec(text) ?? [];
  const size = Number(digits) * (UNITS[unit.toUpperCase()] ?? 1);
  if (digits !== '' && Number.isSafeInteger(size)) return size;
  const [, count, letter] = /^([1-9]\d{0,8})([KMG])$/i.exec(text) ?? [];
  if (count !== undefined && letter !== undefined) throw halfAUnit(Number(count), letter.toUpperCase());
  throw new InvalidArgumentError('Give bytes, or a size such as 2GiB or 4700MB.');
}

/** Other programs take K for 1000 or for 1024. */
function halfAUnit(count: number, letter: string): InvalidArgumentError {
  const [binary, decimal] = [`${letter}iB`, `${letter}B`];
  const meant = [binary, decimal].map(
    (unit) => `${count}${unit} (${count * (UNITS[unit.toUpperCase()] ?? 1)} bytes)`,
  );
  return new InvalidArgumentError(`Give the whole unit: ${meant.join(' or ')}.`);
}
