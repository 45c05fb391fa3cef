import { formatHex } from '../../kit/encoding.ts';
import { digestIdentifier } from '../cms/format-signed-data.ts';
import { malformed, openDer, readBoolean, readInteger, readOid, readOnly, TAG } from '../der/cursor.ts';
import { derElement, derOctets, derSequence, derUnsigned } from '../der/writer.ts';
import { type MessageImprint, readImprint, timestampErrors } from './token.ts';

/** What is asked of a timestamp authority: a time over an imprint. */
export interface TimestampQuery {
  /** as node:crypto names it */
  readonly digest: string;
  readonly imprint: Uint8Array;
  /** so that an old answer cannot pass for this one; big-endian */
  readonly nonce?: Uint8Array;
}

/** A TimeStampReq (RFC 3161 section 2.4.1) in DER that asks for the authority's certificate, too. [tst.9] */
export function formatTimestampRequest({ digest, imprint, nonce }: TimestampQuery): Uint8Array {
  return derSequence(
    derUnsigned(Uint8Array.of(1)),
    derSequence(digestIdentifier(digest), derOctets(imprint)),
    ...(nonce ? [derUnsigned(nonce)] : []),
    derElement(TAG.boolean, Uint8Array.of(0xff)),
  );
}

/** What a request asks. */
export interface TimestampRequest {
  readonly imprint: MessageImprint;
  /** OID, when a policy is asked for */
  readonly policy?: string;
  /** lower hex */
  readonly nonce?: string;
  readonly wantsCertificate: boolean;
}

/** A TimeStampReq. @throws {BundleError} `TIMESTAMP_MALFORMED` */
export function parseTimestampRequest(der: Uint8Array): TimestampRequest {
  const what = 'the timestamp request';
  return timestampErrors(() => {
    const cursor = openDer(readOnly(der, TAG.sequence, what).value, what);
    if (readInteger(cursor.next(), what) !== 1n) throw malformed(what, 'its version is unknown');
    const imprint = readImprint(cursor.next(TAG.sequence), what);
    const policy = cursor.optional(TAG.oid);
    const nonce = cursor.optional(TAG.integer);
    const certificate = cursor.optional(TAG.boolean);
    cursor.optional(0xa0);
    cursor.end();
    return {
      imprint,
      ...(policy !== undefined && { policy: readOid(policy, what) }),
      ...(nonce !== undefined && { nonce: formatHex(nonce.value) }),
      wantsCertificate: certificate !== undefined && readBoolean(certificate, what),
    };
  });
}
