import { createHash, sign } from 'node:crypto';
import { digestIdentifier } from '../../src/formats/cms/format-signed-data.ts';
import { CONTENT } from '../../src/formats/cms/signed-data.ts';
import { ATTRIBUTE } from '../../src/formats/cms/signer-info.ts';
import { childrenOf, readOnly, TAG } from '../../src/formats/der/cursor.ts';
import {
  derElement,
  derOctets,
  derOid,
  derSequence,
  derSetOf,
  derUnsigned,
} from '../../src/formats/der/writer.ts';
import { EXTENSION } from '../../src/formats/x509/extensions.ts';
import { EKU, makeAuthority, makeCertificate, type TestCertificate } from './certificates.ts';

/** An authority that makes timestamps in memory: a CA, and a signer of times under it. */
export interface TimeAuthority {
  readonly ca: TestCertificate;
  readonly signer: TestCertificate;
}

const ONE = derUnsigned(Uint8Array.of(1));
const sha256 = (bytes: Uint8Array): Uint8Array =>
  Uint8Array.from(createHash('sha256').update(bytes).digest());

/** The extended key usage as timestamp authorities must have it: critical. */
export function criticalUsage(...oids: readonly string[]): {
  oid: string;
  critical: boolean;
  value: Uint8Array;
} {
  return { oid: EXTENSION.extendedKeyUsage, critical: true, value: derSequence(...oids.map(derOid)) };
}

/** A CA of its own and a signer under it, both valid as long as those of `makeCertificate`. */
export async function makeTimeAuthority(): Promise<TimeAuthority> {
  const ca = await makeAuthority({ subject: 'CN=Time Root,O=Time' });
  const extensions = [criticalUsage(EKU.timeStamping)];
  return { ca, signer: await makeCertificate({ subject: 'CN=Time,O=Time', issuer: ca, extensions }) };
}

/** What a token says, as far as it is not the usual. */
export interface TokenOptions {
  readonly time: Date;
  readonly nonce?: Uint8Array;
}

/** A timestamp token over some bytes (RFC 3161), SHA-256 throughout, accurate to a second. */
export function makeToken(
  { signer }: TimeAuthority,
  over: Uint8Array,
  { time, nonce }: TokenOptions,
): Uint8Array {
  const digest = digestIdentifier('sha256');
  const clock = time.toISOString().replace(/[-:T]|\.\d+/g, '');
  const info = derSequence(
    ONE,
    derOid('1.2.3.4'),
    derSequence(digest, derOctets(sha256(over))),
    ONE,
    derElement(TAG.generalizedTime, Buffer.from(clock)),
    derSequence(ONE),
    ...(nonce ? [derUnsigned(nonce)] : []),
  );
  const attribute = (oid: string, value: Uint8Array): Uint8Array => derSequence(derOid(oid), derSetOf(value));
  const attributes = derSetOf(
    attribute(ATTRIBUTE.contentType, derOid(CONTENT.timestampInfo)),
    attribute(ATTRIBUTE.messageDigest, derOctets(sha256(info))),
    attribute(
      ATTRIBUTE.signingCertificateV2,
      derSequence(derSequence(derSequence(derOctets(sha256(signer.der))))),
    ),
  );
  const signerInfo = derSequence(
    ONE,
    issuerAndSerialOf(signer),
    digest,
    derElement(0xa0, readOnly(attributes, TAG.set, 'attributes').value),
    derSequence(derOid('1.2.840.10045.4.3.2')),
    derOctets(Uint8Array.from(sign('sha256', attributes, signer.privateKey))),
  );
  const signedData = derSequence(
    derUnsigned(Uint8Array.of(3)),
    derSetOf(digest),
    derSequence(derOid(CONTENT.timestampInfo), derElement(0xa0, derOctets(info))),
    derElement(0xa0, signer.der),
    derSetOf(signerInfo),
  );
  return derSequence(derOid(CONTENT.signedData), derElement(0xa0, signedData));
}

/** A reply that grants the token. */
export function makeReply(token: Uint8Array): Uint8Array {
  return derSequence(derSequence(derUnsigned(Uint8Array.of(0))), token);
}

/** IssuerAndSerialNumber of a certificate. */
function issuerAndSerialOf({ der }: TestCertificate): Uint8Array {
  const [tbs] = childrenOf(readOnly(der, TAG.sequence, 'test'), 'test');
  const [, serial, , issuer] = tbs ? childrenOf(tbs, 'test') : [];
  return derSequence(issuer?.raw ?? new Uint8Array(), serial?.raw ?? new Uint8Array());
}
