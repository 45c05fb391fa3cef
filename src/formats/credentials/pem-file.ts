import { decodeLatin1 } from '../../kit/encoding.ts';

/** A file in which people keep PEM, as text. */
export interface PemFile {
  readonly text: string;
  /** every character has two bytes, as PowerShell writes with `>` and Notepad calls "Unicode" */
  readonly utf16: boolean;
}

/**
 * The text of a file of certificates or keys: UTF-16, or one byte a character, since all that counts in PEM is of ASCII; without a
 * mark of the order of bytes, and with line feeds at the ends of lines. Undefined for UTF-16 that is cut off.
 */
export function decodePemFile(bytes: Uint8Array): PemFile | undefined {
  const order = orderOf(bytes);
  if (order === undefined) return { text: plain(decodeLatin1(withoutMark(bytes))), utf16: false };
  if (bytes.byteLength % 2 !== 0) return undefined;
  const units = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let text = '';
  for (let at = 0; at < bytes.byteLength; at += 2)
    text += String.fromCharCode(units.getUint16(at, order === 'little'));
  return { text: plain(text.replace(/^\uFEFF/, '')), utf16: true };
}

/** By the mark in front, or by how the dashes of a PEM block are written. */
function orderOf(bytes: Uint8Array): 'little' | 'big' | undefined {
  const [a, b] = bytes;
  if (a === 0xff && b === 0xfe) return 'little';
  if (a === 0xfe && b === 0xff) return 'big';
  const start = decodeLatin1(bytes.subarray(0, 4));
  if (start === '-\0-\0') return 'little';
  return start === '\0-\0-' ? 'big' : undefined;
}

function withoutMark(bytes: Uint8Array): Uint8Array {
  const [a, b, c] = bytes;
  return a === 0xef && b === 0xbb && c === 0xbf ? bytes.subarray(3) : bytes;
}

function plain(text: string): string {
  return text.replace(/\r\n?/g, '\n');
}
