import { equalBytes } from '../../kit/bytes.ts';
import { decodeUtf8, printable } from '../../kit/encoding.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import {
  childrenOf,
  type DerElement,
  openDer,
  readBitString,
  readInteger,
  readOnly,
  TAG,
} from '../der/cursor.ts';
import { formatTimestampRequest, parseTimestampRequest, type TimestampQuery } from './request.ts';
import { parseTimestampToken, type TimestampToken, timestampErrors } from './token.ts';

const WHAT = 'the timestamp response';

const STATUSES = [
  'granted',
  'granted with changes',
  'rejected',
  'waiting',
  'revocation warning',
  'revocation notification',
];

/** PKIFailureInfo by bit (RFC 3161 section 2.4.2). */
const FAILURES: Readonly<Record<number, string>> = {
  0: 'the digest algorithm is not supported',
  2: 'the request is not permitted',
  5: 'the request cannot be read',
  14: 'the source of time is not available',
  15: 'the policy is not supported',
  16: 'an extension is not supported',
  17: 'more information is not available',
  25: 'the authority failed',
};

/**
 * The token in a TimeStampResp; some authorities and tools give the token alone, which is read too.
 *
 * @throws {BundleError} `TIMESTAMP_REFUSED` with the reason when none was granted, `TIMESTAMP_MALFORMED` [tst.10]
 */
export function parseTimestampResponse(der: Uint8Array): TimestampToken {
  return timestampErrors(() => {
    const cursor = openDer(readOnly(der, TAG.sequence, WHAT).value, WHAT);
    if (cursor.optional(TAG.oid)) return parseTimestampToken(der);
    const status = openDer(cursor.next(TAG.sequence).value, WHAT);
    const code = Number(readInteger(status.next(), WHAT, 4));
    const text = status.optional(TAG.sequence);
    const failure = status.optional(TAG.bitString);
    status.end();
    const token = cursor.done() ? undefined : cursor.next(TAG.sequence);
    cursor.end();
    if ((code === 0 || code === 1) && token) return parseTimestampToken(token.raw);
    const reasons = [STATUSES[code] ?? `status ${code}`, ...textsOf(text), ...failuresOf(failure)];
    throw new BundleError(
      'TIMESTAMP_REFUSED',
      `the timestamp authority gave no token: ${reasons.join('; ')}`,
    );
  });
}

function textsOf(element: DerElement | undefined): readonly string[] {
  return element
    ? childrenOf(element, WHAT).map(({ value }) => printable((decodeUtf8(value) ?? '').slice(0, 200)))
    : [];
}

function failuresOf(element: DerElement | undefined): readonly string[] {
  if (!element) return [];
  const { bytes } = readBitString(element, WHAT);
  const set = [...bytes].flatMap((byte, i) =>
    [...Array(8).keys()].filter((bit) => byte & (0x80 >> bit)).map((bit) => i * 8 + bit),
  );
  return set.map((bit) => FAILURES[bit] ?? `failure ${bit}`);
}

/** Refuses a token that is not the answer to this request. @throws {BundleError} `TIMESTAMP_REFUSED` [tst.10] */
export function expectToken({ info }: TimestampToken, query: TimestampQuery): void {
  const { nonce } = parseTimestampRequest(formatTimestampRequest(query));
  const other =
    info.imprint.digest !== query.digest || !equalBytes(info.imprint.value, query.imprint)
      ? 'is over something else than what was asked'
      : info.nonce !== nonce && 'is an answer to another request (its nonce differs)';
  if (other) throw new BundleError('TIMESTAMP_REFUSED', `the timestamp ${other}`);
}
