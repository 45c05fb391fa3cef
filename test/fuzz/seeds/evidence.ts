import { createHash } from 'node:crypto';
import {
  derElement,
  derNull,
  derOctets,
  derOid,
  derSequence,
  derUnsigned,
} from '../../../src/formats/der/writer.ts';
import { concat } from '../../../src/kit/bytes.ts';
import { encodeUtf8 } from '../../../src/kit/encoding.ts';
import { extension, type FixedKey, keyId, nameDer, signedStructure } from './pki.ts';

const time = (text: string): Uint8Array => derElement(0x18, encodeUtf8(text));
const utc = (text: string): Uint8Array => derElement(0x17, encodeUtf8(text));
const integer = (value: number): Uint8Array => derUnsigned(Uint8Array.of(value >> 8, value & 0xff));

/** One revoked certificate. */
export interface EntryFields {
  readonly serial: number;
  /** number of the reason, when one is given */
  readonly reason?: number;
  /** common name of the issuer, in an indirect list */
  readonly issuer?: string;
  readonly invalidSince?: string;
}

/** An entry of a revocation list. */
export function entryDer({ serial, reason, issuer, invalidSince }: EntryFields): Uint8Array {
  const extensions = [
    ...(reason === undefined ? [] : [extension('2.5.29.21', false, derElement(0x0a, Uint8Array.of(reason)))]),
    ...(invalidSince === undefined ? [] : [extension('2.5.29.24', false, time(invalidSince))]),
    ...(issuer === undefined
      ? []
      : [extension('2.5.29.29', true, derSequence(derElement(0xa4, nameDer(issuer))))]),
  ];
  return derSequence(
    integer(serial),
    utc('260601000000Z'),
    ...(extensions.length > 0 ? [derSequence(...extensions)] : []),
  );
}

/** What is to stand in a revocation list. */
export interface CrlFields {
  readonly issuer: string;
  readonly key: FixedKey;
  readonly entries: readonly EntryFields[];
  readonly indirect?: boolean;
  /** number of the base list, for a delta */
  readonly base?: number;
  readonly number?: number;
}

/** A revocation list of version 2, fresh at the moment of judging. */
export function crlDer(fields: CrlFields): Uint8Array {
  return crlOfEntries(fields, fields.entries.map(entryDer));
}

/** The same with entries in DER in place of its own. */
export function crlOfEntries(
  { issuer, key, indirect = false, base, number = 7 }: CrlFields,
  entries: readonly Uint8Array[],
): Uint8Array {
  const tbs = derSequence(
    integer(1),
    derSequence(derOid('1.3.101.112')),
    nameDer(issuer),
    utc('261115000000Z'),
    utc('261215000000Z'),
    ...(entries.length > 0 ? [derElement(0x30, concat([new Uint8Array(), ...entries]))] : []),
    derElement(
      0xa0,
      derSequence(
        extension('2.5.29.20', false, integer(number)),
        extension('2.5.29.35', false, derSequence(derElement(0x80, keyId(key.spki)))),
        ...(base === undefined ? [] : [extension('2.5.29.27', true, integer(base))]),
        ...(indirect
          ? [extension('2.5.29.28', true, derSequence(derElement(0x84, Uint8Array.of(0xff))))]
          : []),
      ),
    ),
  );
  return signedStructure(tbs, key);
}

/** What an OCSP response is to say of one certificate. */
export interface SingleFields {
  readonly issuer: string;
  readonly issuerKey: FixedKey;
  readonly serial: number;
  readonly revoked?: boolean;
}

/** An OCSP response by a responder that is named by the digest of its key, with its certificate when it has one. */
export function ocspDer(
  singles: readonly SingleFields[],
  responderKey: FixedKey,
  certificate?: Uint8Array,
): Uint8Array {
  const sha1 = (bytes: Uint8Array): Uint8Array => Uint8Array.from(createHash('sha1').update(bytes).digest());
  const responses = singles.map(({ issuer, issuerKey, serial, revoked = false }) =>
    derSequence(
      derSequence(
        derSequence(derOid('1.3.14.3.2.26'), derNull()),
        derOctets(sha1(nameDer(issuer))),
        derOctets(keyId(issuerKey.spki)),
        integer(serial),
      ),
      revoked
        ? derElement(0xa1, time('20260601000000Z'), derElement(0xa0, derElement(0x0a, Uint8Array.of(1))))
        : derElement(0x80),
      time('20261120000000Z'),
      derElement(0xa0, time('20261210000000Z')),
    ),
  );
  const tbs = derSequence(
    derElement(0xa2, derOctets(keyId(responderKey.spki))),
    time('20261120000000Z'),
    derSequence(...responses),
    derElement(
      0xa1,
      derSequence(extension('1.3.6.1.5.5.7.48.1.2', false, derOctets(Uint8Array.of(1, 2, 3)))),
    ),
  );
  const certificates = certificate ? [derElement(0xa0, derSequence(certificate))] : [];
  const basic = signedStructure(tbs, responderKey, ...certificates);
  return derSequence(
    derElement(0x0a, Uint8Array.of(0)),
    derElement(0xa0, derSequence(derOid('1.3.6.1.5.5.7.48.1.1'), derOctets(basic))),
  );
}
