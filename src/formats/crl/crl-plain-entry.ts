import { TAG, timeOf } from '../der/cursor.ts';

/** Why a certificate was revoked (RFC 5280 section 5.3.1), by number. */
export const REASONS: Readonly<Record<number, string>> = {
  0: 'unspecified',
  1: 'keyCompromise',
  2: 'cACompromise',
  3: 'affiliationChanged',
  4: 'superseded',
  5: 'cessationOfOperation',
  6: 'certificateHold',
  8: 'removeFromCRL',
  9: 'privilegeWithdrawn',
  10: 'aACompromise',
};

/** As in certificates. */
export const MAX_SERIAL_BYTES = 64;

const UTC_TIME_BYTES = 13;
/** the list of extensions with a reason alone, but for the reason itself */
const ONLY_REASON: readonly number[] = [
  0x30, 0x0c, 0x30, 0x0a, 0x06, 0x03, 0x55, 0x1d, 0x15, 0x04, 0x03, 0x0a, 0x01,
];

/**
 * Where the entry ends that begins at `at`, if it is one of the plain ones that most lists are made of: a serial number,
 * a UTCTime, and a reason or no extension. Undefined for any other, good or bad. It makes no objects. [crl.4]
 *
 * @param extensible whether entries may have extensions, which those of version 1 have not
 */
export function plainEntryEnd(bytes: Uint8Array, at: number, extensible: boolean): number | undefined {
  const length = bytes[at + 1] ?? 0;
  const end = at + 2 + length;
  if (bytes[at] !== TAG.sequence || length >= 0x80 || end > bytes.byteLength) return undefined;
  const serialBytes = bytes[at + 3] ?? 0;
  const serial = at + 4;
  if (bytes[at + 2] !== TAG.integer || serialBytes === 0 || serialBytes > MAX_SERIAL_BYTES) return undefined;
  if (serialBytes > 1 && !isMinimal(bytes[serial] ?? 0, bytes[serial + 1] ?? 0)) return undefined;
  const time = serial + serialBytes;
  const rest = time + 2 + UTC_TIME_BYTES;
  if (rest > end || bytes[time] !== TAG.utcTime || bytes[time + 1] !== UTC_TIME_BYTES) return undefined;
  if (timeOf(TAG.utcTime, bytes, time + 2, UTC_TIME_BYTES) === undefined) return undefined;
  return rest === end || (extensible && isReasonAlone(bytes, rest, end)) ? end : undefined;
}

/** Whether these are the first two bytes of an INTEGER in its one spelling. [der.4] */
export function isMinimal(first: number, second: number): boolean {
  return !((first === 0x00 && second < 0x80) || (first === 0xff && second >= 0x80));
}

function isReasonAlone(bytes: Uint8Array, from: number, to: number): boolean {
  if (to - from !== ONLY_REASON.length + 1) return false;
  for (let i = 0; i < ONLY_REASON.length; i++) if (bytes[from + i] !== ONLY_REASON[i]) return false;
  return REASONS[bytes[to - 1] ?? -1] !== undefined;
}
