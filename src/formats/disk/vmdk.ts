import { encodeUtf8, hasText } from '../../kit/encoding.ts';
import { type DiskProbe, diskFault, UNNAMED } from './disk-probe.ts';
import { type HeaderBytes, readHeader, toCount } from './header-bytes.ts';

// All numbers are little-endian, sizes and offsets count sectors of 512 bytes. Offsets of the sparse extent header
// (VMware Virtual Disk Format 5.0):
//   0 magic  4 version  8 flags  12 capacity (64)  28 descriptor offset (64)  36 descriptor size (64)  56 grain directory (64)
const SECTOR = 512;
const MAGIC = 'KDMV';
const DIRECTORY_AT_END = 2n ** 64n - 1n;
const COMPRESSED = 1 << 16;

// QEMU looks at this many sectors for the text, whatever the header says of its size.
const DESCRIPTOR_SECTORS = 20n;
const DESCRIPTOR_BYTES = 64 * 1024;

/** How much of the end of an image the footer of a streamOptimized one takes: its marker, itself, and the end marker. */
export const VMDK_FOOTER_BYTES = 3 * SECTOR;

const NO_PARENT = 'ffffffff';
const EXTENT =
  /^[ \t]*(?:RW|RDONLY|NOACCESS)[ \t]+(?<sectors>\d{1,20})[ \t]+(?<type>[A-Z]+)(?:[ \t]+"(?<name>[^"\n]*)")?/gim;

/** True for the magic number of a VMDK sparse extent. */
export function isVmdkExtent(head: Uint8Array): boolean {
  return head[0] === 0x4b && head[1] === 0x44 && head[2] === 0x4d && head[3] === 0x56;
}

/** What a text descriptor may begin with: a comment, a blank, or the version. */
const FIRST_BYTES = new Set(encodeUtf8('# \t\r\nvV'));

/** True for a VMDK text descriptor as QEMU knows it: comments and blank lines, then a version. */
export function isVmdkDescriptor(head: Uint8Array): boolean {
  if (!FIRST_BYTES.has(head[0] ?? 0)) return false; // most files, which then need not be made text
  const text = readHeader(head, 'the VMDK descriptor', 'little').latin1(0, Math.min(head.byteLength, 4096));
  return /^# Disk DescriptorFile|^(?:#[^\n]*\n|[ \t\r]*\n)*[ \t]*version[ \t]*=/i.test(text);
}

/** What a text descriptor in a file of its own says: never self-contained. @throws {BundleError} `FORMAT_UNSUPPORTED` */
export function probeVmdkDescriptor(head: Uint8Array, size: number): DiskProbe {
  if (size > DESCRIPTOR_BYTES) throw diskFault('the VMDK descriptor is larger than 64 KiB');
  const header = readHeader(head, 'the VMDK descriptor', 'little');
  const descriptor = parseDescriptorText(header.latin1(0, Math.min(size, header.length)));
  return {
    format: 'vmdk',
    ...fromDescriptor(descriptor),
    virtualSize: toCount(descriptor.sectors * BigInt(SECTOR), 'the size of the VMDK descriptor'),
    dataFile: descriptor.files,
    note: 'only a text descriptor, the content lies in other files',
  };
}

/** What a sparse extent says: capacity from the header or, for streams, the footer. @throws {BundleError} `FORMAT_UNSUPPORTED` */
export function probeVmdkExtent(head: Uint8Array, tail: Uint8Array): DiskProbe {
  const header = readHeader(head, 'the VMDK header', 'little');
  const version = header.u32(4);
  if (version < 1 || version > 3) throw diskFault(`the VMDK header has version ${version}`);
  const descriptor = embeddedDescriptor(header);
  const compressed = (header.u32(8) & COMPRESSED) !== 0;
  const common = {
    format: 'vmdk' as const,
    variant: compressed ? 'streamOptimized' : 'monolithicSparse',
    ...(descriptor !== undefined && fromDescriptor(descriptor)),
  };

  // [disk.7] QEMU then opens what the descriptor lists, files of the host included, before it looks at any footer.
  if (header.u64(12) === 0n && descriptor) {
    return {
      ...common,
      virtualSize: toCount(descriptor.sectors * BigInt(SECTOR), 'the size of the VMDK descriptor'),
      dataFile: descriptor.files,
      note: 'the header has no capacity, so readers follow the descriptor to other files',
    };
  }
  const last = header.u64(56) === DIRECTORY_AT_END ? readFooter(tail) : header;
  const sectors = last.u64(12);
  if (sectors === 0n) throw diskFault('the VMDK header has no capacity');
  // [disk.8] A second extent, or one of another kind, is another file.
  const outside = descriptor && !descriptor.single ? { dataFile: descriptor.files } : {};
  return {
    ...common,
    virtualSize: toCount(sectors * BigInt(SECTOR), 'the capacity of the VMDK header'),
    ...outside,
  };
}

function readFooter(tail: Uint8Array): HeaderBytes {
  const footer = readHeader(tail.subarray(-VMDK_FOOTER_BYTES), 'the VMDK footer', 'little');
  const header = readHeader(footer.bytes(SECTOR, SECTOR), 'the VMDK footer', 'little');
  // [disk.7] The footer takes the place of the header: without it the file was cut.
  if (header.latin1(0, 4) !== MAGIC || header.u64(56) === DIRECTORY_AT_END) {
    throw diskFault('the VMDK footer is missing: the file is cut short, or not a stream');
  }
  return header;
}

interface DescriptorText {
  readonly createType?: string;
  readonly backingFile?: string;
  readonly sectors: bigint;
  /** True when it lists at most one extent, and that one of the kind that holds this text. */
  readonly single: boolean;
  /** The names of the extents, joined. */
  readonly files: string;
}

function embeddedDescriptor(header: HeaderBytes): DescriptorText | undefined {
  const offset = header.u64(28);
  if (offset === 0n) return undefined;
  const at = toCount(offset * BigInt(SECTOR), 'the offset of the VMDK descriptor');
  const size = header.u64(36);
  const length = toCount(
    (size > DESCRIPTOR_SECTORS ? size : DESCRIPTOR_SECTORS) * BigInt(SECTOR),
    'the VMDK descriptor',
  );
  if (length > DESCRIPTOR_BYTES) throw diskFault('the VMDK descriptor is larger than 64 KiB');
  if (at >= header.length) throw diskFault('the VMDK descriptor lies outside of the start of the image');
  return parseDescriptorText(header.latin1(at, Math.min(length, header.length - at)));
}

function parseDescriptorText(text: string): DescriptorText {
  const [content = ''] = text.split('\0', 1);
  const { createType } =
    /^[ \t]*createType[ \t]*=[ \t]*"(?<createType>[^"\n]*)"/im.exec(content)?.groups ?? {};
  const extents = [...content.matchAll(EXTENT)].map(({ groups: { sectors, type, name } = {} }) => ({
    sectors: BigInt(sectors ?? 0),
    sparse: type?.toUpperCase() === 'SPARSE',
    name: name || UNNAMED,
  }));
  const backingFile = parseParent(content);
  return {
    ...(hasText(createType) && { createType }),
    ...(backingFile !== undefined && { backingFile }),
    sectors: extents.reduce((sum, extent) => sum + extent.sectors, 0n),
    single: extents.length <= 1 && extents.every(({ sparse }) => sparse),
    files: extents.map(({ name }) => name).join(', ') || UNNAMED,
  };
}

/** The parent image: QEMU goes by the hint wherever it stands, VMware by the content id, so either is enough. */
function parseParent(text: string): string | undefined {
  const { parent } = /^[ \t]*parentCID[ \t]*=[ \t]*(?<parent>[0-9a-f]+)/im.exec(text)?.groups ?? {};
  const { hint } = /parentFileNameHint[ \t]*=[ \t]*"(?<hint>[^"\n]*)"/i.exec(text)?.groups ?? {};
  if (hint !== undefined || /parentFileNameHint/i.test(text)) return hint || UNNAMED;
  return parent !== undefined && parent.toLowerCase() !== NO_PARENT ? UNNAMED : undefined;
}

function fromDescriptor({ createType, backingFile }: DescriptorText): Partial<DiskProbe> {
  return {
    ...(createType !== undefined && { variant: createType }),
    ...(backingFile !== undefined && { backingFile }),
  };
}
