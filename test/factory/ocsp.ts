import { createHash } from 'node:crypto';
import { childrenOf, readBitString, readOnly, TAG } from '../../src/formats/der/cursor.ts';
import { derElement, derOctets, derOid, derSequence } from '../../src/formats/der/writer.ts';
import { type OcspResponse, parseOcspResponse } from '../../src/formats/ocsp/response.ts';
import { enumerated, extension, generalizedTime, signed } from './asn1.ts';
import { NOON, type TestCertificate } from './certificates.ts';

export interface TestAnswer {
  readonly certificate: TestCertificate;
  readonly status?: 'good' | 'revoked' | 'unknown';
  readonly at?: Date;
  readonly reason?: number;
  readonly thisUpdate?: Date;
  /** `false`: none */
  readonly nextUpdate?: Date | false;
  readonly digest?: 'sha1' | 'sha256';
  readonly extensions?: readonly Uint8Array[];
}

export interface TestResponseOptions {
  readonly issuer: TestCertificate;
  readonly answers: readonly TestAnswer[];
  /** the issuer when left out */
  readonly signer?: TestCertificate;
  readonly byKey?: boolean;
  readonly certificates?: readonly TestCertificate[];
  readonly digest?: string;
}

const HOUR = 3_600_000;

/** An OCSP response in DER: of one hour ago, good for a day, signed by the issuer unless told otherwise. */
export function makeOcspDer(options: TestResponseOptions): Uint8Array {
  const { issuer, answers, signer = issuer, byKey = false, certificates = [], digest = 'sha256' } = options;
  const responder = byKey
    ? derElement(0xa2, derOctets(digestOf('sha1', keyBits(signer))))
    : derElement(0xa1, signer.certificate.fields.subject.raw);
  const tbs = derSequence(
    responder,
    generalizedTime(NOON),
    derSequence(...answers.map((answer) => single(answer, issuer))),
  );
  const basic = derSequence(
    ...signed(signer.privateKey, tbs, digest),
    ...(certificates.length > 0
      ? [derElement(0xa0, derSequence(...certificates.map(({ der }) => der)))]
      : []),
  );
  const bytes = derSequence(derOid('1.3.6.1.5.5.7.48.1.1'), derOctets(basic));
  return derSequence(enumerated(0), derElement(0xa0, bytes));
}

/** The same, read. */
export function makeOcsp(options: TestResponseOptions, source = 'the response'): OcspResponse {
  return parseOcspResponse(makeOcspDer(options), source);
}

function single(answer: TestAnswer, issuer: TestCertificate): Uint8Array {
  const { certificate, status = 'good', reason, digest = 'sha1', extensions = [] } = answer;
  const { nextUpdate = new Date(+NOON + 23 * HOUR) } = answer;
  const oid = digest === 'sha1' ? '1.3.14.3.2.26' : '2.16.840.1.101.3.4.2.1';
  const at = generalizedTime(answer.at ?? new Date(+NOON - 24 * HOUR));
  const why = reason === undefined ? [] : [derElement(0xa0, enumerated(reason))];
  const word = {
    good: derElement(0x80),
    revoked: derElement(0xa1, at, ...why),
    unknown: derElement(0x82),
  }[status];
  return derSequence(
    derSequence(
      derSequence(derOid(oid)),
      derOctets(digestOf(digest, issuer.certificate.fields.subject.raw)),
      derOctets(digestOf(digest, keyBits(issuer))),
      derElement(0x02, Uint8Array.from(Buffer.from(certificate.certificate.fields.serial, 'hex'))),
    ),
    word,
    generalizedTime(answer.thisUpdate ?? new Date(+NOON - HOUR)),
    ...(nextUpdate ? [derElement(0xa0, generalizedTime(nextUpdate))] : []),
    ...(extensions.length > 0 ? [derElement(0xa1, derSequence(...extensions))] : []),
  );
}

function keyBits({ certificate }: TestCertificate): Uint8Array {
  const [, bits] = childrenOf(readOnly(certificate.fields.spki, TAG.sequence, 'test'), 'test');
  return bits ? readBitString(bits, 'test').bytes : new Uint8Array();
}

function digestOf(algorithm: string, bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(createHash(algorithm).update(bytes).digest());
}

/** What frees a responder's certificate from being looked up itself, for `makeCertificate`. */
export const NO_CHECK = { oid: '1.3.6.1.5.5.7.48.1.5', critical: false, value: Uint8Array.of(5, 0) } as const;

/** A critical extension of an answer that nobody knows. */
export function unknownAnswerExtension(): Uint8Array {
  return extension('1.3.6.1.4.1.99999.1', true, Uint8Array.of(5, 0));
}
