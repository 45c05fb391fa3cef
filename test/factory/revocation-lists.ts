import { sign } from 'node:crypto';
import { childrenOf, readOnly, TAG } from '../../src/formats/der/cursor.ts';
import { derElement, derOctets, derOid, derSequence, derUnsigned } from '../../src/formats/der/writer.ts';
import { JUDGED_AT } from './bundles.ts';
import type { TestCertificate } from './certificates.ts';

/** What a list says, as far as it is not the usual: of the day before bundles are judged, good for a month. */
export interface ListOptions {
  readonly revoked?: readonly TestCertificate[];
  /** when the certificates were revoked */
  readonly at?: Date;
  /** CRLReason; keyCompromise is 1, superseded 4 */
  readonly reason?: number;
  readonly thisUpdate?: Date;
  readonly nextUpdate?: Date;
  readonly number?: number;
}

const DAY_MS = 86_400_000;
const SHA256_WITH_RSA = derSequence(derOid('1.2.840.113549.1.1.11'), derElement(TAG.null));

/** A revocation list (RFC 5280 section 5), signed by an authority with an RSA key, DER. */
export function makeList(issuer: TestCertificate, options: ListOptions = {}): Uint8Array {
  const { revoked = [], at = JUDGED_AT, reason, number = 1 } = options;
  const { thisUpdate = new Date(JUDGED_AT.getTime() - DAY_MS), nextUpdate } = options;
  const extension = (oid: string, value: Uint8Array): Uint8Array =>
    derSequence(derOid(oid), derOctets(value));
  const entries = revoked.map((certificate) =>
    derSequence(
      serialOf(certificate),
      utcTime(at),
      ...(reason === undefined
        ? []
        : [derSequence(extension('2.5.29.21', derElement(0x0a, Uint8Array.of(reason))))]),
    ),
  );
  const tbs = derSequence(
    derUnsigned(Uint8Array.of(1)),
    SHA256_WITH_RSA,
    issuer.certificate.fields.subject.raw,
    utcTime(thisUpdate),
    utcTime(nextUpdate ?? new Date(thisUpdate.getTime() + 30 * DAY_MS)),
    ...(entries.length > 0 ? [derSequence(...entries)] : []),
    derElement(0xa0, derSequence(extension('2.5.29.20', derUnsigned(Uint8Array.of(number))))),
  );
  const signature = Uint8Array.from(sign('sha256', tbs, issuer.privateKey));
  return derSequence(tbs, SHA256_WITH_RSA, derElement(TAG.bitString, Uint8Array.of(0), signature));
}

function serialOf({ der }: TestCertificate): Uint8Array {
  const [tbs] = childrenOf(readOnly(der, TAG.sequence, 'test'), 'test');
  const [, serial] = tbs ? childrenOf(tbs, 'test') : [];
  return serial?.raw ?? new Uint8Array();
}

function utcTime(date: Date): Uint8Array {
  return derElement(TAG.utcTime, Buffer.from(date.toISOString().replace(/^..|[-:T]|\.\d+/g, '')));
}
