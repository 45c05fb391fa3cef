/** What a line is that is not in the form of the format: the end of a sentence that begins with the line, and what to do. */
export interface OddLine {
  readonly is: string;
  readonly fix?: string;
}

/** Only so much of a line is looked at: whoever writes more is not somebody who has made a mistake. */
const LOOKED_AT = 8192;

/** The line as far as it is looked at, without blanks around it. */
export function seenPart(line: string): string {
  return line.slice(0, LOOKED_AT).trim();
}

/**
 * How a value that should be hex is written, where that can be told; undefined for hex, and for anything else.
 *
 * It only names: nothing of the kind is read, since a reader that did would take for one value what another refuses.
 */
export function oddValue(
  value: string,
): 'nothing' | 'base64' | 'hex with colons' | 'hex with 0x' | 'hex with blanks' | undefined {
  if (value === '') return 'nothing';
  if (/^[0-9A-Fa-f]+$/.test(value)) return undefined;
  if (/^0[xX][0-9A-Fa-f]+$/.test(value)) return 'hex with 0x';
  if (/^[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2})+$/.test(value)) return 'hex with colons';
  if (/^[0-9A-Fa-f]{2,}(?:[ \t]+[0-9A-Fa-f]{2,})+$/.test(value)) return 'hex with blanks';
  return isBase64(value) ? 'base64' : undefined;
}

/** Base64 of at least a digest, in either alphabet, with padding or without. */
export function isBase64(text: string): boolean {
  return text.length >= 27 && /^(?:[A-Za-z0-9+/]+|[A-Za-z0-9_-]+)={0,2}$/.test(text);
}
