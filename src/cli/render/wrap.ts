import { commandsIn } from './commands-in-text.ts';
import { columnsOf } from './cut-row.ts';

/** How much deeper what goes on stands than the text that it goes on from; no row of ours begins so deep below another. [show.2] */
const DEEPER = 4;
/** Below so many columns, what goes on does not stand under the text, but under the label. */
const NARROW = 60;
/** What switches a colour of ours on or off. */
const COLOUR = /\u001b\[[0-9]+m/g;
/** The widest label, with the blanks around it. */
const WIDEST_LABEL = 32;

/**
 * A text for people, each of its rows broken at blanks where it is wider than so many columns; what holds no blank, a digest or
 * a path, stays whole, on a row of its own. A command that is broken is still one where it is pasted. [show.2] [show.4]
 */
export function wrapText(text: string, columns: number): string {
  return text
    .split('\n')
    .map((row) => (widthIn(row) <= columns ? row : wrapRow(row, columns)))
    .join('\n');
}

function wrapRow(row: string, columns: number): string {
  const hang = hangOf(row.replace(COLOUR, ''), columns);
  let out = '';
  let used = 0;
  for (const piece of piecesOf(row)) {
    const { gap, word, width, whole, goesOn } = piece;
    const isFirst = used === 0;
    const room = columns - (goesOn ? 2 : 0);
    // a command begins on a new row if that keeps it in one
    const fits = used + gap + width <= room && (used + gap + whole <= columns || hang.less + whole > columns);
    if (fits || (isFirst && (width === 0 || gap === 0))) {
      out += ' '.repeat(gap) + word;
      if (width > 0 || gap > 0) used += gap + width;
      continue;
    }
    const indent = hang.text + Math.max(whole, width) <= columns ? hang.text : hang.less;
    out += `${isFirst ? '' : `${piece.inside ? ' \\' : ''}\n`}${' '.repeat(indent)}${word}`;
    used = indent + width;
  }
  return out;
}

/** Where what goes on begins: under the text of the row, or, for what does not fit there, under its label. */
function hangOf(row: string, columns: number): { readonly text: number; readonly less: number } {
  const indent = row.length - row.trimStart().length;
  const less = Math.min(indent, DEEPER) + DEEPER;
  if (columns < NARROW || indent === 0) return { text: less, less };
  const label = /^ {2}[a-z][a-z ]{10}[a-z] (?=\S)/.exec(row) ?? /^ {2,13}\S+(?: \S+)* {2,}(?=\S)/.exec(row);
  const text = label && label[0].length <= WIDEST_LABEL ? label[0].length : indent;
  return { text: Math.max(less, text + DEEPER), less };
}

/** A word of a command, with whatever is in its quotes. */
const QUOTED = /^(?:'[^']*'|"[^"]*"|[^ ])+/;
/** One of prose, or the code of an error with its exit code. */
const PLAIN = /^(?:[^ ]*\[[A-Z0-9_]+, exit \d+\])?[^ ]*/;

/** What a row is made of, and may be broken between. */
interface Piece {
  /** blanks in front */
  readonly gap: number;
  readonly word: string;
  /** columns of the word */
  readonly width: number;
  /** columns from here to the end of the command that begins here, else of the word */
  readonly whole: number;
  /** whether a command goes on from the word before to this one */
  readonly inside: boolean;
  /** whether a command goes on behind this word */
  readonly goesOn: boolean;
}

function piecesOf(row: string): readonly Piece[] {
  const commands = commandsIn(row);
  const pieces: Piece[] = [];
  for (let at = 0; at < row.length; ) {
    const start = at + (/^ */.exec(row.slice(at))?.[0].length ?? 0);
    const isQuoting = commands.some((one) => one.start <= start && start < one.end); // elsewhere a quote may be an apostrophe
    const word = (isQuoting ? QUOTED : PLAIN).exec(row.slice(start))?.[0] ?? '';
    if (word === '') break;
    const end = start + word.length;
    const own = commands.find((one) => one.start < end && start < one.end);
    pieces.push({
      gap: start - at,
      word,
      width: widthIn(word),
      whole: widthIn(own && start <= own.start ? row.slice(start, own.end) : word),
      inside: own !== undefined && own.start < start,
      goesOn: own !== undefined && end < own.end,
    });
    at = end;
  }
  return pieces;
}

function widthIn(text: string): number {
  return columnsOf(text.replace(COLOUR, ''));
}
