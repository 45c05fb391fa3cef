import { createHash } from 'node:crypto';
import {
  derElement,
  derNull,
  derOctets,
  derOid,
  derSequence,
  derUnsigned,
} from '../../src/formats/der/writer.ts';
import { parseTimestampToken, type TimestampToken } from '../../src/formats/tsp/token.ts';
import { digestOid } from '../../src/formats/x509/signature-algorithm.ts';
import { generalizedTime } from './asn1.ts';
import {
  EKU,
  makeCertificate,
  NOON,
  type TestCertificate,
  type TestCertificateOptions,
} from './certificates.ts';
import { makeCms, OID, signingCertificate, type TestSigner, usualAttributes } from './cms.ts';

export interface TestTokenOptions {
  readonly over: Uint8Array;
  readonly authority: TestCertificate;
  readonly time?: Date;
  /** `seconds`, `millis`, `micros`; no accuracy when left out */
  readonly accuracy?: readonly [seconds: number, millis?: number, micros?: number];
  readonly digest?: string;
  readonly nonce?: Uint8Array;
  /** signing-certificate attributes; one of version 2 when left out */
  readonly binding?: readonly Uint8Array[];
  readonly certificates?: readonly (TestCertificate | Uint8Array)[];
  /** what stands with the certificates for revocation */
  readonly crls?: readonly Uint8Array[];
  /** raw, in the place of the time */
  readonly rawTime?: Uint8Array;
  readonly extensions?: Uint8Array;
  readonly signer?: Partial<TestSigner>;
}

/** A timestamp token in DER: good, of noon, with the authority's certificate inside unless told otherwise. */
export function makeTokenDer(options: TestTokenOptions): Uint8Array {
  const { authority, digest = 'sha256', accuracy, nonce, extensions } = options;
  const imprint = Uint8Array.from(createHash(digest).update(options.over).digest());
  const [seconds = 0, millis, micros] = accuracy ?? [];
  const small = (value: number): Uint8Array =>
    derUnsigned(Uint8Array.of(value >> 24, value >> 16, value >> 8, value));
  const part = (tag: number, value: number | undefined): Uint8Array[] =>
    value === undefined ? [] : [derElement(tag, small(value).subarray(2))];
  const info = derSequence(
    derUnsigned(Uint8Array.of(1)),
    derOid('1.2.3.4.1'),
    derSequence(derSequence(derOid(digestOid(digest) ?? ''), derNull()), derOctets(imprint)),
    derUnsigned(Uint8Array.of(7)),
    options.rawTime ?? generalizedTime(options.time ?? NOON),
    ...(accuracy ? [derSequence(small(seconds), ...part(0x80, millis), ...part(0x81, micros))] : []),
    ...(nonce ? [derUnsigned(nonce)] : []),
    ...(extensions ? [derElement(0xa1, extensions)] : []),
  );
  const binding = options.binding ?? [signingCertificate(authority)];
  return makeCms({
    content: info,
    contentType: OID.timestampInfo,
    attached: true,
    certificates: options.certificates ?? [authority],
    crls: options.crls ?? [],
    signers: [
      {
        by: authority,
        attributes: [...usualAttributes(info, 'sha256', OID.timestampInfo), ...binding],
        ...options.signer,
      },
    ],
  });
}

/** The same, read. */
export function makeToken(options: TestTokenOptions): TimestampToken {
  return parseTimestampToken(makeTokenDer(options));
}

/** The extended key usage that an authority has, critical and alone. */
export function onlyFor(
  critical: boolean,
  ...oids: readonly string[]
): NonNullable<TestCertificateOptions['extensions']> {
  return [{ oid: '2.5.29.37', critical, value: derSequence(...oids.map(derOid)) }];
}

/** The certificate of a timestamp authority under a CA. */
export function makeTimestampAuthority(
  issuer: TestCertificate,
  options: TestCertificateOptions = {},
): Promise<TestCertificate> {
  return makeCertificate({
    subject: 'CN=Test TSA,O=Test',
    issuer,
    keyUsage: ['digitalSignature'],
    extensions: [...onlyFor(true, EKU.timeStamping)],
    ...options,
  });
}
