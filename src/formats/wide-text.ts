/** An encoding with units of two or four bytes. */
export type WideEncoding = 'UTF-16LE' | 'UTF-16BE' | 'UTF-32LE' | 'UTF-32BE';

/**
 * The encoding of a text in units of two or four bytes, with a byte order mark or without; undefined for any other bytes.
 *
 * Without a mark it is told by where the zero bytes of the first characters are, which are of ASCII in every format of ours
 * (XML 1.0, appendix F). Such texts are refused, and named: whoever wrote one meant no harm, and has to hear what to do.
 */
export function wideEncoding(bytes: Uint8Array): WideEncoding | undefined {
  const [a, b, c, d] = bytes;
  if (a === 0xff && b === 0xfe) return c === 0 && d === 0 ? 'UTF-32LE' : 'UTF-16LE';
  if (a === 0xfe && b === 0xff) return 'UTF-16BE';
  if (a === 0 && b === 0) return c === 0xfe || (c === 0 && d !== 0) ? 'UTF-32BE' : undefined;
  if (a === 0 && c === 0 && b !== undefined) return 'UTF-16BE';
  if (b !== 0 || a === undefined || d !== 0) return undefined;
  return c === 0 ? 'UTF-32LE' : 'UTF-16LE';
}

/** How a text in a wide encoding becomes UTF-8, as the end of a sentence. */
export function asUtf8(encoding: WideEncoding): string {
  return `save it as UTF-8 (iconv -f ${encoding.slice(0, 6)} -t UTF-8; in PowerShell: Out-File -Encoding utf8)`;
}
