import { crc32, deflateRawSync } from 'node:zlib';
import { writeZip } from '../../src/archive/zip/zip-writer.ts';
import { concat, once } from '../../src/kit/bytes.ts';
import { encodeUtf8 } from '../../src/kit/encoding.ts';
import type { NamedBytes } from './bundles.ts';

/** The fields of one header; each may be set to anything. */
interface ZipFields {
  readonly signature: number;
  readonly needed: number;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  readonly name: string | Uint8Array;
  readonly extra: Uint8Array;
}

/** The fields that only the directory has. */
interface CentralFields extends ZipFields {
  readonly made: number;
  readonly comment: string;
  readonly disk: number;
  readonly attributes: number;
  readonly offset: number;
}

/** A member; what is left out is right. */
export interface ZipItem {
  readonly name: string | Uint8Array;
  readonly content?: Uint8Array | string;
  readonly deflate?: boolean;
  /** in place of what the content would be packed to */
  readonly data?: Uint8Array;
  /** fields of both headers, of the one before the data, and of the one in the directory */
  readonly both?: Partial<ZipFields>;
  readonly local?: Partial<ZipFields>;
  readonly central?: Partial<CentralFields>;
  /** bytes right behind the data, and right before the header; left out of the directory altogether */
  readonly after?: Uint8Array;
  readonly before?: Uint8Array;
  readonly hidden?: boolean;
}

/** The fields of the end record, and bytes around it. */
export interface ZipEndFields {
  readonly disk: number;
  readonly directoryDisk: number;
  readonly countOnDisk: number;
  readonly count: number;
  readonly bytes: number;
  readonly offset: number;
  readonly commentLength: number;
  readonly before: Uint8Array;
  readonly after: Uint8Array;
}

/** Builds a zip of these members, whatever they and the end record are told to say. */
export function zip(items: readonly ZipItem[], end: Partial<ZipEndFields> = {}): Uint8Array {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let at = 0;
  for (const item of items) {
    const { before = new Uint8Array(0), after = new Uint8Array(0) } = item;
    const content =
      typeof item.content === 'string' ? encodeUtf8(item.content) : (item.content ?? new Uint8Array(0));
    const data = item.data ?? (item.deflate ? new Uint8Array(deflateRawSync(content)) : content);
    const fields: ZipFields = {
      signature: 0x04034b50,
      needed: 20,
      flags: 0x800,
      method: item.deflate ? 8 : 0,
      crc: crc32(content),
      packed: data.byteLength,
      size: content.byteLength,
      name: item.name,
      extra: new Uint8Array(0),
      ...item.both,
    };
    const local = header({ ...fields, ...item.local });
    const central = {
      made: 0x31e,
      comment: '',
      disk: 0,
      attributes: 0x81a40000,
      offset: at + before.byteLength,
    };
    if (!item.hidden)
      directory.push(centralHeader({ ...fields, signature: 0x02014b50, ...central, ...item.central }));
    parts.push(before, local, data, after);
    at += before.byteLength + local.byteLength + data.byteLength + after.byteLength;
  }
  const central = concat([new Uint8Array(0), ...directory, new Uint8Array(0)]);
  const { before = new Uint8Array(0), after = new Uint8Array(0) } = end;
  const record = endRecord({ count: directory.length, bytes: central.byteLength, offset: at, ...end });
  return concat([...parts, central, before, record, after]);
}

/** The end record of 22 bytes. */
function endRecord(fields: Partial<ZipEndFields>): Uint8Array {
  const { count = 0, countOnDisk = count, bytes = 0, offset = 0 } = fields;
  return packed([
    [4, 0x06054b50],
    [2, fields.disk ?? 0],
    [2, fields.directoryDisk ?? 0],
    [2, countOnDisk],
    [2, count],
    [4, bytes],
    [4, offset],
    [2, fields.commentLength ?? 0],
  ]);
}

/** The two records of zip64 that stand before the end record, for a directory that ends at `at`. */
export function zip64Records(
  at: number,
  fields: Partial<
    ZipEndFields & { readonly recordBytes: number; readonly at: number; readonly disks: number }
  >,
): Uint8Array {
  const { count = 0, countOnDisk = count, bytes = 0, offset = 0 } = fields;
  return packed([
    [4, 0x06064b50],
    [8, fields.recordBytes ?? 44],
    [2, 45],
    [2, 45],
    [4, fields.disk ?? 0],
    [4, fields.directoryDisk ?? 0],
    [8, countOnDisk],
    [8, count],
    [8, bytes],
    [8, offset],
    [4, 0x07064b50],
    [4, 0],
    [8, fields.at ?? at],
    [4, fields.disks ?? 1],
  ]);
}

/** An extra field. */
export function extra(id: number, content: Uint8Array): Uint8Array {
  return concat([
    packed([
      [2, id],
      [2, content.byteLength],
    ]),
    content,
  ]);
}

/** Numbers, little-endian, each of so many bytes. */
export function packed(numbers: readonly (readonly [bytes: number, value: number])[]): Uint8Array {
  return Uint8Array.from(
    numbers.flatMap(([bytes, value]) =>
      Array.from({ length: bytes }, (_, i) => Number((BigInt(value) >> BigInt(8 * i)) & 0xffn)),
    ),
  );
}

function header(fields: ZipFields): Uint8Array {
  const name = bytesOf(fields.name);
  return concat([packed([[4, fields.signature], ...common(fields, name)]), name, fields.extra]);
}

function centralHeader(fields: CentralFields): Uint8Array {
  const name = bytesOf(fields.name);
  const comment = encodeUtf8(fields.comment);
  return concat([
    packed([
      [4, fields.signature],
      [2, fields.made],
      ...common(fields, name),
      [2, comment.byteLength],
      [2, fields.disk],
      [2, 0],
      [4, fields.attributes],
      [4, fields.offset],
    ]),
    name,
    fields.extra,
    comment,
  ]);
}

function common(fields: ZipFields, name: Uint8Array): readonly (readonly [number, number])[] {
  return [
    [2, fields.needed],
    [2, fields.flags],
    [2, fields.method],
    [4, 0x5a210000], // a time and a date
    [4, fields.crc],
    [4, fields.packed],
    [4, fields.size],
    [2, name.byteLength],
    [2, fields.extra.byteLength],
  ];
}

function bytesOf(name: string | Uint8Array): Uint8Array {
  return typeof name === 'string' ? encodeUtf8(name) : name;
}

/** A zip of these files as bulla writes it. */
export async function zipOf(files: readonly NamedBytes[]): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  const patches: (readonly [offset: number, bytes: Uint8Array])[] = [];
  const members = files.map(({ name, bytes }) => ({ name, size: bytes.byteLength, body: once(bytes) }));
  const sink = {
    write: async (chunk: Uint8Array) => {
      parts.push(new Uint8Array(chunk));
    },
    patch: async (offset: number, bytes: Uint8Array) => {
      patches.push([offset, bytes]);
    },
  };
  await writeZip(members, sink, { mtime: 0 });
  const whole = new Uint8Array(concat(parts));
  for (const [offset, bytes] of patches) whole.set(bytes, offset);
  return whole;
}
