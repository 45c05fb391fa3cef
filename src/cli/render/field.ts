import { unlikeRow } from '../../kit/encoding.ts';
import type { DefaultReport, InputReport } from '../../verdict/report/report.ts';
import { columnsOf } from './cut-row.ts';

/** The most of one text that is shown; all of it is in the JSON document. [show.2] */
const MOST = 480;
/** Where texts begin under a headline: behind the label. */
const LABEL = 12;
/** Steps of indentation that are shown; beyond them a terminal might fold within the blanks. [show.2] */
const STEPS = 10;

/**
 * A text as it is shown in a row: without what cannot be seen, runs of blanks as one, our marks escaped, and cut. [show.2]
 *
 * A row of ours begins with a mark and a blank, or with two blanks, and no text that comes from elsewhere holds either: wherever
 * a terminal folds a row, what follows is no row of ours.
 */
export function shown(text: string, most: number = MOST): string {
  const seen = unlikeRow(text);
  const chars = seen.length > most ? [...seen] : [];
  return chars.length > most ? `${chars.slice(0, most).join('')}…` : seen;
}

/**
 * A line under a headline: a label in a column of its own, and texts with two blanks between.
 *
 * Only the first may begin with words of others: a fold may come before the two blanks of the next. [show.2]
 */
export function field(label: string, ...texts: readonly string[]): string {
  return `  ${label.padEnd(LABEL)} ${texts.map((text) => shown(text)).join('  ')}`;
}

/** The same, the texts indented by so many steps. */
export function nestedField(label: string, depth: number, ...texts: readonly string[]): string {
  return `  ${label.padEnd(LABEL)} ${'  '.repeat(Math.min(depth, STEPS))}${texts.map((text) => shown(text)).join('  ')}`;
}

/** Columns of a name that the sizes beside it are aligned to, at most; a longer one stands whole in front of its own. */
const MOST_ALIGNED = 40;
/** Columns of a size, as `999.9 MB`. */
const SIZE = 8;

/** Names, each with its size, the sizes one below the other. */
export function sizedRows(
  files: readonly { readonly name: string }[],
  sizes: readonly string[],
): readonly string[] {
  const names = files.map(({ name }) => shown(name));
  const nameColumns = Math.min(MOST_ALIGNED, Math.max(...names.map(columnsOf)));
  const sizeColumns = Math.max(SIZE, ...sizes.map((size) => size.length));
  return names.map((name, i) => {
    const blanks = ' '.repeat(Math.max(0, nameColumns - columnsOf(name)));
    return `${name}${blanks}  ${(sizes[i] ?? '').padStart(sizeColumns)}`;
  });
}

/** A file, address or `-` as people call it, and a bundle in one. */
export function inputName(name: string): string {
  return name.replace(/(^| in )-$/, '$1standard input');
}

/** What was judged: a file, or the bundle in one. [inner.4] */
export function inputTitle({ name, inner }: InputReport): string {
  return inputName(inner ? `${inner.name} in ${name}` : name);
}

/** What the options are from that the command line left out. [cli.29] */
export function defaultsField(defaults: readonly DefaultReport[]): string {
  const options = new Map<string, readonly string[]>();
  for (const { option, from } of defaults) options.set(from, [...(options.get(from) ?? []), option]);
  return field('defaults', ...[...options].map(([from, names]) => `${names.join(' and ')} from ${from}`));
}
