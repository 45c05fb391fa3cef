import { decodeUtf8, encodeUtf8, formatHex } from '../../kit/encoding.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import { childrenOf, type DerElement, malformed, openDer, readOid, TAG } from '../der/cursor.ts';
import { attributeTypeName, canonicalAttributeType } from './attribute-types.ts';

/** One attribute of a name: its short name (`CN`, `O`, …) or dotted OID, and its text. */
export interface NameAttribute {
  readonly type: string;
  readonly value: string;
}

/** A distinguished name; `text` and `attributes` begin with the most specific attribute, `raw` is the DER. */
export interface X509Name {
  readonly text: string;
  readonly attributes: readonly NameAttribute[];
  readonly raw: Uint8Array;
  /** each RDN as one text that is equal exactly when the RDNs match, in the order of the DER [x509.13] */
  readonly rdns: readonly string[];
  /** all of them: what `nameKey` gives; names are compared often */
  readonly key: string;
}

const MAX_NAME_BYTES = 8192;

/**
 * A name as text, attributes and bytes.
 * @throws `CERTIFICATE_MALFORMED` for an attribute that is not text, or holds NUL or another control character
 */
export function parseName(element: DerElement, what: string): X509Name {
  if (element.tag !== TAG.sequence) throw malformed(what, 'a name that is not a SEQUENCE');
  if (element.raw.byteLength > MAX_NAME_BYTES) {
    throw malformed(what, `a name of more than ${MAX_NAME_BYTES} bytes`);
  }
  const rdns = childrenOf(element, what).map((rdn) => {
    if (rdn.tag !== TAG.set || rdn.value.byteLength === 0) throw malformed(what, 'an empty or wrong RDN');
    return childrenOf(rdn, what).map((pair) => parseAttribute(pair, what));
  });
  const shown = rdns.toReversed();
  const keys = rdns.map(canonical);
  return {
    text: shown.map((rdn) => rdn.map(({ text }) => text).join('+')).join(','),
    attributes: shown.flat().map(({ type, value }) => ({ type, value })),
    raw: element.raw,
    rdns: keys,
    key: keys.join('\n'),
  };
}

/** True when both are the same name (RFC 5280 section 7.1). [x509.13] */
export function sameName(a: X509Name, b: X509Name): boolean {
  return nameKey(a) === nameKey(b);
}

/** A text that is equal exactly for names that match. [x509.13] */
export function nameKey(name: X509Name): string {
  return name.key;
}

/** True when the name lies in the subtree of `base`, or is `base`. [nc.3] */
export function isWithin(name: X509Name, base: X509Name): boolean {
  return base.rdns.every((rdn, i) => rdn === name.rdns[i]);
}

/** The canonical text of one RDN given by its contents. @throws `CERTIFICATE_MALFORMED` */
export function canonicalRdn(contents: Uint8Array, what: string): string {
  const pairs: ReturnType<typeof parseAttribute>[] = [];
  const cursor = openDer(contents, what);
  while (!cursor.done()) pairs.push(parseAttribute(cursor.next(), what));
  return canonical(pairs);
}

/** [x509.13] Letters of ASCII in one case, blanks squeezed; the kind of string does not matter. Its parts cannot run into each other. */
function canonical(rdn: readonly NameAttribute[]): string {
  const attributes = rdn.map(({ type, value }) => {
    const folded = value
      .replace(/ +/g, ' ')
      .replace(/^ | $/g, '')
      .replace(/[A-Z]+/g, (run) => run.toLowerCase());
    return `${type}=${escapeValue(folded)}`;
  });
  return attributes.sort().join('+');
}

function parseAttribute(pair: DerElement, what: string): NameAttribute & { readonly text: string } {
  if (pair.tag !== TAG.sequence) throw malformed(what, 'a name attribute that is not a SEQUENCE');
  const cursor = openDer(pair.value, what);
  const oid = readOid(cursor.next(), what);
  const element = cursor.next();
  cursor.end();
  const type = attributeTypeName(oid);
  const value = decodeString(element);
  if (value === undefined) throw malformed(what, `its attribute ${type} is not readable text`); // [x509.4]
  // [x509.4] "good.example\0.evil.example" is one name to this program and another to one that stops at NUL
  if (/\p{Cc}/u.test(value)) throw malformed(what, `its attribute ${type} holds a control character`);
  const text = type === oid ? `${oid}=#${formatHex(element.raw)}` : `${type}=${escapeValue(value)}`;
  return { type, value, text };
}

/** The text of an ASN.1 string type, or undefined. PrintableString is read as ASCII: real names stretch its alphabet. */
function decodeString({ tag, value }: DerElement): string | undefined {
  switch (tag) {
    case TAG.utf8String:
      return decodeUtf8(value);
    case 0x12: // NumericString
    case 0x13: // PrintableString
    case 0x16: // IA5String
    case 0x1a: // VisibleString
      return value.every((byte) => byte < 0x80) ? decodeUtf8(value) : undefined;
    case 0x14: // TeletexString: Latin-1 is what issuers meant by it
      return decodeUnits(value, 1);
    case 0x1e: // BMPString
      return decodeUnits(value, 2);
    case 0x1c: // UniversalString
      return decodeUnits(value, 4);
    default:
      return undefined;
  }
}

function decodeUnits(bytes: Uint8Array, width: 1 | 2 | 4): string | undefined {
  if (bytes.byteLength % width !== 0) return undefined;
  let text = '';
  for (let i = 0; i < bytes.byteLength; i += width) {
    let point = 0;
    for (let j = 0; j < width; j++) point = point * 256 + (bytes[i + j] ?? 0);
    if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return undefined;
    text += String.fromCodePoint(point);
  }
  return text;
}

function escapeValue(value: string): string {
  return value.replace(/[,+"\\<>;=]|^[ #]| $/g, '\\$&');
}

/**
 * The attributes of an RFC 4514 text such as `CN=Acme Release,O=Acme`, as written, types in canonical spelling.
 *
 * `+` separates like `,`; escapes are a backslash and the character, or a backslash and two hex digits of UTF-8.
 * @throws `CONFIG_INVALID` for an empty text, an unknown type, an empty or a `#` value [pub.4]
 */
export function parseNamePattern(text: string): readonly NameAttribute[] {
  const invalid = (problem: string): BundleError =>
    new BundleError('CONFIG_INVALID', `the subject "${text}" is not readable: ${problem}`, {
      fix: 'write it as the report shows it, most specific first: CN=Acme Release,O=Acme',
    });
  return splitUnescaped(text).map((part) => {
    const equals = part.indexOf('=');
    if (equals < 0) throw invalid('each part is TYPE=value');
    const type = canonicalAttributeType(part.slice(0, equals).trim());
    if (type === undefined) throw invalid(`"${part.slice(0, equals).trim()}" is no attribute type`);
    const written = part.slice(equals + 1);
    if (written.trimStart().startsWith('#')) throw invalid('a value in # form is not supported');
    const value = unescapeValue(written);
    if (value === undefined) throw invalid('a wrong escape');
    if (value === '') throw invalid(`${type} has no value`);
    return { type, value };
  });
}

function splitUnescaped(text: string): string[] {
  const parts: string[] = [''];
  for (const [token] of text.matchAll(/\\.|./gsu)) {
    if (token === ',' || token === '+') parts.push('');
    else parts.push((parts.pop() ?? '') + token);
  }
  return parts;
}

/** The value without its escapes and without blanks around it; an escaped blank stays. */
function unescapeValue(text: string): string | undefined {
  const tokens = text.match(/\\[0-9A-Fa-f]{2}|\\.|./gsu) ?? [];
  const first = tokens.findIndex((token) => token !== ' ');
  const last = tokens.findLastIndex((token) => token !== ' ');
  const bytes: number[] = [];
  for (const token of first < 0 ? [] : tokens.slice(first, last + 1)) {
    if (/^\\[0-9A-Fa-f]{2}$/.test(token)) bytes.push(Number.parseInt(token.slice(1), 16));
    else if (/^\\[ #,+"\\<>;=]$/.test(token)) bytes.push(token.charCodeAt(1));
    else if (token.startsWith('\\')) return undefined;
    else bytes.push(...encodeUtf8(token));
  }
  return decodeUtf8(Uint8Array.from(bytes));
}
