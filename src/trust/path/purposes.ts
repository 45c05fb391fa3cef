import type { Certificate } from '../../crypto/certificate.ts';
import type { Finding } from '../policy.ts';
import { nameOf, refused, shown } from './findings.ts';

/** What the leaf is to do: sign bundles and files, timestamp, answer for revocation, or anything at all. */
export type Purpose = 'code-signing' | 'timestamping' | 'ocsp-signing' | 'any';

const CODE_SIGNING = '1.3.6.1.5.5.7.3.3';
const EMAIL_PROTECTION = '1.3.6.1.5.5.7.3.4';
/** The extended key usage of timestamp authorities, and that of OCSP responders. */
export const TIME_STAMPING = '1.3.6.1.5.5.7.3.8';
export const OCSP_SIGNING = '1.3.6.1.5.5.7.3.9';
const ANY_PURPOSE = '2.5.29.37.0';

/** Extended key usages that serve a purpose: any of them is enough, and so is having none. [path.13] */
const ACCEPTED: Readonly<Record<Exclude<Purpose, 'any'>, readonly string[]>> = {
  'code-signing': [CODE_SIGNING, EMAIL_PROTECTION],
  timestamping: [TIME_STAMPING],
  'ocsp-signing': [OCSP_SIGNING],
};

const NAMES: Readonly<Record<string, string>> = {
  [CODE_SIGNING]: 'codeSigning',
  [EMAIL_PROTECTION]: 'emailProtection',
  [TIME_STAMPING]: 'timeStamping',
  [OCSP_SIGNING]: 'OCSPSigning',
  '1.3.6.1.5.5.7.3.1': 'serverAuth',
  '1.3.6.1.5.5.7.3.2': 'clientAuth',
  [ANY_PURPOSE]: 'any',
};

const DOINGS: Readonly<Record<Exclude<Purpose, 'any'>, string>> = {
  'code-signing': 'signing code',
  timestamping: 'timestamping',
  'ocsp-signing': 'signing OCSP responses',
};

/** [path.12] */
export function judgeKeyUsage(leaf: Certificate, purpose: Purpose): readonly Finding[] {
  const { keyUsage } = leaf.fields.extensions;
  if (purpose === 'any' || !keyUsage) return [];
  if (keyUsage.has('digitalSignature') || keyUsage.has('nonRepudiation')) return [];
  const problem = 'may not sign data (key usage has neither digitalSignature nor nonRepudiation)';
  return [refused('PURPOSE_REFUSED', `${nameOf(leaf)} ${problem}`)];
}

/**
 * [path.13] One accepted usage must be left after every certificate of the path, leaf first, that has extended key
 * usages has had its say: a sub-CA made for web servers must not issue signers.
 */
export function judgePurposes(path: readonly Certificate[], purpose: Purpose): readonly Finding[] {
  if (purpose === 'any') return [];
  let left = ACCEPTED[purpose];
  for (const certificate of path) {
    const usages = certificate.fields.extensions.extendedKeyUsage;
    if (!usages || usages.includes(ANY_PURPOSE)) continue;
    left = left.filter((accepted) => usages.includes(accepted));
    if (left.length > 0) continue;
    const list = shown(usages.map((oid) => NAMES[oid] ?? oid).join(', '));
    const problem = `is not for ${DOINGS[purpose]} (extended key usage ${list})`;
    return [refused('PURPOSE_REFUSED', `${nameOf(certificate)} ${problem}`)];
  }
  return [];
}
