import { equalBytes } from '../../kit/bytes.ts';
import { decodeLatin1, parseHex } from '../../kit/encoding.ts';
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
import { type GeneralName, parseGeneralNames } from '../x509/general-name.ts';
import { type RawExtension, readExtensions } from './crl-extensions.ts';
import { isMinimal, MAX_SERIAL_BYTES, plainEntryEnd, REASONS } from './crl-plain-entry.ts';

/** What a list, or an OCSP response, says about a revoked certificate. */
export interface Revocation {
  readonly at: Date;
  /** as RFC 5280 names it; absent when none is given */
  readonly reason?: string;
  /** since when the key may have been in other hands */
  readonly invalidSince?: Date;
}

const WHAT = 'an entry of the revocation list';
/** Whom the entries of an indirect list are of; the largest have some hundreds. */
const MAX_ISSUERS = 1024;
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
  const issuers = openIssuers();
  for (let at = 0; at < entries.byteLength; count++) {
    const plainEnd = plainEntryEnd(entries, at, extensible);
    if (plainEnd !== undefined) {
      at = plainEnd;
      continue;
    }
    const whole = openDer(entries.subarray(at), WHAT).next(TAG.sequence);
    const entry = openDer(whole.value, WHAT);
    checkSerial(entry.next(TAG.integer).value);
    const { tag, value } = entry.next();
    const isTime = tag === TAG.utcTime || tag === TAG.generalizedTime;
    if (!isTime || timeOf(tag, value, 0, value.byteLength) === undefined)
      throw malformed(WHAT, 'no revocation date');
    const list = entry.optional(TAG.sequence);
    entry.end();
    if (list && !extensible) throw malformed(WHAT, 'extensions in a list of version 1');
    const extensions = list ? readExtensions(list, WHAT) : NONE;
    readEntryExtensions(extensions, issuers);
    for (const { critical, oid } of extensions.values()) unknownCritical ||= critical && !KNOWN.includes(oid);
    at += whole.raw.byteLength;
  }
  return { count, unknownCritical };
}

const NONE: ReadonlyMap<string, RawExtension> = new Map();

/** In its one spelling: by a second one a certificate would be looked for in vain. */
function checkSerial(value: Uint8Array): void {
  const [first, second] = value;
  if (first === undefined) throw malformed(WHAT, 'a serial number without contents');
  if (value.byteLength > MAX_SERIAL_BYTES)
    throw malformed(WHAT, `a serial number of more than ${MAX_SERIAL_BYTES} bytes`);
  if (second !== undefined && !isMinimal(first, second))
    throw malformed(WHAT, 'a serial number that is not minimal');
}

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
  const issuers = openIssuers();
  let matches = isIssuer(undefined);
  let found: Revocation | undefined;
  for (let at = 0; at < entries.byteLength; ) {
    const plainEnd = plainEntryEnd(entries, at, true);
    if (plainEnd !== undefined && !(matches && hasSerial(entries, at, wanted))) {
      at = plainEnd;
      continue;
    }
    const entry = openDer(entries.subarray(at), WHAT).next(TAG.sequence);
    at += entry.raw.byteLength;
    // [crl.5] in an indirect list the issuer holds for the entries behind it, too
    const issuer = indirect && plainEnd === undefined ? certificateIssuer(entry, issuers) : undefined;
    if (issuer) matches = isIssuer(issuer);
    const serialAt = entry.value.byteOffset - entries.byteOffset - 2;
    if (!matches || !hasSerial(entries, serialAt, wanted)) continue;
    const revocation = parseEntry(entry, issuers);
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

/** Compares without making objects; the INTEGER is the first field of an entry whose header, of two bytes, is at `at`. */
function hasSerial(entries: Uint8Array, at: number, wanted: Uint8Array): boolean {
  if (entries[at + 3] !== wanted.byteLength) return false;
  for (let i = 0; i < wanted.byteLength; i++) if (entries[at + 4 + i] !== wanted[i]) return false;
  return true;
}

/** Reads the issuers that entries name; many name the same, which is read once. */
type Issuers = (value: Uint8Array) => readonly GeneralName[];

function openIssuers(): Issuers {
  const known = new Map<string, readonly GeneralName[]>();
  let last: { readonly value: Uint8Array; readonly names: readonly GeneralName[] } | undefined;
  return (value) => {
    if (last && equalBytes(last.value, value)) return last.names;
    const key = decodeLatin1(value);
    let names = known.get(key);
    if (!names) {
      // [crl.4] names are slow to read, and a list has room for hundreds of thousands
      if (known.size === MAX_ISSUERS) throw malformed(WHAT, `more than ${MAX_ISSUERS} different issuers`);
      names = parseGeneralNames(readOnly(value, TAG.sequence, WHAT).value, WHAT);
      known.set(key, names);
    }
    last = { value, names };
    return names;
  };
}

function extensionsOf(entry: DerElement): ReadonlyMap<string, RawExtension> {
  const cursor = openDer(entry.value, WHAT);
  cursor.next();
  cursor.next();
  const list = cursor.optional(TAG.sequence);
  return list ? readExtensions(list, WHAT) : NONE;
}

/** What an entry says besides serial number and date. */
interface EntryExtensions {
  readonly reason?: string;
  readonly invalidSince?: Date;
  readonly issuer?: readonly GeneralName[];
}

function readEntryExtensions(
  extensions: ReadonlyMap<string, RawExtension>,
  issuers: Issuers,
): EntryExtensions {
  const reason = extensions.get(REASON_CODE);
  const invalidity = extensions.get(INVALIDITY_DATE);
  const issuer = extensions.get(CERTIFICATE_ISSUER);
  return {
    ...(reason !== undefined && {
      reason: reasonName(readEnumerated(readOnly(reason.value, 0x0a, WHAT)), WHAT),
    }),
    ...(invalidity !== undefined && {
      invalidSince: readTime(readOnly(invalidity.value, TAG.generalizedTime, WHAT), WHAT),
    }),
    ...(issuer !== undefined && { issuer: issuers(issuer.value) }),
  };
}

/** The names, when this entry has any; the bytes of the OID are looked for first, since few entries have it. */
function certificateIssuer(entry: DerElement, issuers: Issuers): readonly GeneralName[] | undefined {
  if (!holdsIssuerOid(entry.value)) return undefined;
  const extension = extensionsOf(entry).get(CERTIFICATE_ISSUER);
  return extension && issuers(extension.value);
}

function holdsIssuerOid(bytes: Uint8Array): boolean {
  for (let i = 2; i < bytes.byteLength; i++)
    if (bytes[i] === 0x1d && bytes[i - 1] === 0x1d && bytes[i - 2] === 0x55) return true;
  return false;
}

function parseEntry(entry: DerElement, issuers: Issuers): Revocation {
  const cursor = openDer(entry.value, WHAT);
  cursor.next();
  const at = readTime(cursor.next(), WHAT);
  const { reason, invalidSince } = readEntryExtensions(extensionsOf(entry), issuers);
  return { at, ...(reason !== undefined && { reason }), ...(invalidSince !== undefined && { invalidSince }) };
}

/** An ENUMERATED, or anything tagged as one. @throws `CERTIFICATE_MALFORMED` */
export function readEnumerated(element: DerElement): number {
  return Number(readInteger({ ...element, tag: TAG.integer }, WHAT, 4));
}
