import { printable } from './encoding.ts';

/** The longest name that an advice quotes; a longer one might be cut within its quotes. */
const MOST = 80;

/**
 * A text as one word for sh, bash, zsh and fish, whatever is in it. [show.4]
 *
 * Backslashes and single quotes stand outside of the quotes: fish takes them for something else inside.
 */
export function shellWord(text: string): string {
  if (/^[\w./:@%+,-][\w./:@%+=,-]*$/.test(text)) return text;
  const quoted = text.split(/(['\\])/).map((part) => {
    if (part === '') return '';
    return part === "'" || part === '\\' ? `\\${part}` : `'${part}'`;
  });
  return quoted.join('') || "''";
}

/** A path as one word, which no program takes for an option. [show.4] */
export function shellPath(path: string): string {
  return shellWord(path.startsWith('-') ? `./${path}` : path);
}

/** Whether a text is shown as it is, so that what is copied from the screen is what it is. */
export function isShownWhole(text: string): boolean {
  return text.length <= MOST && printable(text) === text && !/^ | {2}| $|[✓✗⚠]/.test(text);
}
