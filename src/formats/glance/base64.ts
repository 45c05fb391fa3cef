import { parseBase64 } from '../../kit/encoding.ts';

/** What CPython makes of a text: the bytes, or why it refuses it. */
export type LenientBase64 =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  /** `length`: wrong padding or one character too many; `not-ascii`: refused before it is decoded */
  | { readonly kind: 'fault'; readonly fault: 'length' | 'not-ascii' };

/** Base64 as RFC 4648 section 4 has it, blanks and line ends left out of account; undefined for anything else. [glance.9] */
export function decodeStrictBase64(text: string): Uint8Array | undefined {
  return parseBase64(text.replace(/[ \t\r\n]/g, ''));
}

/**
 * Base64 as CPython's `b64decode` reads it when it does not validate, which is what Glance and Nova use. [glance.10]
 *
 * Characters outside of the alphabet are skipped, `-` and `_` among them; the first padding that completes a group of
 * four ends the text, whatever follows; a group that is not complete at the end is a fault.
 */
export function decodeLenientBase64(text: string): LenientBase64 {
  const bytes = new Uint8Array(Math.ceil((text.length * 3) / 4));
  let length = 0;
  let held = 0; // sextets of the group at hand
  let pads = 0;
  let rest = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code > 0x7f) return { kind: 'fault', fault: 'not-ascii' };
  }
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x3d) {
      if (held >= 2 && held + ++pads >= 4) return { kind: 'bytes', bytes: bytes.subarray(0, length) };
      continue;
    }
    const sextet = sextetOf(code);
    if (sextet === undefined) continue;
    pads = 0; // padding counts only when it stands together
    if (held > 0) bytes[length++] = ((rest << 6) | sextet) >> (6 - 2 * held);
    rest = sextet & (0x3f >> (2 * held));
    held = (held + 1) % 4;
  }
  return held === 0
    ? { kind: 'bytes', bytes: bytes.subarray(0, length) }
    : { kind: 'fault', fault: 'length' };
}

function sextetOf(code: number): number | undefined {
  if (code >= 0x41 && code <= 0x5a) return code - 0x41;
  if (code >= 0x61 && code <= 0x7a) return code - 0x61 + 26;
  if (code >= 0x30 && code <= 0x39) return code - 0x30 + 52;
  if (code === 0x2b) return 62;
  return code === 0x2f ? 63 : undefined;
}
