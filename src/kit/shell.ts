import { unlikeRow } from './encoding.ts';

/** The longest word that an advice quotes; a longer one might be cut within its quotes. */
const MOST = 80;

/**
 * A text as one word for sh, bash, zsh and fish, whatever is in it. [show.4]
 *
 * What is quoted stays so where a line is broken within the quotes, but for backslashes: fish takes them for something else in
 * single quotes, and in double quotes one in front of a line end takes that away.
 */
export function shellWord(text: string): string {
  if (/^[\w./:@%+,-][\w./:@%+=,-]*$/.test(text)) return text;
  const quoted = text.split(/(['\\])/).map((part) => {
    if (part === '') return '';
    if (part === '\\') return String.raw`"\\"`;
    return part === "'" ? `"'"` : `'${part}'`;
  });
  return quoted.join('') || "''";
}

/** A path as one word, which no program takes for an option. [show.4] */
export function shellPath(path: string): string {
  return shellWord(path.startsWith('-') ? `./${path}` : path);
}

/** Whether a text is fit for advice: shown as it is, wherever a terminal folds it, and quoted, however it is copied. [show.4] */
export function isShownWhole(text: string): boolean {
  if (/^ | $|\\|(?:OK|FAILED|WARNING)(?!\w)/.test(text)) return false;
  return unlikeRow(text) === text && shellWord(text).length <= MOST;
}
