import { BundleError } from '../../kit/errors/errors.ts';

/** One DER element: identifier octet, contents, and all its bytes; both are views into the input, not copies. */
export interface DerElement {
  readonly tag: number;
  readonly value: Uint8Array;
  readonly raw: Uint8Array;
}

/** Reads the elements of one level in order; it never looks inside an element, so the caller's structure bounds the depth. */
export interface DerCursor {
  /** True when no byte is left. */
  readonly done: () => boolean;
  /** The next element, which must have this tag when one is given. */
  readonly next: (tag?: number) => DerElement;
  /** The next element if it has this tag, else nothing is consumed. */
  readonly optional: (tag: number) => DerElement | undefined;
  /** Refuses what is left. */
  readonly end: () => void;
}

/** Identifier octets of the types that certificates and CMS are made of. */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

const MAX_OID_BYTES = 128;
/** Of one element, where nothing says how many there may be: the longest honest lists have a few thousand. */
const MAX_CHILDREN = 65_536;

/** The error of everything that is not the DER it should be; `what` names the structure being read. */
export function malformed(what: string, problem: string, cause?: unknown): BundleError {
  return new BundleError('CERTIFICATE_MALFORMED', `${what} is malformed: ${problem}`, { cause });
}

/**
 * A cursor over the elements that follow each other in `bytes`; `what` names them in errors.
 *
 * Definite, minimal lengths and low tag numbers only; what the elements mean is the caller's.
 * Every method throws `CERTIFICATE_MALFORMED` and nothing else. [der.1] [der.2]
 */
export function openDer(bytes: Uint8Array, what: string): DerCursor {
  let position = 0;
  const next = (tag?: number): DerElement => {
    const element = readElement(bytes, position, what);
    if (tag !== undefined && element.tag !== tag) {
      throw malformed(what, `tag ${hexTag(element.tag)} where ${hexTag(tag)} belongs`);
    }
    position += element.raw.byteLength;
    return element;
  };
  return {
    done: () => position === bytes.byteLength,
    next,
    optional: (tag) => (bytes[position] === tag ? next() : undefined),
    end: () => {
      if (position !== bytes.byteLength) {
        throw malformed(what, `${bytes.byteLength - position} unexpected bytes at its end`); // [der.3]
      }
    },
  };
}

/** The only element of `bytes`. @throws `CERTIFICATE_MALFORMED` also when another byte follows it */
export function readOnly(bytes: Uint8Array, tag: number, what: string): DerElement {
  const cursor = openDer(bytes, what);
  const element = cursor.next(tag);
  cursor.end(); // [der.3] bytes behind the element would be in the file but in nobody's view of it
  return element;
}

function readElement(bytes: Uint8Array, start: number, what: string): DerElement {
  const tag = bytes[start];
  const first = bytes[start + 1];
  if (tag === undefined || first === undefined) throw malformed(what, 'it ends early');
  // [der.2] no structure read here has a tag above 30; a second spelling of a low one would go past a comparison
  if ((tag & 0x1f) === 0x1f) throw malformed(what, `tag ${hexTag(tag)} is of the long form`);

  let length = first;
  let header = 2;
  if (first === 0x80) throw malformed(what, 'an indefinite length (BER) where DER is required'); // [der.1]
  if (first > 0x80) {
    const count = first - 0x80;
    if (count > 4) throw malformed(what, 'a length of more than four bytes');
    length = 0;
    for (let i = 0; i < count; i++) length = length * 256 + (bytes[start + 2 + i] ?? 0);
    header += count;
    // [der.1] a longer spelling of the same length gives the same value another digest
    if (length < 0x80 || length < 256 ** (count - 1)) throw malformed(what, 'a length that is not minimal');
  }
  const end = start + header + length;
  if (end > bytes.byteLength) throw malformed(what, 'it ends early');
  return { tag, value: bytes.subarray(start + header, end), raw: bytes.subarray(start, end) };
}

function hexTag(tag: number): string {
  return `0x${tag.toString(16).padStart(2, '0')}`;
}

/**
 * The elements of a constructed element, in order, of which there are at most `most`: each takes far more memory than the
 * two bytes that it has in the input. `name` is what they are called in the error.
 *
 * @throws `CERTIFICATE_MALFORMED` [der.7]
 */
export function childrenOf(
  element: DerElement,
  what: string,
  most = MAX_CHILDREN,
  name = 'elements',
): DerElement[] {
  const cursor = openDer(element.value, what);
  const children: DerElement[] = [];
  while (!cursor.done()) {
    if (children.length === most) throw malformed(what, `more than ${most} ${name}`);
    children.push(cursor.next());
  }
  return children;
}

/** An INTEGER of at most `maxBytes` bytes, minimally encoded. @throws `CERTIFICATE_MALFORMED` */
export function readInteger(element: DerElement, what: string, maxBytes = 64): bigint {
  expectTag(element, TAG.integer, what);
  const { value } = element;
  const [first, second] = value;
  if (first === undefined) throw malformed(what, 'an INTEGER without contents');
  if (value.byteLength > maxBytes) throw malformed(what, `an INTEGER of more than ${maxBytes} bytes`);
  if (second !== undefined && ((first === 0x00 && second < 0x80) || (first === 0xff && second >= 0x80))) {
    throw malformed(what, 'an INTEGER that is not minimal'); // [der.4]
  }
  let digits = '';
  for (const byte of value) digits += byte.toString(16).padStart(2, '0');
  return BigInt.asIntN(value.byteLength * 8, BigInt(`0x${digits}`));
}

/** A BOOLEAN: 00 or FF. @throws `CERTIFICATE_MALFORMED` */
export function readBoolean(element: DerElement, what: string): boolean {
  expectTag(element, TAG.boolean, what);
  const [octet] = element.value;
  if (element.value.byteLength !== 1 || (octet !== 0x00 && octet !== 0xff)) {
    throw malformed(what, 'a BOOLEAN that is neither 00 nor FF'); // [der.4]
  }
  return octet === 0xff;
}

/** The dotted form of an OBJECT IDENTIFIER of at most 128 bytes. @throws `CERTIFICATE_MALFORMED` */
export function readOid(element: DerElement, what: string): string {
  expectTag(element, TAG.oid, what);
  const { value } = element;
  const last = value.at(-1);
  if (last === undefined || last >= 0x80) throw malformed(what, 'an OBJECT IDENTIFIER that ends early');
  if (value.byteLength > MAX_OID_BYTES) throw malformed(what, 'an OBJECT IDENTIFIER of more than 128 bytes');
  let text = '';
  for (let at = 0; at < value.byteLength; ) {
    // [der.4] a leading zero digit would let two spellings of one OID pass a check for duplicates
    if (value[at] === 0x80) throw malformed(what, 'an OBJECT IDENTIFIER that is not minimal');
    const start = at;
    while ((value[at] ?? 0) >= 0x80) at++;
    at++;
    const arc = readArc(value, start, at);
    // the first two arcs are one number
    text +=
      start > 0
        ? `.${arc}`
        : arc < 40
          ? `0.${arc}`
          : arc < 80
            ? `1.${subtract(arc, 40)}`
            : `2.${subtract(arc, 80)}`;
  }
  return text;
}

/** The digits of base 128 from `start` up to `end`; seven of them are a safe integer. */
function readArc(value: Uint8Array, start: number, end: number): number | bigint {
  if (end - start > 7) {
    let arc = 0n;
    for (let i = start; i < end; i++) arc = (arc << 7n) | BigInt((value[i] ?? 0) & 0x7f);
    return arc;
  }
  let arc = 0;
  for (let i = start; i < end; i++) arc = arc * 128 + ((value[i] ?? 0) & 0x7f);
  return arc;
}

function subtract(from: number | bigint, count: number): number | bigint {
  return typeof from === 'bigint' ? from - BigInt(count) : from - count;
}

/** The bytes of a BIT STRING and how many low bits of the last are unused. @throws `CERTIFICATE_MALFORMED` */
export function readBitString(element: DerElement, what: string): { bytes: Uint8Array; unused: number } {
  expectTag(element, TAG.bitString, what);
  const unused = element.value[0];
  const bytes = element.value.subarray(1);
  const last = bytes.at(-1);
  if (unused === undefined || unused > 7 || (last === undefined && unused > 0)) {
    throw malformed(what, 'a BIT STRING with a wrong count of unused bits');
  }
  if (last !== undefined && (last & ((1 << unused) - 1)) !== 0) {
    throw malformed(what, 'a BIT STRING with unused bits that are not zero'); // [der.4]
  }
  return { bytes, unused };
}

/**
 * A UTCTime `YYMMDDHHMMSSZ` (1950–2049) or GeneralizedTime `YYYYMMDDHHMMSSZ`, to the second, in UTC.
 * @throws `CERTIFICATE_MALFORMED` for any other spelling and for days that the calendar does not have [der.5]
 */
export function readTime(element: DerElement, what: string): Date {
  const text = String.fromCharCode(...element.value.subarray(0, 32));
  const form = element.tag === TAG.utcTime ? /^\d{12}Z$/ : /^\d{14}Z$/;
  if (element.tag !== TAG.utcTime && element.tag !== TAG.generalizedTime) {
    throw malformed(what, `tag ${hexTag(element.tag)} where a time belongs`);
  }
  if (!form.test(text)) throw malformed(what, 'a time that is not YYMMDDHHMMSSZ or YYYYMMDDHHMMSSZ');
  const time = timeOf(element.tag, element.value, 0, element.value.byteLength);
  if (time === undefined) throw malformed(what, 'no such time');
  return new Date(time);
}

const CYCLE_MS = 146_097 * 86_400_000;

/** A time's contents as milliseconds since 1970, or undefined, by the rules of `readTime` and without an object. [der.5] */
export function timeOf(tag: number, bytes: Uint8Array, start: number, length: number): number | undefined {
  const yearDigits = tag === TAG.generalizedTime ? 4 : 2;
  const last = yearDigits + 10;
  if (length !== last + 1 || bytes[start + last] !== 0x5a) return undefined;
  for (let i = start; i < start + last; i++) {
    const digit = bytes[i] ?? 0;
    if (digit < 0x30 || digit > 0x39) return undefined;
  }
  const two = (at: number): number =>
    ((bytes[start + at] ?? 0) - 0x30) * 10 + (bytes[start + at + 1] ?? 0) - 0x30;
  const short = two(0);
  const year = yearDigits === 4 ? short * 100 + two(2) : short < 50 ? 2000 + short : 1900 + short;
  const month = two(yearDigits);
  const day = two(yearDigits + 2);
  const hour = two(yearDigits + 4);
  const minute = two(yearDigits + 6);
  const second = two(yearDigits + 8);
  if (month < 1 || month > 12 || hour > 23 || minute > 59 || second > 59) return undefined;
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days =
    month === 2 ? (isLeap ? 29 : 28) : month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
  if (day < 1 || day > days) return undefined;
  // Date.UTC takes years below 100 for those of the last century; the calendar repeats every 400 years
  const alike = Date.UTC(2000 + (year % 400), month - 1, day, hour, minute, second);
  return alike + (Math.floor(year / 400) - 5) * CYCLE_MS;
}

function expectTag(element: DerElement, tag: number, what: string): void {
  if (element.tag !== tag) throw malformed(what, `tag ${hexTag(element.tag)} where ${hexTag(tag)} belongs`);
}
