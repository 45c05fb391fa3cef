import { hasText } from '../../kit/encoding.ts';
import type { BundleError } from '../../kit/errors/errors.ts';
import type { Limits } from '../../kit/limits.ts';
import { childText, ovfAttribute, ovfChildren, parseEnvelope, requiredAttribute } from './envelope.ts';
import { chunkCount, type FileReference, hrefFault, referenceOf } from './file-reference.ts';
import { parseByteUnit, parseDecimal } from './quantity.ts';
import {
  type ProductSummary,
  parseProducts,
  parseVirtualSystems,
  type VirtualSystemSummary,
} from './virtual-system.ts';
import { descriptorFault, parseXml, type XmlElement } from './xml.ts';

/** A disk of the appliance: its capacity in bytes where it is a plain number, its file where it starts with content. */
export interface DiskDescription {
  readonly id: string;
  readonly fileId?: string;
  readonly capacity?: number;
  readonly format?: string;
  readonly populatedSize?: number;
}

/** What bulla needs to know of an OVF descriptor. */
export interface Descriptor {
  /** The major version of the OVF namespace. */
  readonly version: 1 | 2;
  /** The name of the virtual system or collection, else its id. */
  readonly name?: string;
  readonly references: readonly FileReference[];
  readonly disks: readonly DiskDescription[];
  readonly products: readonly ProductSummary[];
  readonly systems: readonly VirtualSystemSummary[];
}

/** A descriptor as read, and what about its form other tools may stumble over. */
export interface DescriptorAsRead extends Descriptor {
  readonly notes: readonly string[];
}

/**
 * The descriptor in the bytes of an `.ovf` file.
 *
 * What decides which files make the bundle is understood or refused; what only describes the machine is left out where it
 * cannot be read. Whether the files are there, and as large as they should be, is left to the caller.
 * @throws {BundleError} `DESCRIPTOR_SYNTAX` with the line
 */
export function parseDescriptor(bytes: Uint8Array, limits: Limits): DescriptorAsRead {
  if (bytes.byteLength > limits.descriptorBytes) {
    throw descriptorFault(1, `the descriptor is larger than ${limits.descriptorBytes} bytes`);
  }
  const { root: envelope, notes } = parseXml(bytes, limits);
  const version = parseEnvelope(envelope);
  const references = parseReferences(envelope, limits);
  const [content] = ovfChildren(envelope, 'VirtualSystem', 'VirtualSystemCollection');
  const name = content && (childText(content, 'Name') ?? ovfAttribute(content, 'id'));
  return {
    version,
    ...(hasText(name) && { name }),
    references,
    disks: parseDisks(envelope, references),
    products: parseProducts(envelope),
    systems: parseVirtualSystems(envelope),
    notes,
  };
}

function parseReferences(envelope: XmlElement, limits: Limits): readonly FileReference[] {
  const [section, second] = ovfChildren(envelope, 'References');
  // [desc.8] A reader may take the first list and another the second, or all.
  if (section === undefined) throw noReferences(envelope);
  if (second) throw descriptorFault(second.line, 'the envelope has a second list of References');

  const ids = new Set<string>();
  const hrefs = new Set<string>();
  let members = 0;
  const elements = ovfChildren(section, 'File');
  const references = elements.map((element) => {
    const reference = parseReference(element);
    if (ids.has(reference.id)) throw descriptorFault(element.line, `two files have the id ${reference.id}`);
    if (hrefs.has(reference.href))
      throw descriptorFault(element.line, `two files are named ${reference.href}`);
    ids.add(reference.id);
    hrefs.add(reference.href);
    // [desc.12] A huge size with a tiny chunk size would name more chunks than memory holds.
    members += reference.chunkSize === undefined ? 1 : (chunkCount(reference) ?? 1);
    if (members > limits.members) {
      throw descriptorFault(element.line, `the references need more than ${limits.members} members`);
    }
    return reference;
  });
  const lookup = referenceOf(references);
  for (const [index, element] of elements.entries()) {
    const href = references[index]?.href ?? '';
    // [desc.8] Otherwise one member would be a chunk of one file and the whole of another.
    if (lookup(href)?.chunk !== undefined) {
      throw descriptorFault(element.line, `the file ${href} has the name of a chunk of another file`);
    }
  }
  return references;
}

function noReferences(envelope: XmlElement): BundleError {
  const bare = envelope.children.find(({ uri, local }) => uri === '' && local === 'References');
  if (!bare) return descriptorFault(envelope.line, 'the envelope has no References');
  return descriptorFault(bare.line, 'References is outside of the namespace of the envelope', {
    fix: `export the appliance again with a current tool, since drafts of OVF had it so; by hand: xmlns="${envelope.uri}" in the Envelope`,
  });
}

function parseReference(element: XmlElement): FileReference {
  const id = requiredAttribute(element, 'id');
  const href = ovfAttribute(element, 'href') ?? '';
  const fault = hrefFault(href);
  if (fault) throw descriptorFault(element.line, `the href of the file ${id} ${fault}`);
  const size = optionalNumber(element, 'size');
  const chunkSize = optionalNumber(element, 'chunkSize');
  if (chunkSize === 0) throw descriptorFault(element.line, `the file ${id} has chunks of no size`);
  return {
    id,
    href,
    ...(size !== undefined && { size }),
    compression: parseCompression(element),
    ...(chunkSize !== undefined && { chunkSize }),
  };
}

function parseCompression(element: XmlElement): FileReference['compression'] {
  const value = ovfAttribute(element, 'compression') ?? '';
  if (value === '' || value === 'identity') return 'identity';
  if (value === 'gzip' || value === 'bzip2') return value;
  // [desc.16]
  throw descriptorFault(element.line, `the compression ${value} is not known`);
}

function optionalNumber(element: XmlElement, local: string): number | undefined {
  const text = ovfAttribute(element, local);
  if (text === undefined) return undefined;
  const value = parseDecimal(text);
  // [desc.10] Readers disagree about signs, blanks and exponents, and so about sizes.
  if (value === undefined) {
    throw descriptorFault(
      element.line,
      `${local} of a ${element.local} is not a plain decimal number: ${text}`,
    );
  }
  return value;
}

function parseDisks(envelope: XmlElement, references: readonly FileReference[]): readonly DiskDescription[] {
  const fileIds = new Set(references.map(({ id }) => id));
  const ids = new Set<string>();
  return ovfChildren(envelope, 'DiskSection').flatMap((section) =>
    ovfChildren(section, 'Disk').map((element) => {
      const disk = parseDisk(element);
      // [desc.13]
      if (ids.has(disk.id)) throw descriptorFault(element.line, `two disks have the id ${disk.id}`);
      ids.add(disk.id);
      if (disk.fileId !== undefined && !fileIds.has(disk.fileId)) {
        throw descriptorFault(
          element.line,
          `the disk ${disk.id} needs the file ${disk.fileId}, which is not in References`,
        );
      }
      return disk;
    }),
  );
}

function parseDisk(element: XmlElement): DiskDescription {
  const id = requiredAttribute(element, 'diskId');
  const fileId = ovfAttribute(element, 'fileRef') || undefined; // [desc.13] VMware writes fileRef="" for an empty disk
  const capacity = parseCapacity(element, id);
  const format = ovfAttribute(element, 'format');
  const populatedSize = optionalNumber(element, 'populatedSize');
  return {
    id,
    ...(fileId !== undefined && { fileId }),
    ...(capacity !== undefined && { capacity }),
    ...(format !== undefined && { format }),
    ...(populatedSize !== undefined && { populatedSize }),
  };
}

function parseCapacity(element: XmlElement, id: string): number | undefined {
  const text = ovfAttribute(element, 'capacity');
  // [desc.14] The importer fills in ${…}: no number is known here.
  if (text === undefined || /^\$\{[^{}]+\}$/.test(text)) return undefined;
  const count = optionalNumber(element, 'capacity') ?? 0;
  const unit = parseByteUnit(ovfAttribute(element, 'capacityAllocationUnits') ?? 'byte');
  if (unit === undefined) return undefined;
  const bytes = count * unit;
  if (!Number.isSafeInteger(bytes)) {
    throw descriptorFault(element.line, `the capacity of the disk ${id} is larger than 2^53 − 1 bytes`);
  }
  return bytes;
}
