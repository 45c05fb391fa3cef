import { type KeyPair, makeMlDsaKey, makeRsaKey } from '../../engine/node/key-pair.ts';
import { formatPem } from '../../formats/pem.ts';
import { formatCertificate } from '../../formats/x509/certificate-template.ts';
import { ML_DSA_87 } from '../../formats/x509/ml-dsa.ts';
import type { NameAttribute } from '../../formats/x509/name.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import { certificateTemplate, type Issuance } from './issue-certificate.ts';

/** When they are made, for how many days (30), whose name the signer bears, and whether the keys are of ML-DSA-87 in place of RSA. */
export interface DevelopmentCertificateOptions {
  readonly now: Date;
  readonly days?: number;
  readonly organisation?: string;
  readonly postQuantum?: boolean;
}

/** PEM texts; the key is PKCS#8 and not encrypted. The key of the CA is not among them: it is gone. */
export interface DevelopmentCertificates {
  readonly caPem: string;
  readonly signerPem: string;
  readonly signerKeyPem: string;
}

const CA_NAME = 'bulla development CA — do not trust';
const PQ_CA_NAME = 'bulla development post-quantum CA — do not trust';
/** The names of the authorities, which are roots. */
export const DEVELOPMENT_CAS: ReadonlySet<string> = new Set([CA_NAME, PQ_CA_NAME]);
const RSA_BITS = 3072;
const DEFAULT_DAYS = 30;
const MOST_DAYS = 365;
const DAY_MS = 86_400_000;
/** Other machines' clocks are a little behind. */
const BACKDATED_MS = 3_600_000;
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
  const { now, days = DEFAULT_DAYS, organisation = 'Example', postQuantum = false } = options;
  if (!Number.isInteger(days) || days < 1 || days > MOST_DAYS) {
    throw new BundleError('USAGE', `${days} days: development certificates are valid for 1 to ${MOST_DAYS}`);
  }
  if (!/^[^\p{Cc}\p{Cs}]{1,64}$/u.test(organisation)) {
    throw new BundleError('USAGE', 'the organisation is not a name of 1 to 64 characters');
  }
  const kind = postQuantum ? 'post-quantum ' : '';
  const caName = [{ type: 'CN', value: postQuantum ? PQ_CA_NAME : CA_NAME }];
  const signerName = [
    { type: 'CN', value: `DEVELOPMENT ${kind}signer — do not trust` },
    { type: 'O', value: organisation },
  ];
  const make = async (): Promise<KeyPair> => (postQuantum ? makeMlDsaKey(ML_DSA_87) : makeRsaKey(RSA_BITS));
  const [ca, signer] = await Promise.all([make(), make()]);
  const issue = (name: readonly NameAttribute[], { spki }: KeyPair, extensions: Issuance['extensions']) =>
    issueCertificate({ now, days, caName, caKey: ca, subject: { name, spki }, extensions });

  const caPem = await issue(caName, ca, {
    basicConstraints: { ca: true, pathLen: 0 },
    keyUsage: ['keyCertSign', 'cRLSign'],
  });
  const signerPem = await issue(signerName, signer, {
    basicConstraints: { ca: false },
    keyUsage: ['digitalSignature'],
    extendedKeyUsage: [CODE_SIGNING],
  });
  return { caPem, signerPem, signerKeyPem: signer.pem };
}

interface Issue {
  readonly now: Date;
  readonly days: number;
  readonly caName: readonly NameAttribute[];
  readonly caKey: KeyPair;
  readonly subject: Issuance['subject'];
  readonly extensions: Issuance['extensions'];
}

async function issueCertificate({ now, days, caName, caKey, subject, extensions }: Issue): Promise<string> {
  const start = Math.floor((now.getTime() - BACKDATED_MS) / 1000) * 1000;
  const template = await certificateTemplate({
    issuer: { name: caName, spki: caKey.spki },
    subject,
    notBefore: new Date(start),
    notAfter: new Date(start + BACKDATED_MS + days * DAY_MS),
    signature: caKey.signature,
    extensions,
  });
  return formatPem('CERTIFICATE', await formatCertificate(template, caKey.sign));
}
