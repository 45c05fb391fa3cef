import type { Allows } from '../../formats/tar/entry-kind.ts';
import { parseTarHeader, type TarHeader } from '../../formats/tar/header.ts';
import { parseOddTarHeader } from '../../formats/tar/odd-header.ts';
import { checkOddPaxGlobal, parseOddPax } from '../../formats/tar/odd-pax.ts';
import { checkPaxGlobal, type PaxRecords, parsePax } from '../../formats/tar/pax.ts';
import { isAdvised } from '../../kit/errors/advice.ts';
import { PACKED_ANEW, REBUILT } from '../../kit/errors/archive-errors.ts';
import { BundleError, isBundleError } from '../../kit/errors/errors.ts';

/** What no repair reads either. [repair.5] */
export const UNHEALED = { fix: REBUILT, own: PACKED_ANEW };

/** A header block, as `parseTarHeader` has it; a repair is advised only where it reads the block. @throws {BundleError} */
export function headerOf(block: Uint8Array, allows: Allows): TarHeader {
  return advising(
    () => parseTarHeader(block, allows),
    () => parseOddTarHeader(block),
  );
}

/** A pax header, as `parsePax` has it; a repair is advised only where it reads the records. @throws {BundleError} */
export function paxOf(body: Uint8Array): PaxRecords {
  return advising(
    () => parsePax(body),
    () => parseOddPax(body),
  );
}

/** A pax global header, as `checkPaxGlobal` has it; likewise. @throws {BundleError} */
export function paxGlobalOf(body: Uint8Array): PaxRecords {
  return advising(
    () => checkPaxGlobal(body),
    () => checkOddPaxGlobal(body),
  );
}

/** [repair.5] What a strict reading gives; its refusal sends nobody to a repair whose own reading, `odd`, refuses as well. */
function advising<Read>(strict: () => Read, odd: () => void): Read {
  try {
    return strict();
  } catch (error) {
    if (!isBundleError(error)) throw error;
    const others = error.advice.filter((told) => !(isAdvised(told) && told.advice === 'repair'));
    if (others.length === error.advice.length) throw error;
    try {
      odd();
    } catch {
      const { code, message, why } = error;
      throw new BundleError(code, message, { why, ...(others.length > 0 ? { fix: others } : UNHEALED) });
    }
    throw error;
  }
}
