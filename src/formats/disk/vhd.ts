import { type DiskProbe, diskFault, UNNAMED } from './disk-probe.ts';
import { type HeaderBytes, holdsAt, readHeader } from './header-bytes.ts';

// All numbers are big-endian. Offsets of the footer (Microsoft Virtual Hard Disk Image Format Specification 1.0):
//   0 cookie  12 version  16 offset of the dynamic header (64)  48 current size (64)  60 disk type  64 checksum
const COOKIE = 'conectix';
const VERSION = 0x0001_0000;
const CHECKSUM_AT = 64;
const FIXED = 2;
const DYNAMIC = 3;
const DIFFERENCING = 4;

/** The size of the footer, which a dynamic image repeats at its start. */
export const VHD_FOOTER_BYTES = 512;

/** True when these 512 bytes begin like a VHD footer. */
export function isVhdFooter(bytes: Uint8Array): boolean {
  return holdsAt(bytes, 0, COOKIE);
}

/** What the copy of the footer at the start of an image says: dynamic and differencing images. @throws {BundleError} `FORMAT_UNSUPPORTED` */
export function probeDynamicVhd(head: Uint8Array): DiskProbe {
  const whole = readHeader(head, 'the VHD header', 'big');
  const footer = readFooter(whole.bytes(0, VHD_FOOTER_BYTES));
  const type = footer.u32(60);
  if (type !== DYNAMIC && type !== DIFFERENCING) throw diskFault(`the VHD header has the disk type ${type}`);
  const at = footer.count(16, 'the offset of the dynamic header');
  const dynamic = readHeader(whole.bytes(at, 1024), 'the dynamic VHD header', 'big');
  if (dynamic.latin1(0, 8) !== 'cxsparse') throw diskFault('the dynamic VHD header is missing');
  return {
    format: 'vhd',
    variant: type === DYNAMIC ? 'dynamic' : 'differencing',
    virtualSize: footer.count(48, 'the size'),
    ...(type !== DYNAMIC && { backingFile: parentName(dynamic) }),
  };
}

/** What the footer at the end says: fixed images, whose content comes first. @throws {BundleError} `FORMAT_UNSUPPORTED` */
export function probeFixedVhd(tail: Uint8Array, size: number): DiskProbe {
  const footer = readFooter(tail.subarray(-VHD_FOOTER_BYTES));
  const type = footer.u32(60);
  // [disk.9] The others begin with a copy of this footer: without it, the start of the file is missing.
  if (type !== FIXED)
    throw diskFault(`the VHD footer has the disk type ${type}, but the file does not begin so`);
  const virtualSize = footer.count(48, 'the size');
  if (virtualSize > size - VHD_FOOTER_BYTES)
    throw diskFault('the fixed VHD is shorter than the size it claims');
  return { format: 'vhd', variant: 'fixed', virtualSize };
}

function readFooter(bytes: Uint8Array): HeaderBytes {
  const footer = readHeader(bytes, 'the VHD footer', 'big');
  const sum = bytes.reduce((total, byte, at) => {
    return at >= CHECKSUM_AT && at < CHECKSUM_AT + 4 ? total : total + byte;
  }, 0);
  // [disk.9]
  if (footer.u32(12) !== VERSION || footer.u32(CHECKSUM_AT) !== ~sum >>> 0) {
    throw diskFault('the VHD footer has a wrong version or checksum');
  }
  return footer;
}

function parentName(dynamic: HeaderBytes): string {
  let name = '';
  for (let at = 64; at < 64 + 512; at += 2) {
    const unit = dynamic.u16(at);
    if (unit === 0) break;
    name += String.fromCharCode(unit);
  }
  return name || UNNAMED;
}
