import { counted } from '../../kit/encoding.ts';
import { type DiskProbe, diskFault, UNNAMED } from './disk-probe.ts';
import { type HeaderBytes, readHeader } from './header-bytes.ts';

// All numbers are big-endian. Offsets of the header (QEMU's qcow2 interoperability document):
//   0 magic  4 version  8 backing file offset (64)  16 its length  20 cluster bits  24 size (64)  32 encryption
//  60 snapshots  72 incompatible features (64)  100 header length       — the last two only in version 3
const V2_LENGTH = 72;
const V3_LENGTH = 104;
const NAME_BYTES = 1023;

const CORRUPT = 1n << 1n;
const EXTERNAL_DATA = 1n << 2n;
const KNOWN_FEATURES = 0b11111n;

const EXTENSION_END = 0;
const EXTENSION_DATA_FILE = 0x44415441;

/** True for the magic number of qcow images, whichever version. */
export function isQcow(head: Uint8Array): boolean {
  return head[0] === 0x51 && head[1] === 0x46 && head[2] === 0x49 && head[3] === 0xfb;
}

/** What a qcow2 header says; the tables behind it are not looked at. @throws {BundleError} `FORMAT_UNSUPPORTED` */
export function probeQcow2(head: Uint8Array): DiskProbe {
  const header = readHeader(head, 'the qcow2 header', 'big');
  const version = header.u32(4);
  if (version !== 2 && version !== 3)
    throw diskFault(`qcow version ${version}: only qcow2 (versions 2 and 3) is read`);
  const clusterBits = header.u32(20);
  if (clusterBits < 9 || clusterBits > 21)
    throw diskFault(`the qcow2 header has clusters of 2^${clusterBits} bytes`);
  const cluster = 2 ** clusterBits;
  const features = version === 3 ? header.u64(72) : 0n;
  // [disk.5] A feature that is not known may name another file.
  if (features & ~KNOWN_FEATURES) throw diskFault(`the qcow2 header needs features that are not known`);
  const length = version === 3 ? header.u32(100) : V2_LENGTH;
  if (version === 3 && (length < V3_LENGTH || length > cluster)) {
    throw diskFault(`the qcow2 header says that it has ${counted(length, 'byte')}`);
  }

  const backingFile = parseBackingFile(header, cluster);
  const dataFile = parseDataFile(header, length, cluster, (features & EXTERNAL_DATA) !== 0n);
  const notes = [
    ...(features & CORRUPT ? ['marked as corrupt'] : []),
    ...(header.u32(32) === 0 ? [] : ['encrypted']),
    ...(header.u32(60) === 0 ? [] : [`holds ${header.u32(60)} internal snapshots`]),
  ];
  return {
    format: 'qcow2',
    variant: `v${version}`,
    virtualSize: header.count(24, 'the size'),
    ...(backingFile !== undefined && { backingFile }),
    ...(dataFile !== undefined && { dataFile }),
    ...(notes.length !== 0 && { note: notes.join(', ') }),
  };
}

function parseBackingFile(header: HeaderBytes, cluster: number): string | undefined {
  const offset = header.count(8, 'the offset of the backing file');
  // [disk.11] An importer would copy this file of its own host into the guest's disk.
  if (offset === 0) return undefined;
  const length = header.u32(16);
  if (length > NAME_BYTES || offset + length > cluster) {
    throw diskFault('the qcow2 header names a backing file outside of its first cluster');
  }
  return header.name(offset, length) || UNNAMED;
}

/** The external data file, from the feature bit or from the header extension: one of them is enough to be suspicious. */
function parseDataFile(
  header: HeaderBytes,
  start: number,
  cluster: number,
  feature: boolean,
): string | undefined {
  let name: string | undefined;
  // An image may be shorter than its first cluster: what is not there is no extension.
  const end = Math.min(cluster, header.length);
  for (let at = start; at + 8 <= end; ) {
    const type = header.u32(at);
    if (type === EXTENSION_END) break;
    const length = header.u32(at + 4);
    if (at + 8 + length > end)
      throw diskFault('the qcow2 header has an extension that leaves its first cluster');
    if (type === EXTENSION_DATA_FILE) name = header.name(at + 8, length) || UNNAMED;
    at += 8 + Math.ceil(length / 8) * 8;
  }
  return name ?? (feature ? UNNAMED : undefined);
}
