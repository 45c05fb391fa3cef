import { TAR_BLOCK } from '../../formats/tar/header.ts';
import {
  MapReader,
  MOST_PIECES,
  moreSparsePieces,
  type SparseMap,
  type SparsePiece,
} from '../../formats/tar/sparse-map.ts';
import type { ByteCursor } from '../../kit/byte-cursor.ts';
import { zeros } from '../../kit/bytes.ts';
import { printable } from '../../kit/encoding.ts';
import { BundleError, isBundleError } from '../../kit/errors/errors.ts';

/** What the headers of a sparse member say of it; its pieces, as far as they stand there. */
export interface SparseHead {
  /** bytes that follow in the archive */
  readonly size: number;
  readonly sparse?: { readonly size: number; readonly pieces?: readonly SparsePiece[] };
}

/**
 * The map of a sparse member, read on from what precedes its content where the headers do not hold it.
 *
 * @throws {BundleError} `ARCHIVE_PAX`, `ARCHIVE_LIMIT`, `ARCHIVE_TRUNCATED`
 */
export async function readSparseMap(
  cursor: ByteCursor,
  { size: stored, sparse = { size: 0 } }: SparseHead,
  place: { readonly member: string; readonly offset: number },
): Promise<SparseMap> {
  const { size, pieces } = sparse;
  if (pieces) return { size, pieces };
  const map = new MapReader();
  try {
    for (let left = stored; left >= TAR_BLOCK; left -= TAR_BLOCK) {
      const block = await cursor.take(TAR_BLOCK);
      if (block.byteLength < TAR_BLOCK) throw cut(place.member, cursor.offset);
      if (map.take(block)) return { size, pieces: map.pieces };
    }
    throw new BundleError('ARCHIVE_PAX', 'the map of a sparse member has no end');
  } catch (error) {
    throw isBundleError(error) ? error.at(place) : error;
  }
}

/** The blocks with more pieces behind a header of the old format. @throws {BundleError} `ARCHIVE_HEADER`, `ARCHIVE_PAX`, `ARCHIVE_LIMIT` */
export async function readMorePieces(
  cursor: ByteCursor,
  { pieces: first, more: goesOn }: { readonly pieces: readonly SparsePiece[]; readonly more: boolean },
): Promise<readonly SparsePiece[]> {
  const pieces = [...first];
  for (let more = goesOn; more; ) {
    const next = moreSparsePieces(await cursor.take(TAR_BLOCK));
    pieces.push(...next.pieces);
    more = next.more;
    if (pieces.length > MOST_PIECES)
      throw new BundleError('ARCHIVE_LIMIT', `a sparse member has more than ${MOST_PIECES} pieces`);
  }
  return pieces;
}

/** How many chunks of a hole go by before others have their turn: nothing is waited for meanwhile. */
const TURN_CHUNKS = 32;

/** The content of a sparse member as the file was: its pieces, and zeros between and behind them. @throws {BundleError} `ARCHIVE_TRUNCATED` */
export async function* sparseBody(
  cursor: ByteCursor,
  { pieces, size }: SparseMap,
  { name, takeTurn }: { readonly name: string; takeTurn(): Promise<void> },
): AsyncGenerator<Uint8Array, void> {
  let at = 0;
  for (const [offset, length] of pieces) {
    yield* hole(offset - at, takeTurn);
    for (let left = length; left > 0; ) {
      const part = await cursor.takeSome(left);
      if (!part) throw cut(name, cursor.offset);
      left -= part.byteLength;
      yield part;
    }
    at = offset + length;
  }
  yield* hole(size - at, takeTurn);
}

async function* hole(size: number, takeTurn: () => Promise<void>): AsyncGenerator<Uint8Array, void> {
  let chunks = 0;
  for await (const chunk of zeros(size)) {
    yield chunk;
    if (++chunks % TURN_CHUNKS === 0) await takeTurn();
  }
}

function cut(member: string, offset: number): BundleError {
  return new BundleError('ARCHIVE_TRUNCATED', `the archive ends before the end of "${printable(member)}"`, {
    where: { member, offset },
  });
}
