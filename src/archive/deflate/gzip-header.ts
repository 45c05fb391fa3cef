import { engine } from '#engine';
import { memberNameFault } from '../../formats/member-name.ts';
import type { ByteCursor } from '../../kit/byte-cursor.ts';
import { concat, copyBytes } from '../../kit/bytes.ts';
import { decodeLatin1, decodeUtf8 } from '../../kit/encoding.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import type { Limits } from '../../kit/limits.ts';

/** How the header of a gzip file is read. */
export interface GzipHeaderOptions {
  /** a digest that somebody signed covers the header as well: what it holds is his */
  readonly signed?: boolean;
  /** told what is odd of the header and harms nobody who does not use it, in place of refusing it [repair.4] */
  readonly onOdd?: (refusal: BundleError) => void;
}

const FLAG = { text: 1, headerCrc: 2, extra: 4, name: 8, comment: 16 } as const;
const RESERVED_FLAGS = 0xe0;
/** [gz.2] A name is one part of a path; extra field and comment are whatever whoever carries the file likes. */
const NAME_BYTES = 255;
const BESIDE_BYTES = 64;
/** What a signer may write there; nobody needs it, so it may not cost much. */
const SIGNED_BYTES = 64 * 1024;

/**
 * Reads the header of a gzip file up to its deflate data.
 *
 * @throws {BundleError} `GZIP_MALFORMED`, `ARCHIVE_TRUNCATED`
 * @see spec/archive.md, clauses gz.1 and gz.2
 */
export async function readGzipHeader(
  cursor: ByteCursor,
  limits: Limits,
  { signed = false, onOdd }: GzipHeaderOptions,
): Promise<void> {
  const head = copyBytes(await need(cursor, 10));
  const flags = head[3] ?? 0;
  if (head[0] !== 0x1f || head[1] !== 0x8b || head[2] !== 8)
    throw malformed('this is not gzip with deflate', 0); // [gz.1]
  if ((flags & RESERVED_FLAGS) !== 0) throw malformed('the gzip header uses reserved flags', 3);
  const seen: Uint8Array[] = [head];
  const most = signed ? SIGNED_BYTES : BESIDE_BYTES;
  const room = onOdd ? SIGNED_BYTES : most;
  const odd = (refusal: BundleError): void => {
    if (!onOdd) throw refusal;
    onOdd(refusal);
  };
  if (flags & FLAG.extra) {
    const at = cursor.offset;
    const length = copyBytes(await need(cursor, 2));
    const count = (length[0] ?? 0) + 256 * (length[1] ?? 0);
    if (count > most) odd(carriers(`an extra field of ${count} bytes`, at)); // [gz.2]
    seen.push(length, copyBytes(await need(cursor, count)));
  }
  if (flags & FLAG.name) {
    const at = cursor.offset;
    const bytes = await text(cursor, 'name', signed || onOdd ? SIGNED_BYTES : NAME_BYTES);
    const fault = signed ? undefined : nameFault(bytes.subarray(0, -1), limits);
    if (fault) odd(carriers(`a name that no file may have: ${fault}`, at));
    seen.push(bytes);
  }
  if (flags & FLAG.comment) {
    const at = cursor.offset;
    const bytes = await text(cursor, 'comment', room);
    if (bytes.byteLength > most + 1) odd(carriers(`a comment of more than ${most} bytes`, at));
    if (!signed && /[\0-\x1f\x7f-\x9f]/.test(decodeLatin1(bytes.subarray(0, -1))))
      odd(carriers('a comment with control characters', at));
    seen.push(bytes);
  }
  if (flags & FLAG.headerCrc) {
    const at = cursor.offset;
    const stored = await need(cursor, 2);
    const computed = engine.crc32(concat(seen)) & 0xffff;
    if ((stored[0] ?? 0) + 256 * (stored[1] ?? 0) !== computed)
      throw malformed('the gzip header is damaged', at);
  }
}

/** [gz.2] gzip -N, 7-Zip and file managers give the unpacked file this name; an empty one is none. */
function nameFault(bytes: Uint8Array, limits: Limits): string | undefined {
  if (bytes.byteLength === 0) return undefined;
  const name = (decodeUtf8(bytes) ?? decodeLatin1(bytes)).normalize('NFC'); // macOS decomposes what it writes
  if (name.includes('/')) return 'the name lies in a folder';
  if (name.startsWith('.')) return 'the name begins with a dot';
  return memberNameFault(name, limits);
}

async function text(cursor: ByteCursor, what: string, most: number): Promise<Uint8Array> {
  const start = cursor.offset;
  const parts: Uint8Array[] = [];
  for (;;) {
    const room = most + 1 - (cursor.offset - start);
    if (room === 0) throw carriers(`a ${what} of more than ${most} bytes`, start);
    const some = await cursor.takeSome(room);
    if (!some) throw cut(cursor.offset);
    const end = some.indexOf(0) + 1;
    parts.push(copyBytes(end > 0 ? some.subarray(0, end) : some));
    if (end === 0) continue;
    cursor.giveBack(some.subarray(end));
    return concat(parts);
  }
}

async function need(cursor: ByteCursor, count: number): Promise<Uint8Array> {
  const bytes = await cursor.take(count);
  if (bytes.byteLength < count) throw cut(cursor.offset);
  return bytes;
}

/** What is compressed ends before it should. */
export function cut(compressedOffset: number): BundleError {
  return new BundleError('ARCHIVE_TRUNCATED', 'the compressed archive ends early', {
    where: { compressedOffset },
  });
}

/** What is compressed is not as gzip has it. */
export function malformed(message: string, compressedOffset: number): BundleError {
  return new BundleError('GZIP_MALFORMED', message, { where: { compressedOffset } });
}

function carriers(what: string, compressedOffset: number): BundleError {
  return new BundleError('GZIP_MALFORMED', `the gzip header holds ${what}`, {
    where: { compressedOffset },
    why: 'nobody has signed the header, and some programs name the unpacked file by it',
    fix: 'if the bundle comes from where you expect it, compress it again without a name: gzip -dc FILE | gzip -n > NEW',
  });
}
