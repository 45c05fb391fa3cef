import type { Certificate } from '../crypto/certificate.ts';
import { EXTENSION } from '../formats/x509/extensions.ts';
import { equalBytes } from '../kit/bytes.ts';
import { printable } from '../kit/encoding.ts';
import { BundleError, type ErrorCode } from '../kit/errors.ts';
import { type Allowances, ANY_PURPOSE, type Finding, judgeDigest, judgeKey, PURPOSES } from './policy.ts';

/** When, and with how much leniency, certificates are judged. */
export interface JudgeOptions {
  readonly at: Date;
  readonly allowances: Allowances;
}

const SHOWN = 200;

/** How messages name a certificate: `certificate "CN=…"`, on one line, cut at 200 characters. */
export function nameOf(certificate: Certificate): string {
  const { subject, serial } = certificate.fields;
  return subject.text === '' ? `certificate ${serial}` : `certificate "${shown(subject.text)}"`;
}

/** A foreign name for a message. */
export function shown(text: string): string {
  const safe = printable(text);
  return safe.length > SHOWN ? `${safe.slice(0, SHOWN)}…` : safe;
}

/** True when issuer and subject are the same name. */
export function isSelfIssued({ fields }: Certificate): boolean {
  return equalBytes(fields.issuer.raw, fields.subject.raw);
}

/** What is wrong with a leaf whoever issued it: time, key, critical extensions, key usage; purposes are the path's. */
export function judgeLeaf(leaf: Certificate, options: JudgeOptions): readonly Finding[] {
  return [...judgeAnyone(leaf, options), ...judgeKeyUsage(leaf)];
}

/** What is wrong with a leaf when nothing is known of its path; a self-signature says nothing, so neither does its digest. */
export function judgeLeafAlone(leaf: Certificate, options: JudgeOptions): readonly Finding[] {
  const digest = isSelfIssued(leaf) ? [] : judgeSignatureDigest(leaf, options.allowances);
  return [...judgeLeaf(leaf, options), ...digest, ...judgePurposes([leaf])];
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
    findings.push({ ...constraint(certificate, problem), allowed: true });
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

function judgeAnyone(certificate: Certificate, { at, allowances }: JudgeOptions): readonly Finding[] {
  const key = judgeKey(certificate.key, nameOf(certificate), allowances);
  return [...judgeValidity(certificate, at), ...(key ? [key] : []), ...judgeCritical(certificate)];
}

/** [path.6] Both ends count as valid. Written so that a time that is no time is outside of every validity. */
function judgeValidity(certificate: Certificate, at: Date): readonly Finding[] {
  const { notBefore, notAfter } = certificate.fields;
  const name = nameOf(certificate);
  if (!(at.getTime() >= notBefore.getTime())) {
    return [refused('CERTIFICATE_NOT_YET_VALID', `${name} is not valid before ${showDay(notBefore)}`)];
  }
  if (!(at.getTime() <= notAfter.getTime())) {
    return [refused('CERTIFICATE_EXPIRED', `${name} expired on ${showDay(notAfter)}`)];
  }
  return [];
}

function showDay(date: Date): string {
  return date.toISOString().slice(0, 10);
}

/** Extensions whose rules are not evaluated: always refused, or only when their issuer marks them critical. [path.11] */
const NOT_EVALUATED: readonly { oid: string; name: string; always: boolean }[] = [
  { oid: EXTENSION.nameConstraints, name: 'name constraints', always: true },
  { oid: EXTENSION.policyConstraints, name: 'policy constraints', always: true },
  { oid: EXTENSION.certificatePolicies, name: 'certificate policies', always: false },
  { oid: EXTENSION.policyMappings, name: 'policy mappings', always: false },
  { oid: EXTENSION.inhibitAnyPolicy, name: 'inhibit anyPolicy', always: false },
  { oid: EXTENSION.crlDistributionPoints, name: 'CRL distribution points', always: false },
  { oid: EXTENSION.freshestCrl, name: 'freshest CRL', always: false },
  { oid: EXTENSION.authorityInfoAccess, name: 'authority information access', always: false },
];

function judgeCritical(certificate: Certificate): readonly Finding[] {
  const { byOid, unknownCritical } = certificate.fields.extensions;
  // [path.10] critical means: who does not understand this must not use the certificate
  const unknown = unknownCritical.map((oid) =>
    constraint(certificate, `has the critical extension ${oid}, which bulla does not know`),
  );
  const skipped = NOT_EVALUATED.filter(({ oid, always }) => {
    const extension = byOid.get(oid);
    return extension !== undefined && (always || extension.critical);
  });
  return [
    ...unknown,
    ...skipped.map(({ name }) => constraint(certificate, `has ${name}, which bulla does not evaluate yet`)),
  ];
}

/** [path.12] */
function judgeKeyUsage(leaf: Certificate): readonly Finding[] {
  const { keyUsage } = leaf.fields.extensions;
  if (!keyUsage || keyUsage.has('digitalSignature') || keyUsage.has('nonRepudiation')) return [];
  const problem = 'may not sign data (key usage has neither digitalSignature nor nonRepudiation)';
  return [refused('PURPOSE_REFUSED', `${nameOf(leaf)} ${problem}`)];
}

/**
 * [path.13] One accepted purpose must be left after every certificate of the path, leaf first, that has
 * extended key usages has had its say: a sub-CA made for web servers must not issue signers.
 */
export function judgePurposes(path: readonly Certificate[]): readonly Finding[] {
  let left = Object.keys(PURPOSES);
  for (const certificate of path) {
    const usages = certificate.fields.extensions.extendedKeyUsage;
    if (!usages || usages.includes(ANY_PURPOSE)) continue;
    left = left.filter((purpose) => usages.includes(purpose));
    if (left.length > 0) continue;
    const problem = `is not for signing code (extended key usage ${shown(usages.map(showPurpose).join(', '))})`;
    return [refused('PURPOSE_REFUSED', `${nameOf(certificate)} ${problem}`)];
  }
  return [];
}

const OTHER_PURPOSES: Readonly<Record<string, string>> = {
  '1.3.6.1.5.5.7.3.1': 'serverAuth',
  '1.3.6.1.5.5.7.3.2': 'clientAuth',
  '1.3.6.1.5.5.7.3.8': 'timeStamping',
  '1.3.6.1.5.5.7.3.9': 'OCSPSigning',
};

function showPurpose(oid: string): string {
  return PURPOSES[oid] ?? OTHER_PURPOSES[oid] ?? oid;
}

function constraint(certificate: Certificate, problem: string): Finding {
  return refused('PATH_CONSTRAINT', `${nameOf(certificate)} ${problem}`);
}

function refused(code: ErrorCode, message: string): Finding {
  return { error: new BundleError(code, message), allowed: false };
}
