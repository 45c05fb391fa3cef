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

/** Columns of a character, rather too many: what is cut early does no harm. */
function widthOf(char: string): number {
  return char > '\u02ff' && !/[–—…→✓✗⚠]/.test(char) ? 2 : 1;
}
