import { BundleError } from '../../kit/errors/errors.ts';
import { octal, TAR_BLOCK } from './header.ts';
import { oddNumber } from './odd-number.ts';

/** A piece of a sparse file that is stored: where it belongs, and how many bytes it has. */
export type SparsePiece = readonly [offset: number, length: number];

/** The map of a sparse file: what lies between the pieces, and behind the last, is zero. */
export interface SparseMap {
  readonly pieces: readonly SparsePiece[];
  /** bytes of the whole file */
  readonly size: number;
}

/** The most pieces of one member: they are held in memory. */
export const MOST_PIECES = 2 ** 20;

/** The pieces in a header of the old GNU format, or in a block behind it; a row without a length ends them. @throws {BundleError} `ARCHIVE_HEADER` */
export function oldSparsePieces(block: Uint8Array, at: number, most: number): readonly SparsePiece[] {
  const pieces: SparsePiece[] = [];
  for (let row = at; row < at + 24 * most && block[row + 12] !== 0; row += 24)
    pieces.push([oddNumber(block, row, 12), oddNumber(block, row + 12, 12)]);
  return pieces;
}

/** A block with more pieces of the old format, and whether another follows. @throws {BundleError} `ARCHIVE_HEADER`, `ARCHIVE_PAX` */
export function moreSparsePieces(block: Uint8Array): {
  readonly pieces: readonly SparsePiece[];
  readonly more: boolean;
} {
  if (block.byteLength < TAR_BLOCK || octal(block, 0, 12, 0) === undefined) throw wrong('is cut');
  const pieces = oldSparsePieces(block, 0, 21);
  const more = block[504] === 1;
  if (more && pieces.length === 0) throw wrong('goes on without a piece'); // as long as somebody sends such blocks
  return { pieces, more };
}

/** The map that stands in a pax header, of the formats 0.0 and 0.1; undefined where there is none. @throws {BundleError} `ARCHIVE_PAX` */
export function paxSparsePieces(
  records: readonly (readonly [key: string, value: string])[],
): readonly SparsePiece[] | undefined {
  const values = records.flatMap(([key, value]) => {
    if (key === 'GNU.sparse.map') return value === '' ? [] : value.split(',');
    return key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes' ? [value] : [];
  });
  const isMap = records.some(([key]) => /^GNU\.sparse\.(map|offset|numblocks)$/.test(key));
  if (!isMap) return undefined;
  const inTurn = records
    .filter(([key]) => /^GNU\.sparse\.(offset|numbytes)$/.test(key))
    .every(([key], i) => (key === 'GNU.sparse.offset') === (i % 2 === 0));
  if (!inTurn || values.length % 2 === 1) throw wrong('is not made of pairs');
  const pieces = pairsOf(values.map(sparseNumber));
  const counts = records
    .filter(([key]) => key === 'GNU.sparse.numblocks')
    .map(([, value]) => sparseNumber(value));
  const other = counts.find((count) => count !== values.length / 2);
  if (other !== undefined) throw wrong(`has ${values.length / 2} pieces, and says that it has ${other}`);
  return pieces;
}

/** The map before the content, of the format 1.0: how many pieces there are, then offset and length of each, a line for each number. */
export class MapReader {
  readonly #numbers: number[] = [];
  #line = '';

  /** Takes the next block; true when the map ends in it. @throws {BundleError} `ARCHIVE_PAX`, `ARCHIVE_LIMIT` */
  take(block: Uint8Array): boolean {
    for (const byte of block) {
      if (byte !== 0x0a) {
        this.#line += String.fromCharCode(byte);
        if (this.#line.length > 16) throw wrong('holds a line that is no number');
        continue;
      }
      this.#numbers.push(sparseNumber(this.#line));
      this.#line = '';
      const [count = 0] = this.#numbers;
      if (count > MOST_PIECES) throw tooMany();
      if (this.#numbers.length === 1 + 2 * count) return true;
    }
    return false;
  }

  get pieces(): readonly SparsePiece[] {
    return pairsOf(this.#numbers.slice(1));
  }
}

function pairsOf(numbers: readonly number[]): readonly SparsePiece[] {
  const pieces: SparsePiece[] = [];
  for (let i = 0; i < numbers.length; i += 2) pieces.push([numbers[i] ?? 0, numbers[i + 1] ?? 0]);
  return pieces;
}

/** A plain decimal number. @throws {BundleError} `ARCHIVE_PAX` */
export function sparseNumber(text: string): number {
  const value = /^(0|[1-9]\d{0,15})$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw wrong('holds a number that is none');
  return value;
}

/**
 * Holds a map against itself and the bytes that are stored: its pieces follow each other, lie within the file, and are all that is stored.
 *
 * @throws {BundleError} `ARCHIVE_PAX`, `ARCHIVE_SIZE_CONFLICT`, `ARCHIVE_LIMIT` [repair.6]
 */
export function expectSound({ pieces, size }: SparseMap, stored: number): void {
  if (pieces.length > MOST_PIECES) throw tooMany();
  let end = 0;
  let sum = 0;
  for (const [offset, length] of pieces) {
    if (offset < end || offset + length > size) throw wrong('has pieces that overlap, or lie behind its end');
    end = offset + length;
    sum += length;
  }
  if (sum === stored) return;
  throw new BundleError(
    'ARCHIVE_SIZE_CONFLICT',
    `the map of a sparse member speaks of ${sum} bytes, and ${stored} are stored`,
  );
}

function wrong(what: string): BundleError {
  return new BundleError('ARCHIVE_PAX', `the map of a sparse member ${what}`);
}

function tooMany(): BundleError {
  return new BundleError('ARCHIVE_LIMIT', `a sparse member has more than ${MOST_PIECES} pieces`);
}
