import { concat } from '../../src/kit/bytes.ts';
import { encodeUtf8, parseHex } from '../../src/kit/encoding.ts';

/** An image of zeros. */
export function image(size: number): Uint8Array {
  return new Uint8Array(size);
}

/** Writes bytes at an offset and gives the image back. */
export function put(bytes: Uint8Array, at: number, value: Uint8Array): Uint8Array {
  bytes.set(value, at);
  return bytes;
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The first 4 KiB of a qcow2 image. */
export function qcow2({
  version = 3,
  size = 1n << 20n,
  clusterBits = 16,
  features = 0n,
  headerLength = 104,
  backing = undefined as string | undefined,
  backingAt = 2048n,
  dataFile = undefined as string | undefined,
  extensionLength = undefined as number | undefined,
  encryption = 0,
  snapshots = 0,
} = {}): Uint8Array {
  const bytes = image(4096);
  const data = view(bytes);
  data.setUint32(0, 0x514649fb);
  data.setUint32(4, version);
  data.setUint32(20, clusterBits);
  data.setBigUint64(24, size);
  data.setUint32(32, encryption);
  data.setUint32(60, snapshots);
  if (version >= 3) {
    data.setBigUint64(72, features);
    data.setUint32(100, headerLength);
  }
  if (backing !== undefined) {
    data.setBigUint64(8, backingAt);
    data.setUint32(16, backing.length);
    put(bytes, 2048, encodeUtf8(backing));
  }
  if (dataFile !== undefined) {
    data.setUint32(headerLength, 0x44415441);
    data.setUint32(headerLength + 4, extensionLength ?? dataFile.length);
    put(bytes, headerLength + 8, encodeUtf8(dataFile));
  }
  return bytes;
}

/** The text descriptor of a VMDK. */
export function vmdkDescriptor({
  type = 'monolithicSparse',
  parent = 'ffffffff',
  hint = undefined as string | undefined,
  extents = ['RW 8 SPARSE "a.vmdk"'],
} = {}): string {
  const parentHint = hint === undefined ? '' : `parentFileNameHint="${hint}"\n`;
  return `# Disk DescriptorFile\nversion=1 \nCID=0078626b \nparentCID=${parent} \ncreateType="${type}" \n${parentHint}# Extent description\n${extents.join('\n')}\n`;
}

/** A VMDK sparse extent; with a footer when `footerCapacity` is given. */
export function vmdk({
  version = 1,
  capacity = 8n,
  compressed = false,
  text = vmdkDescriptor(),
  descriptorAt = 1n,
  descriptorSize = 20n,
  footerCapacity = undefined as bigint | undefined,
} = {}): Uint8Array {
  const header = (sectors: bigint, directory: bigint): Uint8Array => {
    const bytes = encodeUtf8('KDMV'.padEnd(512, '\0'));
    const data = view(bytes);
    data.setUint32(4, version, true);
    data.setUint32(8, compressed ? 0x30001 : 3, true);
    data.setBigUint64(12, sectors, true);
    data.setBigUint64(28, text ? descriptorAt : 0n, true);
    data.setBigUint64(36, text ? descriptorSize : 0n, true);
    data.setBigUint64(56, directory, true);
    return bytes;
  };
  const bytes = put(
    image(32 * 512),
    0,
    header(capacity, footerCapacity === undefined ? 26n : 2n ** 64n - 1n),
  );
  put(bytes, 512, encodeUtf8(text));
  if (footerCapacity !== undefined) put(bytes, 30 * 512, header(footerCapacity, 26n));
  return bytes;
}

/** A VHD footer with a right checksum. */
export function vhdFooter({ type = 3, size = 1 << 20 } = {}): Uint8Array {
  const bytes = encodeUtf8('conectix'.padEnd(512, '\0'));
  const data = view(bytes);
  data.setUint32(12, 0x00010000);
  data.setBigUint64(16, 512n);
  data.setBigUint64(48, BigInt(size));
  data.setUint32(60, type);
  data.setUint32(64, ~bytes.reduce((sum, byte) => sum + byte, 0) >>> 0);
  return bytes;
}

/** A dynamic or differencing VHD without blocks. */
export function vhdDynamic({ type = 3, size = 1 << 20, parent = '' } = {}): Uint8Array {
  const dynamic = encodeUtf8('cxsparse'.padEnd(1024, '\0'));
  for (const [index, char] of [...parent].entries())
    view(dynamic).setUint16(64 + 2 * index, char.charCodeAt(0));
  const footer = vhdFooter({ type, size });
  return concat([footer, dynamic, footer]);
}

const METADATA_REGION = '06a27c8b90479a4bb8fe575f050f886e';
const ITEMS = {
  size: '2442a52f1bcd7648b2115dbed83bf4b8',
  parameters: '3767a1ca36fa434db3b633f0aa44e76b',
  parent: '2d5fd3a80bb34d45abf7d3d84834ab0c',
};

function hex(text: string): Uint8Array {
  return parseHex(text) ?? image(0);
}

/** The first 1.25 MiB of a VHDX, its metadata at 1 MiB. */
export function vhdx({
  size = 1n << 30n,
  flags = 0,
  regions = 1,
  metadataAt = 1n << 20n,
  items = ['size', 'parameters'] as readonly (keyof typeof ITEMS)[],
  parent = undefined as string | undefined,
  log = false,
} = {}): Uint8Array {
  const bytes = put(image(1280 * 1024), 0, encodeUtf8('vhdxfile'));
  const data = view(bytes);
  for (const [index, at] of [64 * 1024, 128 * 1024].entries()) {
    put(bytes, at, encodeUtf8('head'));
    data.setBigUint64(at + 8, BigInt(index), true);
    if (log && index === 1) bytes[at + 48] = 1;
  }
  const table = 192 * 1024;
  put(bytes, table, encodeUtf8('regi'));
  data.setUint32(table + 8, regions, true);
  if (regions === 1) put(bytes, table + 16, hex(METADATA_REGION));
  data.setBigUint64(table + 32, metadataAt, true);

  const start = 1024 * 1024;
  put(bytes, start, encodeUtf8('metadata'));
  const all = parent === undefined ? items : [...items, 'parent' as const];
  data.setUint16(start + 10, all.length, true);
  for (const [index, item] of all.entries()) {
    const entry = start + 32 + 32 * index;
    const at = 64 * 1024 + 1024 * index;
    put(bytes, entry, hex(ITEMS[item]));
    data.setUint32(entry + 16, at, true);
    data.setUint32(entry + 20, 8, true);
    if (item === 'size') data.setBigUint64(start + at, size, true);
    if (item === 'parameters') data.setUint32(start + at + 4, flags, true);
    if (item === 'parent') putLocator(bytes, start + at, parent ?? '');
  }
  return bytes;
}

function putLocator(bytes: Uint8Array, at: number, parent: string): void {
  const data = view(bytes);
  const utf16 = (text: string): Uint8Array =>
    Uint8Array.from([...text].flatMap((char) => [char.charCodeAt(0), 0]));
  const key = utf16('relative_path');
  const value = utf16(parent);
  data.setUint16(at + 18, 1, true);
  data.setUint32(at + 20, 32, true);
  data.setUint32(at + 24, 32 + key.length, true);
  data.setUint16(at + 28, key.length, true);
  data.setUint16(at + 30, value.length, true);
  put(bytes, at + 32, key);
  put(bytes, at + 32 + key.length, value);
}
