import { childrenOf, type DerElement, malformed, openDer, readOnly, TAG } from '../der/cursor.ts';
import { parseName, type X509Name } from './name.ts';

/** One GeneralName (RFC 5280 section 4.2.1.6); kinds that nothing here compares stay as bytes. */
export type GeneralName =
  | { readonly kind: 'email' | 'dns' | 'uri'; readonly value: string }
  /** 4 or 16 octets; in name constraints 8 or 32, the mask behind the address */
  | { readonly kind: 'ip'; readonly value: Uint8Array }
  | { readonly kind: 'directory'; readonly value: X509Name }
  | { readonly kind: 'other'; readonly tag: number; readonly raw: Uint8Array };

const TEXT_KINDS: Readonly<Record<number, 'email' | 'dns' | 'uri'>> = {
  129: 'email',
  130: 'dns',
  134: 'uri',
};
const DIRECTORY = 0xa4;
const IP = 0x87;
const MAX_TEXT = 8192;
const MAX_NAMES = 65_536;
/** otherName, x400Address, ediPartyName, registeredID */
const OTHERS: readonly number[] = [0xa0, 0xa3, 0xa5, 0x88];

/** One GeneralName. @throws `CERTIFICATE_MALFORMED` for an unknown choice or text that is not ASCII [x509.10] */
function parseGeneralName(element: DerElement, what: string): GeneralName {
  const { tag, value, raw } = element;
  const kind = TEXT_KINDS[tag];
  if (kind) return { kind, value: readText(value, kind, what) };
  if (tag === IP) return { kind: 'ip', value };
  if (tag === DIRECTORY)
    return { kind: 'directory', value: parseName(readOnly(value, TAG.sequence, what), what) };
  if (OTHERS.includes(tag)) return { kind: 'other', tag, raw };
  throw malformed(what, 'a name of a kind that does not exist');
}

/** [x509.10] A control character, NUL above all, ends the name for one program and not for the other. */
function readText(value: Uint8Array, kind: string, what: string): string {
  if (value.byteLength > MAX_TEXT) throw malformed(what, `a ${kind} name of more than ${MAX_TEXT} bytes`);
  if (value.byteLength === 0 || value.some((byte) => byte < 0x20 || byte >= 0x7f)) {
    throw malformed(what, `a ${kind} name that is empty or not readable text`);
  }
  return String.fromCharCode(...value);
}

/** The contents of a GeneralNames field, which has at least one, and at most `most`. @throws `CERTIFICATE_MALFORMED` [x509.10] */
export function parseGeneralNames(
  contents: Uint8Array,
  what: string,
  most = MAX_NAMES,
): readonly GeneralName[] {
  const names: GeneralName[] = [];
  const cursor = openDer(contents, what);
  while (!cursor.done()) {
    if (names.length === most) throw malformed(what, `more than ${most} names`); // [der.7]
    names.push(parseGeneralName(cursor.next(), what));
  }
  if (names.length === 0) throw malformed(what, 'an empty list of names');
  return names;
}

/** The value of a subjectAltName extension. @throws `CERTIFICATE_MALFORMED` also for an address of a wrong length [x509.10] */
export function parseSubjectAltName(value: Uint8Array, what: string): readonly GeneralName[] {
  const names = parseGeneralNames(readOnly(value, TAG.sequence, what).value, what);
  for (const name of names) {
    if (name.kind === 'ip' && name.value.byteLength !== 4 && name.value.byteLength !== 16) {
      throw malformed(what, 'an IP address that has neither 4 nor 16 octets');
    }
  }
  return names;
}

/** Name constraints (RFC 5280 section 4.2.1.10): the bases of the subtrees. */
export interface NameConstraints {
  readonly permitted: readonly GeneralName[];
  readonly excluded: readonly GeneralName[];
}

/** The value of a nameConstraints extension. @throws `CERTIFICATE_MALFORMED` for distances and wrong masks too [nc.1] */
export function parseNameConstraints(value: Uint8Array, what: string): NameConstraints {
  const cursor = openDer(readOnly(value, TAG.sequence, what).value, what);
  const permitted = cursor.optional(0xa0);
  const excluded = cursor.optional(0xa1);
  cursor.end();
  if (!permitted && !excluded) throw malformed(what, 'name constraints that constrain nothing');
  const bases = (element: DerElement | undefined): readonly GeneralName[] => {
    if (!element) return [];
    const subtrees = childrenOf(element, what);
    if (subtrees.length === 0) throw malformed(what, 'name constraints with an empty list');
    return subtrees.map((subtree) => parseSubtree(subtree, what));
  };
  return { permitted: bases(permitted), excluded: bases(excluded) };
}

function parseSubtree(subtree: DerElement, what: string): GeneralName {
  if (subtree.tag !== TAG.sequence) throw malformed(what, 'a name constraint that is not a SEQUENCE');
  const cursor = openDer(subtree.value, what);
  const base = cursor.next();
  // minimum and maximum: RFC 5280 wants their defaults, and DER leaves those out
  cursor.end();
  // an empty text is the tree of all names of its kind
  if (TEXT_KINDS[base.tag] && base.value.byteLength === 0) {
    return { kind: TEXT_KINDS[base.tag] ?? 'dns', value: '' };
  }
  const name = parseGeneralName(base, what);
  if (name.kind === 'ip' && !isAddressWithMask(name.value)) {
    throw malformed(what, 'an IP address constraint without a proper mask');
  }
  return name;
}

/** Address and mask of equal length; the mask is ones, then zeros. */
function isAddressWithMask(value: Uint8Array): boolean {
  if (value.byteLength !== 8 && value.byteLength !== 32) return false;
  const bits = [...value.subarray(value.byteLength / 2)]
    .map((byte) => byte.toString(2).padStart(8, '0'))
    .join('');
  return /^1*0*$/.test(bits);
}
