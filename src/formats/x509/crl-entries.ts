import { parseHex } from '../../kit/encoding.ts';
import { isBundleError } from '../../kit/errors.ts';
import { type DerElement, malformed, openDer, readInteger, readOnly, readTime, TAG } from '../der/cursor.ts';
import { type RawExtension, readExtensions } from './crl-extensions.ts';
import { type GeneralName, parseGeneralNames } from './general-name.ts';

/** Why a certificate was revoked (RFC 5280 section 5.3.1), by number. */
const REASONS: Readonly<Record<number, string>> = {
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

/** Stands for what an entry says in a way that cannot be read. */
export const UNREADABLE_REASON = 'for a reason that cannot be read';

/** What a list, or an OCSP response, says about a revoked certificate. */
export interface Revocation {
  readonly at: Date;
  /** as RFC 5280 names it; absent when none is given */
  readonly reason?: string;
  /** since when the key may have been in other hands */
  readonly invalidSince?: Date;
}

const WHAT = 'an entry of the revocation list';
const REASON_CODE = '2.5.29.21';
const INVALIDITY_DATE = '2.5.29.24';
const CERTIFICATE_ISSUER = '2.5.29.29';
const KNOWN: readonly string[] = [REASON_CODE, INVALIDITY_DATE, CERTIFICATE_ISSUER];

/** The name of a reason by its number. @throws `CERTIFICATE_MALFORMED` for numbers that do not exist */
export function reasonName(code: number, what: string): string {
  const name = REASONS[code];
  if (name === undefined) throw malformed(what, `the unknown reason ${code}`);
  return name;
}

/**
 * Checks the form of every entry, without keeping any: a list may have a million.
 * @throws `CERTIFICATE_MALFORMED` [crl.4]
 */
export function checkEntries(
  entries: Uint8Array,
  extensible: boolean,
): { readonly count: number; readonly unknownCritical: boolean } {
  let count = 0;
  let unknownCritical = false;
  const cursor = openDer(entries, WHAT);
  while (!cursor.done()) {
    const entry = openDer(cursor.next(TAG.sequence).value, WHAT);
    if (entry.next(TAG.integer).value.byteLength === 0)
      throw malformed(WHAT, 'a serial number without contents');
    if (!isTime(entry.next())) throw malformed(WHAT, 'no revocation date');
    const list = entry.optional(TAG.sequence);
    entry.end();
    if (list && !extensible) throw malformed(WHAT, 'extensions in a list of version 1');
    if (list && hasUnknownCritical(list)) unknownCritical = true;
    count++;
  }
  return { count, unknownCritical };
}

/** What `readTime` reads, without making objects. */
function isTime({ tag, value }: DerElement): boolean {
  const years = tag === TAG.utcTime ? 2 : tag === TAG.generalizedTime ? 4 : 0;
  if (years === 0 || value.byteLength !== years + 11 || value[years + 10] !== 0x5a) return false;
  for (let i = 0; i < years + 10; i++) if ((value[i] ?? 0) < 0x30 || (value[i] ?? 0) > 0x39) return false;
  const two = (at: number): number => ((value[at] ?? 0) - 0x30) * 10 + (value[at + 1] ?? 0) - 0x30;
  const short = two(years - 2);
  const year = years === 2 ? (short < 50 ? 2000 : 1900) + short : two(0) * 100 + short;
  const month = two(years);
  const day = two(years + 2);
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = month === 2 ? (leap ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31;
  if (month < 1 || month > 12 || day < 1 || day > days) return false;
  return two(years + 4) < 24 && two(years + 6) < 60 && two(years + 8) < 60;
}

function hasUnknownCritical(list: DerElement): boolean {
  if (isReasonAlone(list.value)) return false;
  return [...readExtensions(list, WHAT).values()].some(
    ({ critical, oid }) => critical && !KNOWN.includes(oid),
  );
}

/** Most entries have a reason and nothing else, which needs no objects to be read. */
function isReasonAlone(value: Uint8Array): boolean {
  if (value.byteLength !== ONLY_REASON.length + 1) return false;
  for (let i = 0; i < ONLY_REASON.length; i++) if (value[i] !== ONLY_REASON[i]) return false;
  return true;
}

const ONLY_REASON: readonly number[] = [0x30, 0x0a, 0x06, 0x03, 0x55, 0x1d, 0x15, 0x04, 0x03, 0x0a, 0x01];

/** Whom an entry is about: the issuer of the list, or in an indirect list the one that an entry before it has named. */
export type IssuerMatch = (issuer: readonly GeneralName[] | undefined) => boolean;

/**
 * What the list says about a certificate: its first entry for this serial number and issuer that revokes, else the last.
 *
 * @param serial lower hex of the INTEGER's contents
 * @param isIssuer told the names of the last certificateIssuer extension, or undefined before the first
 * @throws `CERTIFICATE_MALFORMED` for a certificateIssuer that cannot be read [crl.4] [crl.5]
 */
export function findEntry(
  entries: Uint8Array,
  serial: string,
  isIssuer: IssuerMatch,
  indirect: boolean,
): Revocation | undefined {
  const wanted = parseHex(serial) ?? new Uint8Array();
  let issuer: readonly GeneralName[] | undefined;
  let found: Revocation | undefined;
  const cursor = openDer(entries, WHAT);
  while (!cursor.done()) {
    const entry = cursor.next(TAG.sequence);
    // [crl.5] in an indirect list the issuer holds for the entries behind it, too
    if (indirect) issuer = certificateIssuer(entry) ?? issuer;
    if (!hasSerial(entry.value, wanted) || !isIssuer(issuer)) continue;
    const revocation = parseEntry(entry);
    // [crl.5] a second entry must not take the first one back
    if (revocation.reason !== 'removeFromCRL') return revocation;
    found = revocation;
  }
  return found;
}

/** Whether two entries have one serial number. A number for each is kept, not the entry: there may be a million. [crl.11] */
export function hasDuplicates(entries: Uint8Array): boolean {
  const sums: number[] = [];
  const cursor = openDer(entries, WHAT);
  while (!cursor.done()) sums.push(sumOf(openDer(cursor.next(TAG.sequence).value, WHAT).next().value));
  const sorted = Float64Array.from(sums).sort();
  return sorted.some((sum, i) => i > 0 && sum === sorted[i - 1]);
}

/** 52 bits that tell two serial numbers apart; those of authorities are random, so no two have the same by chance. */
function sumOf(serial: Uint8Array): number {
  let low = 0x811c9dc5;
  let high = serial.byteLength;
  for (const byte of serial) {
    low = Math.imul(low ^ byte, 0x01000193) >>> 0;
    high = Math.imul(high ^ byte, 0x85ebca6b) ^ (high >>> 15);
  }
  return (high & 0xfffff) * 2 ** 32 + low;
}

/** Compares without making objects: the serial number is the first field. */
function hasSerial(entry: Uint8Array, wanted: Uint8Array): boolean {
  if (entry[1] !== wanted.byteLength) return false;
  for (let i = 0; i < wanted.byteLength; i++) if (entry[2 + i] !== wanted[i]) return false;
  return true;
}

function extensionsOf(entry: DerElement): ReadonlyMap<string, RawExtension> {
  const cursor = openDer(entry.value, WHAT);
  cursor.next();
  cursor.next();
  const list = cursor.optional(TAG.sequence);
  return list ? readExtensions(list, WHAT) : new Map();
}

function certificateIssuer(entry: DerElement): readonly GeneralName[] | undefined {
  const extension = extensionsOf(entry).get(CERTIFICATE_ISSUER);
  return extension && parseGeneralNames(readOnly(extension.value, TAG.sequence, WHAT).value, WHAT);
}

function parseEntry(entry: DerElement): Revocation {
  const cursor = openDer(entry.value, WHAT);
  cursor.next();
  const at = readTime(cursor.next(), WHAT);
  try {
    return { at, ...readDetails(extensionsOf(entry)) };
  } catch (error) {
    if (!isBundleError(error)) throw error;
    return { at, reason: UNREADABLE_REASON }; // [crl.4] revoked all the same, and by the worst that it could say
  }
}

function readDetails(extensions: ReadonlyMap<string, RawExtension>): Omit<Revocation, 'at'> {
  const reason = extensions.get(REASON_CODE);
  const invalidity = extensions.get(INVALIDITY_DATE);
  return {
    ...(reason && { reason: reasonName(readEnumerated(readOnly(reason.value, 0x0a, WHAT)), WHAT) }),
    ...(invalidity && {
      invalidSince: readTime(readOnly(invalidity.value, TAG.generalizedTime, WHAT), WHAT),
    }),
  };
}

/** An ENUMERATED, or anything tagged as one. @throws `CERTIFICATE_MALFORMED` */
export function readEnumerated(element: DerElement): number {
  return Number(readInteger({ ...element, tag: TAG.integer }, WHAT, 4));
}
