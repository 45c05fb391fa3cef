import { FETCH_AGAIN, TAKEN_AGAIN } from '../../kit/errors/archive-errors.ts';
import { BundleError } from '../../kit/errors/errors.ts';

/** The field in a header block. */
const START = 148;
const END = 156;

/** The unsigned sum of a header, its checksum field counted as blanks. */
export function checksum(block: Uint8Array): number {
  let sum = (END - START) * 0x20;
  for (let i = 0; i < START; i++) sum += block[i] ?? 0;
  for (let i = END; i < block.byteLength; i++) sum += block[i] ?? 0;
  return sum;
}

/** The same of signed bytes, as old tars made it on some machines. */
export function signedSum(block: Uint8Array): number {
  return block.reduce(
    (sum, byte, i) => (byte < 0x80 || (i >= START && i < END) ? sum : sum - 256),
    checksum(block),
  );
}

/** A header that has another checksum: it is damaged, and no repair reads it, but for a signed sum. [repair.5] */
export function wrongSum(block: Uint8Array, stored: number | undefined): BundleError {
  if (stored === signedSum(block))
    return new BundleError('ARCHIVE_HEADER', 'the header checksum is a sum of signed bytes');
  return new BundleError('ARCHIVE_HEADER', `the header checksum is wrong (${checksum(block)} computed)`, {
    fix: FETCH_AGAIN,
    own: TAKEN_AGAIN,
  });
}
