import { concat } from '../../kit/bytes.ts';
import { malformed, TAG } from './cursor.ts';
import { derElement } from './writer.ts';

const CONSTRUCTED = 0x20;
const CONSTRUCTED_OCTETS = 0x24;
const INDEFINITE = 0x80;
const LONG_TAG = 0x1f;
const MAX_DEPTH = 32;
/** Programs that write while they read need a handful; each of them costs room. */
const MAX_CONVERTED = 10_000;
const NOTHING = new Uint8Array();

/**
 * The elements with definite lengths, and octet strings in one piece; what has them already stays as it is, byte for byte.
 *
 * Programs that write while they read use the other forms of BER around the structures of a CMS. Everything else is
 * for the reader of DER to judge, which comes next. Linear in the input for each of at most 32 levels; what need not be
 * converted takes no room.
 *
 * @throws `CERTIFICATE_MALFORMED` for what ends early, ends nowhere, nests deeper, or has too much to convert [der.6]
 */
export function toDefiniteLengths(bytes: Uint8Array, what: string): Uint8Array {
  const input: Input = { bytes, what, found: [] };
  const end = scanElement(input, 0, bytes.byteLength, 0);
  if (end !== bytes.byteLength)
    throw malformed(what, `${bytes.byteLength - end} unexpected bytes at its end`); // [der.3]
  if (input.found.length === 0) return bytes;
  return convert(input, 0, bytes.byteLength).element;
}

interface Input {
  readonly bytes: Uint8Array;
  readonly what: string;
  /** where elements begin that must be converted, in their order */
  readonly found: number[];
}

/** Where the element ends that begins at `start`; notes what is to be converted in it, and makes no objects. */
function scanElement(input: Input, start: number, limit: number, depth: number): number {
  const { bytes, what, found } = input;
  if (depth > MAX_DEPTH) throw malformed(what, `elements nest deeper than ${MAX_DEPTH} levels`);
  if (start + 2 > limit) throw malformed(what, 'it ends early');
  const tag = bytes[start] ?? 0;
  if ((tag & LONG_TAG) === LONG_TAG) throw malformed(what, 'a tag of the long form'); // [der.2]
  const constructed = (tag & CONSTRUCTED) !== 0;
  const indefinite = bytes[start + 1] === INDEFINITE;
  if (indefinite && !constructed) throw malformed(what, 'an indefinite length where there are no elements');
  const end = indefinite ? limit : endOf(input, start, limit);
  if (!constructed) return end;
  if (indefinite || tag === CONSTRUCTED_OCTETS) {
    found.push(start);
    if (found.length > MAX_CONVERTED)
      throw malformed(what, `more than ${MAX_CONVERTED} elements that are not DER`);
  }
  let at = start + headerBytes(bytes, start);
  while (indefinite ? !isEndMark(input, at, limit) : at < end) at = scanElement(input, at, end, depth + 1);
  return indefinite ? at + 2 : end;
}

function headerBytes(bytes: Uint8Array, start: number): number {
  const first = bytes[start + 1] ?? 0;
  return first > INDEFINITE ? 2 + first - INDEFINITE : 2;
}

/** Where an element of definite length ends. */
function endOf({ bytes, what }: Input, start: number, limit: number): number {
  const first = bytes[start + 1] ?? 0;
  const count = first > INDEFINITE ? first - INDEFINITE : 0;
  if (count > 4) throw malformed(what, 'a length of more than four bytes');
  let length = count > 0 ? 0 : first;
  for (let i = 0; i < count; i++) length = length * 256 + (bytes[start + 2 + i] ?? 0);
  const end = start + 2 + count + length;
  if (end > limit) throw malformed(what, 'it ends early');
  return end;
}

function isEndMark({ bytes, what }: Input, at: number, limit: number): boolean {
  if (at + 2 > limit) throw malformed(what, 'it ends early');
  return bytes[at] === 0 && bytes[at + 1] === 0;
}

interface Converted {
  readonly element: Uint8Array;
  /** where the next one begins in the input */
  readonly end: number;
}

/** The element at `start`, which holds something to convert, or is that itself; the scan has found it sound. */
function convert(input: Input, start: number, limit: number): Converted {
  const { bytes, what } = input;
  const tag = bytes[start] ?? 0;
  const indefinite = bytes[start + 1] === INDEFINITE;
  const definiteEnd = indefinite ? limit : endOf(input, start, limit);
  const pieces: Uint8Array[] = [];
  let at = start + headerBytes(bytes, start);
  let kept = at; // from here on nothing is taken yet
  while (indefinite ? !isEndMark(input, at, limit) : at < definiteEnd) {
    const isIndefinite = bytes[at + 1] === INDEFINITE;
    const next = isIndefinite ? definiteEnd : endOf(input, at, definiteEnd);
    if (!isIndefinite && !holdsAny(input.found, at, next)) {
      at = next;
      continue;
    }
    const part = convert(input, at, definiteEnd);
    pieces.push(bytes.subarray(kept, at), part.element);
    at = part.end;
    kept = at;
  }
  pieces.push(bytes.subarray(kept, at));
  const contents = concat([NOTHING, ...pieces]);
  const end = indefinite ? at + 2 : definiteEnd;
  if (tag === CONSTRUCTED_OCTETS)
    return { element: derElement(TAG.octetString, joined(contents, what)), end };
  return { element: derElement(tag, contents), end };
}

/** True when one of the places, which are in order, is from `from` up to `to`. */
function holdsAny(places: readonly number[], from: number, to: number): boolean {
  let low = 0;
  let high = places.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((places[middle] ?? 0) < from) low = middle + 1;
    else high = middle;
  }
  return (places[low] ?? to) < to;
}

/** The pieces of an octet string, which are octet strings of definite length by now, one behind the other. */
function joined(pieces: Uint8Array, what: string): Uint8Array {
  const input: Input = { bytes: pieces, what, found: [] };
  const whole = new Uint8Array(pieces.byteLength);
  let length = 0;
  for (let at = 0; at < pieces.byteLength; ) {
    if (pieces[at] !== TAG.octetString) throw malformed(what, 'an octet string made of other things');
    const end = endOf(input, at, pieces.byteLength);
    whole.set(pieces.subarray(at + headerBytes(pieces, at), end), length);
    length += end - at - headerBytes(pieces, at);
    at = end;
  }
  return whole.subarray(0, length);
}
