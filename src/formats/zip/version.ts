import { BundleError } from '../../kit/errors/errors.ts';
import type { ZipHeader } from './records.ts';

/** The most that a plain member needs of a reader: 4.5 is zip64. */
const VERSION_LIMIT = 45;
/** The only system that writers are known to ask for, besides none. */
const UNIX = 3;

/**
 * Whether every reader is new enough for a member: unzip leaves out what wants VMS, and Python refuses what is too new.
 *
 * @throws {BundleError} `ZIP_FEATURE`
 * @see spec/archive.md, clause zip.4
 */
export function expectVersion({ versionNeeded, systemNeeded }: ZipHeader): void {
  if (versionNeeded > VERSION_LIMIT)
    throw feature(`the member wants a reader of version ${(versionNeeded / 10).toFixed(1)}`);
  if (systemNeeded !== 0 && systemNeeded !== UNIX)
    throw feature(`the member wants a reader for the system ${systemNeeded}`);
}

function feature(message: string): BundleError {
  return new BundleError('ZIP_FEATURE', message);
}
