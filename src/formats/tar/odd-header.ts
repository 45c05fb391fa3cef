import { concat } from '../../kit/bytes.ts';
import { checksum, signedSum, wrongSum } from './checksum.ts';
import { octal, TAR_BLOCK } from './header.ts';
import { oddNumber } from './odd-number.ts';
import { oldSparsePieces, type SparsePiece } from './sparse-map.ts';

/** A header of any dialect of tar, as far as it tells names and contents. */
export interface OddTarHeader {
  /** the type of the entry, one character; NUL in old tars */
  readonly type: string;
  /** the path, raw, with its prefix */
  readonly name: Uint8Array;
  /** bytes that follow in the archive */
  readonly size: number;
  /** of a sparse member of the old GNU format: its first pieces, whether a block with more of them follows, its size */
  readonly sparse?: {
    readonly pieces: readonly SparsePiece[];
    readonly more: boolean;
    readonly size: number;
  };
}

/**
 * Reads a header block of ustar, GNU tar, star, v7, or what comes near to these: as most readers do, where they differ.
 *
 * Whether what is read so is right is decided by the manifest and its signature alone. What is damage stays refused: a checksum that
 * neither sum of the bytes gives, a size that is no number.
 *
 * @throws {BundleError} `ARCHIVE_HEADER`, `ARCHIVE_LIMIT`, without a place [repair.5]
 */
export function parseOddTarHeader(block: Uint8Array): OddTarHeader {
  const stored = octal(block, 148, 8);
  if (stored === undefined || (stored !== checksum(block) && stored !== signedSum(block)))
    throw wrongSum(block, stored);
  const type = String.fromCharCode(block[156] ?? 0);
  const bare = untilNul(block, 0, 100);
  const prefix = prefixOf(block);
  return {
    type,
    name: prefix.byteLength === 0 ? bare : concat([prefix, Uint8Array.of(0x2f), bare]),
    size: oddNumber(block, 124, 12),
    ...(type === 'S' && {
      sparse: {
        pieces: oldSparsePieces(block, 386, 4),
        more: block[482] === 1,
        size: oddNumber(block, 483, 12),
      },
    }),
  };
}

/** Only `ustar` with a NUL has one; star says at the end of the block that its own is shorter. */
function prefixOf(block: Uint8Array): Uint8Array {
  const magic = String.fromCharCode(...block.subarray(257, 265));
  if (!magic.startsWith('ustar\0') || magic === 'ustar\0 \0') return block.subarray(0, 0);
  const star = String.fromCharCode(...block.subarray(508, TAR_BLOCK)) === 'tar\0';
  return untilNul(block, 345, star ? 131 : 155);
}

function untilNul(block: Uint8Array, at: number, length: number): Uint8Array {
  const field = block.subarray(at, at + length);
  const end = field.indexOf(0);
  return end < 0 ? field : field.subarray(0, end);
}
