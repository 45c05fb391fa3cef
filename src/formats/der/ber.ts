import { concat } from '../../kit/bytes.ts';
import { malformed, TAG } from './cursor.ts';
import { derElement } from './writer.ts';

const CONSTRUCTED = 0x20;
const CONSTRUCTED_OCTETS = 0x24;
const INDEFINITE = 0x80;
const LONG_TAG = 0x1f;
const MAX_DEPTH = 32;
/** Elements that are written anew: writers that stream use few, and each costs memory. */
const MAX_CHANGES = 10_000;

/**
 * The elements with definite lengths, and octet strings in one piece; what has them already stays as it is, byte for byte.
 *
 * Programs that write while they read use the other forms of BER around the structures of a CMS. Everything else is
 * for the reader of DER to judge, which comes next. Linear in the input for each of at most 32 levels; what is DER
 * already is only looked through, whatever the number of its elements.
 *
 * @throws `CERTIFICATE_MALFORMED` for what ends early, ends nowhere, nests deeper, or is in too many pieces [der.6]
 */
export function toDefiniteLengths(bytes: Uint8Array, what: string): Uint8Array {
  const read = new Rewriting(bytes, what).read(0, bytes.byteLength, 0);
  const end = endOf(read);
  if (end !== bytes.byteLength)
    throw malformed(what, `${bytes.byteLength - end} unexpected bytes at its end`); // [der.3]
  return typeof read === 'number' ? bytes : read.element;
}

/** Where the next element begins; with the element in definite form when that is another than the bytes there are. */
type Read = number | { readonly end: number; readonly element: Uint8Array };

function endOf(read: Read): number {
  return typeof read === 'number' ? read : read.end;
}

class Rewriting {
  readonly #bytes: Uint8Array;
  readonly #what: string;
  #changes = 0;

  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = bytes;
    this.#what = what;
  }

  read(start: number, limit: number, depth: number): Read {
    const what = this.#what;
    if (depth > MAX_DEPTH) throw malformed(what, `elements nest deeper than ${MAX_DEPTH} levels`);
    const tag = this.#bytes[start];
    const first = this.#bytes[start + 1];
    if (tag === undefined || first === undefined || start + 2 > limit) throw malformed(what, 'it ends early');
    if ((tag & LONG_TAG) === LONG_TAG) throw malformed(what, 'a tag of the long form'); // [der.2]
    const constructed = (tag & CONSTRUCTED) !== 0;
    const indefinite = first === INDEFINITE;
    if (indefinite && !constructed) throw malformed(what, 'an indefinite length where there are no elements');
    const { body, end } = indefinite
      ? { body: start + 2, end: limit }
      : readLength(this.#bytes, start, limit, what);
    if (!constructed) return end;

    const parts: Uint8Array[] = [];
    let kept = body; // from here on nothing has changed yet
    let at = body;
    while (indefinite ? !isEndMark(this.#bytes, at, limit, what) : at < end) {
      const part = this.read(at, end, depth + 1);
      const after = endOf(part);
      if (typeof part !== 'number' || tag === CONSTRUCTED_OCTETS) {
        if (kept < at) parts.push(this.#bytes.subarray(kept, at));
        parts.push(this.#change(typeof part === 'number' ? this.#bytes.subarray(at, after) : part.element));
        kept = after;
      }
      at = after;
    }
    if (!indefinite && parts.length === 0 && tag !== CONSTRUCTED_OCTETS) return end;
    if (kept < at) parts.push(this.#bytes.subarray(kept, at));
    const element = tag === CONSTRUCTED_OCTETS ? joined(parts, what) : derElement(tag, ...parts);
    return { end: indefinite ? at + 2 : end, element: this.#change(element) };
  }

  #change(element: Uint8Array): Uint8Array {
    this.#changes++;
    if (this.#changes > MAX_CHANGES) throw malformed(this.#what, `more than ${MAX_CHANGES} pieces`);
    return element;
  }
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
