import { SaxesParser } from 'saxes';
import { decodeUtf8 } from '../../../kit/encoding.ts';
import type { Limits } from '../../../kit/limits.ts';
import { parseXml, type XmlElement } from '../xml.ts';

/** Where an element stands in the text of its document, in UTF-16 units. */
interface XmlPlace {
  /** its name as it is written, with its prefix */
  readonly name: string;
  readonly start: number;
  /** behind its start tag */
  readonly opened: number;
  /** before its end tag; the same as `opened` where it has none of its own */
  readonly closing: number;
  readonly end: number;
  /** the raw value of each attribute between its quotes, by its name as written */
  readonly attributes: ReadonlyMap<string, Span>;
}

/** A part of the text. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** A document as it is written. */
export interface PlacedXml {
  readonly text: string;
  readonly root: XmlElement;
  placeOf(element: XmlElement): XmlPlace;
}

/**
 * A document that `parseXml` accepts, and where in its text everything stands, so that a part can be changed and all else stay.
 *
 * @throws {BundleError} `DESCRIPTOR_SYNTAX`
 */
export function parsePlacedXml(
  bytes: Uint8Array,
  limits: Pick<Limits, 'xmlDepth' | 'xmlElements'>,
): PlacedXml {
  const { root } = parseXml(bytes, limits);
  const text = decodeUtf8(bytes) ?? '';
  const places = placesIn(text);
  const byElement = new Map(inOrder(root).map((element, i) => [element, places[i]]));
  return {
    text,
    root,
    placeOf: (element) => {
      const place = byElement.get(element);
      if (!place) throw new Error('the element is of another document'); // a mistake of ours
      return place;
    },
  };
}

/** Those of all elements, in the order of their start tags; the text is known to be well-formed. */
function placesIn(text: string): readonly XmlPlace[] {
  const parser = new SaxesParser();
  const places: { -readonly [Key in keyof XmlPlace]: XmlPlace[Key] }[] = [];
  const open: (typeof places)[number][] = [];
  let attributes = new Map<string, Span>();
  parser.on('opentagstart', ({ name }) => {
    attributes = new Map();
    const start = text.lastIndexOf('<', parser.position - 1);
    const place = { name, start, opened: start, closing: start, end: start, attributes };
    places.push(place);
    open.push(place);
  });
  parser.on('attribute', ({ name }) => {
    const to = parser.position - 1; // of the closing quote, and no value holds the quote that it stands in
    attributes.set(name, { from: text.lastIndexOf(text.charAt(to), to - 1) + 1, to });
  });
  parser.on('opentag', () => {
    const place = open.at(-1);
    if (place) place.opened = parser.position;
  });
  parser.on('closetag', ({ isSelfClosing }) => {
    const place = open.pop();
    if (!place) return;
    place.end = parser.position;
    place.closing = isSelfClosing ? place.opened : text.lastIndexOf('</', parser.position - 1);
  });
  parser.write(text).close();
  return places;
}

function inOrder(element: XmlElement): readonly XmlElement[] {
  const found: XmlElement[] = [];
  const waiting = [element];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    found.push(next);
    for (let i = next.children.length - 1; i >= 0; i--) waiting.push(next.children[i] as XmlElement);
  }
  return found;
}
