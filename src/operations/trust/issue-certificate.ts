import { digestBytes } from '../../crypto/digest.ts';
import { unguessable } from '../../engine/node/random.ts';
import {
  type CertificateTemplate,
  type CommonExtensions,
  formatExtensions,
} from '../../formats/x509/certificate-template.ts';
import type { NameAttribute } from '../../formats/x509/name.ts';

/** Whose name and key a certificate bears; the name begins with the most specific attribute, the key is a SubjectPublicKeyInfo in DER. */
interface Party {
  readonly name: readonly NameAttribute[];
  readonly spki: Uint8Array;
}

/** What a certificate is to say. */
export interface Issuance {
  readonly issuer: Party;
  readonly subject: Party;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** 126 random bits when left out */
  readonly serial?: Uint8Array;
  readonly signature: CertificateTemplate['signature'];
  readonly extensions: Omit<CommonExtensions, 'subjectKeyId' | 'authorityKeyId'>;
}

/** What is to be signed, for `formatCertificate`: what is asked for, and the identifiers of both keys. */
export async function certificateTemplate(issuance: Issuance): Promise<CertificateTemplate> {
  const { issuer, subject, serial = randomSerial(), extensions, ...rest } = issuance;
  return {
    ...rest,
    serial,
    issuer: issuer.name,
    subject: subject.name,
    spki: subject.spki,
    extensions: await formatExtensions({
      ...extensions,
      subjectKeyId: keyId(subject.spki),
      authorityKeyId: keyId(issuer.spki),
    }),
  };
}

/** 126 random bits under 01, so that it is positive and its encoding minimal. */
function randomSerial(): Uint8Array {
  const serial = unguessable(16);
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  return serial;
}

/** Any value that is the key's own will do (RFC 5280 section 4.2.1.2). */
function keyId(spki: Uint8Array): Uint8Array {
  return digestBytes('sha256', spki).slice(0, 20);
}
