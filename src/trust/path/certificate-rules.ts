import type { Certificate } from '../../crypto/certificate.ts';
import { EXTENSION } from '../../formats/x509/extensions.ts';
import { mlDsaOfKey } from '../../formats/x509/ml-dsa.ts';
import { nameKey } from '../../formats/x509/name.ts';
import { type Allowances, type Finding, judgeDigest, judgeKey } from '../policy.ts';
import { constraint, lenient, nameOf, refused } from './findings.ts';
import type { JudgeOptions, TimeWindow } from './judge-options.ts';
import { judgeKeyUsage, judgePurposes } from './purposes.ts';
import { judgeConformance } from './strict.ts';

/** True when issuer and subject are the same name. */
export function isSelfIssued({ fields }: Certificate): boolean {
  return nameKey(fields.issuer) === nameKey(fields.subject);
}

/** What is wrong with a leaf whoever issued it: time, key, critical extensions, key usage; extended usages are the path's. */
export function judgeLeaf(leaf: Certificate, options: JudgeOptions): readonly Finding[] {
  return [...judgeAnyone(leaf, options), ...judgeKeyUsage(leaf, options.purpose)];
}

/** What is wrong with a leaf when nothing is known of its path; a self-signature says nothing, so neither does its digest. */
export function judgeLeafAlone(leaf: Certificate, options: JudgeOptions): readonly Finding[] {
  const digest = isSelfIssued(leaf) ? [] : judgeSignatureDigest(leaf, options.allowances);
  return [...judgeLeaf(leaf, options), ...digest, ...judgePurposes([leaf], options.purpose)];
}

/** What is wrong with a certificate as an issuer, `below` intermediates that are not self-issued being under it. */
export function judgeIssuer(
  certificate: Certificate,
  below: number,
  options: JudgeOptions,
): readonly Finding[] {
  const findings = [...judgeAnyone(certificate, options)];
  const { basicConstraints, keyUsage, byOid } = certificate.fields.extensions;
  // [path.7] without this every holder of a leaf could issue certificates; v1 has no way to say it
  if (basicConstraints?.ca !== true) {
    findings.push(constraint(certificate, 'is not a certification authority, yet issued a certificate'));
  } else if (byOid.get(EXTENSION.basicConstraints)?.critical === false) {
    const problem = 'says that it is a certification authority in an extension that is not critical';
    findings.push(lenient(certificate, problem, options.strict ?? false));
  }
  // [path.8]
  const pathLen = basicConstraints?.pathLen;
  if (pathLen !== undefined && below > pathLen) {
    const problem = `allows ${pathLen} certification authorities below it; the path has ${below}`;
    findings.push(constraint(certificate, problem));
  }
  // [path.9]
  if (keyUsage && !keyUsage.has('keyCertSign')) {
    findings.push(constraint(certificate, 'may not sign certificates (key usage keyCertSign is missing)'));
  }
  return findings;
}

/** What is wrong with the signature on a certificate that stands under another. [path.15] */
export function judgeSignatureDigest(certificate: Certificate, allowances: Allowances): readonly Finding[] {
  const finding = judgeDigest(certificate.fields.signature.digest, nameOf(certificate), allowances);
  return finding ? [finding] : [];
}

function judgeAnyone(certificate: Certificate, options: JudgeOptions): readonly Finding[] {
  const key = judgeKey(certificate.key, nameOf(certificate), options.allowances);
  return [
    ...judgeValidity(certificate, options.window),
    ...(key ? [key] : []),
    // [path.10] critical means: who does not understand this must not use the certificate
    ...certificate.fields.extensions.unknownCritical.map((oid) =>
      constraint(certificate, `has the critical extension ${oid}, which bulla does not know`),
    ),
    ...judgeMlDsaUsage(certificate),
    ...(options.strict ? judgeConformance(certificate) : []),
  ];
}

const SIGNING_USAGES = ['digitalSignature', 'nonRepudiation', 'keyCertSign', 'cRLSign'] as const;

/** [pq.7] A key of ML-DSA signs and does nothing else. */
function judgeMlDsaUsage(certificate: Certificate): readonly Finding[] {
  const { keyUsage } = certificate.fields.extensions;
  if (!keyUsage || !mlDsaOfKey(certificate.key)) return [];
  const signing = SIGNING_USAGES.filter((usage) => keyUsage.has(usage)).length;
  if (signing > 0 && signing === keyUsage.size) return [];
  return [
    constraint(
      certificate,
      `has an ${certificate.key.label} key and a key usage that is not for signing alone`,
    ),
  ];
}

/**
 * [path.6] Both ends count as valid, the last second whole: certificates tell no smaller time. Written so that a time
 * that is no time is outside of every validity.
 */
export function judgeValidity(certificate: Certificate, { from, to }: TimeWindow): readonly Finding[] {
  const { notBefore, notAfter } = certificate.fields;
  const name = nameOf(certificate);
  const then = from.getTime() === to.getTime() ? '' : `; the timestamp is of ${showTime(to)}`;
  if (!(from.getTime() >= notBefore.getTime())) {
    return [
      refused('CERTIFICATE_NOT_YET_VALID', `${name} is not valid before ${showTime(notBefore)}${then}`),
    ];
  }
  if (!(Math.floor(to.getTime() / 1000) <= notAfter.getTime() / 1000)) {
    return [refused('CERTIFICATE_EXPIRED', `${name} expired on ${showTime(notAfter)}${then}`)];
  }
  return [];
}

/** `2026-11-21 12:00:00 UTC`. */
export function showTime(date: Date): string {
  const iso = Number.isNaN(date.getTime()) ? 'no time' : date.toISOString();
  return iso.replace('T', ' ').replace(/(\.\d+)?Z$/, ' UTC');
}
