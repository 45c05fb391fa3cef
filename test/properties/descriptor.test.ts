import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseDescriptor } from '../../src/formats/ovf/descriptor.ts';
import { type ApplianceDisk, formatDescriptor } from '../../src/formats/ovf/descriptor-writer.ts';
import { hrefFault, memberNames, referenceOf } from '../../src/formats/ovf/file-reference.ts';
import { encodeUtf8 } from '../../src/kit/encoding.ts';
import { isBundleError } from '../../src/kit/errors/errors.ts';
import { DEFAULT_LIMITS } from '../../src/kit/limits.ts';
import { mutated } from '../factory/mutation.ts';

const VALID = encodeUtf8(
  formatDescriptor({
    name: 'appliance',
    product: 'P & Q',
    vendor: 'é',
    version: '1',
    disks: [
      { href: 'a.vmdk', size: 1, capacity: 512, format: 'vmdk', variant: 'streamOptimized' },
      { href: 'b.iso', size: 2, capacity: 2, format: 'iso' },
    ],
  }),
);

// Pieces of documents reach deeper into the parser than random bytes do.
const pieces = fc
  .array(
    fc.constantFrom(
      '<?xml version="1.0"?>',
      '<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1">',
      '</Envelope>',
      '<References>',
      '</References>',
      '<File id="a" href="b" size="9" chunkSize="2"/>',
      '<File xmlns:o="http://schemas.dmtf.org/ovf/envelope/1" o:id="c" href="d"/>',
      '<DiskSection><Disk diskId="d" fileRef="a" capacity="1" capacityAllocationUnits="byte * 2^30"/></DiskSection>',
      '<VirtualSystem id="v">',
      '</VirtualSystem>',
      '<x:y>',
      '<![CDATA[x]]>',
      '<!--',
      '-->',
      '<?pi ?>',
      '&#x110000;',
      '&#xD800;',
      '&amp;',
      '&__proto__;',
      '<__proto__ __proto__="x" constructor="y"/>',
      ']]>',
      '\u{FEFF}',
      '\0',
    ),
  )
  .map((parts) => encodeUtf8(parts.join('')));

function survives(bytes: Uint8Array): void {
  try {
    parseDescriptor(bytes, DEFAULT_LIMITS);
  } catch (error) {
    if (!isBundleError(error) || error.code !== 'DESCRIPTOR_SYNTAX') throw error;
    expect(error.where.line).toBeGreaterThan(0);
  }
}

test('[desc.17] any bytes give a descriptor or DESCRIPTOR_SYNTAX', () => {
  fc.assert(fc.property(fc.oneof(fc.uint8Array({ maxLength: 400 }), pieces), survives), { numRuns: 3000 });
});

test('[desc.17] a valid descriptor with any bytes changed gives a descriptor or DESCRIPTOR_SYNTAX', () => {
  fc.assert(fc.property(mutated(VALID), survives), { numRuns: 3000 });
});

test('[desc.17] texts as long as the limit allows end soon', () => {
  const filler = (text: string): Uint8Array =>
    encodeUtf8(text.repeat(Math.floor(DEFAULT_LIMITS.descriptorBytes / 4 / text.length)));
  for (const text of [
    '<',
    '&',
    '<a ',
    '<a>',
    '<!--',
    '<![CDATA[',
    '<!DOCTYPE[',
    '<?x',
    'a=""',
    ' ',
    '\n',
    ']]',
  ]) {
    survives(filler(text));
    survives(encodeUtf8(`<a x="${'&amp;'.repeat(100_000)}"${text.repeat(100_000)}`));
  }
});

const disks = fc.uniqueArray(
  fc.record({
    href: fc.string({ unit: 'grapheme', minLength: 1 }).filter((href) => hrefFault(href) === undefined),
    size: fc.nat(),
    capacity: fc.nat(),
    format: fc.constantFrom<ApplianceDisk['format'][]>('raw', 'qcow2', 'vmdk', 'vhd', 'vhdx'),
  }),
  { selector: ({ href }) => href, maxLength: 20 },
);

test('[desc.19] whatever is written is read again, or refused as USAGE', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), disks, (name, images) => {
      let text: string;
      try {
        text = formatDescriptor({ name, disks: images });
      } catch (error) {
        if (!isBundleError(error) || error.code !== 'USAGE') throw error;
        return;
      }
      const descriptor = parseDescriptor(encodeUtf8(text), DEFAULT_LIMITS);
      expect(memberNames(descriptor.references)).toEqual(images.map(({ href }) => href));
      expect(descriptor.disks.map(({ capacity }) => capacity)).toEqual(
        images.map(({ capacity }) => capacity),
      );
      expect(descriptor.name).toBe(name.trim() || name);
    }),
  );
});

test('[desc.11] chunks are found again by name and make up the whole size', () => {
  fc.assert(
    fc.property(fc.nat(10_000), fc.integer({ min: 50, max: 20_000 }), (size, chunkSize) => {
      const references = [{ id: 'a', href: 'x', size, chunkSize, compression: 'identity' as const }];
      const lookup = referenceOf(references);
      const sizes = memberNames(references).map((name) => lookup(name)?.size ?? Number.NaN);
      expect(sizes.reduce((sum, each) => sum + each, 0)).toBe(size);
      expect(sizes.slice(0, -1).every((each) => each === chunkSize)).toBe(true);
      expect(lookup(`x.${String(sizes.length).padStart(9, '0')}`)).toBeUndefined();
    }),
  );
});
