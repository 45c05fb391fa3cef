/** Where a row goes on in the next: under the text behind the label. */
const HANG = 15;
const PIECES = /\x1b\[[0-9;]*m|./gsu;

/**
 * A row as a terminal of so many columns shows it, broken by us: what goes on begins under the text, and never where a row of
 * ours begins. [show.3]
 *
 * What has several lines, and words for a command, are no rows and stay as they are.
 */
export function wrapRow(row: string, columns: number): string {
  if (row.includes('\n') || row.startsWith('-')) return row;
  const most = columns - 1; // a row that fills the last column makes some terminals begin the next at once
  let used = 0;
  let out = '';
  for (const piece of row.match(PIECES) ?? []) {
    const width = widthOf(piece);
    if (used + width > most && most > HANG + 2) {
      out += `\n${' '.repeat(HANG)}`;
      used = HANG;
    }
    out += piece;
    used += width;
  }
  return out;
}

/** As much of a row as fits into one line of so many columns. */
export function cutRow(row: string, columns: number): string {
  let used = 0;
  let out = '';
  for (const char of row) {
    used += widthOf(char);
    if (used > columns) break;
    out += char;
  }
  return out;
}

/** Columns of a character, rather too many: what is broken early does no harm. */
function widthOf(piece: string): number {
  if (piece.startsWith('\x1b')) return 0;
  return piece > '\u02ff' && !/[–—…→✓✗⚠]/.test(piece) ? 2 : 1;
}
