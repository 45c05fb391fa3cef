import { decodeUtf8, printable } from '../../kit/encoding.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import { parsePaxRecord } from './pax.ts';
import { paxSparsePieces, type SparsePiece, sparseNumber } from './sparse-map.ts';

/** What a pax header says of names and contents, with whatever else beside it. */
export interface OddPax {
  readonly path?: string;
  /** bytes that follow in the archive */
  readonly size?: number;
  /** where the member is sparse: its size; its pieces, where they do not stand before the content */
  readonly sparse?: { readonly size: number; readonly pieces?: readonly SparsePiece[] };
}

/** Keys by which a reader finds a member, or its bytes. */
const OBEYED = /^(path|size|GNU\.sparse\..*)$/;
/** Those that may stand more than once: the pairs of the format 0.0. */
const PAIRS = /^GNU\.sparse\.(offset|numbytes)$/;

/**
 * Reads a pax header for what it says of names and contents, and passes over the rest.
 *
 * @throws {BundleError} `ARCHIVE_PAX`, without a place: records that are not framed as such, and what is said twice [repair.5]
 */
export function parseOddPax(body: Uint8Array): OddPax {
  const records: (readonly [string, string])[] = [];
  const single = new Map<string, string>();
  for (let at = 0; at < body.byteLength; ) {
    const { key, value, length } = parsePaxRecord(body, at);
    at += length;
    if (!OBEYED.test(key)) continue;
    const text = decodeUtf8(value);
    if (text === undefined || text.includes('\0'))
      throw pax(`the value of "${printable(key.slice(0, 40))}" is no text`);
    records.push([key, text]);
    if (PAIRS.test(key)) continue;
    if (single.has(key)) throw pax(`the key "${printable(key.slice(0, 40))}" stands twice`);
    single.set(key, text);
  }
  const path = single.get('GNU.sparse.name') ?? single.get('path');
  const size = single.get('size');
  const sparse = sparseOf(records, single);
  return {
    ...(path !== undefined && path !== '' && { path }),
    ...(size !== undefined && { size: sparseNumber(size) }),
    ...(sparse !== undefined && { sparse }),
  };
}

/** Checks that a pax global header gives members no name and no size: some readers heed it for all that follow, and some do not. @throws {BundleError} `ARCHIVE_PAX` [repair.5] */
export function checkOddPaxGlobal(body: Uint8Array): void {
  const { path, size, sparse } = parseOddPax(body);
  if (path === undefined && size === undefined && sparse === undefined) return;
  throw new BundleError('ARCHIVE_PAX', 'a pax global header gives members a name or a size');
}

function sparseOf(
  records: readonly (readonly [string, string])[],
  single: ReadonlyMap<string, string>,
): OddPax['sparse'] {
  if (!records.some(([key]) => key.startsWith('GNU.sparse.'))) return undefined;
  const major = single.get('GNU.sparse.major') ?? '0';
  const minor = single.get('GNU.sparse.minor');
  const size = single.get('GNU.sparse.realsize') ?? single.get('GNU.sparse.size');
  if (size === undefined) throw pax('a sparse member has no size');
  if ((single.get('GNU.sparse.size') ?? size) !== size) throw pax('a sparse member has two sizes');
  if (major === '1' && minor === '0') return { size: sparseNumber(size) };
  const pieces = paxSparsePieces(records);
  if (major !== '0' || pieces === undefined)
    throw pax(`a sparse member of the format ${printable(major.slice(0, 9))}, which is not known`);
  return { size: sparseNumber(size), pieces };
}

function pax(message: string): BundleError {
  return new BundleError('ARCHIVE_PAX', `pax header: ${message}`);
}
