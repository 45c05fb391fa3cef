import { parseHex } from '../../kit/encoding.ts';
import {
  type DerElement,
  malformed,
  openDer,
  readInteger,
  readOnly,
  readTime,
  TAG,
  timeOf,
} from '../der/cursor.ts';
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

/** What a list, or an OCSP response, says about a revoked certificate. */
export interface Revocation {
  readonly at: Date;
  /** as RFC 5280 names it; absent when none is given */
  readonly reason?: string;
  /** since when the key may have been in other hands */
  readonly invalidSince?: Date;
}

const WHAT = 'an entry of the revocation list';
/** As in certificates. */
const MAX_SERIAL_BYTES = 64;
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
 * Checks every entry to its last field, without keeping any: a list may have a million.
 *
 * What is let pass here, `findEntry` can read: no list turns out to be malformed while somebody is judged by it.
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
    checkSerial(entry.next(TAG.integer).value);
    const time = entry.next();
    if ((time.tag !== TAG.utcTime && time.tag !== TAG.generalizedTime) || timeOf(time) === undefined)
      throw malformed(WHAT, 'no revocation date');
    const list = entry.optional(TAG.sequence);
    entry.end();
    if (list && !extensible) throw malformed(WHAT, 'extensions in a list of version 1');
    if (list && !isReasonAlone(list.value)) {
      const extensions = readExtensions(list, WHAT);
      readEntryExtensions(extensions);
      for (const { critical, oid } of extensions.values())
        unknownCritical ||= critical && !KNOWN.includes(oid);
    }
    count++;
  }
  return { count, unknownCritical };
}

/** In its one spelling: by a second one a certificate would be looked for in vain. */
function checkSerial(value: Uint8Array): void {
  const [first, second] = value;
  if (first === undefined) throw malformed(WHAT, 'a serial number without contents');
  if (value.byteLength > MAX_SERIAL_BYTES)
    throw malformed(WHAT, `a serial number of more than ${MAX_SERIAL_BYTES} bytes`);
  if (second !== undefined && ((first === 0x00 && second < 0x80) || (first === 0xff && second >= 0x80)))
    throw malformed(WHAT, 'a serial number that is not minimal');
}

/** Most entries have a reason and nothing else, which needs no objects to be read. */
function isReasonAlone(value: Uint8Array): boolean {
  if (value.byteLength !== ONLY_REASON.length + 1) return false;
  for (let i = 0; i < ONLY_REASON.length; i++) if (value[i] !== ONLY_REASON[i]) return false;
  return REASONS[value[ONLY_REASON.length] ?? -1] !== undefined;
}

const ONLY_REASON: readonly number[] = [0x30, 0x0a, 0x06, 0x03, 0x55, 0x1d, 0x15, 0x04, 0x03, 0x0a, 0x01];

/** Whom an entry is about: the issuer of the list, or in an indirect list the one that an entry before it has named. */
export type IssuerMatch = (issuer: readonly GeneralName[] | undefined) => boolean;

/**
 * What the list says about a certificate: its first entry for this serial number and issuer that revokes, else the last.
 *
 * @param serial lower hex of the INTEGER's contents
 * @param isIssuer told the names of the last certificateIssuer extension, or undefined before the first; once for each
 * @throws `CERTIFICATE_MALFORMED` for entries that `checkEntries` refuses [crl.4] [crl.5]
 */
export function findEntry(
  entries: Uint8Array,
  serial: string,
  isIssuer: IssuerMatch,
  indirect: boolean,
): Revocation | undefined {
  const wanted = parseHex(serial) ?? new Uint8Array();
  let matches = isIssuer(undefined);
  let found: Revocation | undefined;
  const cursor = openDer(entries, WHAT);
  while (!cursor.done()) {
    const entry = cursor.next(TAG.sequence);
    // [crl.5] in an indirect list the issuer holds for the entries behind it, too
    const issuer = indirect ? certificateIssuer(entry) : undefined;
    if (issuer) matches = isIssuer(issuer);
    if (!matches || !hasSerial(entry.value, wanted)) continue;
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

/** What an entry says besides serial number and date. */
interface EntryExtensions {
  readonly reason?: string;
  readonly invalidSince?: Date;
  readonly issuer?: readonly GeneralName[];
}

function readEntryExtensions(extensions: ReadonlyMap<string, RawExtension>): EntryExtensions {
  const reason = extensions.get(REASON_CODE);
  const invalidity = extensions.get(INVALIDITY_DATE);
  const issuer = extensions.get(CERTIFICATE_ISSUER);
  return {
    ...(reason && { reason: reasonName(readEnumerated(readOnly(reason.value, 0x0a, WHAT)), WHAT) }),
    ...(invalidity && {
      invalidSince: readTime(readOnly(invalidity.value, TAG.generalizedTime, WHAT), WHAT),
    }),
    ...(issuer && { issuer: parseGeneralNames(readOnly(issuer.value, TAG.sequence, WHAT).value, WHAT) }),
  };
}

/** The names, when this entry has any; the bytes of the OID are looked for first, since few entries have it. */
function certificateIssuer(entry: DerElement): readonly GeneralName[] | undefined {
  if (!holdsIssuerOid(entry.value)) return undefined;
  return readEntryExtensions(extensionsOf(entry)).issuer;
}

function holdsIssuerOid(bytes: Uint8Array): boolean {
  for (let i = 2; i < bytes.byteLength; i++)
    if (bytes[i] === 0x1d && bytes[i - 1] === 0x1d && bytes[i - 2] === 0x55) return true;
  return false;
}

function parseEntry(entry: DerElement): Revocation {
  const cursor = openDer(entry.value, WHAT);
  cursor.next();
  const at = readTime(cursor.next(), WHAT);
  const { reason, invalidSince } = readEntryExtensions(extensionsOf(entry));
  return { at, ...(reason !== undefined && { reason }), ...(invalidSince && { invalidSince }) };
}

/** An ENUMERATED, or anything tagged as one. @throws `CERTIFICATE_MALFORMED` */
export function readEnumerated(element: DerElement): number {
  return Number(readInteger({ ...element, tag: TAG.integer }, WHAT, 4));
}
