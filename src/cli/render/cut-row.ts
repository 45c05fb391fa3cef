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

/** How many columns a text takes, rather too many than too few. */
export function columnsOf(text: string): number {
  if (/^[ -~]*$/.test(text)) return text.length;
  let columns = 0;
  for (const char of text) columns += widthOf(char);
  return columns;
}

/** Letters of most scripts take one column, those of East Asia and what is drawn as a picture two, and what stands over another none. */
function widthOf(char: string): number {
  if (/^[ -~–—…→✓✗⚠]$/.test(char)) return 1;
  if (/^\p{Mn}$/u.test(char)) return 0;
  return char >= '\u1100' ? 2 : 1;
}
