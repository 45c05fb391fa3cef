import { concat } from '../../kit/bytes.ts';
import { malformed, TAG } from './cursor.ts';
import { derElement } from './writer.ts';

const CONSTRUCTED = 0x20;
const CONSTRUCTED_OCTETS = 0x24;
const INDEFINITE = 0x80;
const MAX_DEPTH = 32;

/**
 * The elements with definite lengths, and octet strings in one piece; what has them already stays as it is, byte for byte.
 *
 * Programs that write while they read use the other forms of BER around the structures of a CMS. Everything else is
 * for the reader of DER to judge, which comes next. Linear in the input for each of at most 32 levels.
 *
 * @throws `CERTIFICATE_MALFORMED` for what ends early, ends nowhere, or nests deeper [der.6]
 */
export function toDefiniteLengths(bytes: Uint8Array, what: string): Uint8Array {
  const { element, end } = readElement(bytes, 0, bytes.byteLength, 0, what);
  if (end !== bytes.byteLength)
    throw malformed(what, `${bytes.byteLength - end} unexpected bytes at its end`); // [der.3]
  return element;
}

interface Read {
  /** in definite form */
  readonly element: Uint8Array;
  /** where the next one begins in the input */
  readonly end: number;
  readonly changed: boolean;
}

function readElement(bytes: Uint8Array, start: number, limit: number, depth: number, what: string): Read {
  if (depth > MAX_DEPTH) throw malformed(what, `elements nest deeper than ${MAX_DEPTH} levels`);
  const tag = bytes[start];
  const first = bytes[start + 1];
  if (tag === undefined || first === undefined || start + 2 > limit) throw malformed(what, 'it ends early');
  const constructed = (tag & CONSTRUCTED) !== 0;
  const indefinite = first === INDEFINITE;
  if (indefinite && !constructed) throw malformed(what, 'an indefinite length where there are no elements');
  const { body, end: definiteEnd } = indefinite
    ? { body: start + 2, end: limit }
    : readLength(bytes, start, limit, what);
  if (!constructed) return { element: bytes.subarray(start, definiteEnd), end: definiteEnd, changed: false };

  const parts: Uint8Array[] = [];
  let changed = indefinite;
  let at = body;
  while (indefinite ? !isEndMark(bytes, at, limit, what) : at < definiteEnd) {
    const part = readElement(bytes, at, definiteEnd, depth + 1, what);
    parts.push(part.element);
    changed ||= part.changed;
    at = part.end;
  }
  const end = indefinite ? at + 2 : definiteEnd;
  if (tag === CONSTRUCTED_OCTETS) return { element: joined(parts, what), end, changed: true };
  return { element: changed ? derElement(tag, ...parts) : bytes.subarray(start, end), end, changed };
}

function readLength(
  bytes: Uint8Array,
  start: number,
  limit: number,
  what: string,
): { body: number; end: number } {
  const first = bytes[start + 1] ?? 0;
  const count = first > INDEFINITE ? first - INDEFINITE : 0;
  if (count > 4) throw malformed(what, 'a length of more than four bytes');
  let length = first;
  if (count > 0) {
    length = 0;
    for (let i = 0; i < count; i++) length = length * 256 + (bytes[start + 2 + i] ?? 0);
  }
  const body = start + 2 + count;
  if (body + length > limit) throw malformed(what, 'it ends early');
  return { body, end: body + length };
}

function isEndMark(bytes: Uint8Array, at: number, limit: number, what: string): boolean {
  if (at + 2 > limit) throw malformed(what, 'it ends early');
  return bytes[at] === 0 && bytes[at + 1] === 0;
}

/** The pieces of an octet string, which are octet strings in definite form by now. */
function joined(parts: readonly Uint8Array[], what: string): Uint8Array {
  const contents = parts.map((part) => {
    if (part[0] !== TAG.octetString) throw malformed(what, 'an octet string made of other things');
    const first = part[1] ?? 0;
    return part.subarray(first < INDEFINITE ? 2 : 2 + first - INDEFINITE);
  });
  return derElement(TAG.octetString, concat([new Uint8Array(), ...contents]));
}
