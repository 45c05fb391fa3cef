import { formatHex } from '../../kit/encoding.ts';
import { BundleError, isBundleError } from '../../kit/errors/errors.ts';
import { CONTENT, parseSignedData, type SignedData } from '../cms/signed-data.ts';
import { readExtensions } from '../crl/crl-extensions.ts';
import {
  type DerElement,
  malformed,
  openDer,
  readBoolean,
  readInteger,
  readOid,
  readOnly,
  TAG,
} from '../der/cursor.ts';
import { parseDigestAlgorithm } from '../x509/signature-algorithm.ts';

/** What a timestamp is over: a digest, as node:crypto names it (undefined when it is not known), and its value. */
export interface MessageImprint {
  readonly digest: string | undefined;
  readonly value: Uint8Array;
}

/** What a timestamp authority states (TSTInfo, RFC 3161 section 2.4.2). */
interface TimestampInfo {
  /** OID */
  readonly policy: string;
  readonly imprint: MessageImprint;
  /** lower hex */
  readonly serial: string;
  readonly time: Date;
  /** how far off the time may be; absent when the authority does not say */
  readonly accuracyMs?: number;
  /** lower hex */
  readonly nonce?: string;
  /** the authority promises that its later tokens have later times */
  readonly ordering: boolean;
}

/** A timestamp token, nothing of it believed. */
export interface TimestampToken {
  /** DER or BER, as it came */
  readonly raw: Uint8Array;
  readonly signedData: SignedData;
  /** the TSTInfo as it was signed */
  readonly content: Uint8Array;
  readonly info: TimestampInfo;
}

const WHAT = 'the timestamp';

/** A timestamp token. @throws {BundleError} `TIMESTAMP_MALFORMED` and nothing else [tst.3] */
export function parseTimestampToken(raw: Uint8Array): TimestampToken {
  return timestampErrors(() => {
    const signedData = parseSignedData(raw, WHAT);
    const { contentType, content, signers } = signedData;
    if (contentType !== CONTENT.timestampInfo || !content)
      throw malformed(WHAT, 'its content is no timestamp');
    if (signers.length !== 1) throw malformed(WHAT, 'it has more than one signer');
    return { raw, signedData, content, info: readInfo(content) };
  });
}

/** Runs a reader of timestamp structures, and gives its errors the name they have there. */
export function timestampErrors<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!isBundleError(error) || error.code === 'TIMESTAMP_REFUSED') throw error;
    throw new BundleError('TIMESTAMP_MALFORMED', error.message, { cause: error });
  }
}

function readInfo(content: Uint8Array): TimestampInfo {
  const cursor = openDer(readOnly(content, TAG.sequence, WHAT).value, WHAT);
  if (readInteger(cursor.next(), WHAT) !== 1n) throw malformed(WHAT, 'its version is unknown');
  const policy = readOid(cursor.next(), WHAT);
  const imprint = readImprint(cursor.next(TAG.sequence), WHAT);
  const serial = cursor.next(TAG.integer);
  readInteger(serial, WHAT);
  const time = readPreciseTime(cursor.next(TAG.generalizedTime));
  const accuracy = cursor.optional(TAG.sequence);
  const ordering = cursor.optional(TAG.boolean);
  const nonce = cursor.optional(TAG.integer);
  if (nonce) readInteger(nonce, WHAT); // whoever asks chooses it, and so its length
  cursor.optional(0xa0); // the authority's name, which its certificate says and proves
  const extensions = cursor.optional(0xa1);
  cursor.end();
  // [tst.3] an extension that changes the meaning must not be passed over
  const critical =
    extensions &&
    [...readExtensions({ ...extensions, tag: TAG.sequence }, WHAT).values()].find((e) => e.critical);
  if (critical) throw malformed(WHAT, `it has the critical extension ${critical.oid}, which is not known`);
  return {
    policy,
    imprint,
    serial: formatHex(serial.value),
    time,
    ...(accuracy !== undefined && { accuracyMs: readAccuracy(accuracy) }),
    ...(nonce !== undefined && { nonce: formatHex(nonce.value) }),
    ordering: ordering !== undefined && readBoolean(ordering, WHAT),
  };
}

/** A MessageImprint. @throws `CERTIFICATE_MALFORMED` */
export function readImprint(element: DerElement, what: string): MessageImprint {
  const cursor = openDer(element.value, what);
  const { name: digest } = parseDigestAlgorithm(cursor.next(), what);
  const { value } = cursor.next(TAG.octetString);
  cursor.end();
  return { digest, value };
}

/** [tst.4] GeneralizedTime in UTC with at most a fraction of a second, which does not end in a zero (RFC 3161 section 2.4.2). */
function readPreciseTime(element: DerElement): Date {
  const text = String.fromCharCode(...element.value.subarray(0, 40));
  const [, year, month, day, hour, minute, second, fraction = ''] =
    /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.(\d{0,12}[1-9]))?Z$/.exec(text) ?? [];
  const whole = `${year}-${month}-${day}T${hour}:${minute}:${second}`;
  const date = new Date(`${whole}.000Z`);
  if (Number.isNaN(date.getTime()) || date.toISOString() !== `${whole}.000Z`)
    throw malformed(WHAT, 'no such time');
  return new Date(date.getTime() + Number(fraction.slice(0, 3).padEnd(3, '0')));
}

/** Milliseconds, rounded up. */
function readAccuracy(element: DerElement): number {
  const cursor = openDer(element.value, WHAT);
  const seconds = cursor.optional(TAG.integer);
  const millis = cursor.optional(0x80);
  const micros = cursor.optional(0x81);
  cursor.end();
  const count = (field: DerElement | undefined, most: bigint): number => {
    if (!field) return 0;
    const value = readInteger({ ...field, tag: TAG.integer }, WHAT, 8);
    if (value < 0n || value > most) throw malformed(WHAT, 'an impossible accuracy');
    return Number(value);
  };
  return count(seconds, MOST_SECONDS) * 1000 + count(millis, 999n) + Math.ceil(count(micros, 999n) / 1000);
}

/** Beyond a century nothing is proven anyway. */
const MOST_SECONDS = 3_155_760_000n;
