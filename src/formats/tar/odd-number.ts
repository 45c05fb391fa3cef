import { BundleError } from '../../kit/errors/errors.ts';
import { base256, octal } from './header.ts';

/** A number of any form that tars have for sizes: octal, or base-256. @throws {BundleError} `ARCHIVE_HEADER`, `ARCHIVE_LIMIT` */
export function oddNumber(block: Uint8Array, at: number, length: number): number {
  const lead = block[at] ?? 0;
  const value = lead < 0x80 ? octal(block, at, length, 0) : base256(block.subarray(at, at + length));
  if (value === undefined || lead > 0x80)
    throw new BundleError('ARCHIVE_HEADER', 'a size is negative, or no number');
  if (value > Number.MAX_SAFE_INTEGER)
    throw new BundleError('ARCHIVE_LIMIT', 'the size of a member is beyond 2^53 bytes');
  return value;
}
