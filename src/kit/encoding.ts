const fatalUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const utf8 = new TextEncoder();

/** The text of UTF-8 bytes (a BOM is kept), or undefined when they are not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return fatalUtf8.decode(bytes);
  } catch {
    return undefined; // the decoder's only error is the one we report
  }
}

/** One character for each byte, U+0000 to U+00FF. (`TextDecoder('latin1')` gives windows-1252, as the web has it.) */
export function decodeLatin1(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.byteLength; at += 4096) {
    // apply takes the bytes as they are; spread, each would go through an iterator
    text += String.fromCharCode.apply(null, bytes.subarray(at, at + 4096) as unknown as number[]);
  }
  return text;
}

/** True when every character is of ASCII, and prints. */
export function isPlainAscii(text: string): boolean {
  return /^[ -~]*$/.test(text);
}

/** UTF-8 bytes of a text. */
export function encodeUtf8(text: string): Uint8Array {
  return utf8.encode(text);
}

const OCTETS: readonly string[] = Array.from({ length: 256 }, (_, byte) =>
  byte.toString(16).padStart(2, '0'),
);

/** Lower-case hex of bytes. */
export function formatHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += OCTETS[byte];
  return text;
}

/** Bytes of hex digits of either case, or undefined: an odd count or anything else is not hex. */
export function parseHex(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0 || !/^[0-9A-Fa-f]*$/.test(text)) return undefined;
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const SIXTH: readonly number[] = Array.from({ length: 128 }, (_, code) =>
  BASE64.indexOf(String.fromCharCode(code)),
);

/** Bytes of padded base64 without blanks, or undefined; what `Buffer` would forgive is refused, stray low bits included. */
export function parseBase64(text: string): Uint8Array | undefined {
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  if (text.length % 4 !== 0) return undefined;
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  let bits = 0;
  let at = 0;
  for (let i = 0; i < text.length - padding; i++) {
    const sixth = SIXTH[text.charCodeAt(i)] ?? -1;
    if (sixth < 0) return undefined;
    bits = ((bits << 6) | sixth) & 0xfff;
    if (i % 4 !== 0) bytes[at++] = bits >> (6 - 2 * (i % 4));
  }
  return padding > 0 && (bits & ((1 << (2 * padding)) - 1)) !== 0 ? undefined : bytes;
}

/** Padded base64 of bytes, one line. */
export function formatBase64(bytes: Uint8Array): string {
  return btoa(decodeLatin1(bytes));
}

/**
 * Characters that are not seen, that steer the terminal, or that look like a blank; the blank itself is none of them.
 *
 * By class: controls and what is unassigned or private (C), separators (Z), what is ignored where it cannot be shown (DI).
 * Unicode has no property for the others: patterns and notes that are empty, fillers and joiners, and the characters
 * that stand for what was not understood.
 */
export const UNSEEN =
  /(?! )[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}\u2800\u2d7f\ufffc\ufffd\u{1107f}\u{13441}\u{13442}\u{16fe4}\u{1d159}]/u;

/** A foreign text for one line of output: what `UNSEEN` matches is shown as `\u{…}`. [show.2] */
export function printable(text: string): string {
  if (/^[\x20-\x7e]*$/.test(text)) return text; // the tables behind the other expression take milliseconds to be made
  return text.replace(new RegExp(UNSEEN, 'gu'), escaped);
}

/**
 * A foreign text that can begin no row of ours, wherever a terminal folds it: printable, runs of blanks as one, and no mark,
 * neither a sign nor, in front of a blank or at the end, a word that is one where there are no signs. [show.2]
 */
export function unlikeRow(text: string): string {
  return printable(text)
    .replace(/ {2,}/g, ' ')
    .replace(/[✓✗⚠]|(?:OK|FAILED|WARNING)(?= |$)/g, (mark) => {
      return `${escaped(mark[0] ?? '')}${mark.slice(1)}`;
    });
}

function escaped(char: string): string {
  return `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`;
}

/** A count with its noun: "1 second", "2 seconds". */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** Whether there is a text, and anything in it. */
export function hasText(text: string | undefined): text is string {
  return text !== undefined && text !== '';
}
