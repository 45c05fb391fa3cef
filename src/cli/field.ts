import { printable } from '../kit/encoding.ts';

/** The most of one text that is shown; all of it is in the JSON document. [show.2] */
const MOST = 480;
/** Where texts begin under a headline: behind the label. */
const LABEL = 12;

/**
 * A text as it is shown in a row: without what cannot be seen, runs of blanks as one, our marks escaped, and cut. [show.2]
 *
 * A row of ours begins with a mark or two blanks, and no text that comes from elsewhere holds either: wherever a terminal
 * breaks a row, what follows is no row of ours.
 */
export function shown(text: string, most: number = MOST): string {
  const seen = printable(text)
    .replace(/ {2,}/g, ' ')
    .replace(/[✓✗⚠]/g, (mark) => `\\u{${mark.charCodeAt(0).toString(16)}}`);
  const chars = seen.length > most ? [...seen] : [];
  return chars.length > most ? `${chars.slice(0, most).join('')}…` : seen;
}

/** A line under a headline: a label in a column of its own, and texts with two blanks between. */
export function field(label: string, ...texts: readonly string[]): string {
  return `  ${label.padEnd(LABEL)} ${texts.map((text) => shown(text)).join('  ')}`;
}

/** The same, the texts indented by so many steps. */
export function nestedField(label: string, depth: number, ...texts: readonly string[]): string {
  return `  ${label.padEnd(LABEL)} ${'  '.repeat(depth)}${texts.map((text) => shown(text)).join('  ')}`;
}

/** A file, address or `-` as people call it. */
export function inputName(name: string): string {
  return name === '-' ? 'standard input' : name;
}
