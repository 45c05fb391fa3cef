import { createHash, generateKeyPair, type KeyObject, randomBytes, sign, X509Certificate } from 'node:crypto';
import { promisify } from 'node:util';
import {
  type CommonExtensions,
  formatCertificate,
  formatExtensions,
} from '../../formats/x509/certificate-template.ts';
import type { NameAttribute } from '../../formats/x509/name.ts';
import { BundleError } from '../../kit/errors/errors.ts';

/** When they are made, for how many days (30), and whose name the signer bears. */
export interface DevelopmentCertificateOptions {
  readonly now: Date;
  readonly days?: number;
  readonly organisation?: string;
}

/** PEM texts; the key is PKCS#8 and not encrypted. The key of the CA is not among them: it is gone. */
export interface DevelopmentCertificates {
  readonly caPem: string;
  readonly signerPem: string;
  readonly signerKeyPem: string;
}

const RSA_BITS = 3072;
const DEFAULT_DAYS = 30;
const MOST_DAYS = 365;
const DAY_MS = 86_400_000;
/** Other machines' clocks are a little behind. */
const BACKDATED_MS = 3_600_000;
const SHA256_WITH_RSA = { oid: '1.2.840.113549.1.1.11', nullParameters: true };
const CODE_SIGNING = '1.3.6.1.5.5.7.3.3';

/**
 * A certification authority and a signer under it, for trying things out: marked as DEVELOPMENT and soon expired.
 *
 * The CA signs once and its key is dropped, so nobody can issue another certificate under a CA that a test machine trusts.
 * It only makes them; where they are written is the caller's. [pub.11]
 * @throws `USAGE` for days outside of 1–365, or an organisation that is no name
 */
export async function makeDevelopmentCertificates(
  options: DevelopmentCertificateOptions,
): Promise<DevelopmentCertificates> {
  const { now, days = DEFAULT_DAYS, organisation = 'Example' } = options;
  if (!Number.isInteger(days) || days < 1 || days > MOST_DAYS) {
    throw new BundleError('USAGE', `${days} days: development certificates are valid for 1 to ${MOST_DAYS}`);
  }
  if (!/^[^\p{Cc}\p{Cs}]{1,64}$/u.test(organisation)) {
    throw new BundleError('USAGE', 'the organisation is not a name of 1 to 64 characters');
  }
  const caName = [{ type: 'CN', value: 'bulla development CA — do not trust' }];
  const signerName = [
    { type: 'CN', value: 'DEVELOPMENT signer — do not trust' },
    { type: 'O', value: organisation },
  ];
  const [ca, signer] = await Promise.all([makeKey(), makeKey()]);
  const issue = (subject: readonly NameAttribute[], key: KeyObject, extensions: CommonExtensions) =>
    issueCertificate({ now, days, caName, caKey: ca, subject, key, extensions });

  const caPem = await issue(caName, ca.publicKey, {
    basicConstraints: { ca: true, pathLen: 0 },
    keyUsage: ['keyCertSign', 'cRLSign'],
  });
  const signerPem = await issue(signerName, signer.publicKey, {
    basicConstraints: { ca: false },
    keyUsage: ['digitalSignature'],
    extendedKeyUsage: [CODE_SIGNING],
  });
  const signerKeyPem = signer.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { caPem, signerPem, signerKeyPem };
}

interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

async function makeKey(): Promise<KeyPair> {
  return promisify(generateKeyPair)('rsa', { modulusLength: RSA_BITS });
}

interface Issue {
  readonly now: Date;
  readonly days: number;
  readonly caName: readonly NameAttribute[];
  readonly caKey: KeyPair;
  readonly subject: readonly NameAttribute[];
  readonly key: KeyObject;
  readonly extensions: CommonExtensions;
}

async function issueCertificate(issue: Issue): Promise<string> {
  const { now, days, caName, caKey, subject, key, extensions } = issue;
  const start = Math.floor((now.getTime() - BACKDATED_MS) / 1000) * 1000;
  const der = await formatCertificate(
    {
      serial: randomSerial(),
      issuer: caName,
      subject,
      notBefore: new Date(start),
      notAfter: new Date(start + BACKDATED_MS + days * DAY_MS),
      spki: exportSpki(key),
      signature: SHA256_WITH_RSA,
      extensions: await formatExtensions({
        ...extensions,
        subjectKeyId: keyId(key),
        authorityKeyId: keyId(caKey.publicKey),
      }),
    },
    (tbs) => sign('sha256', tbs, caKey.privateKey),
  );
  return new X509Certificate(der).toString();
}

/** 126 random bits under 01, so that it is positive and its encoding minimal. */
function randomSerial(): Uint8Array {
  const serial = Uint8Array.from(randomBytes(16));
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  return serial;
}

function exportSpki(key: KeyObject): Uint8Array {
  return Uint8Array.from(key.export({ type: 'spki', format: 'der' }));
}

/** Any value that is the key's own will do (RFC 5280 section 4.2.1.2). */
function keyId(key: KeyObject): Uint8Array {
  return Uint8Array.from(createHash('sha256').update(exportSpki(key)).digest().subarray(0, 20));
}
