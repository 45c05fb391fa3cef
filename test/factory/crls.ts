import { type Crl, parseCrl } from '../../src/formats/crl/crl.ts';
import { derElement, derOid, derSequence, derUnsigned } from '../../src/formats/der/writer.ts';
import { concat } from '../../src/kit/bytes.ts';
import { enumerated, extension, generalizedTime, signed, utcTime } from './asn1.ts';
import { NOON, type TestCertificate } from './certificates.ts';

/** A revoked certificate in a list. */
interface TestEntry {
  readonly certificate: TestCertificate | Uint8Array;
  readonly at?: Date;
  /** number of the reason, see RFC 5280 section 5.3.1 */
  readonly reason?: number;
  readonly invalidSince?: Date;
  /** names the issuer, as indirect lists do */
  readonly issuer?: TestCertificate;
  readonly extensions?: readonly Uint8Array[];
}

export interface TestCrlOptions {
  readonly issuer: TestCertificate;
  /** who signs, when it is not the issuer */
  readonly signer?: TestCertificate;
  readonly thisUpdate?: Date;
  /** `false`: none */
  readonly nextUpdate?: Date | false;
  readonly revoked?: readonly TestEntry[];
  /** `false`: none */
  readonly number?: number | false;
  /** makes it a delta */
  readonly base?: number;
  /** the value of an issuingDistributionPoint, see `pointValue` */
  readonly point?: Uint8Array;
  readonly extensions?: readonly Uint8Array[];
  readonly digest?: string;
}

const HOUR = 3_600_000;

/** A revocation list in DER: of one hour ago and good for a day unless told otherwise. */
export function makeCrlDer(options: TestCrlOptions): Uint8Array {
  const {
    issuer,
    signer = issuer,
    number = 1,
    base,
    point,
    nextUpdate = new Date(+NOON + 23 * HOUR),
  } = options;
  const key = issuer.certificate.fields.extensions.subjectKeyId ?? '';
  const authority = derSequence(derElement(0x80, Uint8Array.from(Buffer.from(key, 'hex'))));
  const revoked = (options.revoked ?? []).map(entryOf);
  const extensions = [
    extension('2.5.29.35', false, authority),
    ...(number === false ? [] : [extension('2.5.29.20', false, derUnsigned(bytesOf(number)))]),
    ...(base === undefined ? [] : [extension('2.5.29.27', true, derUnsigned(bytesOf(base)))]),
    ...(point ? [extension('2.5.29.28', true, point)] : []),
    ...(options.extensions ?? []),
  ];
  const { digest = 'sha256' } = options;
  const [, algorithm = new Uint8Array()] = signed(signer.privateKey, new Uint8Array(), digest);
  const tbs = derSequence(
    derUnsigned(Uint8Array.of(1)),
    algorithm,
    issuer.certificate.fields.subject.raw,
    utcTime(options.thisUpdate ?? new Date(+NOON - HOUR)),
    ...(nextUpdate ? [utcTime(nextUpdate)] : []),
    ...(revoked.length > 0 ? [derElement(0x30, concat([new Uint8Array(), ...revoked]))] : []),
    derElement(0xa0, derSequence(...extensions)),
  );
  return derSequence(...signed(signer.privateKey, tbs, digest));
}

/** The same, read. */
export function makeCrl(options: TestCrlOptions, source = 'the list'): Crl {
  return parseCrl(makeCrlDer(options), source);
}

function entryOf({ certificate, at, reason, invalidSince, issuer, extensions = [] }: TestEntry): Uint8Array {
  const serial =
    certificate instanceof Uint8Array
      ? certificate
      : Uint8Array.from(Buffer.from(certificate.certificate.fields.serial, 'hex'));
  const named = issuer && derSequence(derElement(0xa4, issuer.certificate.fields.subject.raw));
  const all = [
    ...(reason === undefined ? [] : [extension('2.5.29.21', false, enumerated(reason))]),
    ...(invalidSince ? [extension('2.5.29.24', false, generalizedTime(invalidSince))] : []),
    ...(named ? [extension('2.5.29.29', true, named)] : []),
    ...extensions,
  ];
  return derSequence(
    derElement(0x02, serial),
    utcTime(at ?? new Date(+NOON - 24 * HOUR)),
    ...(all.length > 0 ? [derSequence(...all)] : []),
  );
}

function bytesOf(value: number): Uint8Array {
  return Uint8Array.of(value >> 24, value >> 16, value >> 8, value);
}

export interface TestPoint {
  readonly uri?: string;
  readonly onlyUsers?: boolean;
  readonly onlyAuthorities?: boolean;
  readonly onlyAttributes?: boolean;
  /** bits of ReasonFlags in two bytes, the first bit being unused */
  readonly reasons?: number;
  readonly indirect?: boolean;
}

/** The value of an issuingDistributionPoint. */
export function pointValue(point: TestPoint): Uint8Array {
  const flag = (tag: number, on = false): Uint8Array[] => (on ? [derElement(tag, Uint8Array.of(0xff))] : []);
  return derSequence(
    ...(point.uri === undefined ? [] : [derElement(0xa0, fullName(point.uri))]),
    ...flag(0x81, point.onlyUsers),
    ...flag(0x82, point.onlyAuthorities),
    ...(point.reasons === undefined ? [] : [reasonFlags(0x83, point.reasons)]),
    ...flag(0x84, point.indirect),
    ...flag(0x85, point.onlyAttributes),
  );
}

/** The value of a cRLDistributionPoints extension with one point. */
export function pointsValue(point: {
  readonly uri?: string;
  readonly reasons?: number;
  readonly crlIssuer?: TestCertificate;
}): Uint8Array {
  const { uri, reasons, crlIssuer } = point;
  return derSequence(
    derSequence(
      ...(uri === undefined ? [] : [derElement(0xa0, fullName(uri))]),
      ...(reasons === undefined ? [] : [reasonFlags(0x81, reasons)]),
      ...(crlIssuer ? [derElement(0xa2, derElement(0xa4, crlIssuer.certificate.fields.subject.raw))] : []),
    ),
  );
}

function fullName(uri: string): Uint8Array {
  return derElement(0xa0, derElement(0x86, Uint8Array.from(Buffer.from(uri))));
}

function reasonFlags(tag: number, bits: number): Uint8Array {
  return derElement(tag, Uint8Array.of(7, (bits >> 8) & 0xff, bits & 0x80));
}

/** `ReasonFlags` by name, for `TestPoint.reasons`. */
export const REASON = { keyCompromise: 0x4000, others: 0x3f80 } as const;

/** The OID of nothing that anybody knows. */
const UNKNOWN_OID = '1.3.6.1.4.1.99999.1';

/** A critical extension that nobody knows. */
export function unknownCritical(): Uint8Array {
  return extension(UNKNOWN_OID, true, derOid(UNKNOWN_OID));
}
