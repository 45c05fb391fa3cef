import type { PaxRecords } from '../../formats/tar/pax.ts';
import { BundleError } from '../../kit/errors/errors.ts';

/** [pax.8] What comments and attributes may take in one archive; what macOS notes of downloads is some hundred bytes a file. */
const LEFT_OUT_BYTES = 16 * 1024;

/** Counts what the pax headers of an archive say besides names, sizes, times and owners: nobody has signed it. */
export class LeftOut {
  #bytes = 0;

  /** @throws {BundleError} `ARCHIVE_PAX` when it is too much in all [pax.8] */
  count(records: PaxRecords): PaxRecords {
    this.#bytes += records.beside ?? 0;
    if (this.#bytes <= LEFT_OUT_BYTES) return records;
    const message = `the pax headers hold more than ${LEFT_OUT_BYTES} bytes of comments and attributes`;
    throw new BundleError('ARCHIVE_PAX', message, {
      why: 'no digest covers them, so nobody has signed them',
      fix: 'if it comes from where you expect it, unpack it and write the same files again without attributes: tar --format=ustar',
    });
  }
}
