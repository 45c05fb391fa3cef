import { BundleError } from '../../kit/errors/errors.ts';

/** The fixed part of each record: its signature and its length in bytes. */
export const END_RECORD = { signature: 0x06054b50, bytes: 22 } as const;
export const ZIP64_END_RECORD = { signature: 0x06064b50, bytes: 56 } as const;
export const ZIP64_LOCATOR = { signature: 0x07064b50, bytes: 20 } as const;
export const CENTRAL_HEADER = { signature: 0x02014b50, bytes: 46 } as const;
export const LOCAL_HEADER = { signature: 0x04034b50, bytes: 30 } as const;
export const DATA_DESCRIPTOR = { signature: 0x08074b50, bytes: 16, zip64Bytes: 24 } as const;

/** A field that holds this has its value in a zip64 record instead. */
export const IN_ZIP64 = { count: 0xffff, value: 0xffff_ffff } as const;

/** Bits of the flags of a member that bulla reads or writes. */
export const ZIP_FLAGS = {
  encrypted: 1,
  descriptor: 8,
  patched: 0x20,
  strong: 0x40,
  utf8: 0x800,
  masked: 0x2000,
} as const;

/** Compression methods. */
export const STORED = 0;
export const DEFLATED = 8;

/** The end record, or the zip64 end record in the same terms. */
export interface ZipEnd {
  readonly disk: number;
  readonly directoryDisk: number;
  readonly countOnDisk: number;
  readonly count: number;
  readonly directoryBytes: number;
  readonly directoryOffset: number;
}

/** What stands in both headers of a member. Sizes are as written: `IN_ZIP64.value` where zip64 has them. */
export interface ZipHeader {
  readonly versionNeeded: number;
  /** the system that a reader must know, in the other byte of the version */
  readonly systemNeeded: number;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  readonly compressedSize: number;
  readonly size: number;
  readonly nameBytes: number;
  readonly extraBytes: number;
}

/** What stands in the directory only. */
export interface CentralHeader extends ZipHeader {
  /** the system that the member is said to have been made on */
  readonly madeOn: number;
  readonly commentBytes: number;
  readonly disk: number;
  readonly externalAttributes: number;
  readonly offset: number;
}

/** True when these bytes begin with the record, whole. */
export function isRecord(
  bytes: Uint8Array,
  record: { readonly signature: number; readonly bytes: number },
): boolean {
  return bytes.byteLength >= record.bytes && viewOf(bytes).getUint32(0, true) === record.signature;
}

/** The end record without its comment, of which only the length is given. */
export function parseEndRecord(bytes: Uint8Array): ZipEnd & { readonly commentBytes: number } {
  const view = viewOf(bytes);
  return {
    disk: view.getUint16(4, true),
    directoryDisk: view.getUint16(6, true),
    countOnDisk: view.getUint16(8, true),
    count: view.getUint16(10, true),
    directoryBytes: view.getUint32(12, true),
    directoryOffset: view.getUint32(16, true),
    commentBytes: view.getUint16(20, true),
  };
}

/** The zip64 end record; `recordBytes` is what it says of its own length behind that field. @throws {BundleError} `ARCHIVE_LIMIT` */
export function parseZip64EndRecord(bytes: Uint8Array): ZipEnd & { readonly recordBytes: number } {
  const view = viewOf(bytes);
  return {
    recordBytes: longAt(view, 4),
    disk: view.getUint32(16, true),
    directoryDisk: view.getUint32(20, true),
    countOnDisk: longAt(view, 24),
    count: longAt(view, 32),
    directoryBytes: longAt(view, 40),
    directoryOffset: longAt(view, 48),
  };
}

/** The zip64 locator. @throws {BundleError} `ARCHIVE_LIMIT` */
export function parseZip64Locator(bytes: Uint8Array): {
  readonly disk: number;
  readonly offset: number;
  readonly disks: number;
} {
  const view = viewOf(bytes);
  return { disk: view.getUint32(4, true), offset: longAt(view, 8), disks: view.getUint32(16, true) };
}

/** The fixed part of a header in the directory. */
export function parseCentralHeader(bytes: Uint8Array): CentralHeader {
  const view = viewOf(bytes);
  return {
    ...headerAt(view, 6),
    madeOn: view.getUint8(5),
    commentBytes: view.getUint16(32, true),
    disk: view.getUint16(34, true),
    externalAttributes: view.getUint32(38, true),
    offset: view.getUint32(42, true),
  };
}

/** The fixed part of the header before a member's data. */
export function parseLocalHeader(bytes: Uint8Array): ZipHeader {
  return headerAt(viewOf(bytes), 4);
}

/** What a data descriptor of 16 or 24 bytes says behind its signature. @throws {BundleError} `ARCHIVE_LIMIT` */
export function parseDataDescriptor(bytes: Uint8Array): Pick<ZipHeader, 'crc' | 'compressedSize' | 'size'> {
  const view = viewOf(bytes);
  const long = bytes.byteLength === DATA_DESCRIPTOR.zip64Bytes;
  return {
    crc: view.getUint32(4, true),
    compressedSize: long ? longAt(view, 8) : view.getUint32(8, true),
    size: long ? longAt(view, 16) : view.getUint32(12, true),
  };
}

/** The 22 bytes that both headers have in common. */
function headerAt(view: DataView, start: number): ZipHeader {
  return {
    versionNeeded: view.getUint8(start),
    systemNeeded: view.getUint8(start + 1),
    flags: view.getUint16(start + 2, true),
    method: view.getUint16(start + 4, true),
    crc: view.getUint32(start + 10, true),
    compressedSize: view.getUint32(start + 14, true),
    size: view.getUint32(start + 18, true),
    nameBytes: view.getUint16(start + 22, true),
    extraBytes: view.getUint16(start + 24, true),
  };
}

/** A number of 8 bytes. @throws {BundleError} `ARCHIVE_LIMIT` when it is larger than this program counts */
export function longAt(view: DataView, offset: number): number {
  const value = view.getBigUint64(offset, true);
  if (value <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(value);
  throw new BundleError('ARCHIVE_LIMIT', `a zip64 number is ${value}, over 2^53 − 1`);
}

/** The bytes as a view, which reads numbers of any length. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
