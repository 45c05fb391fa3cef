import { formatHex } from '../../kit/encoding.ts';
import { type DiskProbe, diskFault, UNNAMED } from './disk-probe.ts';
import { type HeaderBytes, holdsAt, readHeader } from './header-bytes.ts';

// All numbers are little-endian (MS-VHDX 2.2 to 2.6). Both structures are doubled for safe updates.
const KIB = 1024;
const HEADERS = [64 * KIB, 128 * KIB];
const REGION_TABLES = [192 * KIB, 256 * KIB];
const REGION_ENTRIES = 2047;
const METADATA_ENTRIES = 2047;
const METADATA_TABLE_BYTES = 64 * KIB;

// GUIDs as they are stored.
const METADATA_REGION = '06a27c8b90479a4bb8fe575f050f886e';
const VIRTUAL_DISK_SIZE = '2442a52f1bcd7648b2115dbed83bf4b8';
const FILE_PARAMETERS = '3767a1ca36fa434db3b633f0aa44e76b';
const PARENT_LOCATOR = '2d5fd3a80bb34d45abf7d3d84834ab0c';

const ALLOCATED = 1 << 0;
const HAS_PARENT = 1 << 1;

/** True for the signature of a VHDX file. */
export function isVhdx(head: Uint8Array): boolean {
  return holdsAt(head, 0, 'vhdxfile');
}

/** What the metadata of a VHDX says; the log is not replayed, only noted. @throws {BundleError} `FORMAT_UNSUPPORTED` */
export function probeVhdx(head: Uint8Array): DiskProbe {
  const header = readHeader(head, 'the VHDX header', 'little');
  const region = metadataRegion(header);
  const items = metadataItems(header, region);
  const size = items.get(VIRTUAL_DISK_SIZE);
  const parameters = items.get(FILE_PARAMETERS);
  if (size === undefined || parameters === undefined)
    throw diskFault('the VHDX metadata has no size or no parameters');
  const flags = header.u32(parameters.at + 4);
  const locator = items.get(PARENT_LOCATOR);
  // [disk.10] Either mark is enough: a reader may go by the one or by the other.
  const parent = (flags & HAS_PARENT) !== 0 || locator !== undefined;
  return {
    format: 'vhdx',
    variant: parent ? 'differencing' : (flags & ALLOCATED) !== 0 ? 'fixed' : 'dynamic',
    virtualSize: header.count(size.at, 'the size'),
    ...(parent && { backingFile: locator ? parentName(header, locator) : UNNAMED }),
    ...(hasLog(header) && { note: 'was not closed cleanly: its log must be replayed' }),
  };
}

interface Item {
  readonly at: number;
  readonly length: number;
}

function metadataRegion(header: HeaderBytes): number {
  const table = REGION_TABLES.find((at) => header.latin1(at, 4) === 'regi');
  if (table === undefined) throw diskFault('the VHDX region table is missing');
  const count = header.u32(table + 8);
  if (count > REGION_ENTRIES) throw diskFault(`the VHDX region table has ${count} entries`);
  for (let index = 0; index < count; index++) {
    const entry = table + 16 + 32 * index;
    if (formatHex(header.bytes(entry, 16)) === METADATA_REGION) {
      return header.count(entry + 16, 'the offset of the metadata');
    }
  }
  throw diskFault('the VHDX region table has no metadata region');
}

function metadataItems(header: HeaderBytes, region: number): ReadonlyMap<string, Item> {
  if (region + METADATA_TABLE_BYTES > header.length) {
    throw diskFault(
      `the VHDX metadata lies at byte ${region}, past the start of the image that is looked at`,
      'make a new image with qemu-img convert -O vhdx: it has its metadata near the start',
    );
  }
  if (header.latin1(region, 8) !== 'metadata') throw diskFault('the VHDX metadata table is missing');
  const count = header.u16(region + 10);
  if (count > METADATA_ENTRIES) throw diskFault(`the VHDX metadata table has ${count} entries`);
  const items = new Map<string, Item>();
  for (let index = 0; index < count; index++) {
    const entry = region + 32 + 32 * index;
    const id = formatHex(header.bytes(entry, 16));
    // [disk.10]
    if (items.has(id)) throw diskFault('the VHDX metadata has an item twice');
    items.set(id, { at: region + header.u32(entry + 16), length: header.u32(entry + 20) });
  }
  return items;
}

/** The path in the parent locator, an absolute one before a relative one. */
function parentName(header: HeaderBytes, locator: Item): string {
  const paths = new Map<string, string>();
  const count = header.u16(locator.at + 18);
  for (let index = 0; index < count; index++) {
    const entry = locator.at + 20 + 12 * index;
    const key = utf16(header, locator.at + header.u32(entry), header.u16(entry + 8));
    paths.set(key, utf16(header, locator.at + header.u32(entry + 4), header.u16(entry + 10)));
  }
  return paths.get('absolute_win32_path') || paths.get('relative_path') || UNNAMED;
}

function utf16(header: HeaderBytes, at: number, length: number): string {
  let text = '';
  for (let offset = 0; offset + 1 < length; offset += 2) text += String.fromCharCode(header.u16(at + offset));
  return text;
}

/** True when the newer of the two headers names a log. */
function hasLog(header: HeaderBytes): boolean {
  const [newest] = HEADERS.filter((at) => header.latin1(at, 4) === 'head').sort((a, b) =>
    header.u64(a + 8) < header.u64(b + 8) ? 1 : -1,
  );
  return newest !== undefined && header.bytes(newest + 48, 16).some((byte) => byte !== 0);
}
