import { concat } from '../../src/kit/bytes.ts';
import { encodeUtf8 } from '../../src/kit/encoding.ts';

/** A field as text (Latin-1, so that "\x80" is one byte) or as bytes. */
type Field = string | Uint8Array;

/** What a header says; each field is written as it is, without help. Left out, it is what a good header has. */
export interface HeaderFields {
  readonly name?: Field;
  readonly prefix?: Field;
  readonly mode?: Field;
  readonly uid?: Field;
  readonly gid?: Field;
  readonly size?: Field | number;
  readonly mtime?: Field;
  /** right for the rest of the block when left out */
  readonly checksum?: Field;
  readonly type?: Field;
  readonly link?: Field;
  readonly magic?: Field;
  /** the two device numbers */
  readonly device?: Field;
  /** the twelve bytes behind the prefix */
  readonly tail?: Field;
}

/** Magic and version of the dialects. */
export const MAGIC = {
  posix: 'ustar\x0000',
  gnu: 'ustar  \0',
  ovftool: 'ustar\0 \0',
  v7: '\0\0\0\0\0\0\0\0',
} as const;

/** The end-of-archive mark. */
export const END = new Uint8Array(1024);

/** The bytes of a text, one byte a character. */
export function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

/** One header block. */
export function header(fields: HeaderFields = {}): Uint8Array {
  const block = new Uint8Array(512);
  const put = (at: number, field: Field): void =>
    block.set(typeof field === 'string' ? latin1(field) : field, at);
  const { size = 0 } = fields;
  put(0, fields.name ?? 'file');
  put(100, fields.mode ?? '0000644\0');
  put(108, fields.uid ?? '0000000\0');
  put(116, fields.gid ?? '0000000\0');
  put(124, typeof size === 'number' ? octalSize(size) : size);
  put(136, fields.mtime ?? '00000000000\0');
  put(156, fields.type ?? '0');
  put(157, fields.link ?? '');
  put(257, fields.magic ?? MAGIC.posix);
  put(329, fields.device ?? '');
  put(345, fields.prefix ?? '');
  put(500, fields.tail ?? '');
  put(148, fields.checksum ?? `${checksumOf(block).toString(8).padStart(6, '0')}\0 `);
  return block;
}

/** Eleven octal digits and a NUL. */
export function octalSize(size: number): string {
  return `${size.toString(8).padStart(11, '0')}\0`;
}

/** Twelve bytes, the first `lead`, the others the number, big-endian. */
export function base256(value: bigint, lead = 0x80): Uint8Array {
  const field = new Uint8Array(12);
  for (let i = 11, rest = value; i > 0; i--, rest >>= 8n) field[i] = Number(rest & 0xffn);
  field[0] = lead;
  return field;
}

/** The unsigned sum of a header, its checksum field counted as blanks. */
export function checksumOf(block: Uint8Array): number {
  return block.reduce((sum, byte, i) => sum + (i >= 148 && i < 156 ? 0x20 : byte), 0);
}

/** The same block with its checksum made right. */
export function withChecksum(block: Uint8Array): Uint8Array {
  const copy = block.slice();
  copy.set(latin1(`${checksumOf(copy).toString(8).padStart(6, '0')}\0 `), 148);
  return copy;
}

/** A content filled up to whole blocks. */
export function padded(content: Field, fill = 0): Uint8Array {
  const bytes = typeof content === 'string' ? encodeUtf8(content) : content;
  const padding = new Uint8Array((512 - (bytes.byteLength % 512)) % 512).fill(fill);
  return concat([bytes, padding]);
}

/** Header and content of one member; the name may be any text. */
export function file(name: string, content: Field = '', fields: HeaderFields = {}): Uint8Array {
  const bytes = typeof content === 'string' ? encodeUtf8(content) : content;
  return concat([header({ name: encodeUtf8(name), size: bytes.byteLength, ...fields }), padded(bytes)]);
}

/** A pax record with its right length. */
export function record(key: string, value: Field): Uint8Array {
  const rest = concat([
    encodeUtf8(` ${key}=`),
    typeof value === 'string' ? encodeUtf8(value) : value,
    latin1('\n'),
  ]);
  let length = rest.byteLength + 1;
  while (String(length).length + rest.byteLength > length) length++;
  return concat([encodeUtf8(String(length)), rest]);
}

/** A pax header and its body: records, or any bytes in their place. */
export function pax(body: Field | readonly Uint8Array[], fields: HeaderFields = {}): Uint8Array {
  const bytes = typeof body === 'string' ? latin1(body) : body instanceof Uint8Array ? body : concat(body);
  return concat([
    header({ name: 'PaxHeaders/file', type: 'x', size: bytes.byteLength, ...fields }),
    padded(bytes),
  ]);
}

/** The parts in order, and the end mark. */
export function tar(...parts: readonly Uint8Array[]): Uint8Array {
  return concat([...parts, END]);
}
