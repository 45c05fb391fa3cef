import { SaxesParser, type SaxesTagNS } from 'saxes';
import { decodeUtf8, printable } from '../../kit/encoding.ts';
import { BundleError, isBundleError } from '../../kit/errors/errors.ts';
import type { Limits } from '../../kit/limits.ts';
import { asUtf8, wideEncoding } from '../wide-text.ts';

/** An attribute with its namespace resolved; `uri` is empty where it has no prefix. Namespace declarations are left out. */
interface XmlAttribute {
  readonly uri: string;
  readonly local: string;
  readonly value: string;
}

/** An element with its namespace resolved; `line` is 1-based, `text` its own character data without that of its children. */
export interface XmlElement {
  readonly uri: string;
  readonly local: string;
  readonly line: number;
  readonly text: string;
  readonly attributes: readonly XmlAttribute[];
  readonly children: readonly XmlElement[];
}

/** A document as read: its root, and what about its form other tools may stumble over. */
export interface XmlDocument {
  readonly root: XmlElement;
  readonly notes: readonly string[];
}

interface Building extends XmlElement {
  text: string;
  readonly children: Building[];
}

const ENCODINGS = /^(?:utf-?8|(?:us-)?ascii)$/i;
/** Labels of encodings in units of two or four bytes: over a text in single bytes they can only be wrong. */
const WIDE_LABELS = /^(?:utf-?(?:16|32)(?:-?[bl]e)?|(?:iso-10646-)?ucs-?[24](?:-?[bl]e)?|unicode)$/i;
const MESSAGE_CHARACTERS = 160;

/** The fault of a descriptor at a line: `DESCRIPTOR_SYNTAX`; foreign text in the message is made printable and cut. */
export function descriptorFault(
  line: number,
  message: string,
  details: { readonly fix?: string; readonly cause?: unknown } = {},
): BundleError {
  const text = printable(message);
  const short = text.length > MESSAGE_CHARACTERS ? `${text.slice(0, MESSAGE_CHARACTERS)}…` : text;
  return new BundleError('DESCRIPTOR_SYNTAX', short, { where: { line }, ...details });
}

/**
 * A well-formed XML 1.0 document with namespaces, in UTF-8, without document type.
 *
 * It decides well-formedness and cost (`xmlDepth`, `xmlElements`); what the elements mean is left to the caller.
 * @throws {BundleError} `DESCRIPTOR_SYNTAX` with the line, and nothing else whatever the bytes
 */
export function parseXml(bytes: Uint8Array, limits: Pick<Limits, 'xmlDepth' | 'xmlElements'>): XmlDocument {
  const text = decodeDocument(bytes);
  const parser = new SaxesParser({ xmlns: true });
  const tree = buildTree(parser, text, limits);
  try {
    parser.write(text).close();
  } catch (error) {
    // [desc.17] Our own handlers throw through the parser; anything else is a state of it that bytes brought about.
    throw isBundleError(error)
      ? error
      : descriptorFault(parser.line, 'the XML cannot be read', { cause: error });
  }
  const root = tree.root();
  if (root === undefined) throw descriptorFault(1, 'the document has no root element');
  return { root, notes: tree.notes };
}

function decodeDocument(bytes: Uint8Array): string {
  const wide = wideEncoding(bytes);
  if (wide) {
    throw descriptorFault(1, `the descriptor is ${wide} text: only UTF-8 is read`, {
      fix: `ask the publisher for it in UTF-8, as every importer reads it; if it is your own, ${asUtf8(wide)}, with encoding="UTF-8" in its first line, before the manifest is made`,
    });
  }
  const text = decodeUtf8(bytes);
  // [desc.1] Another encoding would let two readers see two documents in the same bytes.
  if (text === undefined) throw descriptorFault(badLine(bytes), 'the document is not UTF-8');
  return text; // saxes skips one byte order mark
}

/** The first line that is not UTF-8; a line feed is never part of a longer sequence, so each line decodes on its own. */
function badLine(bytes: Uint8Array): number {
  let line = 1;
  for (let start = 0; start < bytes.length; line++) {
    const feed = bytes.indexOf(0x0a, start);
    const end = feed === -1 ? bytes.length : feed + 1;
    if (decodeUtf8(bytes.subarray(start, end)) === undefined) return line;
    start = end;
  }
  return line;
}

function buildTree(
  parser: SaxesParser<{ xmlns: true }>,
  text: string,
  limits: Pick<Limits, 'xmlDepth' | 'xmlElements'>,
): { root(): XmlElement | undefined; readonly notes: readonly string[] } {
  const notes: string[] = [];
  let root: Building | undefined;
  const open: Building[] = [];
  let elements = 0;
  let attributes = 0;
  let tagLine = 1;

  const fail = (message: string): never => {
    throw descriptorFault(parser.line, message);
  };
  const append = (data: string): void => {
    const element = open.at(-1);
    if (element) element.text += data;
  };

  parser.on('error', (error) => fail(error.message.replace(/^\d+:\d+: /, '').replace(/\.$/, '')));
  parser.on('xmldecl', ({ version, encoding }) => {
    // [desc.1] XML 1.1 has other line ends and characters, so a reader of 1.0 sees another text.
    if (version !== '1.0') fail(`XML version ${version ?? 'not given'}: only 1.0 is read`);
    if (encoding !== undefined && WIDE_LABELS.test(encoding)) {
      // The bytes have been found to be UTF-8: nobody can read another text in them.
      notes.push(
        `the descriptor is labelled ${encoding} and is UTF-8, as XenCenter writes it; readers that go by the label refuse it`,
      );
    } else if (encoding !== undefined && !ENCODINGS.test(encoding)) {
      fail(`the document declares the encoding ${encoding}: only UTF-8 is read`);
    }
    if (encoding !== undefined && /ascii/i.test(encoding) && /[^\0-\x7F]/.test(text)) {
      fail(`the document declares the encoding ${encoding} and holds other characters`);
    }
  });
  // [desc.2] A document type brings entities: files of the host read in, and texts that grow without end.
  parser.on('doctype', () => fail('a document type declaration (DOCTYPE) is refused'));
  parser.on('opentagstart', () => {
    tagLine = parser.line;
    // [desc.3]
    if (open.length >= limits.xmlDepth) fail(`elements nest more than ${limits.xmlDepth} deep`);
    elements += 1;
    if (elements > limits.xmlElements) fail(`more than ${limits.xmlElements} elements`);
  });
  parser.on('attribute', () => {
    attributes += 1;
    if (attributes > limits.xmlElements) fail(`more than ${limits.xmlElements} attributes`);
  });
  parser.on('opentag', (tag) => {
    const element = elementOf(tag, tagLine, fail);
    const parent = open.at(-1);
    if (parent) parent.children.push(element);
    else root = element;
    open.push(element);
  });
  parser.on('closetag', () => {
    open.pop();
  });
  parser.on('text', append);
  parser.on('cdata', append);
  return { root: () => root, notes };
}

function elementOf(tag: SaxesTagNS, line: number, fail: (message: string) => never): Building {
  const attributes: XmlAttribute[] = [];
  for (const { name, prefix, uri, local, value } of Object.values(tag.attributes)) {
    if (name !== 'xmlns' && prefix !== 'xmlns') attributes.push({ uri, local, value });
    // [desc.4] saxes trims these names and other readers do not: they would see another namespace.
    else if (value !== value.trim()) fail(`the namespace of ${name} has blanks around it`);
  }
  return { uri: tag.uri, local: tag.local, line, text: '', attributes, children: [] };
}
