import { printable } from '../../../kit/encoding.ts';
import { BundleError } from '../../../kit/errors/errors.ts';
import type { XmlElement } from '../xml.ts';
import type { PlacedXml, Span } from './xml-places.ts';

/** A part of the text in whose place the value goes; `form` makes more of it than the escaped value. */
export interface Place extends Span {
  readonly form?: (raw: string) => string;
}

/** All that stands between the tags of an element; one without an end tag gets it. @throws {BundleError} `USAGE` where there are elements in it */
export function textPlace({ text, placeOf }: PlacedXml, element: XmlElement): Place {
  if (element.children.length > 0) {
    const message = `line ${element.line} of the descriptor: ${printable(element.local)} has elements in it, and no text alone`;
    throw new BundleError('USAGE', message, { fix: 'change the descriptor itself, and give it whole' });
  }
  const { name, opened, closing, end } = placeOf(element);
  if (opened !== end) return { from: opened, to: closing, form: (raw) => raw };
  const slash = text.lastIndexOf('/', end - 1);
  return { from: slash - blanksBefore(text, slash).length, to: end, form: (raw) => `>${raw}</${name}>` };
}

/** The values of an OVF attribute, with the prefix and without; both are there at times. [desc.7] */
export function attributePlaces(document: PlacedXml, element: XmlElement, local: string): readonly Place[] {
  return attributesOf(document, element, local).map(({ from, to }) => ({ from, to }));
}

/** An OVF attribute behind another one, with the same prefix. */
export function insertedAttribute(
  document: PlacedXml,
  element: XmlElement,
  behind: string,
  local: string,
): Place {
  const [first] = attributesOf(document, element, behind);
  if (!first) throw new Error(`${element.local} has no ${behind}`); // a mistake of ours: it was found by it
  const prefix = first.name.includes(':') ? `${first.name.split(':')[0]}:` : '';
  const at = first.to + 1;
  return { from: at, to: at, form: (raw) => ` ${prefix}${local}="${raw}"` };
}

function attributesOf(
  { placeOf }: PlacedXml,
  element: XmlElement,
  local: string,
): readonly (Span & { readonly name: string })[] {
  const written = [...placeOf(element).attributes].filter(([name]) => !/^xmlns(?::|$)/.test(name));
  return element.attributes.flatMap((attribute, i) => {
    const [name, span] = written[i] ?? [];
    const isOurs = attribute.local === local && (attribute.uri === '' || attribute.uri === element.uri);
    return isOurs && name !== undefined && span ? [{ ...span, name }] : [];
  });
}

/** Where an element is put that is not there: behind an earlier one of its parent, else at the front. */
export interface Gap {
  readonly parent: XmlElement;
  readonly earlier: XmlElement | undefined;
}

/** An element that holds the value, on a line of its own where the first of its parent is. */
export function insertedChild(document: PlacedXml, gap: Gap, local: string): Place {
  return inserted(
    document,
    gap,
    ({ element, blanks }) =>
      (raw) =>
        `${blanks}${element(local, raw)}`,
  );
}

/** A section that says what it is about, and holds the value. */
export function insertedSection(
  document: PlacedXml,
  gap: Gap,
  { section, info, child }: { readonly section: string; readonly info: string; readonly child: string },
): Place {
  return inserted(document, gap, ({ element, blanks }) => {
    const deeper = blanks.includes('\n') ? `${blanks}  ` : blanks;
    return (raw) =>
      `${blanks}${element(section, `${deeper}${element('Info', info)}${deeper}${element(child, raw)}${blanks}`)}`;
  });
}

/** What new text is made with: elements with the prefix of the parent, and the blanks before the first one in it. */
interface Pen {
  readonly element: (local: string, content: string) => string;
  readonly blanks: string;
}

function inserted(
  document: PlacedXml,
  { parent, earlier }: Gap,
  formOf: (pen: Pen) => (raw: string) => string,
): Place {
  const { text, placeOf } = document;
  const { name, opened, end } = placeOf(parent);
  const prefix = name.includes(':') ? `${name.split(':')[0]}:` : '';
  const [first] = parent.children;
  const blanks = first ? blanksBefore(text, placeOf(first).start) : '';
  const element = (local: string, content: string): string =>
    `<${prefix}${local}>${content}</${prefix}${local}>`;
  const form = formOf({ element, blanks });
  if (opened === end) {
    const place = textPlace(document, parent);
    return { ...place, form: (raw) => place.form?.(form(raw)) ?? '' };
  }
  const at = earlier ? placeOf(earlier).end : opened;
  return { from: at, to: at, form };
}

/** Read from behind: an expression that ends in `$` begins anew at each of a million blanks. */
function blanksBefore(text: string, end: number): string {
  let start = end;
  while (start > 0 && ' \t\r\n'.includes(text.charAt(start - 1))) start--;
  return text.slice(start, end);
}
