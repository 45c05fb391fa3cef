import { describe, expect, test } from 'vitest';
import { encodeUtf8 } from '../../../src/kit/encoding.ts';
import { envelope, fault, files, notes, OVF1, OVF2, parse } from '../../factory/descriptors.ts';

const MINIMAL = envelope('<References/>');

describe('XML', () => {
  test('[desc.1] one byte order mark and a declaration of UTF-8 or ASCII are accepted', () => {
    expect(fault(`\u{FEFF}<?xml version="1.0" encoding="utf-8"?>${MINIMAL}`)).toBe('accepted');
    expect(fault(`<?xml version="1.0" encoding="US-ASCII"?>${MINIMAL}`)).toBe('accepted');
  });

  test('[desc.1] other encodings and XML 1.1 are refused', () => {
    expect(fault(`\u{FEFF}\u{FEFF}${MINIMAL}`)).toMatch(/text data outside of root/);
    expect(fault(Uint8Array.from([...encodeUtf8('<a>\n\n'), 0xe9, ...encodeUtf8('</a>')]))).toBe(
      '3: the document is not UTF-8',
    );
    expect(fault(`<?xml version="1.0" encoding="ISO-8859-1"?>${MINIMAL}`)).toMatch(/encoding ISO-8859-1/);
    expect(fault(`<?xml version="1.0" encoding="ASCII"?>${MINIMAL}<!--é-->`)).toMatch(/other characters/);
    expect(fault(`<?xml version="1.1"?>${MINIMAL}`)).toMatch(/version 1.1/);
  });

  test.each([
    ...['utf-16', 'UTF-16', 'UTF-16LE', 'utf-16be', 'UTF16', 'UTF-32', 'utf-32le', 'UCS-2', 'ucs-4'],
    ...['ISO-10646-UCS-2', 'unicode'],
  ])('[desc.1] UTF-8 that is labelled %s is read, and noted', (label) => {
    const text = `<?xml version="1.0" encoding="${label}"?>${envelope('<References/><!--é-->')}`;
    expect(notes(text)).toEqual([expect.stringContaining(`is labelled ${label} and is UTF-8`)]);
    expect(notes(`\u{FEFF}${text}`)).toHaveLength(1);
    expect(notes(text.replace(label, 'utf-8'))).toEqual([]);
  });

  test.each(['x-utf-16', 'utf-160', 'utf-7', 'utf-1', 'windows-1252', 'ebcdic-cp-us'])(
    '[desc.1] the label %s is refused',
    (label) => {
      expect(fault(`<?xml version="1.0" encoding="${label}"?>${MINIMAL}`)).toContain(`encoding ${label}`);
    },
  );

  test.each([
    ['UTF-16LE', (code: number) => [code & 255, code >> 8], [0xff, 0xfe]],
    ['UTF-16BE', (code: number) => [code >> 8, code & 255], [0xfe, 0xff]],
    ['UTF-32LE', (code: number) => [code & 255, code >> 8, 0, 0], [0xff, 0xfe, 0, 0]],
    ['UTF-32BE', (code: number) => [0, 0, code >> 8, code & 255], [0, 0, 0xfe, 0xff]],
  ])('[desc.1] real %s is refused by its name, with a byte order mark and without', (name, unit, mark) => {
    const text = `<?xml version="1.0" encoding="utf-16"?>${envelope('<References/><!--ю-->')}`;
    const bytes = [...text].flatMap((char) => unit(char.charCodeAt(0)));
    const refusal = `1: the descriptor is ${name} text: only UTF-8 is read`;
    expect(fault(Uint8Array.from([...mark, ...bytes]))).toBe(refusal);
    expect(fault(Uint8Array.from(bytes))).toBe(refusal);
  });

  test('[desc.2] a document type and entities are refused', () => {
    expect(fault(`<!DOCTYPE Envelope>\n${MINIMAL}`)).toMatch(/DOCTYPE/);
    expect(fault(`<!DOCTYPE e [<!ENTITY x SYSTEM "file:///etc/passwd">]>${MINIMAL}`)).toMatch(/DOCTYPE/);
    expect(fault(envelope('<References/>\n&x;'))).toBe('2: undefined entity');
    expect(fault(envelope('<References/>&constructor;'))).toMatch(/undefined entity/);
    expect(fault(envelope('<References/>&amp;&lt;&#x41;'))).toBe('accepted');
  });

  test('[desc.3] depth, elements, attributes and bytes have limits', () => {
    const deep = envelope(`<References/>${'<x>'.repeat(9)}${'</x>'.repeat(9)}`);
    expect(fault(deep, { xmlDepth: 10 })).toBe('accepted');
    expect(fault(deep, { xmlDepth: 9 })).toMatch(/nest more than 9 deep/);
    expect(fault(envelope(`<References/>${'<x/>'.repeat(5)}`), { xmlElements: 6 })).toMatch(
      /more than 6 elements/,
    );
    expect(fault(envelope('<References/><x a="1" b="2"/>'), { xmlElements: 5 })).toMatch(
      /more than 5 attributes/,
    );
    expect(fault(`${'<x>'.repeat(200_000)}`)).toMatch(/nest more than 64 deep/);
    expect(fault(MINIMAL, { descriptorBytes: 10 })).toMatch(/larger than 10 bytes/);
  });

  test.each([
    ['an empty document', '', /root element/],
    ['only blanks', ' \n', /root element/],
    ['an open element', '<a>\n<b></a>', /2: unexpected close tag/],
    ['a second root', `${MINIMAL}<a/>`, /one root/],
    ['text after the root', `${MINIMAL}x`, /outside of root/],
    ['a prefix without namespace', '<ovf:Envelope/>', /unbound namespace prefix/],
    ['an attribute twice', envelope('<References/><x a="1" a="2"/>'), /duplicate attribute/],
    [
      'one attribute under two prefixes',
      envelope(`<References/><x xmlns:o="${OVF1}" o:a="1" ovf:a="1"/>`),
      /duplicate/,
    ],
    ['blanks around a namespace', MINIMAL.replace(OVF1, ` ${OVF1}`), /blanks around it/],
    ['a NUL', envelope('<References/>\0'), /disallowed character/],
  ])('[desc.4] refused: %s', (_, text, message) => {
    expect(fault(text)).toMatch(message);
  });
});

describe('envelope', () => {
  test('[desc.5] both OVF namespaces are read, whatever the prefix', () => {
    expect(parse(MINIMAL)).toEqual({ version: 1, references: [], disks: [], products: [], systems: [] });
    expect(parse(`<o:Envelope xmlns:o="${OVF2}"><o:References/></o:Envelope>`).version).toBe(2);
  });

  test('[desc.5] any other root is refused, the VMware draft by name', () => {
    expect(fault('<Envelope xmlns="http://www.vmware.com/schema/ovf/1/envelope"/>')).toMatch(/OVF 0\.9/);
    expect(fault('<Envelope/>')).toMatch(/Envelope without namespace/);
    expect(fault(`<Other xmlns="${OVF1}"/>`)).toMatch(/not an OVF Envelope/);
    expect(fault('<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/3"/>')).toMatch(/envelope\/3/);
  });

  test('[desc.7] attributes count with and without prefix, and must agree', () => {
    expect(parse(envelope(files('id="a" href="x"'))).references).toEqual([
      { id: 'a', href: 'x', compression: 'identity' },
    ]);
    expect(fault(envelope(files('id="a" ovf:id="a" ovf:href="x"')))).toBe('accepted');
    expect(fault(envelope(files('ovf:id="a" href="x" ovf:href="y"')))).toBe(
      '1: File has two different values for href',
    );
    expect(fault(envelope(files('vmw:id="a" ovf:href="y"')))).toBe('1: File has no id');
  });
});
